//! An HDF5 file, of ours or of another program: an error or a recording.
#![no_main]

use std::fs;

use libfuzzer_sys::fuzz_target;
use physiosynth_formats::recording::{OpenOptions, open};
use physiosynth_fuzz::folder;

fuzz_target!(|bytes: &[u8]| {
    let path = folder().join("f.h5");
    fs::write(&path, bytes).expect("a file can be written");
    if let Ok(recording) = open(&path, &OpenOptions { rate_hz: Some(100.0), ..OpenOptions::default() }) {
        let _ = recording.into_record();
    }
});

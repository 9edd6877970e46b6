//! Annotations as delimited text.
#![no_main]

use std::fs;

use libfuzzer_sys::fuzz_target;
use physiosynth_formats::delimited::read_annotations;
use physiosynth_fuzz::folder;

fuzz_target!(|bytes: &[u8]| {
    let path = folder().join("a.csv");
    fs::write(&path, bytes).expect("a file can be written");
    if let Ok(annotations) = read_annotations(&path, 360.0) {
        assert!(annotations.is_sorted_by_key(|annotation| annotation.sample));
    }
});

//! A whole EDF or BDF file that can be read and of which the writer says that nothing is lost: read again, it is the same.
#![no_main]

use std::fs;

use libfuzzer_sys::fuzz_target;
use physiosynth_formats::edf;
use physiosynth_formats::recording::{OpenOptions, open};
use physiosynth_fuzz::{folder, same};

fuzz_target!(|bytes: &[u8]| {
    let (original, written) = (folder().join("o.edf"), folder().join("w.edf"));
    fs::write(&original, bytes).expect("a file can be written");
    let Ok(mut recording) = open(&original, &OpenOptions::default()) else { return };
    if recording.samples() > 1 << 16 {
        return;
    }
    let options = recording.edf_options();
    let Ok(losses) = edf::write_recording(&written, &mut recording, &options) else { return };
    let Ok(before) = recording.into_record() else { return };
    let after = edf::read_record(&written, &edf::EdfReadOptions::default()).expect("what was written can be read");
    if losses.is_empty() {
        assert_eq!(after.channels.len(), before.channels.len());
        for (after, before) in after.channels.iter().zip(&before.channels) {
            assert_eq!(after.label, before.label);
            assert!(same(&after.samples, &before.samples), "'{}' is not read back", before.label);
        }
    }
});

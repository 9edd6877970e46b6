//! Delimited text that can be read: written and read again, its samples are the same.
#![no_main]

use std::path::Path;

use libfuzzer_sys::fuzz_target;
use physiosynth_formats::delimited::{TextReadOptions, parse, read_record, write_record};
use physiosynth_fuzz::{folder, same};

fuzz_target!(|text: &str| {
    let options = TextReadOptions { rate_hz: Some(360.0), ..TextReadOptions::default() };
    let Ok(before) = parse(Path::new("fuzzed.csv"), text, &options) else { return };
    let path = folder().join("w.csv");
    if before.channels.iter().all(|channel| channel.samples.len() < 2) || write_record(&path, &before).is_err() {
        return;
    }
    let after = read_record(&path, &TextReadOptions::default()).expect("what was written can be read");
    assert_eq!(after.channels.len(), before.channels.len());
    for (after, before) in after.channels.iter().zip(&before.channels) {
        assert!(same(&after.samples, &before.samples), "'{}' is not read back", before.label);
    }
});

//! Delimited text with a column of times, and with a rate that is given.
#![no_main]

use std::path::Path;

use libfuzzer_sys::fuzz_target;
use physiosynth_formats::delimited::{ReadOptions, parse};

fuzz_target!(|text: &str| {
    let path = Path::new("fuzzed.csv");
    let _ = parse(path, text, &ReadOptions::default());
    let _ = parse(path, text, &ReadOptions { rate_hz: Some(360.0), ..ReadOptions::default() });
});

//! Delimited text with a column of times, and with a rate that is given.
#![no_main]

use std::path::Path;

use libfuzzer_sys::fuzz_target;
use physiosynth_formats::delimited::{TextReadOptions, parse};

fuzz_target!(|text: &str| {
    let path = Path::new("fuzzed.csv");
    let _ = parse(path, text, &TextReadOptions::default());
    let _ = parse(path, text, &TextReadOptions { rate_hz: Some(360.0), ..TextReadOptions::default() });
});

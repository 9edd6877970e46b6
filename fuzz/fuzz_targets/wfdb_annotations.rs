//! An annotation file in the MIT or the AHA format: an error or annotations, which fit in the bytes.
#![no_main]

use std::path::Path;

use libfuzzer_sys::fuzz_target;
use physiosynth_formats::wfdb::annotation::decode;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(mut file) = decode(Path::new("fuzzed.atr"), bytes) {
        assert!(2 * file.annotations.len() <= bytes.len());
        file.rescale(360.0);
    }
});

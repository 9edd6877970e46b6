//! A NumPy array: an error or as many values as its shape says.
#![no_main]

use std::path::Path;

use libfuzzer_sys::fuzz_target;
use physiosynth_formats::npy::{self, Values};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(array) = npy::parse(Path::new("fuzzed.npy"), bytes) {
        let held = match &array.values {
            Values::F32(values) => values.len(),
            Values::F64(values) => values.len(),
            Values::Integer(values) => values.len(),
            Values::Text(values) => values.len(),
        };
        assert_eq!(held, array.shape.iter().product::<usize>());
    }
});

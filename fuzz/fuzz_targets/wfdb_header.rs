//! A WFDB header: an error or a header whose facts are within the text.
#![no_main]

use std::path::Path;

use libfuzzer_sys::fuzz_target;
use physiosynth_formats::wfdb::{header, subject_info};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(parsed) = header::parse(Path::new("fuzzed.hea"), bytes) {
        assert!(parsed.signals.len() + parsed.segment_lines.len() <= bytes.len());
        assert!(parsed.sampling_frequency() > 0.0);
        assert!(parsed.signals.iter().all(|signal| signal.effective_gain() != 0.0 && signal.effective_gain().is_finite()));
        let _ = subject_info(&parsed.comments);
    }
});

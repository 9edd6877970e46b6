//! Signal files of format 61.
#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| physiosynth_fuzz::signal_file(61, bytes));

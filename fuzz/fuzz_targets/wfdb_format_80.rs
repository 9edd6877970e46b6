//! Signal files of format 80.
#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| physiosynth_fuzz::signal_file(80, bytes));

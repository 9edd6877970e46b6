//! Signal files of format 212.
#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| physiosynth_fuzz::signal_file(212, bytes));

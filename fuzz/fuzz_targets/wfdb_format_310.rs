//! Signal files of format 310.
#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| physiosynth_fuzz::signal_file(310, bytes));

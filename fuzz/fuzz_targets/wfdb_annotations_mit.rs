//! An annotation file in the MIT format.
#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| drop(physiosynth_fuzz::annotations(bytes)));

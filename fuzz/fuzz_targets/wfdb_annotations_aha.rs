//! An annotation file in the AHA format: the bytes that tell it from the MIT format are put there.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let mut bytes = bytes.to_vec();
    if bytes.len() < 16 {
        return;
    }
    bytes[..2].copy_from_slice(&[0, b'N']);
    if bytes.len() > 17 && bytes[16] != 0xFF {
        bytes[16..18].copy_from_slice(&[0, b'V']);
    }
    if let Some(file) = physiosynth_fuzz::annotations(&bytes) {
        // One byte more than a record tells nothing, and is the other format.
        assert_eq!(file.is_aha, bytes.len() != 17 || bytes[16] == 0xFF);
        assert!(!file.is_aha || 16 * file.annotations.len() <= bytes.len());
    }
});

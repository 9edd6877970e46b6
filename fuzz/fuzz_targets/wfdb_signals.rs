//! The content of a signal file in each format: the first byte chooses it, the second how many samples are asked for.
#![no_main]

use libfuzzer_sys::fuzz_target;
use physiosynth_formats::SignalFormat;

const FORMATS: [u32; 13] = [8, 16, 24, 32, 61, 80, 160, 212, 310, 311, 508, 516, 524];

fuzz_target!(|bytes: &[u8]| {
    let [choice, limit, content @ ..] = bytes else { return };
    let Some(format) = FORMATS.get(usize::from(*choice) % FORMATS.len()).and_then(|number| SignalFormat::from_number(*number)) else {
        return;
    };
    let limit = 64 * usize::from(*limit);
    assert!(format.decode(content, limit).len() <= limit);
});

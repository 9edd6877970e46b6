//! A block of time-stamped annotations: lists, each with its onset.
#![no_main]

use libfuzzer_sys::fuzz_target;
use physiosynth_formats::edf::tal;

fuzz_target!(|bytes: &[u8]| {
    let block = tal::parse(bytes);
    // A list takes a sign, a digit and an end mark at the least.
    assert!(3 * block.lists.len() + block.malformed <= bytes.len().max(1) + 1);
});

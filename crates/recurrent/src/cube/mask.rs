//! Zeros in place of padding.

use cubecl::prelude::*;

/// Copies `[batch, time, features]`, zeros behind each row's length.
#[cube(launch)]
pub(super) fn mask(input: &[f32], lengths: &[u32], masked: &mut [f32], time: usize, features: usize) {
    let place = ABSOLUTE_POS;
    if place < masked.len() {
        let step = place / features;
        let mut value = 0.0f32;
        if step % time < lengths[step / time] as usize {
            value = input[place];
        }
        masked[place] = value;
    }
}

//! Which beats no heart gives: the limits that evaluation judges segments by.

use physiosynth_evaluation::clinical::beat::beat_quantities;
use physiosynth_evaluation::clinical::delineate::{Neighbours, delineate};
use physiosynth_evaluation::clinical::limits::beat_outside;
use physiosynth_signal::SegmentSet;
use rayon::prelude::*;

use super::beats::Wish;

/// Of beats `chosen[i]` of `set` for `wishes[i]`, those that are outside of a limit (rate, QRS, QT, amplitude), as indices into `chosen`.
pub(super) fn implausible(set: &SegmentSet, chosen: &[usize], wishes: &[Wish]) -> Vec<usize> {
    let rate = set.sampling_frequency_hz;
    let millivolts = set.channel_units.first().is_some_and(|unit| unit == "mV");
    let outside = |(index, (&segment, wish)): (usize, (&usize, &Wish))| {
        let samples: Vec<f32> = set.physical(segment).column(0).to_vec();
        let [before, after] = wish.around.rr_s.map(f64::from);
        let waves = delineate(&samples, rate, set.mark_index, Neighbours::new(before, after));
        let quantities = beat_quantities(&samples, rate, set.mark_index, &waves, Some(before));
        beat_outside(&samples, &quantities, None, millivolts).then_some(index)
    };
    chosen.par_iter().zip(wishes).enumerate().filter_map(outside).collect()
}

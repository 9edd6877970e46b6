//! Powers, shapes and connections of the channels of an EEG.

use physiosynth_signal::Cancelled;
use rayon::prelude::*;

use super::distributions::distribution;
use super::halves::{HALVES, Halves, over};
use super::rows::{FEWEST, Row, Sets, Whose, pools};
use super::{Context, Findings};
use crate::clinical::bands::{BandDifference, band_difference};
use crate::clinical::connectivity::{Pairs, coherences, correlations, mean_absolute_difference};
use crate::clinical::hjorth::{hjorth, line_length_per_s};
use crate::clinical::limits;
use crate::clinical::spectrum::{BANDS, Welch};
use crate::clinical::wasserstein::wasserstein;
use crate::intervals::mean;
use crate::pool::Pool;
use crate::scores::{Better, Measure};

/// Segments on which correlation and coherence are taken at most, of each set: their cost grows with the square of the channels.
const CONNECTED: usize = 200;

/// One quantity of a channel whose distribution is compared.
struct Quantity {
    name: String,
    unit: String,
    what: String,
}

/// What is known of one segment.
#[derive(Debug, Clone)]
struct Epoch {
    /// `[channel][quantity]`, in the order of [`quantities`].
    channels: Vec<Vec<Option<f64>>>,
    outside: bool,
}

/// The quantities, in the order in which [`of_channel`] returns them.
fn quantities(unit: &str) -> Vec<Quantity> {
    // Names hold ASCII only: uv for µV.
    let plain: String = unit.replace(['µ', 'μ'], "u").to_lowercase().chars().filter(char::is_ascii_alphanumeric).collect();
    let quantity = |name: String, unit: String, what: String| Quantity { name, unit, what };
    let power = BANDS.iter().map(|b| {
        let what = format!("power from {} to {} Hz (Welch, Hann windows of 2 s)", b.from_hz, b.to_hz);
        quantity(format!("{}_power_{plain}2", b.name), format!("{unit}²"), what)
    });
    let share = BANDS.iter().map(|b| {
        let what = format!("share of the power from 1 to 45 Hz that lies from {} to {} Hz", b.from_hz, b.to_hz);
        quantity(format!("{}_share", b.name), String::new(), what)
    });
    let rest = [
        ("spectral_edge_hz", "Hz".into(), "frequency below which 95% of the power from 1 to 45 Hz lie"),
        ("spectral_entropy", String::new(), "entropy of the spectrum from 1 to 45 Hz, from 0 (one line) to 1 (flat)"),
        ("hjorth_activity", format!("{unit}²"), "Hjorth's activity, the variance"),
        ("hjorth_mobility_per_s", "1/s".into(), "Hjorth's mobility, √(variance of the slope / variance)"),
        ("hjorth_complexity", String::new(), "Hjorth's complexity, mobility of the slope over mobility"),
        (
            "line_length_per_s",
            format!("{unit}/s"),
            "line length, the sum of absolute differences of neighbouring samples per second",
        ),
    ];
    let rest = rest.into_iter().map(|(name, unit, what)| quantity(name.into(), unit, what.into()));
    power.chain(share).chain(rest).collect()
}

fn of_channel(samples: &[f64], welch: Option<&Welch>, rate: f64) -> Vec<Option<f64>> {
    let spectrum = welch.and_then(|w| w.spectrum(samples));
    let shape = hjorth(samples, rate);
    let power = BANDS.iter().map(|b| spectrum.as_ref().and_then(|s| s.power(*b)));
    let share = BANDS.iter().map(|b| spectrum.as_ref().and_then(|s| s.relative(*b)));
    let rest = [
        spectrum.as_ref().and_then(crate::clinical::spectrum::Spectrum::edge_hz),
        spectrum.as_ref().and_then(crate::clinical::spectrum::Spectrum::entropy),
        shape.map(|h| h.activity),
        shape.map(|h| h.mobility_per_s),
        shape.map(|h| h.complexity),
        line_length_per_s(samples, rate),
    ];
    power.chain(share).chain(rest).collect()
}

/// Segment `i` as `[channel][time]`, of the channels asked for.
fn channels_of(pool: &Pool, i: usize, wanted: &[usize], channels: usize) -> Vec<Vec<f64>> {
    let segment = pool.segment(i);
    wanted.iter().map(|&c| segment.iter().skip(c).step_by(channels.max(1)).map(|&x| f64::from(x)).collect()).collect()
}

/// Microvolts per unit; 1 where the unit is unknown, so that limits are then taken to be in it.
fn microvolts(unit: &str) -> f64 {
    match unit.trim() {
        "mV" | "mv" | "millivolt" => 1e3,
        "V" => 1e6,
        _ => 1.0,
    }
}

/// Adds the rows of each class and of all.
pub(super) fn assess(wanted: &[usize], context: &Context, findings: &mut Findings) -> Result<(), Cancelled> {
    let unit = wanted.first().and_then(|&c| context.real.channel_units.get(c)).map_or("", String::as_str);
    let (rate, channels) = (context.shape.sampling_frequency_hz, context.shape.channels);
    let welch = Welch::new(context.real.time(), rate);
    if welch.is_none() {
        findings.notes.push("clinical: segments are too short for a spectrum".into());
    }
    let mut all: Option<(Sets<Vec<Epoch>>, Whose)> = None;
    context.progress.begin("clinical", context.cases.len() as u64, "classes");
    for case in context.cases {
        let pools = pools(case);
        let sets = pools.map(|pool| epochs(pool, wanted, channels, welch.as_ref(), rate, microvolts(unit)));
        let whose = Whose::of(case);
        findings.measures.extend(rows(&case.class, &sets, &whose, unit, context));
        findings.exhibits.distributions.extend(quantities(unit).iter().enumerate().filter_map(|(index, quantity)| {
            let values = sets.map(|epochs| epochs.iter().map(|epoch| over_channels(epoch, index)).collect());
            distribution(
                (&quantity.name, &quantity.unit, &format!("{}, mean over channels", quantity.what)),
                &case.class,
                &values,
            )
        }));
        let sizes = [&pools.reference, &pools.synthetic, &pools.same, &pools.held_out].map(Pool::len);
        let size = sizes.into_iter().filter(|&n| n > 0).min().unwrap_or(0).min(CONNECTED);
        if wanted.len() > 1 {
            let subjects = whose.real_subjects();
            findings.measures.extend(connections(&case.class, &pools, wanted, channels, size, welch.as_ref(), subjects));
        }
        match &mut all {
            None => all = Some((sets, whose)),
            Some((together, everyone)) => {
                together.append(&sets);
                everyone.append(whose);
            }
        }
        context.progress.advance(1);
        if context.progress.cancelled() {
            return Err(Cancelled);
        }
    }
    if let Some((sets, whose)) = all {
        findings.measures.extend(rows("all", &sets, &whose, unit, context));
    }
    context.progress.end();
    Ok(())
}

fn epochs(pool: &Pool, wanted: &[usize], channels: usize, welch: Option<&Welch>, rate: f64, microvolts: f64) -> Vec<Epoch> {
    let one = |i: usize| {
        let mut segment = channels_of(pool, i, wanted, channels);
        let of_channels = segment.iter().map(|samples| of_channel(samples, welch, rate)).collect();
        segment.iter_mut().flatten().for_each(|x| *x *= microvolts);
        Epoch { channels: of_channels, outside: limits::eeg_outside(&segment) }
    };
    (0..pool.len()).into_par_iter().map(one).collect()
}

fn rows(class: &str, sets: &Sets<Vec<Epoch>>, whose: &Whose, unit: &str, context: &Context) -> Vec<Measure> {
    let (real_subjects, halves) = (whose.real_subjects(), whose.halves(class, context));
    let segments = sets.synthetic.len();
    let mut measures = Vec::new();
    let definition = format!(
        "Share of segments outside wide limits of what is plausible, 0 to 1: a channel's lowest to highest sample is beyond {}–{} µV. Inside \
         them a segment may still be unlike any real one.",
        limits::EEG_RANGE_UV[0],
        limits::EEG_RANGE_UV[1]
    );
    let better = Better::Lower;
    let row = Row { name: "outside_limits_share".into(), unit: "", class, better, definition, segments, subjects: real_subjects };
    let outside = sets.map(|epochs| epochs.iter().map(|e| e.outside).collect::<Vec<_>>());
    measures.push(row.shares(&outside, &whose.synthetic, context));
    measures.extend(band_shares(class, sets, real_subjects));
    for (index, quantity) in quantities(unit).into_iter().enumerate() {
        let reference = by_channel(&sets.reference, index);
        let values = sets.map(|epochs| distance(&reference, &by_channel(epochs, index)));
        if values.same.is_none() && values.synthetic.is_none() {
            continue;
        }
        let definition = format!(
            "Wasserstein-1 distance between the distributions of one quantity in the scored and in the real training segments, taken for each \
             channel by itself, then the mean over channels: {}. 0 is equal; it is how far values have to be moved on average, in {}. Blind to \
             how quantities and channels go together. {HALVES}",
            quantity.what,
            if quantity.unit.is_empty() { "the quantity's own number" } else { &quantity.unit }
        );
        let name = format!("wasserstein_{}", quantity.name);
        let row = Row { name, unit: &quantity.unit, class, better, definition, segments, subjects: real_subjects };
        let mut measure = row.measure(&values, None);
        if let Some(halves) = &halves {
            let channels = reference.len();
            let training = sets.reference.iter().chain(&sets.same);
            let of_channel =
                |c: usize| -> Vec<Option<f64>> { training.clone().map(|e| *e.channels.get(c)?.get(index)?).collect() };
            let of_each: Vec<_> = (0..channels).map(|c| halves.distances(&of_channel(c))).collect();
            Halves::into_row(&over(&of_each), &mut measure);
        }
        measures.push(measure);
    }
    measures
}

/// How far the mean relative band powers are from real ones, on average and at worst.
fn band_shares(class: &str, sets: &Sets<Vec<Epoch>>, subjects: usize) -> Vec<Measure> {
    let first = BANDS.len();
    let shares = sets.map(|epochs| {
        let of_bands = (first..2 * first).map(|index| by_channel(epochs, index)).collect::<Vec<_>>();
        let channels = of_bands.first().map_or(0, Vec::len);
        let mean_of = |channel: usize, band: &Vec<Vec<f64>>| mean(band.get(channel)?.iter().copied());
        (0..channels).flat_map(|channel| of_bands.iter().map(move |band| mean_of(channel, band))).collect::<Vec<_>>()
    });
    let differences = shares.map(|set| band_difference(&shares.reference, set));
    let row = |name: &str, which: &str, better: Better| Row {
        name: name.into(),
        unit: "",
        class,
        better,
        definition: format!(
            "How far the mean share of the power from 1 to 45 Hz that lies in a band (δ 1–4, θ 4–8, α 8–13, β 13–30, γ 30–45 Hz) is from \
             that of real training segments, |share / real share − 1|, {which}. Blind to how shares vary between segments."
        ),
        segments: sets.synthetic.len(),
        subjects,
    };
    let value = |of: fn(&BandDifference) -> f64| differences.map(|d| d.as_ref().map(of));
    vec![
        row("band_share_difference_mean", "the mean over channels and bands", Better::Lower).measure(&value(|d| d.mean), None),
        row("band_share_difference_largest", "the largest over channels and bands", Better::Lower)
            .measure(&value(|d| d.largest), None),
        row("band_share_within_tenth", "here the share of channels and bands where it is at most 0.1", Better::Higher)
            .measure(&value(|d| d.near), None),
    ]
}

/// The known values of a quantity, for each channel.
fn by_channel(epochs: &[Epoch], quantity: usize) -> Vec<Vec<f64>> {
    let channels = epochs.first().map_or(0, |e| e.channels.len());
    let of = |c: usize| epochs.iter().filter_map(|e| *e.channels.get(c)?.get(quantity)?).collect();
    (0..channels).map(of).collect()
}

/// A segment's value of a quantity, mean over the channels that have it.
fn over_channels(epoch: &Epoch, quantity: usize) -> Option<f64> {
    mean(epoch.channels.iter().filter_map(|channel| *channel.get(quantity)?))
}

fn distance(reference: &[Vec<f64>], other: &[Vec<f64>]) -> Option<f64> {
    let enough = |values: &Vec<f64>| values.len() >= FEWEST;
    let pairs = reference.iter().zip(other).filter(|(a, b)| enough(a) && enough(b));
    mean(pairs.filter_map(|(a, b)| wasserstein(a, b)))
}

fn connections(
    class: &str,
    pools: &Sets<Pool>,
    wanted: &[usize],
    channels: usize,
    size: usize,
    welch: Option<&Welch>,
    subjects: usize,
) -> Vec<Measure> {
    let both = pools.map(|pool| {
        let segments: Vec<_> = (0..size.min(pool.len())).map(|i| channels_of(pool, i, wanted, channels)).collect();
        (correlations(&segments), welch.map_or_else(Pairs::new, |w| coherences(&segments, w)))
    });
    let row = |name: &str, definition: &str| Row {
        name: name.into(),
        unit: "",
        class,
        better: Better::Lower,
        definition: format!("{definition} On {size} segments of each set. Blind to how the connection varies between segments."),
        segments: size,
        subjects,
    };
    let difference = |of: fn(&(Pairs, Pairs)) -> &Pairs| both.map(|set| mean_absolute_difference(of(&both.reference), of(set)));
    let correlation = row(
        "channel_correlation_mae",
        "Mean absolute difference, over pairs of channels, of their Pearson correlation (its mean over segments) in the scored and in the \
         real training segments; 0 to 2.",
    );
    let coherence = row(
        "channel_coherence_mae",
        "Mean absolute difference, over pairs of channels, of their magnitude-squared coherence (mean from 1 to 45 Hz, spectra averaged over \
         segments) in the scored and in the real training segments; 0 to 1.",
    );
    vec![correlation.measure(&difference(|b| &b.0), None), coherence.measure(&difference(|b| &b.1), None)]
}

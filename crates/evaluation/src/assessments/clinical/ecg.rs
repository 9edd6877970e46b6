//! The waves of every beat, and what is read off them.

use physiosynth_signal::Cancelled;
use rayon::prelude::*;

use super::distributions::distribution;
use super::halves::HALVES;
use super::rows::{Row, Sets, Whose, pools};
use super::{Context, Findings};
use crate::clinical::beat::{BeatQuantities, beat_quantities};
use crate::clinical::delineate::{Neighbours, delineate};
use crate::clinical::limits;
use crate::pool::Pool;
use crate::scores::{Better, Measure};

/// What is known of one beat of a set.
#[derive(Debug, Clone, Copy)]
struct Beat {
    /// Whether a P wave, a QRS complex and a T wave were found.
    waves: [bool; 3],
    quantities: BeatQuantities,
    rr_ms: Option<f64>,
    outside: bool,
}

/// One quantity whose distribution is compared.
struct Quantity {
    /// Its name with its unit, as in the row's name.
    name: &'static str,
    unit: &'static str,
    of: fn(&Beat) -> Option<f64>,
    what: &'static str,
}

const QUANTITIES: [Quantity; 12] = [
    Quantity { name: "pr_ms", unit: "ms", of: |b| b.quantities.pr_ms, what: "PR interval (beginning of P to beginning of QRS)" },
    Quantity { name: "qrs_ms", unit: "ms", of: |b| b.quantities.qrs_ms, what: "QRS duration" },
    Quantity { name: "qt_ms", unit: "ms", of: |b| b.quantities.qt_ms, what: "QT interval (beginning of QRS to end of T)" },
    Quantity {
        name: "qtc_fridericia_ms",
        unit: "ms",
        of: |b| b.quantities.qtc_fridericia_ms,
        what: "QT interval corrected for rate by Fridericia, QT / ∛RR with the RR interval before the beat in seconds",
    },
    Quantity {
        name: "qtc_bazett_ms",
        unit: "ms",
        of: |b| b.quantities.qtc_bazett_ms,
        what: "QT interval corrected for rate by Bazett, QT / √RR with the RR interval before the beat in seconds",
    },
    Quantity { name: "rr_ms", unit: "ms", of: |b| b.rr_ms, what: "interval since the beat before, as the segments state it" },
    Quantity { name: "p_mv", unit: "mV", of: |b| b.quantities.p_mv, what: "height of the P wave's peak above the baseline" },
    Quantity { name: "r_mv", unit: "mV", of: |b| b.quantities.r_mv, what: "height of R: the highest point of the QRS complex" },
    Quantity { name: "s_mv", unit: "mV", of: |b| b.quantities.s_mv, what: "depth of S: the lowest point of QRS after R" },
    Quantity { name: "t_mv", unit: "mV", of: |b| b.quantities.t_mv, what: "height of the T wave's peak above the baseline" },
    Quantity {
        name: "st60_mv",
        unit: "mV",
        of: |b| b.quantities.st60_mv,
        what: "ST level 60 ms after the end of QRS (a filter that removes the baseline moves it, in all sets alike)",
    },
    Quantity {
        name: "st80_mv",
        unit: "mV",
        of: |b| b.quantities.st80_mv,
        what: "ST level 80 ms after the end of QRS (a filter that removes the baseline moves it, in all sets alike)",
    },
];

/// Millivolts per unit; none for a unit that is not a voltage.
fn millivolts(unit: &str) -> Option<f64> {
    match unit.trim() {
        "mV" | "mv" | "millivolt" => Some(1.0),
        "uV" | "µV" | "μV" | "uv" | "microvolt" => Some(1e-3),
        "V" => Some(1e3),
        _ => None,
    }
}

/// The classes together.
struct Together {
    sets: Sets<Vec<Beat>>,
    whose: Whose,
}

/// Adds the rows of each class and of all.
pub(super) fn assess(lead: usize, context: &Context, findings: &mut Findings) -> Result<(), Cancelled> {
    let unit = context.real.channel_units.get(lead).map_or("", String::as_str);
    let factor = millivolts(unit);
    if factor.is_none() {
        findings.notes.push(format!("clinical: amplitudes are not compared, since '{unit}' is no unit of voltage known here"));
    }
    let mut all: Option<Together> = None;
    context.progress.begin("clinical", context.cases.len() as u64, "classes");
    for case in context.cases {
        let sets = pools(case).map(|pool| beats(pool, lead, factor, context));
        let whose = Whose::of(case);
        findings.measures.extend(rows(&case.class, &sets, &whose, context));
        findings.exhibits.distributions.extend(QUANTITIES.iter().filter_map(|quantity| {
            let values = sets.map(|beats| beats.iter().map(quantity.of).collect());
            distribution((quantity.name, quantity.unit, quantity.what), &case.class, &values)
        }));
        match &mut all {
            None => all = Some(Together { sets, whose }),
            Some(together) => {
                together.sets.append(&sets);
                together.whose.append(whose);
            }
        }
        context.progress.advance(1);
        if context.progress.cancelled() {
            return Err(Cancelled);
        }
    }
    if let Some(Together { sets, whose }) = all {
        findings.measures.extend(rows("all", &sets, &whose, context));
    }
    context.progress.end();
    Ok(())
}

fn beats(pool: &Pool, lead: usize, millivolts: Option<f64>, context: &Context) -> Vec<Beat> {
    let (channels, rate, mark) = (context.shape.channels.max(1), context.shape.sampling_frequency_hz, context.real.mark_index);
    (0..pool.len())
        .into_par_iter()
        .map(|i| {
            let factor = millivolts.unwrap_or(1.0) as f32;
            let samples: Vec<f32> = pool.segment(i).iter().skip(lead).step_by(channels).map(|x| x * factor).collect();
            let [before, after] = pool.rr_s.get(i).copied().unwrap_or([f32::NAN; 2]).map(f64::from);
            let neighbours = Neighbours::new(before, after);
            let waves = delineate(&samples, rate, mark, neighbours);
            let mut quantities = beat_quantities(&samples, rate, mark, &waves, neighbours.before_s);
            let outside = limits::beat_outside(&samples, &quantities, neighbours.before_s, millivolts.is_some());
            if millivolts.is_none() {
                quantities =
                    BeatQuantities { p_mv: None, r_mv: None, s_mv: None, t_mv: None, st60_mv: None, st80_mv: None, ..quantities };
            }
            let rr_ms = neighbours.before_s.map(|rr| 1000.0 * rr);
            let waves = [waves.p.is_some(), waves.qrs.is_some(), waves.t.is_some()];
            Beat { waves, quantities, rr_ms, outside }
        })
        .collect()
}

fn rows(class: &str, sets: &Sets<Vec<Beat>>, whose: &Whose, context: &Context) -> Vec<Measure> {
    let subjects = &whose.synthetic;
    let (real_subjects, halves) = (whose.real_subjects(), whose.halves(class, context));
    let row = |name: String, unit: &'static str, better: Better, definition: String| Row {
        name,
        unit,
        class,
        better,
        definition,
        segments: sets.synthetic.len(),
        subjects: real_subjects,
    };
    let mut measures = Vec::new();
    for (wave, (name, what)) in [("p_wave", "P wave"), ("qrs", "QRS complex"), ("t_wave", "T wave")].into_iter().enumerate() {
        let definition = format!(
            "Share of beats in which the delineator finds a {what} (after Martínez et al. 2004: quadratic spline wavelet), 0 to 1; the \
             closer to the real share, the better. Blind to where the wave is and how high. A wave can be missed in noise, or where the \
             segment ends before it."
        );
        let shares = sets.map(|beats| beats.iter().map(|b| b.waves[wave]).collect::<Vec<bool>>());
        measures.push(row(format!("{name}_share"), "", Better::NearSame, definition).shares(&shares, subjects, context));
    }
    let definition = format!(
        "Share of beats outside wide limits of what is plausible, 0 to 1: no QRS complex stands out at the mark, rate beyond {}–{} per \
         minute, QRS beyond {}–{} ms, QT beyond {}–{} ms, or lowest to highest sample beyond {}–{} mV. Inside them a beat may still be \
         unlike any real one.",
        limits::RATE_PER_MIN[0],
        limits::RATE_PER_MIN[1],
        limits::QRS_MS[0],
        limits::QRS_MS[1],
        limits::QT_MS[0],
        limits::QT_MS[1],
        limits::ECG_RANGE_MV[0],
        limits::ECG_RANGE_MV[1]
    );
    let shares = sets.map(|beats| beats.iter().map(|b| b.outside).collect::<Vec<bool>>());
    measures.push(row("outside_limits_share".into(), "", Better::Lower, definition).shares(&shares, subjects, context));
    for quantity in &QUANTITIES {
        let values = sets.map(|beats| beats.iter().map(quantity.of).collect::<Vec<_>>());
        let definition = format!(
            "Wasserstein-1 distance, in {}, between the distributions of one quantity in the scored and in the real training beats: {}. 0 is \
             equal; it is how far values have to be moved on average. Given where half of the real beats have it. Beats without it do not count, and the joint \
             distribution with other quantities is not seen. The interval leaves out one subject at a time. {HALVES}",
            quantity.unit, quantity.what
        );
        let row = row(format!("wasserstein_{}", quantity.name), quantity.unit, Better::Lower, definition);
        measures.extend(row.distances(&values, subjects, halves.as_ref(), context));
    }
    measures
}

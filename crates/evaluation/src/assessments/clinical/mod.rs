//! Does it make medical sense? Intervals, amplitudes and rhythm of an ECG, powers and connections of an EEG, each as a distribution
//! against real ones in its own unit; and limits of what is plausible at all.

mod distributions;
mod ecg;
mod eeg;
mod halves;
mod rhythm;
mod rows;
mod verdict;

use physiosynth_signal::{Cancelled, SignalKind};

pub(crate) use verdict::plausible;

use super::{Assessment, Context, Findings};

pub(super) const ASSESSMENT: Assessment = Assessment { run };

fn run(context: &Context) -> Result<Findings, Cancelled> {
    let mut findings = Findings::default();
    let (names, units) = (&context.real.channel_names, &context.real.channel_units);
    match SignalKind::of_channels(names, units) {
        SignalKind::Ecg(_) if context.real.mark_index == 0 => {
            findings.notes.push(
                "clinical: waves are not delineated, since the segments do not say where their R peak is (the mark is at index 0)".into(),
            );
            rhythm::assess(context, &mut findings);
        }
        SignalKind::Ecg(lead) => {
            findings.notes.push(format!(
                "clinical: the signals are taken for an ECG by the names or units of their channels; waves are delineated on {}",
                names.get(lead).map_or("the first channel", |name| name.as_str())
            ));
            ecg::assess(lead, context, &mut findings)?;
            rhythm::assess(context, &mut findings);
        }
        SignalKind::Eeg(channels) => {
            findings.notes.push(format!(
                "clinical: {} of {} channels are taken for an EEG by their names or units",
                channels.len(),
                names.len()
            ));
            eeg::assess(&channels, context, &mut findings)?;
        }
        SignalKind::Unknown => findings.notes.push(format!(
            "clinical: not assessed, since neither names ({}) nor units ({}) of the channels tell an ECG (leads such as II, V1, MLII; mV) \
             or an EEG (electrodes such as Fp1, Cz; uV)",
            names.join(", "),
            units.join(", ")
        )),
    }
    Ok(findings)
}

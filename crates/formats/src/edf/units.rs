//! Units of voltage, however they are written, and whether an EEG channel's can be right.

use physiosynth_signal::Channel;

/// Root mean square that no scalp or intracranial EEG falls below or exceeds, in volts, once its mean is taken away.
const PLAUSIBLE_V: std::ops::RangeInclusive<f64> = 5e-8..=5e-3;

/// How many samples of a channel are looked at, at the least.
const LOOKED_AT: usize = 1_000;

/// Electrodes of the 10-10 system by the letters of their names, in lower case; a number or `z` follows.
const ELECTRODES: [&str; 20] =
    ["fp", "af", "f", "ff", "ft", "fc", "fcc", "t", "c", "tp", "cp", "ccp", "cpp", "p", "po", "o", "i", "a", "m", "n"];

/// Volts per unit: 10⁻⁶ for `uV`, `µV` (the micro sign or the Greek letter); 10⁻³ for `mV`; and so on. `None` for what is no
/// unit of voltage.
pub fn volts(unit: &str) -> Option<f64> {
    Some(match unit.trim() {
        "V" | "v" | "Volt" | "volt" | "Volts" | "volts" => 1.0,
        "mV" | "mv" | "MV" | "millivolt" | "millivolts" => 1e-3,
        "uV" | "uv" | "UV" | "\u{b5}V" | "\u{3bc}V" | "\u{b5}v" | "\u{3bc}v" | "microvolt" | "microvolts" => 1e-6,
        "nV" | "nv" | "nanovolt" | "nanovolts" => 1e-9,
        _ => return None,
    })
}

/// Rescales a channel to another unit of voltage, exactly as far as `f32` goes. A channel whose unit is none of voltage, or
/// that is in this unit already, stays as it is.
pub fn convert_voltage(channel: &mut Channel, unit: &str) {
    let (Some(from), Some(to)) = (volts(&channel.unit), volts(unit)) else { return };
    unit.clone_into(&mut channel.unit);
    if from == to {
        return;
    }
    // A power of ten above 1 is exact where its inverse is not.
    let scale = |value: f64| if from > to { value * (from / to).round() } else { value / (to / from).round() };
    channel.samples.iter_mut().for_each(|sample| *sample = scale(f64::from(*sample)) as f32);
    if let Some(digitisation) = &mut channel.digitisation {
        digitisation.gain = 1.0 / scale(1.0 / digitisation.gain);
    }
}

/// Whether a label is that of an EEG channel: `EEG …`, or the name of an electrode, alone or against another (`Fp1`, `C3-A2`,
/// `Fc5.`).
pub(crate) fn is_eeg(label: &str) -> bool {
    let label = label.to_lowercase();
    if let Some(rest) = label.strip_prefix("eeg") {
        return rest.is_empty() || rest.starts_with([' ', '-', '_']);
    }
    let electrode = label.split('-').next().unwrap_or("").trim_end_matches('.');
    let site = electrode.trim_end_matches(|c: char| c.is_ascii_digit());
    let number = electrode.len() - site.len();
    // A letter alone is no electrode (`F`), nor is one with a great number.
    (1..=2).contains(&number) && ELECTRODES.contains(&site)
        || site.strip_suffix('z').is_some_and(|site| ELECTRODES.contains(&site))
}

/// A sentence where an EEG channel's unit cannot be right: amplitudes that no brain has.
pub(crate) fn implausible(channel: &Channel) -> Option<String> {
    let volts = volts(&channel.unit).filter(|_| is_eeg(&channel.label))?;
    let (mut count, mut sum, mut squares) = (0.0, 0.0, 0.0);
    let first = channel.samples.iter().find(|sample| !sample.is_nan()).map(|&sample| f64::from(sample))?;
    // Some of the samples tell as well as all.
    let step = (channel.samples.len() / LOOKED_AT).max(1);
    for sample in channel.samples.iter().step_by(step).filter(|sample| !sample.is_nan()) {
        let value = f64::from(*sample) - first;
        (count, sum, squares) = (count + 1.0, sum + value, squares + value * value);
    }
    if count == 0.0 {
        return None;
    }
    let rms = (squares / count - (sum / count).powi(2)).max(0.0).sqrt() * volts;
    // A flat channel says nothing of its unit.
    (rms > 0.0 && !PLAUSIBLE_V.contains(&rms)).then(|| {
        format!(
            "EEG channel '{}' has a root mean square of {:.3e} V by its unit '{}'; the unit or the physical range is probably wrong",
            channel.label, rms, channel.unit
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn micro_in_every_spelling() {
        for unit in ["uV", "\u{b5}V", "\u{3bc}V", " uV ", "microvolt"] {
            assert_eq!(volts(unit), Some(1e-6), "{unit}");
        }
        assert_eq!(
            (volts("mV"), volts("V"), volts("nV"), volts("DegC"), volts("")),
            (Some(1e-3), Some(1.0), Some(1e-9), None, None)
        );
    }

    #[test]
    fn voltages_are_rescaled_exactly() {
        let mut channel = Channel::new("Cz", "mV", 1.0, vec![0.5, -2.25, f32::NAN]);
        convert_voltage(&mut channel, "uV");
        assert_eq!((&channel.samples[..2], channel.unit.as_str()), (&[500.0, -2250.0][..], "uV"));
        convert_voltage(&mut channel, "V");
        assert_eq!(channel.samples[..2], [5e-4, -2.25e-3]);
        let mut other = Channel::new("Temp", "DegC", 1.0, vec![37.0]);
        convert_voltage(&mut other, "uV");
        assert_eq!((other.samples[0], other.unit.as_str()), (37.0, "DegC"));
    }

    #[test]
    fn labels_of_eeg() {
        for label in ["EEG Fpz-Cz", "Fc5.", "Fp1", "Cz", "C3-A2", "FCz", "TP10", "Iz..", "EEG", "AFz"] {
            assert!(is_eeg(label), "{label}");
        }
        for label in ["ECG", "EOG horizontal", "MLII", "V5", "Status", "T", "z", "F", "C100", "sine 8 Hz", ""] {
            assert!(!is_eeg(label), "{label}");
        }
    }

    #[test]
    fn implausible_units_are_told() {
        let wave: Vec<f32> = (0..100).map(|i| 30.0 * (i as f32).sin() + 1000.0).collect();
        let said = |label: &str, unit: &str| implausible(&Channel::new(label, unit, 100.0, wave.clone()));
        assert_eq!((said("Cz", "uV"), said("ECG", "mV"), said("Cz", "DegC")), (None, None, None));
        assert!(said("Cz", "mV").is_some_and(|text| text.contains("'Cz'") && text.contains("'mV'")));
        assert!(said("Cz", "V").is_some() && said("Cz", "nV").is_some());
        assert!(implausible(&Channel::new("Cz", "V", 1.0, vec![7.0; 5])).is_none());
    }
}

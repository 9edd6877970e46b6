/// What was recorded: told by the names of the channels, and where those say nothing by their units.
///
/// ```
/// use physiosynth_signal::SignalKind;
///
/// let names = ["Fc5.".to_string(), "Cz..".to_string()];
/// assert_eq!(SignalKind::of_channels(&names, &["uV".into(), "uV".into()]), SignalKind::Eeg(vec![0, 1]));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SignalKind {
    /// An electrocardiogram, with the index of the lead that is delineated: II or its modified form where there is one, else the first.
    Ecg(usize),
    /// An electroencephalogram, with the indices of its channels.
    Eeg(Vec<usize>),
    /// Neither can be told.
    Unknown,
}

const ECG_LEADS: [&str; 14] = ["I", "II", "III", "AVR", "AVL", "AVF", "MLI", "MLII", "MLIII", "ML5", "CM2", "CM5", "CC5", "MCL1"];
const ELECTRODES: [&str; 16] = ["FP", "AF", "F", "FC", "FT", "T", "C", "CP", "TP", "P", "PO", "O", "A", "M", "I", "N"];

impl SignalKind {
    /// The kind of the channels of these names and units. ECG leads win where both kinds of name occur as often.
    pub fn of_channels(names: &[String], units: &[String]) -> Self {
        let plain: Vec<String> = names.iter().map(|name| name.trim().trim_end_matches('.').to_uppercase()).collect();
        let leads: Vec<usize> = (0..plain.len()).filter(|&i| is_ecg(&plain[i])).collect();
        let electrodes: Vec<usize> = (0..plain.len()).filter(|&i| is_eeg(&plain[i])).collect();
        let all = |of: &[&str]| !units.is_empty() && units.iter().all(|unit| of.contains(&unit.trim()));
        let second = |among: &[usize]| {
            let lead = among.iter().copied().find(|&i| ["II", "MLII"].contains(&bare(&plain[i], "ECG")));
            lead.or(among.first().copied()).map_or(Self::Unknown, Self::Ecg)
        };
        if !leads.is_empty() && leads.len() >= electrodes.len() {
            second(&leads)
        } else if !electrodes.is_empty() {
            Self::Eeg(electrodes)
        } else if all(&["mV", "mv", "millivolt"]) {
            second(&(0..units.len()).collect::<Vec<_>>())
        } else if all(&["uV", "µV", "μV", "uv", "microvolt"]) {
            Self::Eeg((0..units.len()).collect())
        } else {
            Self::Unknown
        }
    }
}

/// The name without the kind's own prefix.
fn bare<'a>(name: &'a str, prefix: &str) -> &'a str {
    name.strip_prefix(prefix).unwrap_or(name).trim_matches([' ', '-', '_'])
}

fn is_ecg(name: &str) -> bool {
    let chest = name.strip_prefix('V').or_else(|| name.strip_prefix("MV"));
    name.starts_with("ECG")
        || name.starts_with("EKG")
        || ECG_LEADS.contains(&name)
        || chest.is_some_and(|rest| matches!(rest.trim_end_matches('R').parse::<u8>(), Ok(1..=9)))
}

/// Electrodes of the 10–20 system and its extensions, alone or as the first of a pair (`FP1-F7`).
fn is_eeg(name: &str) -> bool {
    let first = bare(name, "EEG").split(['-', ' ']).next().unwrap_or("");
    let letters = first.trim_end_matches(|c: char| c.is_ascii_digit());
    let digits = &first[letters.len()..];
    let of_midline = letters.strip_suffix('Z').is_some_and(|rest| digits.is_empty() && ELECTRODES.contains(&rest));
    let of_side = matches!(digits.parse::<u8>(), Ok(1..=10)) && ELECTRODES.contains(&letters);
    name.starts_with("EEG") || of_midline || of_side
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(names: &[&str], unit: &str) -> SignalKind {
        let own = |list: &[&str]| list.iter().map(|s| (*s).to_string()).collect::<Vec<_>>();
        SignalKind::of_channels(&own(names), &vec![unit.to_string(); names.len()])
    }

    #[test]
    fn names_tell_first_and_units_second() {
        assert_eq!(kind(&["MLII"], "mV"), SignalKind::Ecg(0));
        assert_eq!(kind(&["I", "II", "III", "aVR", "V1"], ""), SignalKind::Ecg(1));
        assert_eq!(kind(&["V5", "ECG II"], "uV"), SignalKind::Ecg(1));
        assert_eq!(kind(&["Fc5.", "Cz..", "Iz.."], "mV"), SignalKind::Eeg(vec![0, 1, 2]));
        assert_eq!(kind(&["EEG Fpz-Cz", "FP1-F7", "EMG"], "uV"), SignalKind::Eeg(vec![0, 1]));
        assert_eq!(kind(&["ch0"], "mV"), SignalKind::Ecg(0));
        assert_eq!(kind(&["ch0", "ch1"], "µV"), SignalKind::Eeg(vec![0, 1]));
        assert_eq!(kind(&["ch0"], ""), SignalKind::Unknown);
        assert_eq!(kind(&[], ""), SignalKind::Unknown);
        assert_eq!(kind(&["Cé", "", "Z"], "adu"), SignalKind::Unknown);
    }
}

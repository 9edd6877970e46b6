//! Channels by name, pattern or montage, and what they are measured against.

use physiosynth_signal::SignalKind;

/// The electrodes of the 10–20 system (Jasper 1958), front to back, left to right; temporal ones under their newer names.
pub const TEN_TWENTY: [&str; 19] =
    ["Fp1", "Fp2", "F7", "F3", "Fz", "F4", "F8", "T7", "C3", "Cz", "C4", "T8", "P7", "P3", "Pz", "P4", "P8", "O1", "O2"];

/// The longitudinal bipolar montage ("double banana"): left outer and inner chain, midline, right inner and outer chain.
const LONGITUDINAL: [(&str, &str); 18] = [
    ("Fp1", "F7"),
    ("F7", "T7"),
    ("T7", "P7"),
    ("P7", "O1"),
    ("Fp1", "F3"),
    ("F3", "C3"),
    ("C3", "P3"),
    ("P3", "O1"),
    ("Fz", "Cz"),
    ("Cz", "Pz"),
    ("Fp2", "F4"),
    ("F4", "C4"),
    ("C4", "P4"),
    ("P4", "O2"),
    ("Fp2", "F8"),
    ("F8", "T8"),
    ("T8", "P8"),
    ("P8", "O2"),
];

/// Older names of temporal electrodes.
const OLDER: [(&str, &str); 4] = [("T3", "T7"), ("T4", "T8"), ("T5", "P7"), ("T6", "P8")];

/// The name in the spelling of the 10–20 system: `Fc5.` is `FC5`, `EEG FP1-REF` is `Fp1`, `T3` is `T7`, `FP1-F7` is `Fp1-F7`. What is no
/// electrode comes back as it is, without surrounding blanks and dots.
///
/// ```
/// use physiosynth_preprocessing::eeg::canonical;
///
/// assert_eq!(["Fc5.", "Cz..", "EEG FP1-REF", "T3", "FP1-F7"].map(canonical), ["FC5", "Cz", "Fp1", "T7", "Fp1-F7"]);
/// ```
pub fn canonical(label: &str) -> String {
    let plain = label.trim().trim_end_matches('.');
    let bare =
        plain.get(..3).filter(|p| p.eq_ignore_ascii_case("EEG")).map_or(plain, |_| plain[3..].trim_matches([' ', '-', '_']));
    let mut parts: Vec<&str> = bare.split('-').map(str::trim).collect();
    // Against what it was recorded does not belong to the name of an electrode.
    while parts.len() > 1
        && parts.last().is_some_and(|p| ["REF", "LE", "AR", "AVG", "A1", "A2", "M1", "M2"].contains(&p.to_uppercase().as_str()))
    {
        parts.pop();
    }
    let spelt: Option<Vec<String>> = parts.iter().map(|part| electrode(part)).collect();
    spelt.map_or_else(|| plain.to_owned(), |parts| parts.join("-"))
}

/// One electrode's name as it is spelt: capitals, but for the `p` of Fp and the `z` of the midline.
fn electrode(name: &str) -> Option<String> {
    let upper = name.to_uppercase();
    let is_one = matches!(SignalKind::of_channels(std::slice::from_ref(&upper), &[]), SignalKind::Eeg(_));
    if !is_one || upper.starts_with("EEG") {
        return None;
    }
    let newer = OLDER.iter().find(|(older, _)| *older == upper).map_or(upper.as_str(), |(_, newer)| newer);
    let midline = newer.strip_suffix('Z').map(|rest| format!("{rest}z"));
    let spelt = midline.unwrap_or_else(|| newer.to_owned());
    Some(spelt.strip_prefix("FP").map_or(spelt.clone(), |rest| format!("Fp{rest}")))
}

/// The indices of the channels named `labels` that `wanted` asks for, in its order, each once: a name, a pattern with `*` and `?`, the
/// montage `10-20`, or `all`. Only EEG channels are taken by patterns and montages. A montage of which less than half is there stands for
/// all EEG channels, as where a database was recorded with bipolar leads.
///
/// # Errors
/// What was asked for and is not there.
pub fn select(labels: &[String], units: &[String], wanted: &[String]) -> Result<Vec<usize>, String> {
    let names: Vec<String> = labels.iter().map(|label| canonical(label)).collect();
    let eeg = match SignalKind::of_channels(labels, units) {
        SignalKind::Eeg(channels) => channels,
        SignalKind::Ecg(_) | SignalKind::Unknown => Vec::new(),
    };
    let position = |name: &str| names.iter().position(|other| other == name);
    let mut chosen: Vec<usize> = Vec::new();
    for wish in wanted {
        let found: Vec<usize> = match wish.as_str() {
            "all" => eeg.clone(),
            "10-20" => {
                let montage: Vec<usize> = TEN_TWENTY.iter().filter_map(|name| position(name)).collect();
                if 2 * montage.len() < TEN_TWENTY.len() { eeg.clone() } else { montage }
            }
            pattern if pattern.contains(['*', '?']) => {
                eeg.iter().copied().filter(|&i| matches(pattern.as_bytes(), names[i].as_bytes())).collect()
            }
            name => position(&canonical(name)).into_iter().collect(),
        };
        if found.is_empty() {
            return Err(format!("no channel is '{wish}' (it has {})", labels.join(", ")));
        }
        for i in found {
            // A name that occurs twice (CHB-MIT has T8-P8 twice) is taken once.
            if !chosen.iter().any(|&c| names[c] == names[i]) {
                chosen.push(i);
            }
        }
    }
    Ok(chosen)
}

/// Whether a name fits a pattern, `*` standing for any letters and `?` for one; capitals do not matter.
fn matches(pattern: &[u8], name: &[u8]) -> bool {
    match (pattern.split_first(), name.split_first()) {
        (None, None) => true,
        (Some((b'*', rest)), _) => matches(rest, name) || name.split_first().is_some_and(|(_, tail)| matches(pattern, tail)),
        (Some((b'?', rest)), Some((_, tail))) => matches(rest, tail),
        (Some((p, rest)), Some((c, tail))) => p.eq_ignore_ascii_case(c) && matches(rest, tail),
        _ => false,
    }
}

/// Takes the mean of all channels from each of them, sample by sample. Missing samples do not count and stay missing.
pub fn average_reference(channels: &mut [Vec<f32>]) {
    let length = channels.iter().map(Vec::len).min().unwrap_or(0);
    for t in 0..length {
        let known = channels.iter().map(|c| f64::from(c[t])).filter(|x| x.is_finite());
        let (sum, count) = known.fold((0.0, 0_u32), |(sum, n), x| (sum + x, n + 1));
        if count > 0 {
            let mean = (sum / f64::from(count)) as f32;
            for c in channels.iter_mut() {
                c[t] -= mean;
            }
        }
    }
}

/// The pairs of the longitudinal bipolar montage of which both electrodes are among `names`: the pair's name and their indices.
pub fn bipolar_pairs(names: &[String]) -> Vec<(String, usize, usize)> {
    let position = |name: &str| names.iter().position(|other| other == name);
    LONGITUDINAL.iter().filter_map(|(a, b)| Some((format!("{a}-{b}"), position(a)?, position(b)?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own(names: &[&str]) -> Vec<String> {
        names.iter().map(ToString::to_string).collect()
    }

    fn chosen(labels: &[&str], wanted: &[&str]) -> Result<Vec<String>, String> {
        let labels = own(labels);
        let units = vec!["uV".to_string(); labels.len()];
        select(&labels, &units, &own(wanted)).map(|indices| indices.into_iter().map(|i| labels[i].clone()).collect())
    }

    #[test]
    fn names_in_all_spellings() {
        for (label, name) in [
            ("Fc5.", "FC5"),
            ("Fpz.", "Fpz"),
            ("EEG Fp1-REF", "Fp1"),
            ("EEG T4-LE", "T8"),
            ("oz", "Oz"),
            ("FP2-F8", "Fp2-F8"),
            ("EEG Fpz-Cz", "Fpz-Cz"),
            ("EMG chin", "EMG chin"),
            ("é", "é"),
            ("", ""),
        ] {
            assert_eq!(canonical(label), name);
        }
    }

    #[test]
    fn channels_by_name_pattern_and_montage() {
        let labels = ["Fc5.", "C3..", "Cz..", "C4..", "T8..", "T10.", "EMG"];
        assert_eq!(chosen(&labels, &["c4", "FC5", "C4.."]).unwrap(), ["C4..", "Fc5."]);
        assert_eq!(chosen(&labels, &["c?"]).unwrap(), ["C3..", "Cz..", "C4.."]);
        assert_eq!(chosen(&labels, &["T*", "all"]).unwrap(), ["T8..", "T10.", "Fc5.", "C3..", "Cz..", "C4.."]);
        assert!(chosen(&labels, &["O1"]).unwrap_err().contains("Fc5., C3.."));
        // Not half of the montage is there: all EEG channels.
        assert_eq!(chosen(&labels, &["10-20"]).unwrap().len(), 6);
        let mut montage: Vec<&str> = TEN_TWENTY.to_vec();
        montage.reverse();
        montage.push("FCz");
        assert_eq!(chosen(&montage, &["10-20"]).unwrap(), TEN_TWENTY);
        assert_eq!(chosen(&["T8-P8", "FP1-F7", "T8-P8"], &["all"]).unwrap(), ["T8-P8", "FP1-F7"]);
    }

    #[test]
    fn average_reference_leaves_no_mean() {
        let mut channels = vec![vec![1.0, 2.0, f32::NAN], vec![3.0, 6.0, 5.0]];
        average_reference(&mut channels);
        assert_eq!(channels[0][..2], [-1.0, -2.0]);
        assert!(channels[0][2].is_nan());
        assert_eq!(channels[1], [1.0, 2.0, 0.0]);
    }

    #[test]
    fn bipolar_pairs_need_both_electrodes() {
        let pairs = bipolar_pairs(&own(&["F7", "Fp1", "T7", "Cz"]));
        assert_eq!(pairs, [("Fp1-F7".into(), 1, 0), ("F7-T7".into(), 0, 2)]);
        assert_eq!(bipolar_pairs(&own(&TEN_TWENTY)).len(), 18);
    }
}

use std::fmt;

use serde::{Deserialize, Serialize};

/// Which class each beat code of the WFDB code table belongs to.
///
/// Codes that mark no beat (rhythm `+`, noise `~`, artefact `|`, comment `"`, flutter `[ ! ]`, blocked P wave `x`, …) and
/// codes nobody knows have no class: they are dropped, never collected in Q.
///
/// ```
/// use physiosynth_preprocessing::ClassMap;
///
/// assert_eq!(ClassMap::Dechazal.class("e"), Some("N"));
/// assert_eq!(ClassMap::Ec57.class("e"), Some("S"));
/// assert_eq!(ClassMap::Dechazal.class("+"), None);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ClassMap {
    /// The grouping of de Chazal, O'Dwyer and Reilly (2004), used by most work on MIT-BIH: escape beats (`e`, `j`) are N.
    /// Codes that do not occur in MIT-BIH follow their kin: `B` and `n` are N, `r` is V, `?` is Q.
    #[default]
    Dechazal,
    /// ANSI/AAMI EC57 read literally: S holds premature *or escape* beats from above the ventricles, so `e`, `j` and `n`
    /// are S.
    Ec57,
}

/// Every beat code of the WFDB code table: code, meaning, class under `dechazal`, class under `ec57`.
const BEATS: [(&str, &str, &str, &str); 19] = [
    ("N", "normal beat", "N", "N"),
    ("L", "left bundle branch block beat", "N", "N"),
    ("R", "right bundle branch block beat", "N", "N"),
    ("B", "bundle branch block beat (unspecified)", "N", "N"),
    ("e", "atrial escape beat", "N", "S"),
    ("j", "nodal (junctional) escape beat", "N", "S"),
    ("n", "supraventricular escape beat", "N", "S"),
    ("A", "atrial premature beat", "S", "S"),
    ("a", "aberrated atrial premature beat", "S", "S"),
    ("J", "nodal (junctional) premature beat", "S", "S"),
    ("S", "supraventricular premature beat", "S", "S"),
    ("r", "R-on-T premature ventricular contraction", "V", "V"),
    ("V", "premature ventricular contraction", "V", "V"),
    ("E", "ventricular escape beat", "V", "V"),
    ("F", "fusion of ventricular and normal beat", "F", "F"),
    ("/", "paced beat", "Q", "Q"),
    ("f", "fusion of paced and normal beat", "Q", "Q"),
    ("Q", "unclassifiable beat", "Q", "Q"),
    ("?", "beat not classified during learning", "Q", "Q"),
];

/// The classes, in the order in which tables print them.
pub const CLASSES: [&str; 5] = ["N", "S", "V", "F", "Q"];

impl ClassMap {
    /// The name used in configurations.
    pub fn name(self) -> &'static str {
        match self {
            Self::Dechazal => "dechazal",
            Self::Ec57 => "ec57",
        }
    }

    /// The class of a beat code; `None` where the code marks no beat.
    pub fn class(self, code: &str) -> Option<&'static str> {
        BEATS.iter().find(|beat| beat.0 == code).map(|beat| match self {
            Self::Dechazal => beat.2,
            Self::Ec57 => beat.3,
        })
    }

    /// Whether the code marks a beat (the same under every map).
    pub fn is_beat(code: &str) -> bool {
        BEATS.iter().any(|beat| beat.0 == code)
    }

    /// Every beat code with its meaning and its class, in the order of the code table.
    pub fn rows(self) -> impl Iterator<Item = (&'static str, &'static str, &'static str)> {
        BEATS
            .iter()
            .map(move |&(code, meaning, dechazal, ec57)| (code, meaning, if self == Self::Dechazal { dechazal } else { ec57 }))
    }
}

/// The whole map as a table: one line per beat code.
impl fmt::Display for ClassMap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "class map {}", self.name())?;
        for (code, meaning, class) in self.rows() {
            writeln!(f, "  {code} → {class}  {meaning}")?;
        }
        write!(f, "  every other code marks no beat and is dropped")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_beat_code_has_a_class_in_both_maps() {
        for code in "N L R B e j n A a J S r V E F / f Q ?".split(' ') {
            assert!(ClassMap::is_beat(code), "{code}");
            for map in [ClassMap::Dechazal, ClassMap::Ec57] {
                assert!(CLASSES.contains(&map.class(code).unwrap()), "{code}");
            }
        }
        assert_eq!(ClassMap::Dechazal.rows().count(), 19);
    }

    #[test]
    fn dechazal_groups_as_published() {
        for (class, codes) in [("N", "N L R e j"), ("S", "A a J S"), ("V", "V E"), ("F", "F"), ("Q", "/ f Q")] {
            for code in codes.split(' ') {
                assert_eq!(ClassMap::Dechazal.class(code), Some(class), "{code}");
            }
        }
    }

    #[test]
    fn marks_that_are_no_beats_are_never_put_in_q() {
        for code in ["+", "~", "|", "\"", "[", "]", "!", "x", "p", "t", "", "NN", "unknown", "T1"] {
            assert_eq!(ClassMap::Dechazal.class(code), None, "{code}");
            assert!(!ClassMap::is_beat(code), "{code}");
        }
    }

    #[test]
    fn the_maps_differ_in_escape_beats_alone() {
        let differing: Vec<_> = ClassMap::Dechazal.rows().zip(ClassMap::Ec57.rows()).filter(|(a, b)| a.2 != b.2).collect();
        let codes: Vec<_> = differing.iter().map(|(a, _)| a.0).collect();
        assert_eq!(codes, ["e", "j", "n"]);
        assert!(ClassMap::Ec57.to_string().contains("e → S"));
    }
}

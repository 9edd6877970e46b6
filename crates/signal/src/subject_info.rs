//! What headers say of the subject in their comments, for which there is no one form: `<age>: 25  <sex>: M`, `age: 81`,
//! `Age: 74`, or, in the older MIT-BIH databases, a line `69 M 1085 1629 x1` and the medication on the next; of EDF+, the patient
//! field as a comment, `patient: X F 02-MAY-1951 X age=51` (EDF+ specification, 2.1.3.3: code, sex, birthdate, name, further ones).

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::segments::UnknownName;

/// A subject's sex, where a header tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Sex {
    /// Female.
    Female,
    /// Male.
    Male,
}

impl Sex {
    /// The name used in files.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Female => "female",
            Self::Male => "male",
        }
    }

    /// The letter that headers use.
    pub fn letter(self) -> char {
        match self {
            Self::Female => 'F',
            Self::Male => 'M',
        }
    }
}

impl FromStr for Sex {
    type Err = UnknownName;

    /// `female`, `male`, or their first letters, in any case.
    fn from_str(text: &str) -> Result<Self, UnknownName> {
        match text.to_ascii_lowercase().as_str() {
            "m" | "male" => Ok(Self::Male),
            "f" | "female" => Ok(Self::Female),
            _ => Err(UnknownName { kind: "sex", found: text.into(), expected: "female, male" }),
        }
    }
}

/// What a header's comments say of the subject. Absent is absent: `??`, `-1` and `(none)` are not kept.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SubjectInfo {
    /// Age in years.
    pub age_years: Option<f64>,
    /// Sex.
    pub sex: Option<Sex>,
    /// Medication, one entry per drug or per note of it.
    pub medication: Vec<String>,
    /// Diagnoses, as written.
    pub diagnoses: Vec<String>,
}

/// Parses the comment lines of a header.
pub fn subject_info(comments: &[String]) -> SubjectInfo {
    let mut info = SubjectInfo::default();
    for (index, comment) in comments.iter().enumerate() {
        if comment.contains('<') && comment.contains(">:") {
            for (key, value) in tagged(comment) {
                info.take(key, value);
            }
        } else if let Some((key, value)) = comment.split_once(':') {
            info.take(key, value);
        } else if let Some((age, sex)) = age_and_sex(comment) {
            info.age_years = info.age_years.or(age);
            info.sex = info.sex.or(Some(sex));
            // The line after it lists drugs; sentences end with a full stop.
            if let Some(drugs) = comments.get(index + 1).filter(|line| !line.ends_with('.') && !line.contains(':')) {
                info.medication.extend(list(drugs));
            }
        }
    }
    info
}

impl SubjectInfo {
    fn take(&mut self, key: &str, value: &str) {
        let (key, value) = (key.trim().to_ascii_lowercase(), value.trim());
        match key.as_str() {
            "age" => self.age_years = self.age_years.or_else(|| age(value)),
            "sex" | "gender" => self.sex = self.sex.or_else(|| value.parse().ok()),
            "patient" => self.take_edf(value),
            "rx" => self.medication.extend(list(value)),
            "dx" | "diagnose" | "diagnosis" | "diagnoses" | "additional diagnoses" => self.diagnoses.extend(list(value)),
            key if key.starts_with("medication") || key.ends_with("medication") => self.medication.extend(list(value)),
            _ => {}
        }
    }
}

impl SubjectInfo {
    /// What an EDF+ patient field says: the sex is its second part; an age, where there is one, among the further ones.
    fn take_edf(&mut self, field: &str) {
        let mut parts = field.split_whitespace().skip(1);
        match parts.next() {
            Some("F") => self.sex = self.sex.or(Some(Sex::Female)),
            Some("M") => self.sex = self.sex.or(Some(Sex::Male)),
            _ => return,
        }
        if let Some(years) = parts.skip(2).find_map(|part| part.strip_prefix("age=")) {
            self.age_years = self.age_years.or_else(|| age(years));
        }
    }
}

/// `<key>: value` pairs on one line.
fn tagged(comment: &str) -> impl Iterator<Item = (&str, &str)> {
    comment.split('<').filter_map(|part| part.split_once(">:"))
}

/// A line that begins with age and sex, as the MIT-BIH databases write them.
fn age_and_sex(comment: &str) -> Option<(Option<f64>, Sex)> {
    let mut fields = comment.split_whitespace();
    let stated: f64 = fields.next()?.parse().ok()?;
    let sex = match fields.next()? {
        "M" => Sex::Male,
        "F" => Sex::Female,
        _ => return None,
    };
    Some((age(&stated.to_string()), sex))
}

/// Ages that people reach; `-1`, `999` and text stand for none.
fn age(text: &str) -> Option<f64> {
    let number = text.split_whitespace().next()?.trim_end_matches(['y', 'Y']);
    number.parse().ok().filter(|age| (0.0..130.0).contains(age))
}

/// Entries between commas, without those that say that there are none.
fn list(text: &str) -> Vec<String> {
    let none = ["", "none", "(none)", "n/a", "no", "unknown", "??", "?"];
    let entries = text.split([',', ';']).map(str::trim).filter(|entry| !none.contains(&entry.to_ascii_lowercase().as_str()));
    entries.map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(lines: &[&str]) -> SubjectInfo {
        subject_info(&lines.iter().map(ToString::to_string).collect::<Vec<_>>())
    }

    #[test]
    fn the_form_of_the_mit_bih_databases() {
        let info = of(&["69 M 1085 1629 x1", "Aldomet, Inderal", "The PVCs are uniform."]);
        assert_eq!((info.age_years, info.sex), (Some(69.0), Some(Sex::Male)));
        assert_eq!(info.medication, ["Aldomet", "Inderal"]);
        let info = of(&["-1 F 742 654 x1", "None"]);
        assert_eq!((info.age_years, info.sex, info.medication.len()), (None, Some(Sex::Female), 0));
        assert!(of(&["51 F 1 2 x1", "The rhythm is paced."]).medication.is_empty());
    }

    #[test]
    fn the_patient_field_of_edf() {
        let info = of(&["patient: MCH-0234567 F 02-MAY-1951 Haagse_Harry age=51", "recording: Startdate 02-MAR-2002 X X X"]);
        assert_eq!((info.age_years, info.sex), (Some(51.0), Some(Sex::Female)));
        assert_eq!(of(&["patient: X X X X", "patient: Mr M"]), SubjectInfo { sex: Some(Sex::Male), ..SubjectInfo::default() });
        assert_eq!(of(&["patient: X X X SYNTHETIC"]), SubjectInfo::default());
    }

    #[test]
    fn tagged_and_named_values() {
        let info = of(&["<age>: 25  <sex>: M  <diagnoses>: (none)  <medications>: aspirin, digoxin"]);
        assert_eq!((info.age_years, info.sex), (Some(25.0), Some(Sex::Male)));
        assert_eq!((info.medication.len(), info.diagnoses.len()), (2, 0));
        let info = of(&["age: 81", "sex: female", "Medication pre admission: Digoxin Glibenclamide", "Dx: 426783006,270492004"]);
        assert_eq!((info.age_years, info.sex), (Some(81.0), Some(Sex::Female)));
        assert_eq!(info.medication, ["Digoxin Glibenclamide"]);
        assert_eq!(info.diagnoses, ["426783006", "270492004"]);
        assert_eq!(of(&["<age>: ?? <sex>: ?"]), SubjectInfo::default());
    }
}

//! Public databases of which more is known than their files say: `data/databases.toml`.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

static TABLE: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../data/databases.toml"));

/// All of them, by short name. The tests read the table, which is part of the program.
static KNOWN: LazyLock<BTreeMap<String, Known>> = LazyLock::new(|| toml::from_str(TABLE).unwrap_or_default());

/// What is known of one database. The table has more about it, for other uses.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(super) struct Known {
    /// The forms of its records' names.
    #[serde(default)]
    record: Forms,
    /// Or the names themselves.
    #[serde(default)]
    records: Vec<String>,
    /// Whether a folder has to hold all of them.
    #[serde(default)]
    complete: bool,
    /// Subject → records.
    #[serde(default)]
    subjects: BTreeMap<String, Vec<String>>,
    /// Subjects by name → the subject that they are.
    #[serde(default)]
    same_subject: BTreeMap<String, String>,
    /// The word before the subject's number in a comment of each header.
    #[serde(default)]
    pub(super) subject_comment: Option<String>,
    /// What codes stand for.
    #[serde(default)]
    labels: Vec<Labels>,
}

/// One form of names, or several.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(from = "OneOrMore")]
struct Forms(Vec<String>);

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMore {
    One(String),
    More(Vec<String>),
}

impl From<OneOrMore> for Forms {
    fn from(forms: OneOrMore) -> Self {
        match forms {
            OneOrMore::One(form) => Self(vec![form]),
            OneOrMore::More(forms) => Self(forms),
        }
    }
}

impl Forms {
    /// The parts of a name under the first form that it has.
    fn parts(&self, name: &str) -> Option<BTreeMap<String, String>> {
        self.0.iter().find_map(|form| parts(form, file_name(name)))
    }
}

/// What codes stand for in some records.
#[derive(Debug, Clone, PartialEq, Deserialize)]
struct Labels {
    /// Code → label.
    codes: BTreeMap<String, String>,
    /// In which records: part of the name → its values.
    #[serde(flatten)]
    parts: BTreeMap<String, Vec<String>>,
}

/// The database that record `name` is of, in a folder that holds `company`.
pub(super) fn database_of(name: &str, company: &[String]) -> Option<&'static Known> {
    let held = |record: &String| company.iter().any(|other| file_name(other) == record);
    KNOWN.values().find(|known| {
        let named = if known.record.0.is_empty() {
            known.records.iter().any(|record| record == file_name(name))
        } else {
            // Every record of the folder, so that one name by chance is not enough.
            company.iter().map(String::as_str).chain([name]).all(|name| known.record.parts(name).is_some())
        };
        named && (!known.complete || known.records.iter().all(held))
    })
}

impl Known {
    /// The subject of a record.
    pub(super) fn subject(&self, name: &str) -> String {
        let name = file_name(name);
        if let Some(subject) = self.record.parts(name).and_then(|parts| parts.get("subject").cloned()) {
            return self.same_subject.get(&subject).cloned().unwrap_or(subject);
        }
        let listed = self.subjects.iter().find(|(_, records)| records.iter().any(|record| record == name));
        listed.map_or(name, |(subject, _)| subject).to_owned()
    }

    /// What the codes of a record's annotations stand for.
    pub(super) fn labels(&self, name: &str) -> Option<&BTreeMap<String, String>> {
        let parts = self.record.parts(name).unwrap_or_default();
        let holds = |(part, values): (&String, &Vec<String>)| parts.get(part).is_some_and(|value| values.contains(value));
        self.labels.iter().find(|labels| labels.parts.iter().all(holds)).map(|labels| &labels.codes)
    }
}

/// The name without the folders that lead to it.
fn file_name(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}

/// The parts of a name under a form (`{subject:S###}R{run:##}`); `None` where it is of another form.
fn parts(form: &str, name: &str) -> Option<BTreeMap<String, String>> {
    let mut parts = BTreeMap::new();
    let mut rest = name.chars();
    // The part that is open, and what it has so far.
    let mut open: Option<(String, String)> = None;
    let mut form = form.chars();
    while let Some(c) = form.next() {
        match c {
            '{' => open = Some((form.by_ref().take_while(|&c| c != ':').collect(), String::new())),
            '}' => parts.extend(open.take()),
            c => {
                let found = rest.next().filter(|&found| match c {
                    '#' => found.is_ascii_digit(),
                    '?' => found.is_ascii_alphabetic(),
                    c => found == c,
                })?;
                if let Some((_, value)) = &mut open {
                    value.push(found);
                }
            }
        }
    }
    rest.next().is_none().then_some(parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn the_table_can_be_read() {
        let table: BTreeMap<String, Known> = toml::from_str(TABLE).unwrap();
        assert!(["mitdb", "nstdb", "eegmmidb"].iter().all(|name| table.contains_key(*name)));
        for (name, known) in &table {
            assert!(known.record.0.is_empty() || known.records.is_empty(), "{name}: record or records");
            assert!(known.subjects.values().flatten().all(|record| known.records.contains(record)), "{name}: subjects");
        }
    }

    #[test]
    fn records_201_and_202_are_one_person_in_the_whole_database_only() {
        let all = KNOWN["mitdb"].records.clone();
        let subject = |name: &str, company: &[String]| database_of(name, company).map(|known| known.subject(name));
        assert_eq!((all.len(), subject("202", &all), subject("201", &all)), (48, Some("201".into()), Some("201".into())));
        assert_eq!((subject("100", &all), subject("202", &all[1..])), (Some("100".into()), None));
    }

    #[test]
    fn noise_stress_records_are_of_the_subjects_they_were_made_from() {
        let folder = names(&["118e06", "118e24"]);
        assert_eq!(database_of("118e24", &folder).map(|known| known.subject("118e24")), Some("118".into()));
    }

    #[test]
    fn motor_imagery_runs_have_a_subject_and_labels() {
        let folder = names(&["S001/S001R03", "S109/S109R14"]);
        let known = database_of("S109/S109R14", &folder).unwrap();
        assert_eq!((known.subject("S109/S109R14"), known.subject("S001R03")), ("S109".into(), "S001".into()));
        let label = |name: &str, code: &str| known.labels(name).and_then(|codes| codes.get(code)).map(String::as_str);
        assert_eq!((label("S001R03", "T1"), label("S001R08", "T2")), (Some("executed/left-fist"), Some("imagined/right-fist")));
        assert_eq!((label("S001R14", "T2"), label("S001R02", "T0")), (Some("imagined/both-feet"), Some("baseline/eyes-closed")));
        assert_eq!((label("S001R03", "T3"), label("S001R15", "T1")), (None, None));
        // Another name in the folder: not that database.
        assert!(database_of("S001R03", &names(&["S001R03", "patient7"])).is_none());
    }

    #[test]
    fn children_and_sleepers_have_subjects() {
        let subject = |name: &str| database_of(name, &names(&[name])).map(|known| known.subject(name));
        for (name, whose) in [
            ("chb01/chb01_03", "chb01"),
            ("chb21/chb21_03", "chb01"),
            ("chb17a_03", "chb17"),
            ("chb02_16+", "chb02"),
            ("sleep-cassette/SC4001E0-PSG", "SC400"),
            ("SC4412E0-PSG", "SC441"),
            ("ST7011J0-PSG", "ST701"),
        ] {
            assert_eq!(subject(name).as_deref(), Some(whose), "{name}");
        }
        assert!(subject("SC4001EC-Hypnogram").is_none());
    }

    #[test]
    fn forms_of_names() {
        assert_eq!(parts("{a:S##}x{b:#}", "S12x3").unwrap().into_values().collect::<Vec<_>>(), ["S12", "3"]);
        assert!(parts("?#", "a1").is_some() && parts("?#", "11").is_none());
        for name in ["S12x", "S1xx3", "S12x34", "", "s12x3"] {
            assert!(parts("{a:S##}x{b:#}", name).is_none(), "{name}");
        }
    }
}

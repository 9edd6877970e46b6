//! Who was recorded, for public databases whose headers don't say: data, one entry per database.

/// What is known of one database's subjects.
struct KnownSubjects {
    /// Names of its records.
    records: &'static [&'static str],
    /// Whether a folder has to hold all of them to be taken for this database. Names such as `100` are used by many.
    whole: bool,
    /// Records whose subject is not the record itself, with the subject.
    same_as: &'static [(&'static str, &'static str)],
}

/// MIT-BIH Arrhythmia Database: 48 recordings of 47 people, 201 and 202 of the same one (Moody and Mark 2001).
static MITDB: KnownSubjects = KnownSubjects {
    records: &[
        "100", "101", "102", "103", "104", "105", "106", "107", "108", "109", "111", "112", "113", "114", "115", "116", "117",
        "118", "119", "121", "122", "123", "124", "200", "201", "202", "203", "205", "207", "208", "209", "210", "212", "213",
        "214", "215", "217", "219", "220", "221", "222", "223", "228", "230", "231", "232", "233", "234",
    ],
    whole: true,
    same_as: &[("202", "201")],
};

/// MIT-BIH Noise Stress Test Database: records 118 and 119 of the above, with noise at several signal-to-noise ratios.
static NSTDB: KnownSubjects = KnownSubjects {
    records: &[
        "118e_6", "118e00", "118e06", "118e12", "118e18", "118e24", "119e_6", "119e00", "119e06", "119e12", "119e18", "119e24",
    ],
    whole: false,
    same_as: &[
        ("118e_6", "118"),
        ("118e00", "118"),
        ("118e06", "118"),
        ("118e12", "118"),
        ("118e18", "118"),
        ("118e24", "118"),
        ("119e_6", "119"),
        ("119e00", "119"),
        ("119e06", "119"),
        ("119e12", "119"),
        ("119e18", "119"),
        ("119e24", "119"),
    ],
};

static KNOWN: [&KnownSubjects; 2] = [&MITDB, &NSTDB];

/// The subject of `record` in a folder that holds `records`; `None` where nothing is known of that folder.
pub(super) fn subject_of(record: &str, records: &[String]) -> Option<&'static str> {
    let known = KNOWN.iter().find(|known| {
        known.records.contains(&record) && (!known.whole || known.records.iter().all(|name| records.iter().any(|r| r == name)))
    })?;
    let name = known.records.iter().find(|name| **name == record)?;
    Some(known.same_as.iter().find(|(other, _)| *other == record).map_or(*name, |(_, subject)| *subject))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_201_and_202_are_one_person_in_the_whole_database_only() {
        let all: Vec<String> = MITDB.records.iter().map(ToString::to_string).collect();
        assert_eq!((all.len(), subject_of("202", &all), subject_of("201", &all)), (48, Some("201"), Some("201")));
        assert_eq!(subject_of("100", &all), Some("100"));
        assert_eq!(subject_of("202", &all[1..]), None);
    }

    #[test]
    fn noise_stress_records_are_of_the_subjects_they_were_made_from() {
        let folder = ["118e06".to_owned(), "118e24".to_owned()];
        assert_eq!(subject_of("118e24", &folder), Some("118"));
    }
}

//! All 48 records of the MIT-BIH Arrhythmia Database, where they are at hand.

use std::path::PathBuf;

use physiosynth_formats::open_database;
use physiosynth_preprocessing::{PreprocessingConfig, preprocess};
use physiosynth_signal::{Seed, Silent};

fn mitdb() -> Option<PathBuf> {
    let folder = std::env::var_os("PHYSIOSYNTH_DATA")
        .map_or_else(|| PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data")), PathBuf::from);
    let folder = folder.join("mitdb");
    if folder.join("RECORDS").is_file() {
        return Some(folder);
    }
    println!("SKIPPED: {} is absent (PHYSIOSYNTH_DATA names the folder with mitdb)", folder.display());
    None
}

#[test]
fn the_published_split_gives_the_published_numbers() {
    let Some(folder) = mitdb() else { return };
    let database = open_database(&folder).unwrap();
    let prepared = preprocess(&database, &PreprocessingConfig::default(), Seed(1), true, &Silent).unwrap();
    let summary = &prepared.summary;
    let skipped: Vec<&str> = summary.skipped.iter().map(|s| s.record.as_str()).collect();
    assert_eq!(skipped, ["102", "104", "107", "202", "217"]);
    assert_eq!(summary.records.len(), 43);
    prepared.segments.check().unwrap();
    assert_eq!((prepared.segments.time(), prepared.segments.mark_index), (126, 45));

    // Beats of DS1, and of DS2 without 202, as wfdb-python 4 counts them in the annotation files; 38 windows reach over an
    // end of their record.
    let beats: usize = summary.records.iter().map(|r| r.beats).sum();
    let dropped: usize = summary.records.iter().map(|r| r.dropped.beyond_ends).sum();
    assert_eq!((beats, dropped, prepared.segments.len()), (51_021 + 47_576, 19 + 19, 98_559));
    let of = |class: &str| {
        let counts = summary.counts.iter().find(|c| c.class == class).unwrap();
        (counts.train + counts.validation, counts.test)
    };
    assert_eq!((of("N"), of("S")), ((45_866 - 18, 42_198 - 18), (944, 1_782)));
    assert_eq!((of("V"), of("F"), of("Q")), ((3_788, 3_202 - 1), (415 - 1, 387), (8, 7)));
    assert!(summary.counts.iter().filter(|c| c.class != "Q").all(|c| c.train > 0 && c.validation > 0 && c.test > 0));
    assert!(summary.stretches.len() == 3 && summary.stretches.iter().all(|s| s.before.len() == 3600));
}

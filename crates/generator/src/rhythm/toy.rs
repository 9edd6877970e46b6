//! Toy rhythms for tests.

use physiosynth_signal::{BeatSequence, Seed, Split};
use rand::RngExt;

/// Records of `beats` beats: of subject `i` intervals around 0.7 + 0.1·(i mod 5) s, varying by 5%. Every fourth beat is V, early, with a
/// pause behind it; the second half of each record is in rhythm `(B`, where every second beat is V.
pub(crate) fn records(count: usize, beats: usize) -> Vec<BeatSequence> {
    (0..count)
        .map(|subject| {
            let mut stream = Seed(9).stream("toy rhythm", subject as u64);
            let base = 0.7 + 0.1 * (subject % 5) as f64 + 0.01 * subject as f64;
            let mut record = BeatSequence {
                record: format!("r{subject}"),
                subject: format!("p{subject}"),
                split: if subject % 4 == 3 { Split::Validation } else { Split::Train },
                sampling_frequency_hz: 1000.0,
                samples: Vec::new(),
                intervals_known: Vec::new(),
                classes: Vec::new(),
                codes: Vec::new(),
                rhythms: Vec::new(),
                residual: None,
            };
            let (mut time, mut early) = (0.0, false);
            for beat in 0..beats {
                let bigeminy = beat >= beats / 2;
                let premature = if bigeminy && subject != 1 { beat % 2 == 1 } else { beat % 4 == 3 };
                let factor = if premature { 0.6 } else { 1.0 + 0.4 * f64::from(u8::from(early)) };
                time += base * factor * stream.random_range(0.95..1.05);
                early = premature;
                let class = if premature { "V" } else { "N" };
                record.samples.push((1000.0 * time) as i64);
                record.intervals_known.push(beat > 0);
                record.classes.push(class.into());
                record.codes.push(class.into());
                record.rhythms.push(if bigeminy { "(B" } else { "(N" }.into());
            }
            record
        })
        .collect()
}

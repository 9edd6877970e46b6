//! Prints the utility measures and the verdicts of a finished run: `cargo run --release -p physiosynth-evaluation --example utility -- FOLDER`.
//!
//! With `--left-out` behind it, training and validation subjects are left out in turn, a fifth at a time, and the test subjects
//! are not looked at: what settings are chosen by.

use std::path::Path;
use std::time::Instant;

use physiosynth_evaluation::{EvaluationConfig, Family, Scores, evaluate};
use physiosynth_formats::segments::read_segments;
use physiosynth_signal::{Seed, SegmentSet, Silent, Split};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = std::env::args().nth(1).ok_or("which run folder?")?;
    let real = read_segments(&Path::new(&folder).join("segments.h5"))?;
    let synthetic = read_segments(&Path::new(&folder).join("synthetic.h5"))?;
    if std::env::args().any(|argument| argument == "--left-out") {
        return left_out(&real);
    }
    let scores = score(&real, &synthetic)?;
    println!("{}", serde_json::to_string_pretty(&scores.verdicts)?);
    println!("{}", serde_json::to_string(&scores.exhibits)?);
    Ok(())
}

fn score(real: &SegmentSet, synthetic: &SegmentSet) -> Result<Scores, Box<dyn std::error::Error>> {
    let start = Instant::now();
    let config = EvaluationConfig {
        utility_draws: 3,
        forest_trees: 100,
        dtw_band: 0.02,
        privacy_rounds: 2,
        ..EvaluationConfig::default()
    };
    let scores = evaluate(real, synthetic, &config, Seed(0), &Silent)?;
    for note in &scores.notes {
        println!("{note}");
    }
    for m in &scores.measures {
        if m.family == Family::Utility || m.name.contains("discriminat") || m.name.contains("predictive") {
            let of = |x: Option<f64>| x.map_or("-".to_string(), |x| format!("{x:.3}"));
            let (value, low, high, same, held_out) = (of(m.value), of(m.low), of(m.high), of(m.same), of(m.held_out));
            println!("{:36} {:4} {value} [{low}, {high}] same {same} held-out {held_out} {:?}", m.name, m.class, m.baselines);
        }
    }
    println!("{:.1?}", start.elapsed());
    Ok(scores)
}

/// Real segments in the place of synthetic ones, so that only TRTR counts.
fn left_out(real: &SegmentSet) -> Result<(), Box<dyn std::error::Error>> {
    let known = real.select(&real.indices(|s| s.split != Split::Test));
    for fold in 0..5 {
        let subjects = known.subjects();
        let mut set = known.clone();
        for segment in &mut set.segments {
            let number = subjects.iter().position(|s| *s == segment.subject);
            segment.split = if number.is_some_and(|n| n % 5 == fold) { Split::Test } else { Split::Train };
        }
        let mut made = set.select(&set.indices(|s| s.split == Split::Train));
        made.segments.iter_mut().for_each(|s| s.split = Split::Synthetic);
        println!("fold {fold}");
        score(&set, &made)?;
    }
    Ok(())
}

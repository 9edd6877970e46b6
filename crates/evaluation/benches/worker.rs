//! This crate's part in `benches/peers/evaluation.py`: a process that draws two sets of beats like those the script draws, waits on
//! standard input, does what a line asks for, and answers with the milliseconds it took.
//!
//! ```text
//! worker SEGMENTS LENGTH
//!
//! neighbours      the five nearest of each segment within the first set
//! nearest         the nearest of the first set for each of the second
//! manifold        precision, recall, density and coverage
//! dtw PAIRS       warping distances, a tenth of the length as band
//! frechet PAIRS   discrete Fréchet distances
//! paired NAME     a measure of pairs on each segment of the second set and its nearest of the first
//! sets NAME       a measure of sets
//! all             every measure of pairs, of segments and of sets; afterwards the largest memory in use, in MB
//! ```

use std::hint::black_box;
use std::io::BufRead;
use std::time::Instant;

use physiosynth_evaluation::measures::pairwise::{PAIRWISE, Pair};
use physiosynth_evaluation::measures::segments::BY_SEGMENT;
use physiosynth_evaluation::measures::sets::OF_SETS;
use physiosynth_evaluation::neighbours::{Neighbours, Prepared, centre};
use physiosynth_evaluation::{Comparison, Pool, Shape, nearest};
use physiosynth_signal::Seed;
use rayon::prelude::*;

mod beats;

const USAGE: &str = "worker SEGMENTS LENGTH";

fn main() -> Result<(), String> {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with("--")).collect();
    let [segments, length] = words.as_slice() else {
        // `cargo bench` without a name starts every bench.
        println!("{USAGE}");
        return Ok(());
    };
    let number = |word: &str| word.parse::<usize>().map_err(|_| USAGE.to_string());
    let (segments, length) = (number(segments)?, number(length)?);
    let (reference, candidate) = (beats::drawn(segments, length, 1), beats::drawn(segments, length, 2));
    let shape = Shape { channels: 1, sampling_frequency_hz: 360.0, band: length / 10, neighbours: 5 };
    println!("ready");
    for line in std::io::stdin().lock().lines() {
        let line = line.map_err(|error| error.to_string())?;
        let start = Instant::now();
        match line.split_whitespace().collect::<Vec<_>>()[..] {
            ["neighbours"] => {
                black_box(Neighbours::of(&Prepared::new(&reference, &centre(&reference)), 5));
            }
            ["nearest"] => {
                black_box(nearest(&candidate, &reference));
            }
            ["manifold"] => {
                let sets = Comparison::new(&reference, &candidate, shape, Seed(1));
                black_box(BY_SEGMENT.iter().map(|measure| (measure.compute)(&sets)).collect::<Vec<_>>());
            }
            ["dtw", pairs] => {
                black_box(on_pairs("dtw", &reference, &candidate, number(pairs)?, shape));
            }
            ["frechet", pairs] => {
                black_box(on_pairs("discrete_frechet", &reference, &candidate, number(pairs)?, shape));
            }
            ["paired", name] => {
                let near = nearest(&candidate, &reference);
                let pairs: Vec<Pair> =
                    near.iter().enumerate().map(|(i, near)| (reference.segment(near.index), candidate.segment(i))).collect();
                black_box(by_name(name, &pairs, shape));
            }
            ["sets", name] => {
                let measure = OF_SETS.iter().find(|measure| measure.about.name == name).ok_or("no such measure of sets")?;
                black_box((measure.compute)(&Comparison::new(&reference, &candidate, shape, Seed(1))));
            }
            ["all"] => all(&reference, &candidate, shape),
            _ => {
                return Err(
                    "a line is one of: neighbours, nearest, manifold, dtw N, frechet N, paired NAME, sets NAME, all".into()
                );
            }
        }
        println!("{}", start.elapsed().as_secs_f64() * 1e3);
    }
    Ok(())
}

/// Segment `i` of one set against segment `i` of the other.
fn on_pairs(name: &str, a: &Pool, b: &Pool, count: usize, shape: Shape) -> Vec<Option<f64>> {
    let pairs: Vec<Pair> = (0..count.min(a.len())).map(|i| (a.segment(i), b.segment(i))).collect();
    by_name(name, &pairs, shape)
}

fn by_name(name: &str, pairs: &[Pair], shape: Shape) -> Vec<Option<f64>> {
    let Some(measure) = PAIRWISE.iter().find(|measure| measure.about.name == name) else { return Vec::new() };
    let of = |chunk: &[Pair]| match measure.many {
        Some(many) => many(chunk, shape),
        None => chunk.iter().map(|(a, b)| (measure.compute)(a, b, shape)).collect(),
    };
    pairs.par_chunks(64).flat_map_iter(of).collect()
}

fn all(reference: &Pool, candidate: &Pool, shape: Shape) {
    let sets = Comparison::new(reference, candidate, shape, Seed(1));
    let timed = |name: &str, since: Instant| eprintln!("  {name}: {:.3} s", since.elapsed().as_secs_f64());
    let start = Instant::now();
    let pairs: Vec<Pair> =
        sets.nearest().iter().enumerate().map(|(i, near)| (reference.segment(near.index), candidate.segment(i))).collect();
    timed("neighbours", start);
    for measure in &PAIRWISE {
        let start = Instant::now();
        black_box(by_name(measure.about.name, &pairs, shape));
        timed(measure.about.name, start);
    }
    for measure in &BY_SEGMENT {
        black_box((measure.compute)(&sets));
    }
    for measure in &OF_SETS {
        let start = Instant::now();
        black_box((measure.compute)(&sets));
        timed(measure.about.name, start);
    }
    // Where the system says it.
    if let Ok(status) = std::fs::read_to_string("/proc/self/status")
        && let Some(line) = status.lines().find(|line| line.starts_with("VmHWM"))
    {
        eprintln!("  {line}");
    }
}

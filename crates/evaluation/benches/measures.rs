//! The time of the measures that cost most, on beats of 256 samples and all cores.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use physiosynth_evaluation::measures::pairwise::{PAIRWISE, Pair};
use physiosynth_evaluation::measures::sets::OF_SETS;
use physiosynth_evaluation::neighbours::{Neighbours, Prepared, centre};
use physiosynth_evaluation::{Comparison, Shape, nearest};
use physiosynth_signal::Seed;

mod beats;

const LENGTH: usize = 256;
const SEGMENTS: usize = 2000;
const PAIRS: usize = 256;
const SHAPE: Shape = Shape { channels: 1, sampling_frequency_hz: 360.0, band: LENGTH / 10, neighbours: 5 };

fn neighbours(criterion: &mut Criterion) {
    let (a, b) = (beats::drawn(SEGMENTS, LENGTH, 1), beats::drawn(SEGMENTS, LENGTH, 2));
    let mut group = criterion.benchmark_group("neighbours, 2000 of 256 samples");
    group.throughput(Throughput::Elements((SEGMENTS * SEGMENTS) as u64)).sample_size(10);
    group.bench_function("five nearest within a set", |bencher| {
        bencher.iter(|| Neighbours::of(&Prepared::new(black_box(&a), &centre(&a)), 5));
    });
    group.bench_function("nearest between two sets", |bencher| bencher.iter(|| nearest(black_box(&b), black_box(&a))));
}

fn pairs(criterion: &mut Criterion) {
    let (a, b) = (beats::drawn(PAIRS, LENGTH, 1), beats::drawn(PAIRS, LENGTH, 2));
    let pairs: Vec<Pair> = (0..PAIRS).map(|i| (a.segment(i), b.segment(i))).collect();
    let mut group = criterion.benchmark_group("256 pairs, one core");
    group.throughput(Throughput::Elements(PAIRS as u64)).sample_size(20);
    for measure in &PAIRWISE {
        group.bench_function(measure.about.name, |bencher| {
            bencher.iter(|| match measure.many {
                Some(many) => many(black_box(&pairs), SHAPE),
                None => pairs.iter().map(|(a, b)| (measure.compute)(a, b, SHAPE)).collect(),
            });
        });
    }
}

fn sets(criterion: &mut Criterion) {
    let (a, b) = (beats::drawn(SEGMENTS, LENGTH, 1), beats::drawn(SEGMENTS, LENGTH, 2));
    let mut group = criterion.benchmark_group("sets, 2000 of 256 samples");
    group.sample_size(10);
    for measure in &OF_SETS {
        group.bench_function(measure.about.name, |bencher| {
            bencher.iter(|| (measure.compute)(&Comparison::new(&a, black_box(&b), SHAPE, Seed(1))));
        });
    }
}

criterion_group!(benches, neighbours, pairs, sets);
criterion_main!(benches);

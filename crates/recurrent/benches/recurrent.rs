//! One training step and one forward pass of a bidirectional layer, per cell and size; and at one small size this crate's
//! kernel beside the same in plain tensor operations and beside burn's own LSTM.
//!
//! ```text
//! cargo bench -p physiosynth-pipeline -p physiosynth-recurrent --bench recurrent
//! cargo bench -p physiosynth-pipeline -p physiosynth-recurrent --bench recurrent -- 'step lstm/64x256x64'
//! ```
//!
//! Both packages are named so that burn is found as the program's build left it. `benches/peers/recurrent.py` does the same
//! work in PyTorch and Keras.

mod training;

use std::hint::black_box;
use std::time::Duration;

use burn::nn::BiLstmConfig;
use burn::tensor::Device;
use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main};
use physiosynth_recurrent::{Cell, Kernel, RecurrentConfig};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use training::{FEATURES, Layer, Training, bidirectional, drawn};

const CELLS: [(Cell, &str); 3] = [(Cell::Lstm, "lstm"), (Cell::Gru, "gru"), (Cell::Simple, "simple")];

/// Batch, time, units.
type Size = [usize; 3];

const SIZES: [Size; 5] = [[64, 256, 64], [64, 256, 128], [32, 1024, 64], [128, 128, 64], [1, 1000, 64]];

/// What the plain operations and burn's own layer can do in reasonable time.
const SMALL: Size = [16, 64, 32];

fn group<'a>(criterion: &'a mut Criterion, name: &str) -> BenchmarkGroup<'a, WallTime> {
    let mut group = criterion.benchmark_group(name);
    group.sample_size(10).warm_up_time(Duration::from_millis(300)).measurement_time(Duration::from_secs(1));
    group
}

fn time_steps([batch, time, _]: Size) -> Throughput {
    Throughput::Elements((batch * time) as u64)
}

fn sizes(criterion: &mut Criterion) {
    let device = Device::flex().autodiff();
    for (cell, name) in CELLS {
        for pass in ["step", "forward"] {
            let mut group = group(criterion, &format!("{pass} {name}"));
            for size @ [batch, time, units] in SIZES {
                let input = drawn([batch, time, FEATURES], &device);
                let mut training = bidirectional(cell, units, &device);
                group.throughput(time_steps(size)).bench_function(format!("{batch}x{time}x{units}"), |bencher| match pass {
                    "step" => bencher.iter(|| training.step(black_box(&input))),
                    _ => bencher.iter(|| training.forward(black_box(&input))),
                });
            }
        }
    }
}

fn both_passes<R: Layer>(group: &mut BenchmarkGroup<'_, WallTime>, name: &str, mut training: Training<R>, device: &Device) {
    let input = drawn([SMALL[0], SMALL[1], FEATURES], device);
    group.bench_function(format!("step, {name}"), |bencher| bencher.iter(|| training.step(black_box(&input))));
    group.bench_function(format!("forward, {name}"), |bencher| bencher.iter(|| training.forward(black_box(&input))));
}

fn beside_plain_and_stock(criterion: &mut Criterion) {
    let device = Device::flex().autodiff();
    let units = SMALL[2];
    let mut group = group(criterion, "lstm 16x64x32");
    group.throughput(time_steps(SMALL));
    both_passes(&mut group, "kernel", bidirectional(Cell::Lstm, units, &device), &device);
    let config = RecurrentConfig { cell: Cell::Lstm, input: FEATURES, units, ..RecurrentConfig::default() };
    let plain = config.init(&device, &mut ChaCha8Rng::seed_from_u64(1)).with_kernel(Kernel::Plain);
    both_passes(&mut group, "plain operations", Training::new(plain, config.output(), &device), &device);
    let stock = BiLstmConfig::new(FEATURES, units, true).init(&device);
    both_passes(&mut group, "burn-nn BiLstm", Training::new(stock, config.output(), &device), &device);
}

criterion_group!(benches, sizes, beside_plain_and_stock);
criterion_main!(benches);

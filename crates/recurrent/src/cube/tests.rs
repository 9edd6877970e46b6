//! Plans against limits, and kernels under plans that their sizes would not get by themselves.

use std::cell::Cell as Slot;
use std::sync::{Arc, Mutex, PoisonError};

use burn::Tensor;
use burn::tensor::{Device, DeviceKind, Distribution};
use cubecl::logging::{LaunchObservation, LaunchObserver};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

use super::layout::Regions;
use super::plan::{Kind, Limits, Plan, Way, Weights, choose};
use crate::{Cell, Inputs, Kernel, Lengths, RecurrentConfig};

const KINDS: [Kind; 4] = [Kind::Lstm, Kind::GruAfter, Kind::GruBefore, Kind::Simple];

/// Limits in place of the device's, and whether weights in registers are out of the question.
#[derive(Clone, Copy)]
pub(super) struct Forced {
    pub limits: Limits,
    pub streamed: bool,
}

thread_local! {
    static FORCED: Slot<Option<Forced>> = const { Slot::new(None) };
}

pub(super) fn forced() -> Option<Forced> {
    FORCED.get()
}

/// Every size that has a plan under `limits` keeps to them and leaves no unit and no row out.
fn keeps_to(limits: Limits, kind: Kind, units: usize, batch: usize, directions: usize, way: Way) -> Option<Plan> {
    let plan = choose(kind, units, batch, directions, way, limits)?;
    let what = format!("{kind:?} {way:?} {units} units, {batch} × {directions}: {plan:?}");
    assert!(plan.invocations() <= limits.invocations, "{what}");
    assert!(plan.shared_bytes(kind, units, way) <= limits.shared_bytes, "{what}");
    assert!(plan.lanes * plan.passes >= units && plan.lanes * (plan.passes - 1) < units, "{what}");
    assert!((1..=4).contains(&plan.rows) && plan.tile() >= 1, "{what}");
    assert!(plan.tile() <= batch.next_power_of_two() * directions, "{what}");
    Some(plan)
}

#[test]
fn plans_keep_to_the_default_limits() {
    let limits = Limits::webgpu_default();
    for kind in KINDS {
        for units in 1..=1024 {
            for (batch, directions) in [(1, 1), (7, 2), (64, 2), (4096, 1)] {
                for way in [Way::Forward, Way::Back] {
                    let plan = keeps_to(limits, kind, units, batch, directions, way);
                    assert!(plan.is_some(), "{kind:?} {units} {way:?}");
                    let held = plan.is_some_and(|plan| plan.weights == Weights::Held);
                    assert_eq!(held, units <= 64 && kind != Kind::GruBefore, "{kind:?} {units} {way:?}");
                }
            }
        }
    }
}

#[test]
fn what_no_limit_holds_has_no_plan() {
    let limits = Limits::webgpu_default();
    let twice = Limits { shared_bytes: 32 << 10, ..limits };
    // The way back of an LSTM shares 4 values of 4 bytes per unit, the way forward 2.
    assert_eq!(keeps_to(limits, Kind::Lstm, 1025, 1, 1, Way::Back), None);
    assert!(keeps_to(twice, Kind::Lstm, 1025, 1, 1, Way::Back).is_some());
    assert!(keeps_to(limits, Kind::Lstm, 2048, 1, 1, Way::Forward).is_some());
    assert_eq!(keeps_to(limits, Kind::Lstm, 2049, 1, 1, Way::Forward), None);
    assert_eq!(keeps_to(Limits { invocations: 0, ..limits }, Kind::Lstm, 8, 1, 1, Way::Forward), None);
    assert_eq!(keeps_to(Limits { shared_bytes: 0, ..limits }, Kind::Simple, 8, 1, 1, Way::Forward), None);
    // Few invocations take the units in passes.
    let few = Limits { invocations: 16, ..limits };
    let plan = keeps_to(few, Kind::Lstm, 100, 64, 2, Way::Forward);
    assert_eq!(plan, Some(Plan { weights: Weights::Streamed, lanes: 15, groups: 1, rows: 2, passes: 7 }));
}

#[test]
fn regions_can_be_tensors_of_their_own() {
    let mut regions = Regions::new(256);
    assert_eq!([regions.next(3), regions.next(64), regions.next(65), regions.next(0)], [0, 64, 128, 256]);
    assert_eq!(regions.len(), 256);
    assert_eq!(Regions::new(4).len(), 1);
}

/// Collects the names of this crate's kernels.
#[derive(Default)]
struct Names(Mutex<Vec<&'static str>>);

impl LaunchObserver for Names {
    fn launched(&self, kernel: &'static str) {
        if let Some(name) = kernel.strip_prefix("physiosynth_recurrent::cube::") {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).push(name);
        }
    }
}

/// The output and the gradients of its squares' sum: of the input, the constants and every weight.
fn run(config: &RecurrentConfig, batch: usize, lengths: &Lengths, kernel: Kernel, device: &Device) -> Vec<Vec<f32>> {
    let (host, device) = (Device::flex(), device.clone().autodiff());
    let values = |tensor: Tensor<3>| tensor.into_data().try_to_vec::<f32>().expect("float32 values");
    host.seed(5);
    let drawn = |shape| Tensor::<3>::random(shape, Distribution::Default, &host).into_data();
    let input = Tensor::<3>::from_data(drawn([batch, 5, config.input]), &device).require_grad();
    let constant = Tensor::<3>::from_data(drawn([1, batch, config.constant]), &device).require_grad();
    let net = config.init(&device, &mut ChaCha8Rng::seed_from_u64(3)).with_kernel(kernel);
    let inputs = Inputs::new(input.clone()).constant(constant.clone().squeeze_dim(0)).lengths(lengths);
    let (output, state) = net.run_with_state(inputs).expect("inputs that fit");
    let last = state.hidden.clone() * state.cell.unwrap_or(state.hidden);
    let gradients = ((output.clone() * output.clone()).sum() + last.sum()).backward();
    let layer = &net.layers[0];
    let weights = [&layer.weight_ih, &layer.weight_hh].map(burn::module::Param::val);
    let biases = [&layer.bias_ih, &layer.bias_hh].map(burn::module::Param::val);
    let mut found = vec![values(output)];
    found.extend([&input, &constant].into_iter().chain(&weights).map(|leaf| values(leaf.grad(&gradients).expect("a gradient"))));
    found.extend(biases.iter().map(|leaf| values(leaf.grad(&gradients).expect("a gradient").unsqueeze())));
    found
}

#[test]
fn streamed_kernels_equal_the_cpu_at_small_sizes() {
    if std::env::var("PHYSIOSYNTH_TEST_WGPU").as_deref() != Ok("1") {
        println!("skipped: set PHYSIOSYNTH_TEST_WGPU=1 where there is an adapter");
        return;
    }
    let wgpu = Device::wgpu(DeviceKind::DefaultDevice);
    let limits = Limits::webgpu_default();
    // So few invocations that each carries several units and rows; and as many as there are.
    let few = Limits { invocations: 4, ..limits };
    let cells = [(Cell::Lstm, true), (Cell::Gru, true), (Cell::Gru, false), (Cell::Simple, true)];
    for (batch, limits, cells) in [(67, few, &cells[..]), (3, limits, &cells[..1])] {
        let steps: Vec<usize> = (0..batch).map(|row| 1 + row * 3 % 5).collect();
        let lengths = Lengths::new(&steps, 5).expect("lengths");
        for &(cell, reset_after) in cells {
            let config = RecurrentConfig { cell, reset_after, input: 2, constant: 1, units: 7, ..RecurrentConfig::default() };
            let expected = run(&config, batch, &lengths, Kernel::Plain, &Device::flex());
            FORCED.set(Some(Forced { limits, streamed: true }));
            let names = Arc::new(Names::default());
            let watching = LaunchObservation::new(Arc::clone(&names) as Arc<dyn LaunchObserver>);
            let found = run(&config, batch, &lengths, Kernel::Auto, &wgpu);
            drop(watching);
            FORCED.set(None);
            let names = names.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
            for streamed in ["forward::forward::Forward", "backward::backward::Backward"] {
                assert_eq!(names.iter().filter(|name| **name == streamed).count(), 1, "{names:?}");
            }
            for (index, (found, expected)) in found.iter().zip(&expected).enumerate() {
                let largest = expected.iter().fold(f32::MIN_POSITIVE, |largest, value| largest.max(value.abs()));
                let apart = found.iter().zip(expected).fold(0.0_f32, |apart, (a, b)| apart.max((a - b).abs()));
                assert!(apart <= 1e-4 * largest, "{config:?} {batch} {index}: {apart:e} of {largest:e}");
            }
        }
    }
}

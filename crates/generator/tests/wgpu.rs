//! The same step on the GPU and on the CPU. Software adapters count, so that it runs on machines without a GPU; skipped unless
//! `PHYSIOSYNTH_TEST_WGPU=1`, since it needs a graphics driver.
#![cfg(feature = "wgpu")]

#[path = "../src/toy.rs"]
mod toy;

use burn::tensor::Device;
use physiosynth_generator::device::choose;
use physiosynth_generator::{DeviceChoice, Existing, GeneratorConfig, ObjectiveName, Request, SamplerConfig, generate, train};
use physiosynth_recurrent::Cell;
use physiosynth_signal::{Seed, Silent};

fn wgpu() -> Option<Device> {
    if std::env::var("PHYSIOSYNTH_TEST_WGPU").as_deref() != Ok("1") {
        eprintln!("skipped: set PHYSIOSYNTH_TEST_WGPU=1 on a machine with a Vulkan, Metal or DirectX 12 adapter");
        return None;
    }
    let (device, chosen) = choose(DeviceChoice::Wgpu).unwrap();
    eprintln!("on {} ({})", chosen.name, chosen.backend);
    Some(device)
}

/// Both objectives: the paired one at each sample, the denoising one in frames, with its conditions and the mean of its weights.
fn config(objective: ObjectiveName, cell: Cell) -> GeneratorConfig {
    GeneratorConfig {
        objective,
        cell,
        frame: if objective == ObjectiveName::Paired { 1 } else { 3 },
        units: 6,
        batch: 4,
        epochs: 2,
        steps_per_epoch: 1,
        learning_rate: 0.01,
        warmup_steps: 0,
        ..Default::default()
    }
}

#[test]
fn training_and_sampling_agree_with_the_cpu() {
    let Some(gpu) = wgpu() else { return };
    let set = toy::segments(32, 10, 2);
    for (objective, cell) in [
        (ObjectiveName::Paired, Cell::Lstm),
        (ObjectiveName::Denoising, Cell::Lstm),
        (ObjectiveName::Denoising, Cell::Gru),
        (ObjectiveName::Denoising, Cell::Simple),
    ] {
        let on = |device: &Device| {
            let folder = tempfile::tempdir().unwrap();
            let config = config(objective, cell);
            let outcome = train(&set, &config, Seed(1), device, folder.path(), Existing::Resume, &Silent).unwrap();
            let request =
                Request { label: "V".into(), subject: None, count: 5, patient: "s1".into(), around: Vec::new(), first: 0 };
            let sampler = SamplerConfig { steps: 4, ..Default::default() };
            let made = generate(folder.path(), &set, &[request], &sampler, Seed(1), device, &Silent).unwrap();
            (outcome.history, made)
        };
        let ((cpu, made), (gpu, made_there)) = (on(&Device::flex()), on(&gpu));
        for (cpu, gpu) in cpu.iter().zip(gpu) {
            assert!((cpu.train_loss - gpu.train_loss).abs() < 1e-3, "{cpu:?} {gpu:?}");
            let norm = cpu.gradient_norm_max;
            assert!((norm - gpu.gradient_norm_max).abs() < 1e-3 * (1.0 + norm), "{cpu:?} {gpu:?}");
            let (cpu, gpu) = (cpu.validation_loss.unwrap(), gpu.validation_loss.unwrap());
            assert!((cpu - gpu).abs() < 1e-3, "{cpu} {gpu}");
        }
        let apart = made.signals.iter().zip(&made_there.signals).map(|(x, y)| (x - y).abs()).fold(0.0, f32::max);
        assert!(apart < 1e-2, "{objective:?} {cell:?}: {apart}");
        assert_eq!(made.segments, made_there.segments);
    }
}

//! The same step on the GPU and on the CPU. Software adapters count, so that it runs on machines without a GPU; skipped unless
//! `PHYSIOSYNTH_TEST_WGPU=1`, since it needs a graphics driver.
#![cfg(feature = "wgpu")]

#[path = "../src/toy.rs"]
mod toy;

use burn::tensor::{Device, Tensor};
use physiosynth_generator::device::choose;
use physiosynth_generator::model::{Generator, InputLayout};
use physiosynth_generator::{DeviceChoice, Existing, GeneratorConfig, train};
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

#[test]
fn forward_agrees_with_the_cpu() {
    let Some(gpu) = wgpu() else { return };
    for cell in [Cell::Lstm, Cell::Gru, Cell::Simple] {
        let config = GeneratorConfig { cell, units: 6, ..Default::default() };
        let output = |device: &Device| -> Vec<f32> {
            let input = InputLayout::new(10, 3, 1, 2).input(&[0.7; 30], &[0, 1, 0], device);
            let output: Tensor<3> = Generator::new(&config, 10, 1, 2, Seed(1), device).forward(input, None);
            output.try_into_vec_as().unwrap()
        };
        for (cpu, gpu) in output(&Device::flex()).iter().zip(output(&gpu)) {
            assert!((cpu - gpu).abs() < 1e-3, "{cell:?}: {cpu} on the CPU, {gpu} on the GPU");
        }
    }
}

#[test]
fn training_agrees_with_the_cpu() {
    let Some(gpu) = wgpu() else { return };
    let set = toy::segments(32, 10, 2);
    let config = GeneratorConfig {
        units: 6,
        batch: 4,
        epochs: 2,
        steps_per_epoch: 1,
        learning_rate: 0.01,
        warmup_steps: 0,
        ..Default::default()
    };
    let history = |device: &Device| {
        let folder = tempfile::tempdir().unwrap();
        train(&set, &config, Seed(1), device, folder.path(), Existing::Resume, &Silent).unwrap().history
    };
    for (cpu, gpu) in history(&Device::flex()).iter().zip(history(&gpu)) {
        assert!((cpu.train_loss - gpu.train_loss).abs() < 1e-3, "{cpu:?} {gpu:?}");
        assert!((cpu.gradient_norm_max - gpu.gradient_norm_max).abs() < 1e-3 * (1.0 + cpu.gradient_norm_max), "{cpu:?} {gpu:?}");
        let (cpu, gpu) = (cpu.validation_loss.unwrap(), gpu.validation_loss.unwrap());
        assert!((cpu - gpu).abs() < 1e-3, "{cpu} {gpu}");
    }
}

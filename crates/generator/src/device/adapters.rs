//! The adapters that wgpu finds, and opening one of them for burn.

use std::pin::pin;
use std::sync::{Mutex, OnceLock, PoisonError};
use std::task::{Context, Poll, Waker};

use burn::tensor::wgpu::{WgpuBackend, wgpu};
use burn::tensor::{Device, DeviceKind};

use super::{DeviceChoice, DeviceError, DeviceInfo};

/// One adapter, with what burn needs to find it again: its kind, its number among the adapters of that kind, and its API.
struct Adapter {
    info: DeviceInfo,
    kind: DeviceKind,
    api: WgpuBackend,
}

/// The graphics APIs asked, best first: those that burn's runtime tries on this platform, in its order.
#[cfg(target_os = "macos")]
const APIS: [(wgpu::Backend, WgpuBackend); 1] = [(wgpu::Backend::Metal, WgpuBackend::Metal)];
/// The graphics APIs asked, best first, as burn's runtime does; without OpenGL, where compute shaders are a rarity.
#[cfg(not(target_os = "macos"))]
const APIS: [(wgpu::Backend, WgpuBackend); 2] =
    [(wgpu::Backend::Vulkan, WgpuBackend::Vulkan), (wgpu::Backend::Dx12, WgpuBackend::Dx12)];

/// The adapters of this machine. Asked once: graphics drivers may crash when instances come and go on several threads.
fn adapters() -> &'static [Adapter] {
    static FOUND: OnceLock<Vec<Adapter>> = OnceLock::new();
    FOUND.get_or_init(|| {
        let mut found: Vec<Adapter> = Vec::new();
        for (backend, api) in APIS {
            found.extend(adapters_on(backend, api));
            // The next API would list the same hardware again.
            if found.iter().any(|adapter| adapter.info.available && !adapter.info.software) {
                break;
            }
        }
        found
    })
}

fn adapters_on(backend: wgpu::Backend, api: WgpuBackend) -> Vec<Adapter> {
    let instance = wgpu::Instance::new(wgpu::InstanceDescriptor {
        backends: backend.into(),
        ..wgpu::InstanceDescriptor::new_without_display_handle()
    });
    let mut seen: Vec<wgpu::DeviceType> = Vec::new();
    let mut found = Vec::new();
    for adapter in wait(instance.enumerate_adapters(backend.into())) {
        let info = adapter.get_info();
        let number = seen.iter().filter(|&&kind| kind == info.device_type).count();
        seen.push(info.device_type);
        let compute = adapter.get_downlevel_capabilities().flags.contains(wgpu::DownlevelFlags::COMPUTE_SHADERS);
        let (category, kind) = match info.device_type {
            wgpu::DeviceType::DiscreteGpu => ("discrete GPU", Some(DeviceKind::DiscreteGpu(number))),
            wgpu::DeviceType::IntegratedGpu => ("integrated GPU", Some(DeviceKind::IntegratedGpu(number))),
            wgpu::DeviceType::VirtualGpu => ("virtual GPU", Some(DeviceKind::VirtualGpu(number))),
            // Burn can name only the first of these.
            wgpu::DeviceType::Cpu => ("software", (number == 0).then_some(DeviceKind::Cpu)),
            wgpu::DeviceType::Other => ("other", None),
        };
        let software = info.device_type == wgpu::DeviceType::Cpu;
        let remark = match (compute, &kind) {
            (false, _) => "it has no compute shaders",
            (true, None) => "its driver does not say what kind of adapter it is, so it cannot be chosen",
            (true, Some(_)) if software => "the CPU playing a GPU: slower than 'cpu', used only where 'wgpu' is asked for",
            _ => "",
        };
        found.push(Adapter {
            info: DeviceInfo {
                kind: DeviceChoice::Wgpu,
                name: info.name,
                backend: format!("{:?}", info.backend),
                driver: format!("{} {}", info.driver, info.driver_info).trim().into(),
                category: category.into(),
                software,
                available: compute && kind.is_some(),
                remark: remark.into(),
            },
            kind: kind.unwrap_or_default(),
            api,
        });
    }
    found
}

pub(super) fn list() -> Vec<DeviceInfo> {
    adapters().iter().map(|adapter| adapter.info.clone()).collect()
}

/// The adapter to use, of those that pass: discrete before integrated before virtual before software.
fn best(accept: impl Fn(&DeviceInfo) -> bool) -> Option<&'static Adapter> {
    let rank = |adapter: &&Adapter| match adapter.kind {
        DeviceKind::DiscreteGpu(_) => 0,
        DeviceKind::IntegratedGpu(_) => 1,
        DeviceKind::VirtualGpu(_) => 2,
        _ => 3,
    };
    adapters().iter().filter(|adapter| adapter.info.available && accept(&adapter.info)).min_by_key(rank)
}

pub(super) fn open_any() -> Result<(Device, DeviceInfo), DeviceError> {
    let adapter = best(|_| true)
        .ok_or_else(|| DeviceError::NoAdapter { looked_for: APIS.map(|(backend, _)| format!("{backend:?}")).join(", ") })?;
    open(adapter)
}

pub(super) fn open_hardware() -> Result<(Device, DeviceInfo), String> {
    let adapter = best(|info| !info.software).ok_or_else(|| {
        if adapters().is_empty() { "wgpu found no adapter".to_owned() } else { "wgpu found no hardware GPU".to_owned() }
    })?;
    open(adapter).map_err(|error| error.to_string())
}

/// Opens the adapter, once per process: burn refuses to initialise a runtime twice.
fn open(adapter: &Adapter) -> Result<(Device, DeviceInfo), DeviceError> {
    static OPENED: Mutex<Vec<(DeviceKind, WgpuBackend, Device)>> = Mutex::new(Vec::new());
    let mut opened = OPENED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((_, _, device)) = opened.iter().find(|(kind, api, _)| *kind == adapter.kind && *api == adapter.api) {
        return Ok((device.clone(), adapter.info.clone()));
    }
    let device = Device::wgpu_options().device_kind(adapter.kind.clone()).graphics_api(adapter.api).init().map_err(|error| {
        DeviceError::Open { adapter: adapter.info.name.clone(), backend: adapter.info.backend.clone(), cause: error.to_string() }
    })?;
    opened.push((adapter.kind.clone(), adapter.api, device.clone()));
    Ok((device, adapter.info.clone()))
}

/// The result of a future that is ready at once, as wgpu's are outside the browser.
fn wait<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return output;
        }
        std::thread::yield_now();
    }
}

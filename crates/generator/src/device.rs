//! What the machine can compute on, and which of it is used.
//!
//! Adapters are listed before burn opens one, for two reasons: burn's lazy default device panics where the machine has no
//! adapter, and it would take a software rasteriser (llvmpipe, WARP) as readily as a GPU, which is slower than the CPU
//! backend on every machine. Never call `Device::default()` in this workspace.

use std::fmt;
use std::str::FromStr;

use burn::tensor::Device;
use serde::{Deserialize, Serialize};

/// What the user asks to compute on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DeviceChoice {
    /// A hardware GPU through wgpu where there is one, else the CPU.
    #[default]
    Auto,
    /// The CPU (burn's Flex backend).
    Cpu,
    /// The best adapter that wgpu offers, a software one included.
    Wgpu,
}

impl DeviceChoice {
    /// The name used in configurations and on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Cpu => "cpu",
            Self::Wgpu => "wgpu",
        }
    }
}

impl fmt::Display for DeviceChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for DeviceChoice {
    type Err = DeviceError;
    fn from_str(s: &str) -> Result<Self, DeviceError> {
        match s {
            "auto" => Ok(Self::Auto),
            "cpu" => Ok(Self::Cpu),
            "wgpu" => Ok(Self::Wgpu),
            _ => Err(DeviceError::UnknownName { found: s.into() }),
        }
    }
}

/// Why no device could be had.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DeviceError {
    /// A name that is none of the known ones.
    #[error("'{found}' is no device; expected one of auto, cpu, wgpu")]
    UnknownName {
        /// What was given.
        found: String,
    },
    /// `wgpu` was asked for, and this program cannot use it.
    #[error("this program was built without wgpu; build it with `--features wgpu`, or choose the device 'cpu' or 'auto'")]
    BuiltWithoutWgpu,
    /// `wgpu` was asked for, and the machine has no adapter.
    #[error(
        "wgpu found no adapter on this machine (looked for {looked_for}); install the GPU's driver (on Linux its Vulkan driver; \
         Mesa's lavapipe computes without a GPU), or choose the device 'cpu' or 'auto'"
    )]
    NoAdapter {
        /// The graphics APIs asked.
        looked_for: String,
    },
    /// The adapter is there and refuses to work.
    #[error("the adapter '{adapter}' ({backend}) could not be opened: {cause}; update its driver, or choose the device 'cpu'")]
    Open {
        /// Its name as the driver gives it.
        adapter: String,
        /// The graphics API.
        backend: String,
        /// What the driver said.
        cause: String,
    },
}

/// One thing to compute on, as listed by `physiosynth devices`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceInfo {
    /// The choice that leads to it: [`DeviceChoice::Cpu`] or [`DeviceChoice::Wgpu`].
    pub kind: DeviceChoice,
    /// Name as the driver gives it; for the CPU, its number of threads.
    pub name: String,
    /// Burn's backend or the graphics API: `flex`, `Vulkan`, `Metal`, `Dx12`.
    pub backend: String,
    /// Driver and its version; empty where unknown.
    pub driver: String,
    /// `CPU`, `discrete GPU`, `integrated GPU`, `virtual GPU`, `software` or `other`.
    pub category: String,
    /// Whether it is a CPU that plays a GPU. Used only where `wgpu` is asked for by name.
    pub software: bool,
    /// Whether it can be used by this program.
    pub available: bool,
    /// Why it is not available, or what to know about it; may be empty.
    pub remark: String,
}

/// The device that a run computes on, as printed and kept in the manifest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChosenDevice {
    /// [`DeviceChoice::Cpu`] or [`DeviceChoice::Wgpu`].
    pub kind: DeviceChoice,
    /// Name as in [`DeviceInfo::name`].
    pub name: String,
    /// Backend as in [`DeviceInfo::backend`].
    pub backend: String,
    /// Whether it is a CPU that plays a GPU.
    pub software: bool,
    /// Why this one.
    pub reason: String,
}

/// Everything this machine can compute on: the CPU first, then the adapters that wgpu finds.
pub fn devices() -> Vec<DeviceInfo> {
    let mut found = vec![cpu()];
    found.extend(adapters::list());
    found
}

/// The device for `choice`, with the reason. Opens a GPU where one is chosen; with [`DeviceChoice::Auto`], a GPU that
/// cannot be opened leaves the CPU, and the reason says so.
pub fn choose(choice: DeviceChoice) -> Result<(Device, ChosenDevice), DeviceError> {
    match choice {
        DeviceChoice::Cpu => Ok(on_cpu("asked for".into())),
        DeviceChoice::Wgpu => {
            let (device, info) = adapters::open_any()?;
            let reason = if info.software { "asked for; a software adapter, slower than 'cpu'" } else { "asked for" };
            Ok((device, chosen(&info, reason.into())))
        }
        DeviceChoice::Auto => match adapters::open_hardware() {
            Ok((device, info)) => {
                let reason = format!("the machine has a {}", info.category);
                Ok((device, chosen(&info, reason)))
            }
            Err(why) => Ok(on_cpu(why)),
        },
    }
}

fn cpu() -> DeviceInfo {
    DeviceInfo {
        kind: DeviceChoice::Cpu,
        name: format!("CPU, {} threads", rayon::current_num_threads()),
        backend: "flex".into(),
        driver: String::new(),
        category: "CPU".into(),
        software: false,
        available: true,
        remark: String::new(),
    }
}

fn on_cpu(reason: String) -> (Device, ChosenDevice) {
    (Device::flex(), chosen(&cpu(), reason))
}

fn chosen(info: &DeviceInfo, reason: String) -> ChosenDevice {
    ChosenDevice { kind: info.kind, name: info.name.clone(), backend: info.backend.clone(), software: info.software, reason }
}

#[cfg(not(feature = "wgpu"))]
mod adapters {
    use super::{Device, DeviceError, DeviceInfo};

    pub(super) fn list() -> Vec<DeviceInfo> {
        Vec::new()
    }

    pub(super) fn open_any() -> Result<(Device, DeviceInfo), DeviceError> {
        Err(DeviceError::BuiltWithoutWgpu)
    }

    pub(super) fn open_hardware() -> Result<(Device, DeviceInfo), String> {
        Err("this program was built without wgpu".into())
    }
}

#[cfg(feature = "wgpu")]
mod adapters;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_round_trip_and_errors_name_the_known_ones() {
        for choice in [DeviceChoice::Auto, DeviceChoice::Cpu, DeviceChoice::Wgpu] {
            assert_eq!(choice.to_string().parse::<DeviceChoice>().unwrap(), choice);
        }
        assert!("gpu".parse::<DeviceChoice>().unwrap_err().to_string().contains("auto, cpu, wgpu"));
    }

    #[test]
    fn cpu_is_always_there() {
        let (device, chosen) = choose(DeviceChoice::Cpu).unwrap();
        assert_eq!(device, Device::flex());
        assert_eq!((chosen.kind, chosen.backend.as_str()), (DeviceChoice::Cpu, "flex"));
        assert!(devices()[0].available);
    }

    #[test]
    fn auto_never_takes_a_software_adapter() {
        let (_, chosen) = choose(DeviceChoice::Auto).unwrap();
        assert!(!chosen.software, "{chosen:?}");
        if devices().iter().all(|d| d.software || d.kind == DeviceChoice::Cpu) {
            assert_eq!(chosen.kind, DeviceChoice::Cpu);
            assert!(!chosen.reason.is_empty());
        }
    }

    #[cfg(not(feature = "wgpu"))]
    #[test]
    fn asking_for_wgpu_without_it_says_how_to_get_it() {
        let message = choose(DeviceChoice::Wgpu).unwrap_err().to_string();
        assert!(message.contains("--features wgpu"), "{message}");
    }
}

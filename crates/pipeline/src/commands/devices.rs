use std::fmt::Write as _;

use anyhow::Result;
use physiosynth_generator::device::{DeviceChoice, choose, devices as list};

use crate::files;

/// Lists what this machine can compute on, and says what `--device auto` would take.
pub(crate) fn devices() -> Result<()> {
    let mut text = format!("{:<8} {:<10} {:<16} name\n", "--device", "backend", "what");
    for device in list() {
        let remark = if device.remark.is_empty() { String::new() } else { format!(" ({})", device.remark) };
        writeln!(text, "{:<8} {:<10} {:<16} {}{remark}", device.kind.as_str(), device.backend, device.category, device.name)?;
    }
    let (_, chosen) = choose(DeviceChoice::Auto)?;
    writeln!(text, "\n--device auto takes {}: {}", chosen.name, chosen.reason)?;
    files::print(&text)
}

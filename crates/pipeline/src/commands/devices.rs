use anyhow::Result;
use physiosynth_generator::device::{DeviceChoice, choose, devices as list};

/// Lists what this machine can compute on, and says what `--device auto` would take.
pub(crate) fn devices() -> Result<()> {
    println!("{:<8} {:<10} {:<10} name", "kind", "backend", "hardware");
    for device in list() {
        println!(
            "{:<8} {:<10} {:<10} {}",
            device.kind,
            device.backend,
            if device.software { "software" } else { "yes" },
            device.name
        );
    }
    let (_, chosen) = choose(DeviceChoice::Auto)?;
    println!("\n--device auto takes {}: {}", chosen.name, chosen.reason);
    Ok(())
}

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

static ASKED: AtomicBool = AtomicBool::new(false);
static INSTALLED: OnceLock<()> = OnceLock::new();

/// From now on the first Ctrl-C (or SIGTERM) asks the work to stop at the next safe place, and the second ends the process.
pub(crate) fn install() {
    INSTALLED.get_or_init(|| {
        // Without a handler the signal ends the process at once, which loses nothing that was finished.
        let _ = ctrlc::set_handler(|| {
            if ASKED.swap(true, Ordering::SeqCst) {
                std::process::exit(1);
            }
            eprintln!("\nstopping at the next safe place; press Ctrl-C again to stop at once");
        });
    });
}

/// Whether a stop was asked for.
pub(crate) fn asked() -> bool {
    ASKED.load(Ordering::SeqCst)
}

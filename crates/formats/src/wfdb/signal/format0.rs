//! Format 0: a null signal. There is no file, and every sample is missing.

use super::{Coding, SignalFormat, Storage};

/// Format 0.
pub(super) static CODING: Coding = Coding {
    format: SignalFormat::Format0,
    number: 0,
    resolution: 0,
    minimum: 0,
    maximum: 0,
    missing: None,
    storage: Storage::Nothing,
};

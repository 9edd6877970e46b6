//! The fused GPU kernels: a whole sequence of one layer, forward and back.

mod backward;
mod cells;
mod forward;
mod held;
mod layout;
mod mask;
mod plan;
mod prepare;
mod run;
mod run_back;

pub(crate) use plan::{Kind, Limits, Way, choose};
pub(crate) use run::{Kept, run};
pub(crate) use run_back::run_back;

/// Storage buffers that the largest kernel binds, CubeCL's own included.
pub(crate) const BUFFERS: usize = 7;

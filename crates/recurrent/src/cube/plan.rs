//! How a run is cut into cubes (WebGPU: workgroups) and invocations, from sizes and limits alone.

use cubecl::client::Client;

use crate::{Cell, RecurrentConfig};

/// Invocations of a cube, at most: WebGPU's default. `CubeCL` reports the adapter's maximum, while a device that the program
/// made itself may allow no more than the default; and larger cubes would gain nothing here.
const INVOCATIONS: usize = 256;

/// Rows of the batch that one invocation carries, at most: each holds a sum per gate in registers.
const ROWS: usize = 4;

/// Cubes worth having before tiles get higher: each streams all recurrent weights at every step, so that higher tiles move
/// less, but fewer cubes keep fewer of the processor's cores busy.
const CUBES: usize = 64;

/// The weights that one invocation may keep in registers. Drivers spill beyond 128 or so registers, the rest of the kernel
/// needs about 40.
const HELD: usize = 64;

/// What a device allows a kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Limits {
    /// Bytes of memory that the invocations of a cube share.
    pub shared_bytes: usize,
    /// Invocations of a cube.
    pub invocations: usize,
    /// Storage buffers of a kernel, `CubeCL`'s own (sizes and scalars) included.
    pub buffers: usize,
}

impl Limits {
    /// What every WebGPU device allows.
    #[cfg(test)]
    pub(crate) const fn webgpu_default() -> Self {
        Self { shared_bytes: 16 << 10, invocations: INVOCATIONS, buffers: 8 }
    }

    /// What the client's device allows. `CubeCL` takes shared memory and storage buffers (less one, which wgpu itself needs on
    /// Metal) from the device, but invocations from the adapter, hence the cap.
    pub(crate) fn of(client: &Client) -> Self {
        #[cfg(test)]
        if let Some(forced) = super::tests::forced() {
            return forced.limits;
        }
        let hardware = &client.properties().hardware;
        let widest = hardware.max_units_per_cube.min(hardware.max_cube_dim.0).min(hardware.max_cube_dim.1) as usize;
        Self {
            shared_bytes: hardware.max_shared_memory_size,
            invocations: widest.min(INVOCATIONS),
            buffers: hardware.max_bindings as usize,
        }
    }
}

/// The recurrence, as the kernels tell them apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    Lstm,
    /// Its reset gate stands behind the product with the hidden state.
    GruAfter,
    /// Its reset gate stands before that product.
    GruBefore,
    Simple,
}

impl Kind {
    pub(crate) fn new(cell: Cell, reset_after: bool) -> Self {
        match cell {
            Cell::Lstm => Self::Lstm,
            Cell::Gru if reset_after => Self::GruAfter,
            Cell::Gru => Self::GruBefore,
            Cell::Simple => Self::Simple,
        }
    }

    pub(crate) fn of(config: &RecurrentConfig) -> Self {
        Self::new(config.cell, config.reset_after)
    }

    pub(crate) const fn gates(self) -> usize {
        match self {
            Self::Lstm => 4,
            Self::GruAfter | Self::GruBefore => 3,
            Self::Simple => 1,
        }
    }
}

/// Which launch is planned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    Forward,
    Back,
}

/// Where the recurrent weights are while the steps pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Weights {
    /// In global memory, read anew at every step; the caches keep them.
    Streamed,
    /// In registers, read once: each invocation holds what one gate of one unit is multiplied with (way back: what one
    /// unit's hidden state is multiplied with for one gate).
    Held,
}

/// Who computes what: a cube is a tile of rows of one direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Plan {
    pub weights: Weights,
    /// Invocations along the units.
    pub lanes: usize,
    /// Invocations along the rows of the tile; with [`Weights::Held`], along the gates.
    pub groups: usize,
    /// Rows that each invocation carries.
    pub rows: usize,
    /// Units that each invocation carries, `lanes` apart.
    pub passes: usize,
}

impl Plan {
    /// Rows of the batch that a cube carries.
    pub(crate) const fn tile(&self) -> usize {
        match self.weights {
            Weights::Streamed => self.groups * self.rows,
            Weights::Held => self.rows,
        }
    }

    #[cfg(test)]
    pub(crate) const fn invocations(&self) -> usize {
        self.lanes * self.groups
    }

    /// Shared memory that the kernel declares.
    pub(crate) const fn shared_bytes(&self, kind: Kind, units: usize, way: Way) -> usize {
        shared_floats(self.weights, kind, units, way) * self.tile() * size_of::<f32>()
    }
}

/// Values of shared memory per row of a tile. Forward, the hidden states before and after a step (a GRU with its reset gate
/// before the product: the hidden states and what passes the gate); on the way back, the gradients of the gates' sums. With
/// weights in registers, the parts of the sums besides.
const fn shared_floats(weights: Weights, kind: Kind, units: usize, way: Way) -> usize {
    match (weights, way) {
        (Weights::Streamed, Way::Forward) => 2 * units,
        (Weights::Streamed, Way::Back) => kind.gates() * units,
        (Weights::Held, Way::Forward) => (2 + kind.gates()) * units,
        (Weights::Held, Way::Back) => 2 * kind.gates() * units,
    }
}

/// The plan for a layer of `units` units over a batch of `batch` rows; none where the limits allow none.
pub(crate) fn choose(kind: Kind, units: usize, batch: usize, directions: usize, way: Way, limits: Limits) -> Option<Plan> {
    #[cfg(test)]
    if super::tests::forced().is_some_and(|forced| forced.streamed) {
        return streamed(kind, units, batch, directions, way, limits);
    }
    held(kind, units, batch, directions, way, limits).or_else(|| streamed(kind, units, batch, directions, way, limits))
}

/// Rows per tile that the batch would like: a power of two, so that batches of many sizes share few kernels.
fn wanted(batch: usize, directions: usize) -> usize {
    let rows = (batch * directions / CUBES).max(1);
    1 << rows.ilog2()
}

/// With the weights in registers.
fn held(kind: Kind, units: usize, batch: usize, directions: usize, way: Way, limits: Limits) -> Option<Plan> {
    let gates = kind.gates();
    // Its candidate needs a second product behind the reset gate: other weights at other times.
    if kind == Kind::GruBefore || units > HELD || gates * units > limits.invocations {
        return None;
    }
    let plan = |rows| Plan { weights: Weights::Held, lanes: units, groups: gates, rows, passes: 1 };
    fitting(wanted(batch, directions).min(gates), plan, |plan| plan.shared_bytes(kind, units, way) <= limits.shared_bytes)
}

/// With the weights in global memory.
fn streamed(kind: Kind, units: usize, batch: usize, directions: usize, way: Way, limits: Limits) -> Option<Plan> {
    let passes = units.div_ceil(limits.invocations.max(1));
    let lanes = units.div_ceil(passes.max(1));
    let side_by_side = limits.invocations / lanes.max(1);
    let plan = |tile: usize| {
        let groups = tile.min(1 << side_by_side.max(1).ilog2());
        Plan { weights: Weights::Streamed, lanes, groups, rows: tile / groups, passes }
    };
    let fits = |plan: &Plan| plan.rows <= ROWS && plan.shared_bytes(kind, units, way) <= limits.shared_bytes;
    (units > 0 && limits.invocations > 0).then(|| fitting(wanted(batch, directions), plan, fits)).flatten()
}

/// The plan of the most rows up to `rows`, halved until it fits.
fn fitting(rows: usize, plan: impl Fn(usize) -> Plan, fits: impl Fn(&Plan) -> bool) -> Option<Plan> {
    let halves = std::iter::successors(Some(rows), |rows| (*rows > 1).then_some(rows / 2));
    halves.map(plan).find(fits)
}

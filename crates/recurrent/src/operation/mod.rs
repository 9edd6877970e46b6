//! The sequence operation as a burn backend extension: one node of the graph for a whole layer's run.
//!
//! ```text
//!   layer.rs ── run() ──► Dispatch ──► Flex ─────────────────► kernel/ (CPU)
//!                            │   └───► Cube ─────────────────► cube/   (wgpu, CUDA)
//!                            └───────► Autodiff<either> ─────► the same, keeping what the way back needs
//! ```
//!
//! [`SequenceOps`] is what dispatch routes. A backend that can run and differentiate a sequence implements
//! [`SequenceKernel`], and gets the operation with automatic differentiation from it ([`autodiff`]). Backends without a kernel
//! never come here: [`supports`] sends them to the plain operations.
//!
//! A node of burn's graph has one output, the sequence. The last hidden state is a slice of it; an LSTM's last cell state is
//! none, so a second operation, made only where the state is asked for, hands it out and takes its gradient ([`LastCell`]).

#![expect(clippy::too_many_arguments, reason = "dispatch routes tensors one by one")]

mod autodiff;
#[cfg(all(any(feature = "wgpu", feature = "cuda"), not(feature = "fusion")))]
mod cube;
mod flex;

use std::any::Any;
use std::fmt::Debug;
use std::sync::{Arc, Mutex, PoisonError};

use burn::Tensor;
use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, Dispatch, DispatchDevice, backend_extension};
use burn::tensor::{DType, Int, TensorData};

use crate::layer::{LayerRun, LayerState};
use crate::{Cell, Lengths, RecurrentConfig};

/// What is to be run, apart from the tensors.
#[derive(Debug, Clone)]
pub struct Sequence {
    pub(crate) cell: Cell,
    /// [`RecurrentConfig::reset_after`].
    pub(crate) reset_after: bool,
    /// [`RecurrentConfig::checkpoint`].
    pub(crate) checkpoint: usize,
    /// Steps of each row; `None` where all rows take them all.
    pub(crate) lengths: Option<Arc<[usize]>>,
    /// Whether the operand `offset` counts; the macro that routes tensors knows no optional ones.
    pub(crate) has_offset: bool,
    /// Where an LSTM's last cell states are to be left; `None` where nobody asks for them.
    pub(crate) last_cell: Option<LastCell>,
}

/// The operands of a run, or their gradients; shaped as a [`Layer`](crate::Layer)'s parameters and [`LayerState`].
#[derive(Debug, Clone)]
pub struct SequenceTensors<T> {
    /// `[batch, time, features]`.
    pub(crate) input: T,
    /// `[directions, gates × units, features]`.
    pub(crate) weight_ih: T,
    /// `[directions, gates × units, units]`.
    pub(crate) weight_hh: T,
    /// `[directions, gates × units]`.
    pub(crate) bias_ih: T,
    /// `[directions, gates × units]`.
    pub(crate) bias_hh: T,
    /// `[directions, batch, units]`.
    pub(crate) hidden: T,
    /// `[directions, batch, units]`.
    pub(crate) cell: T,
    /// What a row of the batch adds to the input's product at every step, `[directions, batch, gates × units]`: the share of
    /// inputs that are constant over time.
    pub(crate) offset: Option<T>,
}

/// What a run gives.
pub struct SequenceRun<T, K> {
    /// `[batch, time, directions × units]`; zeros behind a row's length.
    pub(crate) output: T,
    /// The last cell states, `[directions, batch, units]`, if [`Sequence::last_cell`] asks for them.
    pub(crate) last_cell: Option<T>,
    /// What the way back needs.
    pub(crate) kept: Option<K>,
}

/// Gradients from behind the run.
pub struct SequenceGradients<T> {
    /// Of the output.
    pub(crate) output: T,
    /// Of the last cell states; none where they were not used.
    pub(crate) last_cell: Option<T>,
}

/// Runs a layer over a sequence.
#[backend_extension(Flex, Cube: cfg(all(any(feature = "wgpu", feature = "cuda"), not(feature = "fusion"))), Autodiff)]
pub trait SequenceOps: Backend {
    /// `[batch, time, features]` → `[batch, time, directions × units]`.
    fn recurrent_sequence(
        sequence: Sequence,
        input: FloatTensor<Self>,
        weight_ih: FloatTensor<Self>,
        weight_hh: FloatTensor<Self>,
        bias_ih: FloatTensor<Self>,
        bias_hh: FloatTensor<Self>,
        hidden: FloatTensor<Self>,
        cell: FloatTensor<Self>,
        offset: FloatTensor<Self>,
    ) -> FloatTensor<Self>;

    /// The last cell states, `[directions, batch, units]`, of the run that gave `output`.
    fn recurrent_last_cell(last: LastCell, output: FloatTensor<Self>) -> FloatTensor<Self>;
}

/// A backend's own code for a sequence, forward and back.
pub trait SequenceKernel: Backend {
    /// What the way back needs of the way forward.
    type Kept: Clone + Send + Debug + 'static;

    /// Runs the layer; keeps for the way back if `keep`.
    fn run(
        sequence: &Sequence,
        operands: &SequenceTensors<FloatTensor<Self>>,
        keep: bool,
    ) -> SequenceRun<FloatTensor<Self>, Self::Kept>;

    /// From the gradients behind the run to the operands'; the input's only if `want_input`.
    fn run_back(
        sequence: &Sequence,
        operands: &SequenceTensors<FloatTensor<Self>>,
        kept: &Self::Kept,
        gradients: SequenceGradients<FloatTensor<Self>>,
        want_input: bool,
    ) -> SequenceTensors<Option<FloatTensor<Self>>>;
}

/// Carries a run's last cell states from its operation to the one that hands them out, and their gradient back.
///
/// The second operation stands behind the first in the graph, so the way back passes it first.
#[derive(Clone, Default)]
pub struct LastCell(Arc<Mutex<Passed>>);

#[derive(Default)]
struct Passed {
    value: Option<Box<dyn Any + Send>>,
    gradient: Option<Box<dyn Any + Send>>,
}

impl Debug for LastCell {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LastCell").finish_non_exhaustive()
    }
}

impl LastCell {
    fn with<R>(&self, act: impl FnOnce(&mut Passed) -> R) -> R {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn leave<T: Send + 'static>(&self, value: T) {
        self.with(|passed| passed.value = Some(Box::new(value)));
    }

    pub(crate) fn take<T: 'static>(&self) -> T {
        let value = self.with(|passed| passed.value.take()).and_then(|value| value.downcast::<T>().ok());
        // `run` below asks once, right behind the operation that leaves them, on the same backend.
        *value.expect("the last cell states of the run before")
    }

    fn leave_gradient<T: Send + 'static>(&self, gradient: T) {
        self.with(|passed| passed.gradient = Some(Box::new(gradient)));
    }

    fn take_gradient<T: 'static>(&self) -> Option<T> {
        self.with(|passed| passed.gradient.take()).and_then(|value| value.downcast::<T>().ok()).map(|value| *value)
    }
}

/// Whether the fused operation runs this net on this input.
pub(crate) fn supports(config: &RecurrentConfig, run: &LayerRun<'_>) -> bool {
    fn on(device: &DispatchDevice, config: &RecurrentConfig, run: &LayerRun<'_>) -> bool {
        if let DispatchDevice::Autodiff(device) = device {
            return on(device, config, run);
        }
        #[cfg(all(any(feature = "wgpu", feature = "cuda"), not(feature = "fusion")))]
        if let DispatchDevice::Cube(device) = device {
            return cube::supports(config, run, device);
        }
        matches!(device, DispatchDevice::Flex(_))
    }
    let [batch, time, features] = run.input.dims();
    batch * time * features > 0 && run.input.dtype() == DType::F32 && on(run.input.device().as_dispatch(), config, run)
}

/// Runs one layer as [`plain::run`](crate::plain::run) does; the last state only if `want_state`.
pub(crate) fn run(config: &RecurrentConfig, run: LayerRun, want_state: bool) -> (Tensor<3>, Option<LayerState>) {
    let LayerRun { input, weight_ih, weights, initial, offset, lengths } = run;
    let [batch, time, _] = input.dims();
    let last_cell = (want_state && config.cell == Cell::Lstm).then(LastCell::default);
    let sequence = Sequence {
        cell: config.cell,
        reset_after: config.reset_after,
        checkpoint: config.checkpoint,
        lengths: lengths.as_ref().map(Lengths::steps),
        has_offset: offset.is_some(),
        last_cell: last_cell.clone(),
    };
    let bias_ih = weights.bias_ih.val();
    // Any tensor will do where there are no offsets.
    let offset = offset.map_or_else(|| bias_ih.clone().into_dispatch(), Tensor::into_dispatch);
    let output = Dispatch::recurrent_sequence(
        sequence,
        input.into_dispatch(),
        weight_ih.into_dispatch(),
        weights.weight_hh.val().into_dispatch(),
        bias_ih.into_dispatch(),
        weights.bias_hh.val().into_dispatch(),
        initial.hidden.into_dispatch(),
        initial.cell.clone().into_dispatch(),
        offset,
    );
    if !want_state {
        return (Tensor::from_dispatch(output), None);
    }
    let cell = last_cell.map_or(initial.cell, |last| Tensor::from_dispatch(Dispatch::recurrent_last_cell(last, output.clone())));
    let output = Tensor::<3>::from_dispatch(output);
    let units = config.units;
    let of = |direction: usize| output.clone().narrow(2, direction * units, units);
    // The step at which each direction ends: the last of each row, and for the backward one the first.
    let forward = match &lengths {
        None => of(0).narrow(1, time - 1, 1),
        Some(lengths) => {
            let ends = lengths.steps().iter().flat_map(|length| std::iter::repeat_n(*length as i64 - 1, units)).collect();
            let ends = Tensor::<3, Int>::from_data(TensorData::new::<i64, _>(ends, [batch, 1, units]), &output.device());
            of(0).gather(1, ends)
        }
    };
    let mut hidden = vec![forward.swap_dims(0, 1)];
    if config.bidirectional {
        hidden.push(of(1).narrow(1, 0, 1).swap_dims(0, 1));
    }
    (output, Some(LayerState { hidden: Tensor::cat(hidden, 0), cell }))
}

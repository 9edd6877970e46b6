//! The sequence operation as a burn backend extension: one node of the graph for a whole layer's run.
//!
//! [`SequenceOps`] is what dispatch routes; a backend that can run and differentiate a sequence implements
//! [`SequenceKernel`], and gets the operation with automatic differentiation from it. Backends without a kernel never come
//! here: [`supports`] sends them to the plain operations.

#![expect(clippy::too_many_arguments, reason = "dispatch routes tensors one by one")]

use std::fmt::Debug;
use std::sync::Arc;

use burn::Tensor;
use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, Dispatch, DispatchDevice, Flex, TensorMetadata, backend_extension};
use burn::tensor::{DType, TensorData};
use burn_autodiff::Autodiff;
use burn_autodiff::checkpoint::{base::Checkpointer, strategy::CheckpointStrategy};
use burn_autodiff::grads::Gradients;
use burn_autodiff::ops::{Backward, Ops, OpsKind};
use burn_flex::FlexTensor;

use crate::kernel::{self, Kept, Operands, Shape, Vectors};
use crate::layer::{Layer, LayerState};
use crate::{Cell, RecurrentConfig};

/// What is to be run, apart from the tensors.
#[derive(Debug, Clone, Copy)]
pub struct Sequence {
    cell: Cell,
    /// Whether a row with the last cell states follows the last step's.
    cell_row: bool,
}

/// The operands of a run, or their gradients; shaped as a [`Layer`]'s parameters and [`LayerState`].
#[derive(Debug, Clone)]
pub struct SequenceTensors<T> {
    input: T,
    weight_ih: T,
    weight_hh: T,
    bias_ih: T,
    bias_hh: T,
    hidden: T,
    cell: T,
}

/// Runs a layer over a sequence.
#[backend_extension(Flex, Autodiff)]
pub trait SequenceOps: Backend {
    /// `[batch, time, features]` → `[batch, time, directions × units]`, or one step more with the last cell states.
    fn recurrent_sequence(
        sequence: Sequence,
        input: FloatTensor<Self>,
        weight_ih: FloatTensor<Self>,
        weight_hh: FloatTensor<Self>,
        bias_ih: FloatTensor<Self>,
        bias_hh: FloatTensor<Self>,
        hidden: FloatTensor<Self>,
        cell: FloatTensor<Self>,
    ) -> FloatTensor<Self>;
}

/// A backend's own code for a sequence, forward and back.
pub trait SequenceKernel: Backend {
    /// What the way back needs of the way forward.
    type Kept: Clone + Send + Debug + 'static;

    /// Runs the layer; keeps for the way back if `keep`.
    fn run(
        sequence: Sequence,
        operands: &SequenceTensors<FloatTensor<Self>>,
        keep: bool,
    ) -> (FloatTensor<Self>, Option<Self::Kept>);

    /// From the output's gradient to the operands'; the input's only if `want_input`.
    fn run_back(
        sequence: Sequence,
        operands: &SequenceTensors<FloatTensor<Self>>,
        kept: &Self::Kept,
        gradient: FloatTensor<Self>,
        want_input: bool,
    ) -> SequenceTensors<Option<FloatTensor<Self>>>;
}

/// Whether the fused operation runs this net on this input.
pub(crate) fn supports(config: &RecurrentConfig, input: &Tensor<3>) -> bool {
    fn flex(device: &DispatchDevice) -> bool {
        matches!(device, DispatchDevice::Flex(_)) || matches!(device, DispatchDevice::Autodiff(device) if flex(device))
    }
    let [batch, time, features] = input.dims();
    let cell = config.cell != Cell::Gru || config.reset_after;
    cell && batch * time * features > 0 && input.dtype() == DType::F32 && flex(input.device().as_dispatch())
}

/// Runs one layer as [`plain::run`](crate::plain::run) does; the last state only if `want_state`.
pub(crate) fn run(
    config: &RecurrentConfig,
    layer: &Layer,
    input: Tensor<3>,
    initial: LayerState,
    want_state: bool,
) -> (Tensor<3>, LayerState) {
    let time = input.dims()[1];
    let sequence = Sequence { cell: config.cell, cell_row: want_state && config.cell == Cell::Lstm };
    let output = Tensor::<3>::from_dispatch(Dispatch::recurrent_sequence(
        sequence,
        input.into_dispatch(),
        layer.weight_ih.val().into_dispatch(),
        layer.weight_hh.val().into_dispatch(),
        layer.bias_ih.val().into_dispatch(),
        layer.bias_hh.val().into_dispatch(),
        initial.hidden.clone().into_dispatch(),
        initial.cell.clone().into_dispatch(),
    ));
    if !want_state {
        return (output, initial);
    }
    let units = config.units;
    // The step at which each direction ends: the last, and for the backward one the first.
    let ends = |steps: [usize; 2]| {
        let parts = steps
            .iter()
            .take(config.directions())
            .enumerate()
            .map(|(direction, step)| output.clone().narrow(1, *step, 1).narrow(2, direction * units, units).swap_dims(0, 1));
        Tensor::cat(parts.collect(), 0)
    };
    let hidden = ends([time - 1, 0]);
    let cell = if sequence.cell_row { ends([time, time]) } else { initial.cell };
    let output = if sequence.cell_row { output.narrow(1, 0, time) } else { output };
    (output, LayerState { hidden, cell })
}

impl SequenceOps for Flex {
    fn recurrent_sequence(
        sequence: Sequence,
        input: FlexTensor,
        weight_ih: FlexTensor,
        weight_hh: FlexTensor,
        bias_ih: FlexTensor,
        bias_hh: FlexTensor,
        hidden: FlexTensor,
        cell: FlexTensor,
    ) -> FlexTensor {
        let operands = SequenceTensors { input, weight_ih, weight_hh, bias_ih, bias_hh, hidden, cell };
        Self::run(sequence, &operands, false).0
    }
}

impl<B: SequenceKernel, C: CheckpointStrategy> SequenceOps for Autodiff<B, C> {
    fn recurrent_sequence(
        sequence: Sequence,
        input: FloatTensor<Self>,
        weight_ih: FloatTensor<Self>,
        weight_hh: FloatTensor<Self>,
        bias_ih: FloatTensor<Self>,
        bias_hh: FloatTensor<Self>,
        hidden: FloatTensor<Self>,
        cell: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        let tracked = [&input, &weight_ih, &weight_hh, &bias_ih, &bias_hh, &hidden, &cell].map(FloatTensor::<Self>::node);
        let operands = SequenceTensors {
            input: input.into_primitive(),
            weight_ih: weight_ih.into_primitive(),
            weight_hh: weight_hh.into_primitive(),
            bias_ih: bias_ih.into_primitive(),
            bias_hh: bias_hh.into_primitive(),
            hidden: hidden.into_primitive(),
            cell: cell.into_primitive(),
        };
        match Through.prepare::<C>(tracked).compute_bound().stateful() {
            OpsKind::Tracked(prepared) => {
                let (output, kept) = B::run(sequence, &operands, true);
                prepared.finish((sequence, operands, kept), output)
            }
            OpsKind::UnTracked(prepared) => prepared.finish(B::run(sequence, &operands, false).0),
        }
    }
}

/// The way back through a sequence.
#[derive(Debug)]
struct Through;

impl<B: SequenceKernel> Backward<B, 7> for Through {
    type State = (Sequence, SequenceTensors<FloatTensor<B>>, Option<B::Kept>);

    fn backward(self, ops: Ops<Self::State, 7>, gradients: &mut Gradients, _checkpointer: &mut Checkpointer) {
        let gradient = gradients.consume::<B>(&ops.node);
        let (sequence, operands, Some(kept)) = ops.state else {
            return;
        };
        let found = B::run_back(sequence, &operands, &kept, gradient, ops.parents[0].is_some());
        let SequenceTensors { input, weight_ih, weight_hh, bias_ih, bias_hh, hidden, cell } = found;
        let found = [input, weight_ih, weight_hh, bias_ih, bias_hh, hidden, cell];
        for (parent, gradient) in ops.parents.into_iter().zip(found) {
            if let (Some(parent), Some(gradient)) = (parent, gradient) {
                gradients.register::<B>(parent.id, gradient);
            }
        }
    }
}

impl SequenceTensors<FlexTensor> {
    /// Calls `run` with the operands as slices.
    fn with<R>(&self, cell: Cell, run: impl FnOnce(&Shape, &Operands<'_>) -> R) -> R {
        let contiguous = self.each_ref().map(FlexTensor::to_contiguous);
        let [input, weight_ih, weight_hh, bias_ih, bias_hh, hidden, cell_state] = contiguous.each_ref().map(values);
        let (sequence, weight) = (self.input.shape(), self.weight_hh.shape());
        let shape =
            Shape { cell, batch: sequence[0], time: sequence[1], input: sequence[2], units: weight[2], directions: weight[0] };
        run(&shape, &Operands { input, weight_ih, weight_hh, bias_ih, bias_hh, hidden, cell: cell_state })
    }

    fn each_ref(&self) -> [&FlexTensor; 7] {
        let Self { input, weight_ih, weight_hh, bias_ih, bias_hh, hidden, cell } = self;
        [input, weight_ih, weight_hh, bias_ih, bias_hh, hidden, cell]
    }
}

/// A contiguous tensor's values.
fn values(tensor: &FlexTensor) -> &[f32] {
    // `supports` lets no other type in, and burn refuses to mix types in one operation.
    tensor.as_slice::<f32>().expect("a contiguous tensor of f32")
}

fn tensor(values: Vec<f32>, like: &FlexTensor) -> FlexTensor {
    FlexTensor::from_data(TensorData::new(values, like.shape()))
}

impl SequenceKernel for Flex {
    type Kept = Arc<Kept>;

    fn run(sequence: Sequence, operands: &SequenceTensors<FlexTensor>, keep: bool) -> (FlexTensor, Option<Arc<Kept>>) {
        operands.with(sequence.cell, |shape, operands| {
            let (output, kept) = kernel::forward(Vectors::detect(), shape, operands, sequence.cell_row, keep);
            let steps = shape.time + usize::from(sequence.cell_row);
            let output = TensorData::new(output, [shape.batch, steps, shape.directions * shape.units]);
            (FlexTensor::from_data(output), kept)
        })
    }

    fn run_back(
        sequence: Sequence,
        operands: &SequenceTensors<FlexTensor>,
        kept: &Arc<Kept>,
        gradient: FlexTensor,
        want_input: bool,
    ) -> SequenceTensors<Option<FlexTensor>> {
        let gradient = gradient.to_contiguous();
        let found = operands
            .with(sequence.cell, |shape, operands| kernel::backward(shape, operands, kept, values(&gradient), want_input));
        SequenceTensors {
            input: found.input.map(|values| tensor(values, &operands.input)),
            weight_ih: Some(tensor(found.weight_ih, &operands.weight_ih)),
            weight_hh: Some(tensor(found.weight_hh, &operands.weight_hh)),
            bias_ih: Some(tensor(found.bias_ih, &operands.bias_ih)),
            bias_hh: Some(tensor(found.bias_hh, &operands.bias_hh)),
            hidden: Some(tensor(found.hidden, &operands.hidden)),
            cell: found.cell.map(|values| tensor(values, &operands.cell)),
        }
    }
}

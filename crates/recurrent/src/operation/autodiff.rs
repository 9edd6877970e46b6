//! Automatic differentiation of the sequence operation, for every backend with a [`SequenceKernel`].

use burn::backend::TensorMetadata;
use burn::backend::tensor::FloatTensor;
use burn::tensor::Shape;
use burn_autodiff::Autodiff;
use burn_autodiff::checkpoint::{base::Checkpointer, strategy::CheckpointStrategy};
use burn_autodiff::grads::Gradients;
use burn_autodiff::ops::{Backward, Ops, OpsKind};

use super::{LastCell, Sequence, SequenceGradients, SequenceKernel, SequenceOps, SequenceTensors};

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
        offset: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        let tracked =
            [&input, &weight_ih, &weight_hh, &bias_ih, &bias_hh, &hidden, &cell, &offset].map(FloatTensor::<Self>::node);
        let operands = SequenceTensors {
            input: input.into_primitive(),
            weight_ih: weight_ih.into_primitive(),
            weight_hh: weight_hh.into_primitive(),
            bias_ih: bias_ih.into_primitive(),
            bias_hh: bias_hh.into_primitive(),
            hidden: hidden.into_primitive(),
            cell: cell.into_primitive(),
            offset: sequence.has_offset.then(|| offset.into_primitive()),
        };
        match Through.prepare::<C>(tracked).compute_bound().stateful() {
            OpsKind::Tracked(prepared) => {
                let run = B::run(&sequence, &operands, true);
                pass(&sequence, run.last_cell);
                prepared.finish((sequence, operands, run.kept), run.output)
            }
            OpsKind::UnTracked(prepared) => {
                let run = B::run(&sequence, &operands, false);
                pass(&sequence, run.last_cell);
                prepared.finish(run.output)
            }
        }
    }

    fn recurrent_last_cell(last: LastCell, output: FloatTensor<Self>) -> FloatTensor<Self> {
        let cell: FloatTensor<B> = last.take();
        match Last.prepare::<C>([output.node()]).compute_bound().stateful() {
            OpsKind::Tracked(prepared) => prepared.finish((last, output.shape()), cell),
            OpsKind::UnTracked(prepared) => prepared.finish(cell),
        }
    }
}

/// Leaves the last cell states where the operation that hands them out finds them.
fn pass<T: Send + 'static>(sequence: &Sequence, cell: Option<T>) {
    if let (Some(last), Some(cell)) = (&sequence.last_cell, cell) {
        last.leave(cell);
    }
}

/// The way back through a sequence.
#[derive(Debug)]
struct Through;

impl<B: SequenceKernel> Backward<B, 8> for Through {
    type State = (Sequence, SequenceTensors<FloatTensor<B>>, Option<B::Kept>);

    fn backward(self, ops: Ops<Self::State, 8>, gradients: &mut Gradients, _checkpointer: &mut Checkpointer) {
        let output = gradients.consume::<B>(&ops.node);
        let (sequence, operands, Some(kept)) = ops.state else {
            return;
        };
        let last_cell = sequence.last_cell.as_ref().and_then(LastCell::take_gradient);
        let behind = SequenceGradients { output, last_cell };
        let found = B::run_back(&sequence, &operands, &kept, behind, ops.parents[0].is_some());
        let SequenceTensors { input, weight_ih, weight_hh, bias_ih, bias_hh, hidden, cell, offset } = found;
        let found = [input, weight_ih, weight_hh, bias_ih, bias_hh, hidden, cell, offset.flatten()];
        for (parent, gradient) in ops.parents.into_iter().zip(found) {
            if let (Some(parent), Some(gradient)) = (parent, gradient) {
                gradients.register::<B>(parent.id, gradient);
            }
        }
    }
}

/// The way back through the last cell states: their gradient waits for [`Through`], which comes after.
#[derive(Debug)]
struct Last;

impl<B: SequenceKernel> Backward<B, 1> for Last {
    type State = (LastCell, Shape);

    fn backward(self, ops: Ops<Self::State, 1>, gradients: &mut Gradients, _checkpointer: &mut Checkpointer) {
        let gradient = gradients.consume::<B>(&ops.node);
        let (last, shape) = ops.state;
        let [Some(output)] = ops.parents else {
            return;
        };
        // The output has to have a gradient, be it nothing but zeros, for `Through` to be called.
        let zeros = B::float_zeros(shape, &gradient.device(), gradient.dtype().into());
        gradients.register::<B>(output.id, zeros);
        last.leave_gradient(gradient);
    }
}

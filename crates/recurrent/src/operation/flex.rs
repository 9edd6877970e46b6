//! The sequence operation on the CPU: between burn's tensors and the slices that the kernel takes.

use std::sync::Arc;

use burn::backend::{Flex, TensorMetadata};
use burn::tensor::TensorData;
use burn_flex::FlexTensor;

use super::{LastCell, Sequence, SequenceGradients, SequenceKernel, SequenceOps, SequenceRun, SequenceTensors};
use crate::kernel::{self, Kept, Operands, Shape, Vectors};

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
        offset: FlexTensor,
    ) -> FlexTensor {
        let offset = sequence.has_offset.then_some(offset);
        let operands = SequenceTensors { input, weight_ih, weight_hh, bias_ih, bias_hh, hidden, cell, offset };
        let run = Self::run(&sequence, &operands, false);
        if let (Some(last), Some(cell)) = (&sequence.last_cell, run.last_cell) {
            last.leave(cell);
        }
        run.output
    }

    fn recurrent_last_cell(last: LastCell, _output: FlexTensor) -> FlexTensor {
        last.take()
    }
}

impl SequenceTensors<FlexTensor> {
    /// Calls `run` with the operands as slices.
    fn with<R>(&self, sequence: &Sequence, run: impl FnOnce(&Shape, &Operands<'_>) -> R) -> R {
        let Self { input, weight_ih, weight_hh, bias_ih, bias_hh, hidden, cell, offset } = self;
        let contiguous = [input, weight_ih, weight_hh, bias_ih, bias_hh, hidden, cell].map(FlexTensor::to_contiguous);
        let [input, weight_ih, weight_hh, bias_ih, bias_hh, hidden, cell] = contiguous.each_ref().map(values);
        let offset = offset.as_ref().map(FlexTensor::to_contiguous);
        let (steps, weight) = (self.input.shape(), self.weight_hh.shape());
        let shape = Shape {
            cell: sequence.cell,
            reset_after: sequence.reset_after,
            batch: steps[0],
            time: steps[1],
            input: steps[2],
            units: weight[2],
            directions: weight[0],
        };
        let lengths = sequence.lengths.as_deref();
        let offset = offset.as_ref().map(values);
        run(&shape, &Operands { input, weight_ih, weight_hh, bias_ih, bias_hh, hidden, cell, offset, lengths })
    }
}

/// A contiguous tensor's values.
fn values(tensor: &FlexTensor) -> &[f32] {
    // `supports` lets no other type in, and burn refuses to mix types in one operation.
    tensor.as_slice::<f32>().expect("a contiguous tensor of f32")
}

fn tensor<const D: usize>(values: Vec<f32>, shape: [usize; D]) -> FlexTensor {
    FlexTensor::from_data(TensorData::new(values, shape))
}

fn like(values: Vec<f32>, like: &FlexTensor) -> FlexTensor {
    FlexTensor::from_data(TensorData::new(values, like.shape()))
}

/// What the way back needs of the way forward: the output shares its memory with the tensor handed out, which burn copies before
/// it would change it.
#[derive(Debug, Clone)]
pub struct FlexKept {
    output: FlexTensor,
    kept: Arc<Kept>,
}

impl SequenceKernel for Flex {
    type Kept = FlexKept;

    fn run(sequence: &Sequence, operands: &SequenceTensors<FlexTensor>, keep: bool) -> SequenceRun<FlexTensor, FlexKept> {
        operands.with(sequence, |shape, slices| {
            let keep = keep.then_some(sequence.checkpoint);
            let run = kernel::forward(Vectors::detect(), shape, slices, sequence.last_cell.is_some(), keep);
            let output = tensor(run.output, [shape.batch, shape.time, shape.directions * shape.units]);
            SequenceRun {
                last_cell: run.last_cell.map(|values| like(values, &operands.cell)),
                kept: run.kept.map(|kept| FlexKept { output: output.clone(), kept }),
                output,
            }
        })
    }

    fn run_back(
        sequence: &Sequence,
        operands: &SequenceTensors<FlexTensor>,
        kept: &FlexKept,
        gradients: SequenceGradients<FlexTensor>,
        want_input: bool,
    ) -> SequenceTensors<Option<FlexTensor>> {
        let output = gradients.output.to_contiguous();
        let last_cell = gradients.last_cell.map(|gradient| gradient.to_contiguous());
        let behind = kernel::Behind { output: values(&output), last_cell: last_cell.as_ref().map(values) };
        let found = operands.with(sequence, |shape, slices| {
            kernel::backward(shape, slices, values(&kept.output), &kept.kept, behind, want_input)
        });
        SequenceTensors {
            input: found.input.map(|values| like(values, &operands.input)),
            weight_ih: Some(like(found.weight_ih, &operands.weight_ih)),
            weight_hh: Some(like(found.weight_hh, &operands.weight_hh)),
            bias_ih: Some(like(found.bias_ih, &operands.bias_ih)),
            bias_hh: Some(like(found.bias_hh, &operands.bias_hh)),
            hidden: Some(like(found.hidden, &operands.hidden)),
            cell: found.cell.map(|values| like(values, &operands.cell)),
            offset: operands.offset.as_ref().map(|offset| found.offset.map(|values| like(values, offset))),
        }
    }
}

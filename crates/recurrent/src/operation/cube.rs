//! The sequence operation on GPUs, through `CubeCL`.

use burn_cubecl::tensor::CubeTensor;
use burn_cubecl::{CubeBackend, CubeDevice};

use super::{LastCell, Sequence, SequenceGradients, SequenceKernel, SequenceOps, SequenceRun, SequenceTensors};
use crate::RecurrentConfig;
use crate::cube::{self, Kept, Kind, Limits, Way, choose};
use crate::layer::LayerRun;

/// Whether the kernels run this: whether a tile of rows fits what the device lets the invocations of a cube share, forward
/// and back, and every value can be counted in 32 bits.
pub(super) fn supports(config: &RecurrentConfig, run: &LayerRun<'_>, device: &CubeDevice) -> bool {
    let limits = Limits::of(&device.client());
    let [batch, time, features] = run.input.dims();
    let kind = Kind::of(config);
    let values = batch * time * (config.directions() * (kind.gates() + 2) * config.units).max(features);
    let fits = |way| choose(kind, config.units, batch, config.directions(), way, limits).is_some();
    u32::try_from(values).is_ok() && limits.buffers >= cube::BUFFERS && fits(Way::Forward) && fits(Way::Back)
}

impl SequenceOps for CubeBackend {
    fn recurrent_sequence(
        sequence: Sequence,
        input: CubeTensor,
        weight_ih: CubeTensor,
        weight_hh: CubeTensor,
        bias_ih: CubeTensor,
        bias_hh: CubeTensor,
        hidden: CubeTensor,
        cell: CubeTensor,
        offset: CubeTensor,
    ) -> CubeTensor {
        let offset = sequence.has_offset.then_some(offset);
        let operands = SequenceTensors { input, weight_ih, weight_hh, bias_ih, bias_hh, hidden, cell, offset };
        let run = Self::run(&sequence, &operands, false);
        if let (Some(last), Some(cell)) = (&sequence.last_cell, run.last_cell) {
            last.leave(cell);
        }
        run.output
    }

    fn recurrent_last_cell(last: LastCell, _output: CubeTensor) -> CubeTensor {
        last.take()
    }
}

impl SequenceKernel for CubeBackend {
    type Kept = Kept;

    fn run(sequence: &Sequence, operands: &SequenceTensors<CubeTensor>, keep: bool) -> SequenceRun<CubeTensor, Kept> {
        cube::run(sequence, operands, keep)
    }

    fn run_back(
        sequence: &Sequence,
        operands: &SequenceTensors<CubeTensor>,
        kept: &Kept,
        gradients: SequenceGradients<CubeTensor>,
        want_input: bool,
    ) -> SequenceTensors<Option<CubeTensor>> {
        cube::run_back(sequence, operands, kept.clone(), gradients, want_input)
    }
}

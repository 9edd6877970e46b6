//! Launches on the way back.

use std::sync::atomic::Ordering;

use burn::backend::ops::FloatTensorOps;
use burn::tensor::{Shape, Slice};
use burn_cubecl::CubeBackend;
use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::tensor::CubeTensor;

use super::cells::Job;
use super::layout::Sizes;
use super::plan::{Kind, Way, Weights};
use super::run::{Kept, Setting, Starts};
use super::{backward, held};
use crate::operation::{Sequence, SequenceGradients, SequenceTensors};

/// What the launch leaves for the products.
struct Found {
    /// The gradients of the gates' sums, `[directions, batch × time, gates × units]`.
    sums: CubeTensor,
    /// Everything else.
    rest: CubeTensor,
    starts: Starts,
}

/// From the gradients behind the run to the operands'; the input's only if `want_input`.
pub(crate) fn run_back(
    sequence: &Sequence,
    operands: &SequenceTensors<CubeTensor>,
    kept: Kept,
    gradients: SequenceGradients<CubeTensor>,
    want_input: bool,
) -> SequenceTensors<Option<CubeTensor>> {
    let setting = Setting::new(sequence, operands);
    let Sizes { batch, time, units, directions, gates } = setting.sizes;
    let lengths = kept.lengths.clone();
    let found = launch(&setting, sequence, operands, kept, gradients);
    let input = want_input.then(|| {
        let each = CubeBackend::float_matmul(found.sums.clone(), operands.weight_ih.clone());
        let both = if directions == 1 { each } else { CubeBackend::float_sum_dim(each, 0) };
        CubeBackend::float_reshape(both, Shape::from([batch, time, setting.features]))
    });
    let factors = setting.input(operands.input.clone(), lengths.as_ref());
    let factors = CubeBackend::float_expand(factors, Shape::from([directions, batch * time, setting.features]));
    let weight_ih = CubeBackend::float_matmul(CubeBackend::float_swap_dims(found.sums.clone(), 1, 2), factors);
    let weight_hh = recurrent(&setting, &found);
    let state = |start| setting.part(&found.rest, start, [directions, batch, units]);
    let over_time = setting.part(&found.rest, found.starts.found_sums, [directions, batch, gates * units]);
    let over_batch = |sums: CubeTensor| {
        let sum = CubeBackend::float_sum_dim(sums, 1);
        CubeBackend::float_reshape(sum, Shape::from([directions, gates * units]))
    };
    let bias_ih = over_batch(over_time.clone());
    let bias_hh = if setting.kind == Kind::GruAfter {
        let start = found.starts.found_sums + setting.sizes.sums();
        // Not aligned, as it follows directly: sliced out.
        let both = setting.part(&found.rest, found.starts.found_sums, [2 * directions, batch, gates * units]);
        debug_assert_eq!(start, found.starts.found_sums + directions * batch * gates * units);
        over_batch(slice(both, [directions..2 * directions, 0..batch, 0..gates * units]))
    } else {
        bias_ih.clone()
    };
    SequenceTensors {
        input,
        weight_ih: Some(weight_ih),
        weight_hh: Some(weight_hh),
        bias_ih: Some(bias_ih),
        bias_hh: Some(bias_hh),
        hidden: Some(state(found.starts.found_hidden)),
        cell: (setting.kind == Kind::Lstm).then(|| state(found.starts.found_cell)),
        offset: Some(sequence.has_offset.then_some(over_time)),
    }
}

/// The one launch through all steps.
fn launch(
    setting: &Setting,
    sequence: &Sequence,
    operands: &SequenceTensors<CubeTensor>,
    kept: Kept,
    gradients: SequenceGradients<CubeTensor>,
) -> Found {
    let plan = setting.plan(Way::Back);
    let last = gradients.last_cell.is_some();
    let Kept { gates: sums, rest, lengths, output, spent } = kept;
    let job = Job { last, lengths: lengths.is_some(), ..setting.job(plan) };
    // The gates' gradients take the gates' place: burn walks a node of its graph once.
    assert!(!spent.swap(true, Ordering::Relaxed), "a sequence's way back can be walked once");
    let (mut starts, _) = setting.kept(true, sequence.last_cell.is_some());
    let (sizes, mut regions) = (setting.sizes, setting.regions());
    let steps = sizes.state() * sizes.time;
    starts.found_factors = regions.next(steps);
    starts.found_besides = match setting.kind {
        Kind::GruAfter => regions.next(3 * steps),
        Kind::GruBefore => regions.next(steps),
        Kind::Lstm | Kind::Simple => 0,
    };
    starts.found_hidden = regions.next(sizes.state());
    starts.found_cell = regions.next(sizes.state());
    starts.found_sums = regions.next(if setting.kind == Kind::GruAfter { 2 * sizes.sums() } else { sizes.sums() });
    let found = setting.empty([regions.len()]);
    let other = gradients.last_cell.map(into_contiguous).or(output).unwrap_or_else(|| rest.clone());
    let (count, dim) = setting.grid(plan);
    let launch = match plan.weights {
        Weights::Streamed => backward::backward::launch,
        Weights::Held => held::held_backward::launch,
    };
    launch(
        &setting.client,
        count,
        dim,
        into_contiguous(gradients.output).into_buffer_arg(),
        sums.clone().into_buffer_arg(),
        rest.into_buffer_arg(),
        other.into_buffer_arg(),
        into_contiguous(operands.weight_hh.clone()).into_buffer_arg(),
        found.clone().into_buffer_arg(),
        setting.places(starts),
        job,
    );
    Found { sums, rest: found, starts }
}

/// The gradient of the recurrent weights.
fn recurrent(setting: &Setting, found: &Found) -> CubeTensor {
    let Sizes { batch, time, units, directions, gates } = setting.sizes;
    let steps = batch * time;
    let factors = setting.part(&found.rest, found.starts.found_factors, [directions, steps, units]);
    let besides = |width| setting.part(&found.rest, found.starts.found_besides, [directions, steps, width]);
    let product = |sums, factors| CubeBackend::float_matmul(CubeBackend::float_swap_dims(sums, 1, 2), factors);
    match setting.kind {
        Kind::Lstm | Kind::Simple => product(found.sums.clone(), factors),
        Kind::GruAfter => product(besides(gates * units), factors),
        Kind::GruBefore => {
            let both = product(found.sums.clone(), factors);
            let both = slice(both, [0..directions, 0..2 * units, 0..units]);
            let candidate = slice(found.sums.clone(), [0..directions, 0..steps, 2 * units..3 * units]);
            CubeBackend::float_cat(vec![both, product(candidate, besides(units))], 1)
        }
    }
}

fn slice<const D: usize>(tensor: CubeTensor, ranges: [std::ops::Range<usize>; D]) -> CubeTensor {
    CubeBackend::float_slice(tensor, &ranges.map(Slice::from))
}

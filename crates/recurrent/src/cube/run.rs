//! Launches on the way forward.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use burn::backend::ops::FloatTensorOps;
use burn::backend::{DType, TensorMetadata};
use burn::tensor::Shape;
use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::kernel::matmul::{MatmulStrategy, matmul};
use burn_cubecl::ops::numeric::empty_device_contiguous_dtype;
use burn_cubecl::tensor::CubeTensor;
use burn_cubecl::{CubeBackend, CubeDevice};
use cubecl::calculate_cube_count_elemwise;
use cubecl::client::Client;
use cubecl::prelude::*;

use super::cells::{Job, PlacesLaunch};
use super::layout::{Regions, Sizes};
use super::plan::{Kind, Limits, Plan, Way, Weights, choose};
use super::{forward, held, mask, prepare};
use crate::operation::{Sequence, SequenceRun, SequenceTensors};

/// What the way back needs of the way forward.
#[derive(Debug, Clone)]
pub struct Kept {
    /// The gates, `[directions, batch × time, gates × units]`; a simple net's sums, which nobody reads.
    pub(super) gates: CubeTensor,
    /// Initial states, lengths, and one value per unit and step.
    pub(super) rest: CubeTensor,
    /// The lengths, where the input is masked by them once more.
    pub(super) lengths: Option<CubeTensor>,
    /// What came out, where the gates don't tell.
    pub(super) output: Option<CubeTensor>,
    /// Whether a way back has written over the gates.
    pub(super) spent: Arc<AtomicBool>,
}

/// One run's sizes and kernels: what forward and back share.
pub(super) struct Setting {
    pub client: Client,
    pub device: CubeDevice,
    pub kind: Kind,
    pub sizes: Sizes,
    pub features: usize,
    pub limits: Limits,
}

/// Starts of regions; see [`Places`](super::cells::Places).
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Starts {
    pub share: usize,
    pub hidden: usize,
    pub cell: usize,
    pub kept_hidden: usize,
    pub kept_cell: usize,
    pub kept_lengths: usize,
    pub kept_trace: usize,
    pub found_factors: usize,
    pub found_besides: usize,
    pub found_hidden: usize,
    pub found_cell: usize,
    pub found_sums: usize,
}

impl Setting {
    pub(super) fn new(sequence: &Sequence, operands: &SequenceTensors<CubeTensor>) -> Self {
        let [batch, time, features] = operands.input.shape().dims();
        let [directions, rows, units] = operands.weight_hh.shape().dims();
        let client = operands.input.client.clone();
        Self {
            limits: Limits::of(&client),
            device: operands.input.device.clone(),
            kind: Kind::new(sequence.cell, sequence.reset_after),
            sizes: Sizes { batch, time, units, directions, gates: rows / units },
            features,
            client,
        }
    }

    /// An uninitialised tensor.
    pub(super) fn empty<const D: usize>(&self, shape: [usize; D]) -> CubeTensor {
        empty_device_contiguous_dtype(self.client.clone(), self.device.clone(), Shape::from(shape), DType::F32)
    }

    /// Part of a buffer as a tensor of its own.
    pub(super) fn part<const D: usize>(&self, buffer: &CubeTensor, start: usize, shape: [usize; D]) -> CubeTensor {
        let shape = Shape::from(shape);
        let (all, len) = (buffer.shape().num_elements(), shape.num_elements());
        let bytes = |values: usize| (values * size_of::<f32>()) as u64;
        let handle = buffer.handle.clone().offset_start(bytes(start)).offset_end(bytes(all - start - len));
        CubeTensor::new_contiguous(self.client.clone(), self.device.clone(), shape, handle, DType::F32)
    }

    /// Regions of a buffer whose parts can be tensors of their own.
    pub(super) fn regions(&self) -> Regions {
        Regions::new(self.client.properties().memory.alignment as usize)
    }

    /// The plan; the caller made sure that there is one.
    pub(super) fn plan(&self, way: Way) -> Plan {
        let Sizes { batch, units, directions, .. } = self.sizes;
        choose(self.kind, units, batch, directions, way, self.limits).expect("a plan, without which nothing runs here")
    }

    pub(super) fn job(&self, plan: Plan) -> Job {
        let Plan { weights, lanes, groups, rows, passes } = plan;
        // With weights in registers an invocation carries one row, if any.
        let (groups, rows) = if weights == Weights::Held { (rows, 1) } else { (groups, rows) };
        let (keep, last, lengths, offset) = (false, false, false, false);
        Job { kind: self.kind, units: self.sizes.units, lanes, groups, rows, passes, keep, last, lengths, offset }
    }

    /// Tiles × directions, and a cube's invocations.
    pub(super) fn grid(&self, plan: Plan) -> (CubeCount, CubeDim) {
        let tiles = self.sizes.batch.div_ceil(plan.tile());
        let count = CubeCount::Static(tiles as u32, self.sizes.directions as u32, 1);
        (count, CubeDim::new_2d(plan.lanes as u32, plan.groups as u32))
    }

    /// Cubes for one invocation per value.
    fn elements(&self, values: usize) -> (CubeCount, CubeDim) {
        let dim = CubeDim::new_1d(64);
        (calculate_cube_count_elemwise(&self.client, values, dim), dim)
    }

    pub(super) fn places(&self, starts: Starts) -> PlacesLaunch {
        PlacesLaunch::new(
            self.sizes.batch,
            self.sizes.time,
            starts.share,
            starts.hidden,
            starts.cell,
            starts.kept_hidden,
            starts.kept_cell,
            starts.kept_lengths,
            starts.kept_trace,
            starts.found_factors,
            starts.found_besides,
            starts.found_hidden,
            starts.found_cell,
            starts.found_sums,
        )
    }

    /// The lengths where the kernels read them.
    fn lengths(&self, lengths: &[usize]) -> CubeTensor {
        let lengths: Vec<u32> = lengths.iter().map(|length| *length as u32).collect();
        let handle = self.client.create_from_slice(u32::as_bytes(&lengths));
        let shape = Shape::from([lengths.len()]);
        CubeTensor::new_contiguous(self.client.clone(), self.device.clone(), shape, handle, DType::U32)
    }

    /// The input, `[1, batch × time, features]`, with zeros in place of padding: a product with what stands there would let
    /// what is no number through.
    pub(super) fn input(&self, input: CubeTensor, lengths: Option<&CubeTensor>) -> CubeTensor {
        let Sizes { batch, time, .. } = self.sizes;
        let input = into_contiguous(input);
        let input = match lengths {
            None => input,
            Some(lengths) => {
                let masked = self.empty([batch, time, self.features]);
                let (count, dim) = self.elements(batch * time * self.features);
                let (input, lengths) = (input.into_buffer_arg(), lengths.clone().into_buffer_arg());
                mask::mask::launch(
                    &self.client,
                    count,
                    dim,
                    input,
                    lengths,
                    masked.clone().into_buffer_arg(),
                    time,
                    self.features,
                );
                masked
            }
        };
        CubeBackend::float_reshape(input, Shape::from([1, batch * time, self.features]))
    }

    /// Where regions of the kept buffer start, and its values.
    pub(super) fn kept(&self, keep: bool, last: bool) -> (Starts, usize) {
        let (sizes, mut regions, mut starts) = (self.sizes, self.regions(), Starts::default());
        if last {
            regions.next(sizes.state());
        }
        if keep {
            starts.kept_hidden = regions.next(sizes.state());
            starts.kept_cell = if self.kind == Kind::Lstm { regions.next(sizes.state()) } else { 0 };
            starts.kept_lengths = regions.next(sizes.batch);
            let traced = matches!(self.kind, Kind::Lstm | Kind::GruAfter);
            starts.kept_trace = if traced { regions.next(sizes.state() * sizes.time) } else { 0 };
        }
        (starts, regions.len())
    }

    /// One launch for what the steps start from.
    fn constants(&self, job: Job, starts: &mut Starts, operands: [CubeTensor; 4], offset: Option<CubeTensor>) -> CubeTensor {
        let (sizes, mut regions) = (self.sizes, self.regions());
        let rows = if job.offset { sizes.batch } else { 1 };
        regions.next(sizes.directions * rows * sizes.gates * sizes.units);
        starts.share = regions.next(sizes.directions * sizes.units);
        starts.hidden = regions.next(sizes.state());
        starts.cell = regions.next(sizes.state());
        let constants = self.empty([regions.len()]);
        let (count, dim) = self.elements(regions.len());
        let [bias_ih, bias_hh, hidden, cell] = operands.map(into_contiguous);
        let offset = offset.map_or_else(|| hidden.clone(), into_contiguous);
        prepare::prepare::launch(
            &self.client,
            count,
            dim,
            bias_ih.into_buffer_arg(),
            bias_hh.into_buffer_arg(),
            offset.into_buffer_arg(),
            hidden.into_buffer_arg(),
            cell.into_buffer_arg(),
            constants.clone().into_buffer_arg(),
            self.places(*starts),
            job,
        );
        constants
    }

    /// The input's products for all steps, `[directions, batch × time, gates × units]`.
    fn project(&self, input: CubeTensor, weight: CubeTensor) -> CubeTensor {
        let Sizes { batch, time, units, directions, gates } = self.sizes;
        let out = self.empty([directions, batch * time, gates * units]);
        let weight = CubeBackend::float_swap_dims(into_contiguous(weight), 1, 2);
        // Of tensors of one type and fitting shapes.
        matmul(input, weight, Some(out), MatmulStrategy::default(), DType::F32).expect("a product of the input and its weights")
    }
}

/// Runs the layer; keeps for the way back if `keep`.
pub(crate) fn run(sequence: &Sequence, operands: &SequenceTensors<CubeTensor>, keep: bool) -> SequenceRun<CubeTensor, Kept> {
    let setting = Setting::new(sequence, operands);
    let Sizes { batch, time, units, directions, .. } = setting.sizes;
    let operands = operands.clone();
    let plan = setting.plan(Way::Forward);
    let last = sequence.last_cell.is_some();
    let job = Job { keep, last, lengths: sequence.lengths.is_some(), offset: operands.offset.is_some(), ..setting.job(plan) };
    let lengths = sequence.lengths.as_deref().map(|lengths| setting.lengths(lengths));
    let gates = setting.project(setting.input(operands.input, lengths.as_ref()), operands.weight_ih);
    let weight = into_contiguous(CubeBackend::float_swap_dims(operands.weight_hh, 1, 2));
    let (mut starts, len) = setting.kept(keep, last);
    let constants = [operands.bias_ih, operands.bias_hh, operands.hidden, operands.cell];
    let constants = setting.constants(job, &mut starts, constants, operands.offset);
    let output = setting.empty([batch, time, directions * units]);
    let rest = setting.empty([len]);
    let (count, dim) = setting.grid(plan);
    let launch = match plan.weights {
        Weights::Streamed => forward::forward::launch,
        Weights::Held => held::held_forward::launch,
    };
    launch(
        &setting.client,
        count,
        dim,
        gates.clone().into_buffer_arg(),
        weight.into_buffer_arg(),
        constants.clone().into_buffer_arg(),
        lengths.clone().unwrap_or(constants).into_buffer_arg(),
        output.clone().into_buffer_arg(),
        rest.clone().into_buffer_arg(),
        setting.places(starts),
        job,
    );
    let last_cell = last.then(|| {
        let part = setting.part(&rest, 0, [directions, batch, units]);
        // A view would hold everything kept in memory for as long as the state lives.
        if keep { part.copy() } else { part }
    });
    let kept = keep.then(|| {
        let output = (setting.kind != Kind::Lstm).then(|| output.clone());
        Kept { gates, rest, lengths, output, spent: Arc::default() }
    });
    SequenceRun { output, last_cell, kept }
}

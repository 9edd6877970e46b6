//! Adam over all parameters, with the global norm of the gradient measured and limited.
//!
//! burn's module optimiser clips each tensor by itself, does not return the norm, and restores its state through a default
//! device; here burn's Adam is applied to each parameter, and the state is kept by the parameter's path.

use std::collections::BTreeMap;

use burn::Tensor;
use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::optim::{Adam, AdamConfig, AdamState, AdaptiveMomentumState, Optimizer};
use burn::tensor::{Device, Gradients, TensorData, Transaction};

use crate::weights::Array;

/// Adam (Kingma and Ba 2015) with β₁ = 0.9, β₂ = 0.999, ε = 1e-8.
#[derive(Clone)]
pub(crate) struct Optimiser {
    adam: Adam,
    states: BTreeMap<String, AdamState<1>>,
}

impl std::fmt::Debug for Optimiser {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Optimiser").field("parameters", &self.states.len()).finish_non_exhaustive()
    }
}

/// The gradient of each parameter, by path, flattened; with the loss and norm of the step, on the host.
pub(crate) struct Measured {
    gradients: BTreeMap<String, Tensor<1>>,
    /// The training loss.
    pub(crate) loss: f64,
    /// Euclidean norm of the gradient over all parameters, before clipping.
    pub(crate) norm: f64,
}

/// Losses and gradients of the parts of a batch, added up on the device.
#[derive(Default)]
pub(crate) struct Sum {
    gradients: BTreeMap<String, Tensor<1>>,
    loss: Option<Tensor<1>>,
}

impl Sum {
    /// Goes back from a part's loss, which is its share of the batch's, and adds its gradients.
    pub(crate) fn add(&mut self, model: &impl Module, loss: Tensor<1>) {
        let mut gradients = loss.backward();
        let mut collector = Collector { path: Vec::new(), gradients: &mut gradients, found: BTreeMap::new() };
        model.visit(&mut collector);
        for (path, gradient) in collector.found {
            let sum = self.gradients.remove(&path).map_or(gradient.clone(), |sum| sum + gradient);
            self.gradients.insert(path, sum);
        }
        let loss = loss.inner();
        self.loss = Some(self.loss.take().map_or(loss.clone(), |sum| sum + loss));
    }
}

/// Measures what was added up. One read from the device for all; the sum of squares is in f64 on the host, in order, so that it does not
/// depend on the number of threads.
pub(crate) fn measure(sum: Sum) -> Result<Measured, String> {
    let Sum { gradients, loss: Some(loss) } = sum else { return Err("a step of no segments".into()) };
    let mut read = Transaction::default().register(loss);
    for gradient in gradients.values() {
        read = read.register(gradient.clone());
    }
    let mut squares = 0.0_f64;
    let mut loss = f64::NAN;
    for (i, data) in read.try_execute().map_err(|error| error.to_string())?.into_iter().enumerate() {
        let values = data.try_into_vec::<f32>().map_err(|error| format!("{error:?}"))?;
        if i == 0 {
            loss = values.first().map_or(f64::NAN, |&x| f64::from(x));
        } else {
            squares += values.iter().map(|&x| f64::from(x) * f64::from(x)).sum::<f64>();
        }
    }
    Ok(Measured { gradients, loss, norm: squares.sqrt() })
}

/// What gradients are multiplied with so that their norm is at most `limit` (0: no limit).
pub(crate) fn clip_factor(norm: f64, limit: f64) -> f64 {
    if limit > 0.0 && norm > limit { limit / norm } else { 1.0 }
}

impl Optimiser {
    pub(crate) fn new() -> Self {
        Self { adam: AdamConfig::new().with_epsilon(1e-8).build(), states: BTreeMap::new() }
    }

    /// One step with the gradients scaled by `factor`.
    pub(crate) fn step<M: Module>(&mut self, model: M, measured: Measured, factor: f64, learning_rate: f64) -> M {
        let gradients = measured.gradients;
        model.map(&mut Stepper { path: Vec::new(), optimiser: self, gradients, factor, learning_rate })
    }

    /// The state as arrays, for the checkpoint: `optimiser.<moment>.<path>`, and the number of steps.
    pub(crate) fn arrays(&self) -> Result<BTreeMap<String, Array>, String> {
        let mut arrays = BTreeMap::new();
        for (path, state) in &self.states {
            let moments = &state.momentum;
            for (moment, tensor) in [("moment_1", &moments.moment_1), ("moment_2", &moments.moment_2)] {
                arrays.insert(format!("optimiser.{moment}.{path}"), Array::read(tensor.clone())?);
            }
            arrays.insert(format!("optimiser.steps.{path}"), Array { shape: vec![1], values: vec![moments.time as f32] });
        }
        Ok(arrays)
    }

    /// The state saved by [`arrays`](Self::arrays); parameters it lacks start anew.
    pub(crate) fn from_arrays(arrays: &BTreeMap<String, Array>, device: &Device) -> Self {
        let mut optimiser = Self::new();
        for (name, first) in arrays {
            let Some(path) = name.strip_prefix("optimiser.moment_1.") else { continue };
            let second = arrays.get(&format!("optimiser.moment_2.{path}"));
            let steps = arrays.get(&format!("optimiser.steps.{path}")).and_then(|a| a.values.first());
            if let (Some(second), Some(&steps)) = (second, steps) {
                let upload = |a: &Array| Tensor::from_data(TensorData::new(a.values.clone(), [a.values.len()]), device);
                let state = AdaptiveMomentumState::new(steps as usize, upload(first), upload(second));
                optimiser.states.insert(path.to_owned(), AdamState::new(state));
            }
        }
        optimiser
    }
}

struct Collector<'a> {
    path: Vec<String>,
    gradients: &'a mut Gradients,
    found: BTreeMap<String, Tensor<1>>,
}

impl ModuleVisitor for Collector<'_> {
    fn enter_module(&mut self, name: &str, _container_type: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container_type: &str) {
        self.path.pop();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if let Some(gradient) = param.val().grad_remove(self.gradients) {
            self.found.insert(self.path.join("."), gradient.reshape([-1]));
        }
    }
}

struct Stepper<'a> {
    path: Vec<String>,
    optimiser: &'a mut Optimiser,
    gradients: BTreeMap<String, Tensor<1>>,
    factor: f64,
    learning_rate: f64,
}

impl ModuleMapper for Stepper<'_> {
    fn enter_module(&mut self, name: &str, _container_type: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container_type: &str) {
        self.path.pop();
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let path = self.path.join(".");
        let Some(mut gradient) = self.gradients.remove(&path) else { return param };
        if self.factor != 1.0 {
            gradient = gradient.mul_scalar(self.factor);
        }
        let state = self.optimiser.states.remove(&path);
        let id = param.id;
        let value = param.val().inner();
        let shape = value.shape();
        let (value, state) = self.optimiser.adam.step(self.learning_rate, value.reshape([-1]), gradient, state);
        if let Some(state) = state {
            self.optimiser.states.insert(path, state);
        }
        Param::initialized(id, Tensor::from_inner(value.reshape(shape)).require_grad())
    }
}

#[cfg(test)]
mod tests {
    use physiosynth_signal::Seed;

    use super::*;
    use crate::conditions::{Condition, ConditionSizes, Told, Who};
    use crate::config::GeneratorConfig;
    use crate::model::{Generator, InputLayout, ModelInput, ModelSizes};
    use crate::weights;

    /// A net of the denoising objective, told all there is, and one segment for it.
    fn model() -> (Generator, ModelInput<'static>) {
        let config = GeneratorConfig { units: 3, layers: 1, subject_dimensions: 2, ..Default::default() };
        let conditions = ConditionSizes { classes: 1, codes: 1, rhythms: 1, age: false, sex: false, subjects: 2, dimensions: 2 };
        let sizes = ModelSizes { time: 4, mark_index: 1, channels: 1, conditions };
        let device = Device::flex().autodiff();
        let model = Generator::new(&config, sizes, Seed(1), &device);
        let who = Who::Trained { index: 1, noise: vec![0.1, -0.2] };
        let mut told = Told::default();
        told.push(
            conditions,
            &Condition { class: Some(0), code: Some(0), rhythm: Some(0), rr_s: [0.7, 0.9], who, ..Condition::NONE },
            0.5,
        );
        (model, InputLayout::new(&config, sizes).input(&[0.5, -1.0, 2.0, 1.0], Box::leak(Box::new(told)), &device))
    }

    fn measured(model: &Generator, input: ModelInput) -> Measured {
        let loss = model.forward(input, None).square().mean();
        let mut sum = Sum::default();
        sum.add(model, loss);
        measure(sum).unwrap()
    }

    #[test]
    fn norm_is_that_of_all_gradients_together_and_clipping_scales_it_to_the_limit() {
        let (model, input) = model();
        let measured = measured(&model, input);
        assert_eq!(measured.gradients.len(), 12, "four of the layer, three of the head, five of the conditions");
        let squares: f64 = measured
            .gradients
            .values()
            .flat_map(|g| g.clone().try_into_vec_as::<f32>().unwrap())
            .map(|x| f64::from(x).powi(2))
            .sum();
        assert!((measured.norm - squares.sqrt()).abs() < 1e-9 * squares.sqrt());
        assert_eq!(clip_factor(measured.norm, 0.0), 1.0);
        assert_eq!(clip_factor(0.5, 1.0), 1.0);
        assert!((clip_factor(5.0, 1.0) * 5.0 - 1.0).abs() < 1e-12);
    }

    #[test]
    fn gradient_agrees_with_finite_differences() {
        let (model, input) = model();
        let gradients = measured(&model, input.clone()).gradients;
        for path in ["head.weight", "conditions.subjects", "conditions.level_in", "recurrent.layers.0.weight_ih"] {
            let gradient: Vec<f32> = gradients[path].clone().try_into_vec_as().unwrap();
            let mut arrays = weights::arrays(&model).unwrap();
            let mut loss_at = |delta: f32| -> f64 {
                let step = arrays.get_mut(path).unwrap();
                step.values[2] += delta;
                let moved = weights::with_arrays(model.clone(), &arrays).unwrap();
                f64::from(moved.forward(input.clone(), None).square().mean().into_scalar::<f32>())
            };
            let (up, down) = (loss_at(1e-2), loss_at(-2e-2));
            let slope = (up - down) / 2e-2;
            assert!((slope - f64::from(gradient[2])).abs() < 1e-3, "{path}: {slope} {}", gradient[2]);
        }
    }

    #[test]
    fn saved_state_continues_as_the_kept_one_does() {
        let (mut model, input) = model();
        let mut optimiser = Optimiser::new();
        for _ in 0..3 {
            let step = measured(&model, input.clone());
            model = optimiser.step(model, step, 0.5, 0.01);
        }
        let mut restored = Optimiser::from_arrays(&optimiser.arrays().unwrap(), &Device::flex());
        let kept = optimiser.step(model.clone(), measured(&model, input.clone()), 1.0, 0.01);
        let resumed = restored.step(model.clone(), measured(&model, input), 1.0, 0.01);
        assert_eq!(weights::arrays(&kept).unwrap(), weights::arrays(&resumed).unwrap());
        assert_ne!(weights::arrays(&kept).unwrap(), weights::arrays(&model).unwrap());
    }
}

//! A running mean of the weights over training steps.
//!
//! The mean of the last steps' weights is closer to a minimum than any of them (Polyak and Juditsky 1992); samplers of denoising
//! models need it (Karras et al. 2022, appendix F). It is kept on the training device beside the weights.

use std::collections::BTreeMap;

use burn::Tensor;
use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};

use crate::model::Generator;

/// `mean ← d·mean + (1 − d)·weights` after step `step` (from 0), with `d = min(decay, (1 + step) / (10 + step))`: in the beginning
/// the mean is over few steps, so that the first weights, drawn at random, are soon forgotten.
pub(crate) fn updated(mean: Generator, weights: &Generator, decay: f64, step: u64) -> Generator {
    let decay = decay.min((1.0 + step as f64) / (10.0 + step as f64));
    let mut reader = Reader { path: Vec::new(), found: BTreeMap::new() };
    weights.visit(&mut reader);
    mean.map(&mut Mean { path: Vec::new(), weights: reader.found, decay })
}

/// The weights by their paths, flattened and without gradients.
struct Reader {
    path: Vec<String>,
    found: BTreeMap<String, Tensor<1>>,
}

impl ModuleVisitor for Reader {
    fn enter_module(&mut self, name: &str, _container_type: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container_type: &str) {
        self.path.pop();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        self.found.insert(self.path.join("."), param.val().inner().reshape([-1]));
    }
}

struct Mean {
    path: Vec<String>,
    weights: BTreeMap<String, Tensor<1>>,
    decay: f64,
}

impl ModuleMapper for Mean {
    fn enter_module(&mut self, name: &str, _container_type: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container_type: &str) {
        self.path.pop();
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let Some(weight) = self.weights.remove(&self.path.join(".")) else { return param };
        let mean = param.val();
        let shape = mean.shape();
        let mean = mean.reshape([-1]).mul_scalar(self.decay) + weight.mul_scalar(1.0 - self.decay);
        Param::initialized(param.id, mean.reshape(shape))
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;
    use physiosynth_signal::Seed;

    use super::*;
    use crate::conditions::ConditionSizes;
    use crate::config::GeneratorConfig;
    use crate::model::ModelSizes;
    use crate::weights;

    #[test]
    fn mean_moves_to_the_weights_by_the_ramped_share() {
        let config = GeneratorConfig { units: 2, layers: 1, ..Default::default() };
        let conditions = ConditionSizes { classes: 1, codes: 1, rhythms: 0, age: false, sex: false, subjects: 2, dimensions: 8 };
        let sizes = ModelSizes { time: 4, mark_index: 1, channels: 1, conditions };
        let model = |seed| Generator::new(&config, sizes, Seed(seed), &Device::flex().autodiff());
        let (mean, weights) = (model(1).valid(), model(2));
        let arrays = |model: &Generator| weights::arrays(model).unwrap();
        let (before, target) = (arrays(&mean), arrays(&weights));
        for (step, share) in [(0, 0.1), (90, 0.91), (1_000_000, 0.99)] {
            let after = arrays(&updated(mean.clone(), &weights, 0.99, step));
            assert_eq!(after.len(), before.len());
            for (path, array) in &after {
                for (i, value) in array.values.iter().enumerate() {
                    let expected = share * f64::from(before[path].values[i]) + (1.0 - share) * f64::from(target[path].values[i]);
                    assert!((f64::from(*value) - expected).abs() < 1e-6, "{path} after step {step}");
                }
            }
        }
    }
}

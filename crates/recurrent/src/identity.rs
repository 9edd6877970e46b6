//! Parameter identities that do not change from run to run.

use burn::Tensor;
use burn::module::{Module, ModuleMapper, Param, ParamId};
use burn::tensor::{Bool, Int};
use rand::Rng;

/// Gives each parameter of `model` the identity made of its path (`layers.0.weight_ih`), in place of the random one that
/// burn draws from the operating system. Saved models and optimizer states hold these identities, and are equal byte for
/// byte only when they are.
///
/// Call it once on the whole model, before the first training step: an optimizer knows parameters by their identity.
/// Paths are distinct within one model, so identities are too (64-bit FNV-1a hashes; a collision needs billions of paths).
pub fn with_path_ids<M: Module>(model: M) -> M {
    model.map(&mut PathIds::default())
}

/// An identity drawn from the host's generator.
pub(crate) fn drawn_id(rng: &mut impl Rng) -> ParamId {
    ParamId::from(rng.next_u64())
}

/// Walks a module and remembers where it stands.
#[derive(Default)]
struct PathIds {
    path: Vec<String>,
}

impl PathIds {
    fn id(&self) -> ParamId {
        const OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
        const PRIME: u64 = 0x0000_0100_0000_01b3;
        let path = self.path.join(".");
        ParamId::from(path.bytes().fold(OFFSET, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(PRIME)))
    }
}

impl ModuleMapper for PathIds {
    fn enter_module(&mut self, name: &str, _container_type: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container_type: &str) {
        self.path.pop();
    }

    fn map_float<const D: usize>(&mut self, mut param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        param.id = self.id();
        param
    }

    fn map_int<const D: usize>(&mut self, mut param: Param<Tensor<D, Int>>) -> Param<Tensor<D, Int>> {
        param.id = self.id();
        param
    }

    fn map_bool<const D: usize>(&mut self, mut param: Param<Tensor<D, Bool>>) -> Param<Tensor<D, Bool>> {
        param.id = self.id();
        param
    }
}

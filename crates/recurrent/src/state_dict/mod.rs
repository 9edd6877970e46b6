//! Named arrays, as PyTorch's state dicts hold them, in safetensors files.
//!
//! [`torch`] puts them into a net under PyTorch's names and back; [`keras`] takes Keras's.

mod keras;
mod torch;

use std::collections::{BTreeMap, HashMap};
use std::io::Write;
use std::path::{Path, PathBuf};

use burn::tensor::{bf16, f16};
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};

/// Arrays by name: what a safetensors file holds.
///
/// Weights of several layers can stand side by side, each under a prefix of its own:
///
/// ```
/// use burn::tensor::Device;
/// use physiosynth_recurrent::{GruConfig, LstmConfig, StateDict};
/// # use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
///
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("model.safetensors");
/// let (device, mut rng) = (Device::flex(), ChaCha8Rng::seed_from_u64(7));
/// let encoder = LstmConfig::new(3, 8).bidirectional(true).init(&device, &mut rng);
/// let decoder = GruConfig::new(16, 8).init(&device, &mut rng);
/// let mut weights = encoder.state_dict("encoder.")?;
/// weights.extend(decoder.state_dict("decoder.rnn.")?);
/// weights.write(&path)?;
///
/// // In PyTorch: model.load_state_dict(safetensors.torch.load_file(path)). Here:
/// let weights = StateDict::read(&path)?;
/// assert!(weights.names().any(|name| name == "encoder.weight_hh_l0_reverse"));
/// let decoder = decoder.with_state_dict(&weights, "decoder.rnn.")?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
pub struct StateDict {
    /// The file they came from.
    source: Option<PathBuf>,
    arrays: BTreeMap<String, Array>,
}

/// An array's values as they stand in the file.
#[derive(Debug, Clone, PartialEq)]
struct Array {
    kind: Dtype,
    shape: Vec<usize>,
    /// Row-major, little-endian.
    bytes: Vec<u8>,
}

/// Why arrays could not be read, written, or put into a net.
#[derive(Debug, thiserror::Error)]
pub enum StateDictError {
    /// The system refused.
    #[error("{}: {action} failed: {cause}; check that the path is right and may be used", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What was tried.
        action: &'static str,
        /// What the system said.
        cause: std::io::Error,
    },
    /// The file is not in the safetensors format.
    #[error(
        "{origin}: no safetensors file: {cause}; write one with `safetensors.torch.save_file(model.state_dict(), path)` (a file \
         of `torch.save` is none)"
    )]
    Format {
        /// Where the arrays came from.
        origin: String,
        /// What is wrong with it.
        cause: String,
    },
    /// A weight that the net has is not there.
    #[error("{origin}: no array `{name}`; {advice}")]
    Missing {
        /// Where the arrays came from.
        origin: String,
        /// The name looked for.
        name: String,
        /// What to do.
        advice: String,
    },
    /// A weight is there that the net does not have.
    #[error("{origin}: the net has no weight `{name}`; {advice}")]
    Unexpected {
        /// Where the arrays came from.
        origin: String,
        /// The weight's name.
        name: String,
        /// What to do.
        advice: String,
    },
    /// A weight of another shape than the net's.
    #[error("{origin}: `{name}` has shape {found:?}, the net takes {expected:?}; {advice}")]
    Shape {
        /// Where the arrays came from.
        origin: String,
        /// The weight's name.
        name: String,
        /// What the net takes.
        expected: Vec<usize>,
        /// What is there.
        found: Vec<usize>,
        /// What to do.
        advice: String,
    },
    /// Values that are no floating-point numbers of a known type.
    #[error("{origin}: `{name}` holds values of type {kind}; weights are F32, F64, F16 or BF16: convert it before saving")]
    Kind {
        /// Where the arrays came from.
        origin: String,
        /// The array's name.
        name: String,
        /// Its type, by safetensors' name for it.
        kind: String,
    },
    /// A value that float32 cannot hold.
    #[error("{origin}: `{name}` holds {value}, which is beyond the range of float32; scale it before saving")]
    Range {
        /// Where the arrays came from.
        origin: String,
        /// The array's name.
        name: String,
        /// The value.
        value: f64,
    },
    /// An array whose values are not as many as its shape says.
    #[error("`{name}`: {values} values cannot have shape {shape:?}")]
    Values {
        /// The array's name.
        name: String,
        /// How many values there are.
        values: usize,
        /// The shape said.
        shape: Vec<usize>,
    },
    /// A net's weights could not be read from its device.
    #[error("reading `{name}` from its device failed: {cause}")]
    Device {
        /// The weight's name.
        name: String,
        /// What burn said.
        cause: String,
    },
}

impl StateDict {
    /// None at all.
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads a safetensors file.
    pub fn read(path: impl AsRef<Path>) -> Result<Self, StateDictError> {
        let path = path.as_ref().to_owned();
        let bytes = std::fs::read(&path).map_err(|cause| StateDictError::Io { path: path.clone(), action: "reading", cause })?;
        Self { source: Some(path), arrays: BTreeMap::new() }.parse(&bytes)
    }

    /// From the bytes of a safetensors file.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, StateDictError> {
        Self::new().parse(bytes)
    }

    fn parse(mut self, bytes: &[u8]) -> Result<Self, StateDictError> {
        let file = SafeTensors::deserialize(bytes)
            .map_err(|cause| StateDictError::Format { origin: self.origin(), cause: cause.to_string() })?;
        self.arrays = file
            .tensors()
            .into_iter()
            .map(|(name, view)| (name, Array { kind: view.dtype(), shape: view.shape().to_vec(), bytes: view.data().to_vec() }))
            .collect();
        Ok(self)
    }

    /// The bytes of a safetensors file with these arrays: the same for the same arrays.
    pub fn to_bytes(&self) -> Result<Vec<u8>, StateDictError> {
        let problem =
            |cause: safetensors::SafeTensorError| StateDictError::Format { origin: self.origin(), cause: cause.to_string() };
        let mut views = Vec::with_capacity(self.arrays.len());
        for (name, array) in &self.arrays {
            views.push((name, TensorView::new(array.kind, array.shape.clone(), &array.bytes).map_err(problem)?));
        }
        // What PyTorch's own writer says, and readers of it ask for.
        let metadata = HashMap::from([("format".to_owned(), "pt".to_owned())]);
        safetensors::serialize(views, Some(metadata)).map_err(problem)
    }

    /// Writes a safetensors file; whoever reads `path` meanwhile finds what stood there before.
    pub fn write(&self, path: impl AsRef<Path>) -> Result<(), StateDictError> {
        let path = path.as_ref();
        let bytes = self.to_bytes()?;
        let mut temporary = path.as_os_str().to_owned();
        temporary.push(".tmp");
        std::fs::File::create(&temporary)
            .and_then(|mut file| file.write_all(&bytes).and_then(|()| file.sync_all()))
            .and_then(|()| std::fs::rename(&temporary, path))
            .map_err(|cause| {
                // What is half written helps nobody; that it could not be removed either is the lesser problem.
                _ = std::fs::remove_file(&temporary);
                StateDictError::Io { path: path.to_owned(), action: "writing", cause }
            })
    }

    /// The arrays' names, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.arrays.keys().map(String::as_str)
    }

    /// Adds an array, or replaces the one of that name; `values` in row-major order.
    pub fn insert(&mut self, name: impl Into<String>, shape: &[usize], values: &[f32]) -> Result<(), StateDictError> {
        let name = name.into();
        if shape.iter().product::<usize>() != values.len() {
            return Err(StateDictError::Values { name, values: values.len(), shape: shape.to_vec() });
        }
        let bytes = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        self.arrays.insert(name, Array { kind: Dtype::F32, shape: shape.to_vec(), bytes });
        Ok(())
    }

    /// Adds `other`'s arrays; those of a name that is here already replace it.
    pub fn extend(&mut self, other: Self) {
        self.arrays.extend(other.arrays);
    }

    /// The shape of array `name`; `None` where there is none.
    pub fn shape(&self, name: &str) -> Option<&[usize]> {
        self.arrays.get(name).map(|array| array.shape.as_slice())
    }

    /// The values of array `name` in row-major order, converted from float64, float16 or bfloat16 where it is one.
    pub fn values(&self, name: &str) -> Result<Vec<f32>, StateDictError> {
        let Some(Array { kind, bytes, .. }) = self.arrays.get(name) else {
            let advice = "the names that are there: `StateDict::names`".to_owned();
            return Err(StateDictError::Missing { origin: self.origin(), name: name.to_owned(), advice });
        };
        let values: Vec<f32> = match kind {
            Dtype::F32 => elements(bytes).map(f32::from_le_bytes).collect(),
            Dtype::F16 => elements(bytes).map(|value| f16::from_le_bytes(value).to_f32()).collect(),
            Dtype::BF16 => elements(bytes).map(|value| bf16::from_le_bytes(value).to_f32()).collect(),
            Dtype::F64 => {
                let beyond = |value: &f64| value.is_finite() && !(*value as f32).is_finite();
                if let Some(value) = elements(bytes).map(f64::from_le_bytes).find(beyond) {
                    return Err(StateDictError::Range { origin: self.origin(), name: name.to_owned(), value });
                }
                elements(bytes).map(|value| f64::from_le_bytes(value) as f32).collect()
            }
            kind => {
                let (origin, name, kind) = (self.origin(), name.to_owned(), kind.to_string());
                return Err(StateDictError::Kind { origin, name, kind });
            }
        };
        Ok(values)
    }

    /// Array `name`, if it has the shape `expected`; `advice` says what to do where it has not.
    fn fitting(
        &self,
        name: &str,
        expected: &[usize],
        advice: impl FnOnce(&[usize]) -> String,
    ) -> Result<Vec<f32>, StateDictError> {
        match self.shape(name) {
            Some(found) if found != expected => Err(StateDictError::Shape {
                origin: self.origin(),
                name: name.to_owned(),
                expected: expected.to_vec(),
                found: found.to_vec(),
                advice: advice(found),
            }),
            _ => self.values(name),
        }
    }

    /// Where the arrays came from, for messages.
    fn origin(&self) -> String {
        self.source.as_ref().map_or_else(|| "state dict".to_owned(), |path| path.display().to_string())
    }
}

/// Cuts bytes into numbers' worth of `N` each.
fn elements<const N: usize>(bytes: &[u8]) -> impl Iterator<Item = [u8; N]> {
    bytes.as_chunks::<N>().0.iter().copied()
}

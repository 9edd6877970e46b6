//! What a net runs on, beyond the sequence.

use burn::Tensor;
use rand::Rng;

use crate::{Cell, LengthError, Lengths, RecurrentConfig, State};

/// A sequence and what may come with it.
///
/// ```
/// use burn::tensor::{Device, Tensor};
/// use physiosynth_recurrent::{Inputs, Lengths, RecurrentConfig};
/// # use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
///
/// let config = RecurrentConfig { input: 2, constant: 3, units: 8, ..Default::default() };
/// let device = Device::flex();
/// let net = config.init(&device, &mut ChaCha8Rng::seed_from_u64(7));
/// let inputs = Inputs::new(Tensor::zeros([4, 20, 2], &device))
///     .constant(Tensor::ones([4, 3], &device))
///     .lengths(&Lengths::new(&[20, 7, 13, 1], 20)?);
/// let (output, state) = net.run_with_state(inputs)?;
/// assert_eq!((output.dims(), state.hidden.dims()), ([4, 20, 16], [2, 4, 8]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Inputs<'a> {
    pub(crate) sequence: Tensor<3>,
    pub(crate) constant: Option<Tensor<2>>,
    pub(crate) state: Option<State>,
    pub(crate) lengths: Option<Lengths>,
    pub(crate) dropout: Option<&'a mut dyn Rng>,
}

/// What does not fit the net.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InputError {
    /// Nothing to run over.
    #[error("an input of {batch} rows of {time} steps has nothing to run over; the net takes at least one row of one step")]
    Empty {
        /// Rows.
        batch: usize,
        /// Steps.
        time: usize,
    },
    /// A sequence of another number of features.
    #[error("the net takes {expected} features at each step, the input has {found}")]
    Features {
        /// What the net takes.
        expected: usize,
        /// What came.
        found: usize,
    },
    /// Constant inputs of another shape, or none where the net wants them.
    #[error("the net takes constant inputs of shape {expected:?}, but got {found:?}")]
    Constant {
        /// `[batch, constants]`.
        expected: [usize; 2],
        /// What came; `[0, 0]` for nothing.
        found: [usize; 2],
    },
    /// A state of another shape.
    #[error("the net takes a state of shape {expected:?}, but got {found:?}")]
    State {
        /// `[layers × directions, batch, units]`.
        expected: [usize; 3],
        /// What came.
        found: [usize; 3],
    },
    /// An LSTM's state without cell states.
    #[error("the state of an LSTM holds cell states too, but none came")]
    NoCell,
    /// Lengths of another batch.
    #[error(transparent)]
    Lengths(#[from] LengthError),
}

impl From<Tensor<3>> for Inputs<'_> {
    fn from(sequence: Tensor<3>) -> Self {
        Self::new(sequence)
    }
}

impl<'a> Inputs<'a> {
    /// A sequence, `[batch, time, features]`: from zero states, whole, without dropout.
    pub fn new(sequence: Tensor<3>) -> Self {
        Self { sequence, constant: None, state: None, lengths: None, dropout: None }
    }

    /// Adds inputs that are the same at every step, `[batch, constants]`: they are multiplied with their weights once, and give
    /// what the net would give had they stood behind the sequence's features at each step.
    #[must_use]
    pub fn constant(mut self, constant: Tensor<2>) -> Self {
        self.constant = Some(constant);
        self
    }

    /// Starts from `state` instead of zeros: a [`State`], an [`LstmState`](crate::LstmState), or hidden states alone for a cell
    /// that has no others.
    #[must_use]
    pub fn state(mut self, state: impl Into<State>) -> Self {
        self.state = Some(state.into());
        self
    }

    /// Says where each row ends.
    #[must_use]
    pub fn lengths(mut self, lengths: &Lengths) -> Self {
        self.lengths = Some(lengths.clone());
        self
    }

    /// Drops values between layers, by masks drawn from `rng` alone.
    #[must_use]
    pub fn dropout(mut self, rng: &'a mut dyn Rng) -> Self {
        self.dropout = Some(rng);
        self
    }

    /// Names the first thing that does not fit a net made from `config`.
    pub(crate) fn check(&self, config: &RecurrentConfig) -> Result<(), InputError> {
        let [batch, time, features] = self.sequence.dims();
        if batch == 0 || time == 0 {
            return Err(InputError::Empty { batch, time });
        }
        if features != config.input {
            return Err(InputError::Features { expected: config.input, found: features });
        }
        let constant = self.constant.as_ref().map_or([0, 0], Tensor::dims);
        let expected = if config.constant == 0 { [0, 0] } else { [batch, config.constant] };
        if constant != expected {
            return Err(InputError::Constant { expected, found: constant });
        }
        if let Some(state) = &self.state {
            let expected = [config.layers * config.directions(), batch, config.units];
            let parts = std::iter::once(&state.hidden).chain(&state.cell);
            if let Some(found) = parts.map(Tensor::dims).find(|found| *found != expected) {
                return Err(InputError::State { expected, found });
            }
            if config.cell == Cell::Lstm && state.cell.is_none() {
                return Err(InputError::NoCell);
            }
        }
        self.lengths.as_ref().map_or(Ok(()), |lengths| Ok(lengths.check([batch, time])?))
    }
}

//! The discrete wavelet transform: families, boundary modes, one level and several, thresholds and shrinkage.
//!
//! # Conventions
//!
//! They are PyWavelets's, coefficient for coefficient. With a filter of `F` taps (always even) and a signal of `N` samples:
//!
//! - [`Boundary::Symmetric`] mirrors the signal about its ends, end samples repeated (half-sample symmetry), and gives
//!   `floor((N + F - 1) / 2)` coefficients: `a[k] = sum_j h[j] x[2k + 1 - j]`. Redundant by about `F / 2` coefficients a level.
//! - [`Boundary::Periodization`] takes the signal as one period, an odd one lengthened by its last sample, and gives
//!   `ceil(N / 2)` coefficients: `a[k] = sum_j h[j] x[2k + F/2 - j]`. Not redundant; for orthogonal wavelets and even lengths
//!   it keeps the energy.
//!
//! Orthogonal filters have unit norm, so that white noise keeps its standard deviation on every level.
//! Detail level `j` (1 is the finest) holds roughly the band `fs / 2^(j+1)` to `fs / 2^j`.
//!
//! Everything is generic over [`Sample`] (`f32`, `f64`): in `f64` results agree with PyWavelets to 1e-10, and `f32` is what
//! records are processed in. Inner loops run on the widest vectors that the machine has, found at run time.
//!
//! ```
//! use physiosynth_preprocessing::wavelet::{Boundary, Wavelet, wavedec};
//!
//! let wavelet = Wavelet::by_name("sym8")?;
//! let signal: Vec<f64> = (0..1001).map(|n| (f64::from(n) * 0.05).sin()).collect();
//! let decomposition = wavedec(&signal, &wavelet, Boundary::Symmetric, 4)?;
//! let back = decomposition.reconstruct();
//! assert!(signal.iter().zip(&back).all(|(x, y)| (x - y).abs() < 1e-10));
//! # Ok::<(), physiosynth_preprocessing::wavelet::WaveletError>(())
//! ```

mod boundary;
mod family;
mod kernel;
mod multilevel;
mod noise_level;
mod sample;
mod shrink;
mod threshold;
mod transform;

pub use boundary::Boundary;
pub use family::Wavelet;
pub use multilevel::{Decomposition, Transform, maximum_level, wavedec};
pub use noise_level::noise_level;
pub use sample::Sample;
pub use shrink::Shrink;
pub use threshold::Threshold;
pub use transform::{Filters, coefficient_count};

/// Why a wavelet or a transform could not be had.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WaveletError {
    /// No wavelet of that name.
    #[error(
        "no wavelet is called \"{name}\"; the nearest name is \"{nearest}\" (db1-db20, sym2-sym20, coif1-coif5, biorR.D, rbioR.D)"
    )]
    UnknownName {
        /// The name asked for.
        name: String,
        /// The known name nearest to it.
        nearest: String,
    },
    /// Nothing to transform.
    #[error("the signal is empty: a wavelet transform needs at least one sample")]
    EmptySignal,
    /// Coefficient arrays that cannot belong together.
    #[error("an approximation of {approximation} and a detail of {detail} coefficients are not of one level: {expected}")]
    LengthMismatch {
        /// Coefficients in the approximation.
        approximation: usize,
        /// Coefficients in the detail.
        detail: usize,
        /// The rule that is broken.
        expected: &'static str,
    },
}

//! The two kinds of number that a transform runs on.

use std::fmt::Debug;
use std::ops::{Add, Mul, Sub};

use super::kernel::Lattice;

mod sealed {
    pub trait Sealed {}
    impl Sealed for f32 {}
    impl Sealed for f64 {}
}

/// `f32` or `f64`: the numbers of a signal and of its coefficients.
pub trait Sample:
    sealed::Sealed
    + Copy
    + Debug
    + Default
    + PartialEq
    + PartialOrd
    + Send
    + Sync
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Lattice
    + 'static
{
    /// The nearest value of this kind.
    fn from_f64(value: f64) -> Self;
    /// The same value in double precision.
    fn to_f64(self) -> f64;
    /// The magnitude as an integer that orders as magnitudes do (`NaN` above all): sorting and selecting want no floats.
    type Magnitude: Copy + Ord + Debug + Send + Sync;
    /// This number's magnitude.
    fn magnitude(self) -> Self::Magnitude;
    /// A magnitude as a number again.
    fn from_magnitude(magnitude: Self::Magnitude) -> Self;
}

impl Sample for f32 {
    fn from_f64(value: f64) -> Self {
        value as f32
    }
    fn to_f64(self) -> f64 {
        f64::from(self)
    }
    type Magnitude = u32;
    fn magnitude(self) -> u32 {
        self.abs().to_bits()
    }
    fn from_magnitude(magnitude: u32) -> Self {
        Self::from_bits(magnitude)
    }
}

impl Sample for f64 {
    fn from_f64(value: f64) -> Self {
        value
    }
    fn to_f64(self) -> f64 {
        self
    }
    type Magnitude = u64;
    fn magnitude(self) -> u64 {
        self.abs().to_bits()
    }
    fn from_magnitude(magnitude: u64) -> Self {
        Self::from_bits(magnitude)
    }
}

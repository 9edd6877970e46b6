//! Several levels of the transform.

use super::{Boundary, Filters, Sample, Wavelet, WaveletError, coefficient_count, transform::Phases};

/// The deepest level at which at least one coefficient is free of the boundary: `floor(log2(len / (filter_len - 1)))`.
/// Deeper ones are allowed, and reconstruct as well, but say more about the boundary mode than about the signal.
pub fn maximum_level(len: usize, filter_len: usize) -> usize {
    len.checked_div(filter_len.saturating_sub(1)).and_then(usize::checked_ilog2).map_or(0, |level| level as usize)
}

/// `signal` in `levels` levels; equals `pywt.wavedec`.
pub fn wavedec<T: Sample>(
    signal: &[T],
    wavelet: &Wavelet,
    boundary: Boundary,
    levels: usize,
) -> Result<Decomposition<T>, WaveletError> {
    Transform::new(wavelet, boundary, levels).forward(signal)
}

/// A transform of so many levels, ready for signals of any length.
#[derive(Debug, Clone, PartialEq)]
pub struct Transform<T> {
    filters: Filters<T>,
    boundary: Boundary,
    levels: usize,
}

impl<T: Sample> Transform<T> {
    /// `levels` levels of `wavelet`; none leaves the signal as it is.
    pub fn new(wavelet: &Wavelet, boundary: Boundary, levels: usize) -> Self {
        Self { filters: Filters::new(wavelet), boundary, levels }
    }

    /// Levels of the transform.
    pub fn levels(&self) -> usize {
        self.levels
    }

    /// The coefficients of `signal`. Cost: `4 F` multiply-adds a sample over all levels, `F` the filter length.
    pub fn forward(&self, signal: &[T]) -> Result<Decomposition<T>, WaveletError> {
        let mut decomposition = Decomposition::empty(self.clone());
        decomposition.analyse(signal)?;
        Ok(decomposition)
    }
}

/// The coefficients of a signal, its length, and the way back. Keeps its memory, so that one decomposition can serve record
/// after record ([`Self::analyse`]).
#[derive(Debug, Clone)]
pub struct Decomposition<T> {
    transform: Transform<T>,
    /// Samples that went into each level, then coefficients of the approximation.
    lengths: Vec<usize>,
    /// Finest first.
    details: Vec<Vec<T>>,
    approximation: Vec<T>,
    spare: Vec<T>,
    phases: Phases<T>,
}

impl<T: Sample> Decomposition<T> {
    /// A decomposition of nothing yet, to be filled by [`Self::analyse`].
    pub fn empty(transform: Transform<T>) -> Self {
        let details = vec![Vec::new(); transform.levels];
        let phases = Phases::default();
        Self { transform, lengths: Vec::new(), details, approximation: Vec::new(), spare: Vec::new(), phases }
    }

    /// Takes the coefficients of `signal` in place of those held.
    pub fn analyse(&mut self, signal: &[T]) -> Result<(), WaveletError> {
        if signal.is_empty() {
            return Err(WaveletError::EmptySignal);
        }
        let Self { transform, lengths, details, approximation, spare, phases } = self;
        lengths.clear();
        lengths.push(signal.len());
        if transform.levels == 0 {
            approximation.clear();
            approximation.extend_from_slice(signal);
        }
        for (index, detail) in details.iter_mut().enumerate() {
            let input = if index == 0 { signal } else { &approximation[..] };
            let count = coefficient_count(input.len(), transform.filters.filter_len(), transform.boundary);
            detail.resize(count, T::default());
            spare.resize(count, T::default());
            transform.filters.analyse(input, transform.boundary, spare, detail, phases);
            std::mem::swap(approximation, spare);
            lengths.push(count);
        }
        Ok(())
    }

    /// The transform that it is the result of.
    pub fn transform(&self) -> &Transform<T> {
        &self.transform
    }

    /// Levels held.
    pub fn levels(&self) -> usize {
        self.details.len()
    }

    /// Samples of the signal.
    pub fn signal_len(&self) -> usize {
        self.lengths.first().copied().unwrap_or(0)
    }

    /// The detail coefficients of `level`, 1 the finest; empty where there is no such level.
    pub fn detail(&self, level: usize) -> &[T] {
        level.checked_sub(1).and_then(|index| self.details.get(index)).map_or(&[], Vec::as_slice)
    }

    /// The same, to be changed.
    pub fn detail_mut(&mut self, level: usize) -> &mut [T] {
        level.checked_sub(1).and_then(|index| self.details.get_mut(index)).map_or(&mut [], Vec::as_mut_slice)
    }

    /// The approximation of the last level.
    pub fn approximation(&self) -> &[T] {
        &self.approximation
    }

    /// The same, to be changed.
    pub fn approximation_mut(&mut self) -> &mut [T] {
        &mut self.approximation
    }

    /// The signal of these coefficients, of the length that went in; equals `pywt.waverec` but for the sample that it adds to
    /// a signal of odd length.
    pub fn reconstruct(mut self) -> Vec<T> {
        let mut signal = Vec::new();
        self.reconstruct_into(&mut signal);
        signal
    }

    /// [`Self::reconstruct`] into `signal`, whose memory is used again; the approximation is used up.
    pub fn reconstruct_into(&mut self, signal: &mut Vec<T>) {
        let Self { transform, lengths, details, approximation, spare, phases } = self;
        if details.is_empty() {
            signal.clear();
            signal.extend_from_slice(approximation);
        }
        for (index, (detail, &len)) in details.iter().zip(lengths.iter()).enumerate().rev() {
            let output = if index == 0 { &mut *signal } else { &mut *spare };
            output.resize(len, T::default());
            transform.filters.synthesise(approximation, detail, transform.boundary, output, phases);
            if index > 0 {
                std::mem::swap(approximation, spare);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_deepest_useful_level_is_pywavelets_s() {
        // pywt.dwt_max_level(1000, 16), (650000, 16), (15, 16), (14, 16), (0, 16), (1000, 2)
        let found = [(1000, 16), (650_000, 16), (15, 16), (14, 16), (0, 16), (1000, 2)].map(|(n, f)| maximum_level(n, f));
        assert_eq!(found, [6, 15, 0, 0, 0, 9]);
    }

    #[test]
    fn one_decomposition_serves_signals_of_several_lengths() {
        let wavelet = Wavelet::by_name("db3").unwrap();
        let transform = Transform::<f64>::new(&wavelet, Boundary::Symmetric, 3);
        let mut decomposition = Decomposition::empty(transform.clone());
        let mut back = Vec::new();
        for len in [101, 40, 7, 333] {
            let signal: Vec<f64> = (0..len).map(|n| f64::from(n).sin()).collect();
            decomposition.analyse(&signal).unwrap();
            for level in 1..=3 {
                assert_eq!(decomposition.detail(level), transform.forward(&signal).unwrap().detail(level));
            }
            decomposition.reconstruct_into(&mut back);
            assert_eq!(back.len(), signal.len());
            assert!(signal.iter().zip(&back).all(|(x, y)| (x - y).abs() < 1e-12));
        }
        assert_eq!((decomposition.detail(0).len(), decomposition.detail(4).len()), (0, 0));
    }

    #[test]
    fn no_level_leaves_the_signal_and_no_signal_is_an_error() {
        let wavelet = Wavelet::by_name("db2").unwrap();
        assert_eq!(wavedec(&[1.0, 2.0, 3.0], &wavelet, Boundary::Symmetric, 0).unwrap().reconstruct(), [1.0, 2.0, 3.0]);
        assert_eq!(wavedec::<f32>(&[], &wavelet, Boundary::Symmetric, 2).unwrap_err(), WaveletError::EmptySignal);
    }
}

//! One level of the transform, forward and back.

use super::{
    Boundary, Sample, Wavelet, WaveletError,
    kernel::{join_phases, split_phases},
};

/// Coefficients of approximation and of detail that one level makes of `len` samples.
pub fn coefficient_count(len: usize, filter_len: usize, boundary: Boundary) -> usize {
    match boundary {
        Boundary::Symmetric => (len + filter_len - 1) / 2,
        Boundary::Periodization => len.div_ceil(2),
    }
}

/// Rows computed at a time: the four sequences of one block stay in the first-level cache in either precision.
const BLOCK: usize = 1024;

/// Working memory of one transform, kept between calls so that a record needs no allocation a level.
#[derive(Debug, Clone, Default)]
pub(crate) struct Phases<T> {
    first: Vec<T>,
    second: Vec<T>,
}

impl<T: Sample> Phases<T> {
    fn of_len(&mut self, len: usize) -> (&mut [T], &mut [T]) {
        self.first.resize(len, T::default());
        self.second.resize(len, T::default());
        (&mut self.first, &mut self.second)
    }
}

/// A wavelet's filters laid out for the two-phase sums, in the precision of the transform.
#[derive(Debug, Clone, PartialEq)]
pub struct Filters<T> {
    analysis: Vec<[T; 4]>,
    synthesis: Vec<[T; 4]>,
}

impl<T: Sample> Filters<T> {
    /// The filters of `wavelet`.
    pub fn new(wavelet: &Wavelet) -> Self {
        let (dec_lo, dec_hi) = (wavelet.dec_lo(), wavelet.dec_hi());
        let (rec_lo, rec_hi) = (wavelet.rec_lo(), wavelet.rec_hi());
        let last = wavelet.filter_len() - 1;
        let taps = |make: &dyn Fn(usize) -> [f64; 4]| {
            (0..wavelet.filter_len() / 2).map(|i| make(last - 2 * i).map(T::from_f64)).collect()
        };
        Self {
            analysis: taps(&|k| [dec_lo[k], dec_lo[k - 1], dec_hi[k], dec_hi[k - 1]]),
            synthesis: taps(&|k| [rec_lo[k - 1], rec_hi[k - 1], rec_lo[k], rec_hi[k]]),
        }
    }

    /// Taps of each filter.
    pub fn filter_len(&self) -> usize {
        2 * self.analysis.len()
    }

    /// One level forward: approximation and detail of `signal`, [`coefficient_count`] each. Equals `pywt.dwt`.
    pub fn dwt(&self, signal: &[T], boundary: Boundary) -> Result<(Vec<T>, Vec<T>), WaveletError> {
        if signal.is_empty() {
            return Err(WaveletError::EmptySignal);
        }
        let count = coefficient_count(signal.len(), self.filter_len(), boundary);
        let (mut approximation, mut detail) = (vec![T::default(); count], vec![T::default(); count]);
        self.analyse(signal, boundary, &mut approximation, &mut detail, &mut Phases::default());
        Ok((approximation, detail))
    }

    /// One level back: `2 n - F + 2` samples ([`Boundary::Symmetric`]) or `2 n` ([`Boundary::Periodization`]) of `n`
    /// coefficients; one sample too many where the signal was of odd length. Equals `pywt.idwt`.
    pub fn idwt(&self, approximation: &[T], detail: &[T], boundary: Boundary) -> Result<Vec<T>, WaveletError> {
        let (count, half) = (approximation.len(), self.synthesis.len());
        let mismatch = |expected| WaveletError::LengthMismatch { approximation: count, detail: detail.len(), expected };
        if count != detail.len() {
            return Err(mismatch("both are of one length"));
        }
        let len = match boundary {
            Boundary::Symmetric if count < half => return Err(mismatch("symmetric mode gives at least half a filter's length")),
            Boundary::Symmetric => 2 * (count - half + 1),
            Boundary::Periodization if count == 0 => return Err(WaveletError::EmptySignal),
            Boundary::Periodization => 2 * count,
        };
        let mut signal = vec![T::default(); len];
        self.synthesise(approximation, detail, boundary, &mut signal, &mut Phases::default());
        Ok(signal)
    }

    /// [`Self::dwt`] of a signal that is not empty into slices of [`coefficient_count`].
    pub(crate) fn analyse(
        &self,
        signal: &[T],
        boundary: Boundary,
        approximation: &mut [T],
        detail: &mut [T],
        phases: &mut Phases<T>,
    ) {
        let half = self.analysis.len();
        // Row k sums the samples from `start + 2 k` on.
        let start = match boundary {
            Boundary::Symmetric => 2 - 2 * half as isize,
            Boundary::Periodization => 1 - half as isize,
        };
        let mut first_row = 0;
        for (approximation, detail) in approximation.chunks_mut(BLOCK).zip(detail.chunks_mut(BLOCK)) {
            let (even, odd) = phases.of_len(approximation.len() + half - 1);
            fill_phases(signal, boundary, start + 2 * first_row, even, odd);
            T::lattice(even, odd, &self.analysis, approximation, detail);
            first_row += BLOCK as isize;
        }
    }

    /// [`Self::idwt`] of coefficients of one length into `signal`, which may be one sample shorter than they could fill.
    pub(crate) fn synthesise(
        &self,
        approximation: &[T],
        detail: &[T],
        boundary: Boundary,
        signal: &mut [T],
        phases: &mut Phases<T>,
    ) {
        let half = self.synthesis.len();
        // Row r sums the coefficients from `r - back` on, and is the pair of samples that begins at `2 r - skip`.
        let (back, skip) = match boundary {
            Boundary::Symmetric => (0, 0),
            Boundary::Periodization => (half / 2, 1 - half % 2),
        };
        let rows = (signal.len() + skip).div_ceil(2);
        let (mut wrapped_a, mut wrapped_d) = (Vec::new(), Vec::new());
        let mut first_row = 0;
        while first_row < rows {
            let block = BLOCK.min(rows - first_row);
            let needed = block + half - 1;
            let inside = first_row.checked_sub(back).filter(|from| from + needed <= approximation.len());
            let (a, d) = if let Some(from) = inside {
                (&approximation[from..from + needed], &detail[from..from + needed])
            } else {
                let count = approximation.len() as isize;
                let from = first_row as isize - back as isize;
                let wrap = |q: usize| (from + q as isize).rem_euclid(count) as usize;
                wrapped_a.clear();
                wrapped_a.extend((0..needed).map(|q| approximation[wrap(q)]));
                wrapped_d.clear();
                wrapped_d.extend((0..needed).map(|q| detail[wrap(q)]));
                (&wrapped_a[..], &wrapped_d[..])
            };
            let (even, odd) = phases.of_len(block);
            T::lattice(a, d, &self.synthesis, even, odd);
            write_pairs(even, odd, 2 * first_row, skip, signal);
            first_row += block;
        }
    }
}

/// The samples from position `from` (possibly before the signal) on, alternately into `even` and `odd`.
fn fill_phases<T: Sample>(signal: &[T], boundary: Boundary, from: isize, even: &mut [T], odd: &mut [T]) {
    let (len, pairs) = (signal.len() as isize, even.len() as isize);
    // Pairs [inside, outside) lie in the signal entirely.
    let inside = ((1 - from).div_euclid(2)).clamp(0, pairs);
    let outside = ((len - from).div_euclid(2)).clamp(inside, pairs);
    for pair in (0..inside).chain(outside..pairs) {
        even[pair as usize] = signal[boundary.source(from + 2 * pair, signal.len())];
        odd[pair as usize] = signal[boundary.source(from + 2 * pair + 1, signal.len())];
    }
    if inside < outside {
        let range = inside as usize..outside as usize;
        split_phases(&signal[(from + 2 * inside) as usize..], &mut even[range.clone()], &mut odd[range]);
    }
}

/// Rows of pairs into the signal, the first of them `skip` samples before position `from` of the output.
fn write_pairs<T: Sample>(even: &[T], odd: &[T], from: usize, skip: usize, signal: &mut [T]) {
    let (mut even, mut odd, mut from) = (even, odd, from);
    if skip == 1 && from == 0 {
        // Half of the first pair lies before the signal.
        if let (Some(first), Some(&value)) = (signal.first_mut(), odd.first()) {
            *first = value;
        }
        (even, odd, from) = (&even[1..], &odd[1..], 1);
    } else {
        from -= skip;
    }
    let end = signal.len().min(from + 2 * even.len());
    let pairs = &mut signal[from..end];
    join_phases(even, odd, pairs);
    if let ([last], Some(&value)) = (pairs.chunks_exact_mut(2).into_remainder(), even.get((end - from) / 2)) {
        *last = value;
    }
}

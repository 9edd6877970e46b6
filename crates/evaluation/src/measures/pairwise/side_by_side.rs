//! Many pairs at once: a lane of the vectors for each. A table of dynamic programming is filled cell after cell, each waiting for the one
//! before; pairs do not wait for one another.
#![expect(clippy::inline_always, reason = "a body compiled for wide instructions must not call one that is not")]

use pulp::{Arch, Simd, WithSimd};

use super::Pair;

/// Vectors side by side: one's steps fill the other's waits.
const VECTORS: usize = 2;

/// How many pairs are taken at once on this machine, in single and in double precision.
struct Lanes;

impl WithSimd for Lanes {
    type Output = (usize, usize);

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> (usize, usize) {
        (VECTORS * S::F32_LANES, VECTORS * S::F64_LANES)
    }
}

/// Whether a pair can be taken with others: equal lengths, whole instants, no missing samples.
fn usable(pair: &Pair, length: usize) -> bool {
    pair.0.len() == length && pair.1.len() == length && pair.0.iter().chain(pair.1).all(|x| !x.is_nan())
}

/// Puts the pairs' values of one sample side by side; lanes without a usable pair hold zeros.
fn interleaved<T: Copy + Default>(
    pairs: &[Pair],
    length: usize,
    lanes: usize,
    convert: impl Fn(f32) -> T,
) -> (Vec<T>, Vec<T>, Vec<bool>) {
    let (mut a, mut b) = (vec![T::default(); length * lanes], vec![T::default(); length * lanes]);
    let mut used = vec![false; lanes];
    for (lane, pair) in pairs.iter().enumerate().filter(|(_, pair)| usable(pair, length)) {
        used[lane] = true;
        for (at, (&x, &y)) in pair.0.iter().zip(pair.1).enumerate() {
            a[at * lanes + lane] = convert(x);
            b[at * lanes + lane] = convert(y);
        }
    }
    (a, b, used)
}

/// [`dtw`](super::dtw) of each pair, to the last bit. All usable pairs are as long as the first.
pub(super) fn dtw(pairs: &[Pair], channels: usize, band: usize) -> Vec<Option<f64>> {
    let length = pairs.first().map_or(0, |pair| pair.0.len());
    let lanes = Arch::new().dispatch(Lanes).1;
    let mut found = Vec::with_capacity(pairs.len());
    for chunk in pairs.chunks(lanes) {
        let time = length.checked_div(channels).unwrap_or(0);
        let (a, b, used) = interleaved(chunk, length, lanes, f64::from);
        let mut last = vec![0.0; lanes];
        if time > 0 {
            let (mut above, mut row) = (vec![f64::INFINITY; (time + 2) * lanes], vec![f64::INFINITY; (time + 2) * lanes]);
            above[..lanes].fill(0.0);
            Arch::new().dispatch(Warp { a: &a, b: &b, above: &mut above, row: &mut row, time, channels, band });
            let end = if time.is_multiple_of(2) { &above } else { &row };
            last.copy_from_slice(&end[time * lanes..(time + 1) * lanes]);
        }
        let value = |lane: usize| (used[lane] && time > 0).then(|| last[lane].sqrt());
        found.extend((0..chunk.len()).map(value));
    }
    found
}

struct Warp<'a> {
    a: &'a [f64],
    b: &'a [f64],
    above: &'a mut [f64],
    row: &'a mut [f64],
    time: usize,
    channels: usize,
    band: usize,
}

impl WithSimd for Warp<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        self.run::<S>(simd);
    }
}

impl Warp<'_> {
    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let (a, b) = (S::as_simd_f64s(self.a).0, S::as_simd_f64s(self.b).0);
        let (mut above, mut row) = (S::as_mut_simd_f64s(self.above).0, S::as_mut_simd_f64s(self.row).0);
        let (time, channels, wide) = (self.time, self.channels, self.channels * VECTORS);
        let infinity = simd.splat_f64s(f64::INFINITY);
        let mut i = 0;
        while i < time {
            let first = i.saturating_sub(self.band);
            let last = if i + self.band < time { i + self.band } else { time - 1 };
            let p = &a[i * wide..(i + 1) * wide];
            let mut left = [infinity; VECTORS];
            let mut diagonal = [infinity; VECTORS];
            let mut v = 0;
            while v < VECTORS {
                diagonal[v] = above[first * VECTORS + v];
                row[first * VECTORS + v] = infinity;
                v += 1;
            }
            let mut j = first;
            while j <= last {
                let q = &b[j * wide..(j + 1) * wide];
                let up = &above[(j + 1) * VECTORS..(j + 2) * VECTORS];
                let out = &mut row[(j + 1) * VECTORS..(j + 2) * VECTORS];
                let mut v = 0;
                while v < VECTORS {
                    let d = simd.sub_f64s(p[v], q[v]);
                    let mut cost = simd.mul_f64s(d, d);
                    let mut c = 1;
                    while c < channels {
                        let d = simd.sub_f64s(p[c * VECTORS + v], q[c * VECTORS + v]);
                        cost = simd.add_f64s(cost, simd.mul_f64s(d, d));
                        c += 1;
                    }
                    let least = simd.min_f64s(simd.min_f64s(diagonal[v], up[v]), left[v]);
                    diagonal[v] = up[v];
                    left[v] = simd.add_f64s(cost, least);
                    out[v] = left[v];
                    v += 1;
                }
                j += 1;
            }
            let mut v = 0;
            while v < VECTORS {
                row[(last + 2) * VECTORS + v] = infinity;
                v += 1;
            }
            core::mem::swap(&mut above, &mut row);
            i += 1;
        }
    }
}

/// [`frechet`](super::frechet) of each pair, to the last bit. All usable pairs are as long as the first.
pub(super) fn frechet(pairs: &[Pair], channels: usize) -> Vec<Option<f64>> {
    let length = pairs.first().map_or(0, |pair| pair.0.len());
    let lanes = Arch::new().dispatch(Lanes).0;
    let mut found = Vec::with_capacity(pairs.len());
    for chunk in pairs.chunks(lanes) {
        let time = length.checked_div(channels).unwrap_or(0);
        let (a, b, used) = interleaved(chunk, length, lanes, |x| x);
        let mut row = vec![f32::INFINITY; time * lanes];
        Arch::new().dispatch(Leash { a: &a, b: &b, row: &mut row, time, channels });
        let last = row.len().checked_sub(lanes).and_then(|start| row.get(start..));
        let value = |lane: usize| last.filter(|_| used[lane]).map(|last| f64::from(last[lane]).sqrt());
        found.extend((0..chunk.len()).map(value));
    }
    found
}

struct Leash<'a> {
    a: &'a [f32],
    b: &'a [f32],
    row: &'a mut [f32],
    time: usize,
    channels: usize,
}

impl WithSimd for Leash<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        self.run::<S>(simd);
    }
}

impl Leash<'_> {
    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let (a, b) = (S::as_simd_f32s(self.a).0, S::as_simd_f32s(self.b).0);
        let row = S::as_mut_simd_f32s(self.row).0;
        let (time, channels, wide) = (self.time, self.channels, self.channels * VECTORS);
        let infinity = simd.splat_f32s(f32::INFINITY);
        let mut i = 0;
        while i < time {
            let p = &a[i * wide..(i + 1) * wide];
            let mut left = [infinity; VECTORS];
            let mut diagonal = [if i == 0 { simd.splat_f32s(0.0) } else { infinity }; VECTORS];
            let mut j = 0;
            while j < time {
                let q = &b[j * wide..(j + 1) * wide];
                let cell = &mut row[j * VECTORS..(j + 1) * VECTORS];
                let mut v = 0;
                while v < VECTORS {
                    let d = simd.sub_f32s(p[v], q[v]);
                    let mut distance = simd.mul_f32s(d, d);
                    let mut c = 1;
                    while c < channels {
                        let d = simd.sub_f32s(p[c * VECTORS + v], q[c * VECTORS + v]);
                        distance = simd.add_f32s(distance, simd.mul_f32s(d, d));
                        c += 1;
                    }
                    let reach = simd.min_f32s(simd.min_f32s(diagonal[v], left[v]), cell[v]);
                    diagonal[v] = cell[v];
                    left[v] = simd.max_f32s(reach, distance);
                    cell[v] = left[v];
                    v += 1;
                }
                j += 1;
            }
            i += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use physiosynth_signal::Seed;
    use rand::RngExt;

    #[test]
    fn equal_one_pair_after_another_to_the_last_bit() {
        let mut rng = Seed(4).stream("pairs", 0);
        for (count, time, channels) in [(1, 1, 1), (8, 30, 1), (37, 61, 1), (20, 17, 3), (3, 2, 12)] {
            let mut segment = || -> Vec<f32> { (0..time * channels).map(|_| rng.random_range(-2.0..2.0)).collect() };
            let mut pairs: Vec<(Vec<f32>, Vec<f32>)> = (0..count).map(|_| (segment(), segment())).collect();
            if let Some(pair) = pairs.get_mut(2) {
                pair.1[0] = f32::NAN;
            }
            let views: Vec<(&[f32], &[f32])> = pairs.iter().map(|(a, b)| (a.as_slice(), b.as_slice())).collect();
            for band in [0, 3, time] {
                let expected: Vec<Option<f64>> = views.iter().map(|(a, b)| super::super::dtw(a, b, channels, band)).collect();
                assert_eq!(super::dtw(&views, channels, band), expected, "{time} {channels} {band}");
            }
            let expected: Vec<Option<f64>> = views.iter().map(|(a, b)| super::super::frechet(a, b, channels)).collect();
            assert_eq!(super::frechet(&views, channels), expected);
        }
        assert_eq!(super::dtw(&[(&[], &[])], 1, 3), [None]);
        assert_eq!(super::frechet(&[(&[], &[])], 1), [None]);
    }
}

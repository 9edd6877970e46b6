//! P and T waves, from scale 2⁴ of the beat without its complex.

use super::wavelet::{GRID_HZ, transform};
use super::{Found, Way, edge, maxima};

/// Where the modulus has fallen to these shares of the outermost flanks', a wave begins and ends (ξ of Martínez et al. 2004).
const P_EDGES: [f64; 2] = [0.5, 0.5];
const T_EDGES: [f64; 2] = [0.25, 0.4];
/// A flank of a T wave counts from this share of its steepest (γ).
const T_SIGNIFICANT: f64 = 0.125;
/// Lowest height of a P wave and of a T wave, as a share of the complex's.
const LOWEST: [f64; 2] = [0.025, 0.015];
/// And as a multiple of the noise's standard deviation.
const ABOVE_NOISE: f64 = 1.5;
/// The P wave peaks this long before the complex begins at most, in seconds.
const P_REACH_S: f64 = 0.24;
/// The flanks of a P wave are at most this far apart, in seconds; those of a T wave.
const P_WIDTH_S: f64 = 0.13;
const T_WIDTH_S: f64 = 0.26;
/// T waves are looked for from this long after the complex to this long after the mark, in seconds.
const T_REACH_S: [f64; 2] = [0.02, 0.65];

/// The beat with a straight line in place of its complex.
pub(super) struct Rest {
    samples: Vec<f64>,
    /// Scale 2⁴.
    detail: Vec<f64>,
    mark: usize,
    onset: f64,
    offset: f64,
    /// Lowest height of a P wave and of a T wave.
    lowest: [f64; 2],
}

fn span(seconds: f64) -> usize {
    (seconds * GRID_HZ).round().max(0.0) as usize
}

impl Rest {
    /// `onset` and `offset` are the complex's.
    pub(super) fn new(grid: &[f64], mark: usize, onset: f64, offset: f64) -> Self {
        let last = grid.len() - 1;
        let (from, to) = ((onset.floor() as usize).min(last), (offset.ceil() as usize).min(last));
        let mut samples = grid.to_vec();
        let (a, b) = (grid[from], grid[to]);
        for (step, x) in samples[from..=to].iter_mut().enumerate() {
            *x = a + (b - a) * step as f64 / (to - from).max(1) as f64;
        }
        let complex = &grid[from..=to];
        let height = complex.iter().fold(f64::MIN, |m, &x| m.max(x)) - complex.iter().fold(f64::MAX, |m, &x| m.min(x));
        let levels = transform(&samples);
        let noise = noise(&levels[0], from, to);
        let lowest = LOWEST.map(|share| (share * height).max(ABOVE_NOISE * noise));
        let [_, _, _, detail, _] = levels;
        Self { samples, detail, mark, onset, offset, lowest }
    }

    /// The P wave: the strongest pair of opposite flanks before the complex.
    pub(super) fn p(&self, rr_before_s: Option<f64>) -> Option<Found> {
        let to = self.onset.floor() as usize;
        let mut from = to.saturating_sub(span(P_REACH_S));
        if let Some(rr) = rr_before_s {
            // Before that is the beat before.
            from = from.max(self.mark.saturating_sub(span(0.55 * rr)));
        }
        let flanks = maxima(&self.detail, from, to);
        let (first, last) = self.pair(&flanks, span(P_WIDTH_S))?;
        let wave = self.wave(first, last, P_EDGES, span(0.1), self.lowest[0])?;
        // The wave ends before the complex begins.
        Some(Found { offset: wave.offset.map(|x| x.min(self.onset)), ..wave })
    }

    /// The T wave: the strongest pair of opposite flanks after the complex, with a third before or behind it where the wave is biphasic.
    pub(super) fn t(&self, rr_after_s: Option<f64>) -> Option<Found> {
        let from = (self.offset.ceil() as usize + span(T_REACH_S[0])).max(self.mark + span(0.08));
        // Behind that is the next beat's P wave; a T wave before an early beat may touch it.
        let limit = rr_after_s.map_or(T_REACH_S[1], |rr| T_REACH_S[1].min((0.66 * rr).max(0.28)).min(rr - 0.08));
        let to = (self.mark + span(limit)).min(self.detail.len());
        let all = maxima(&self.detail, from, to);
        let steepest = all.iter().map(|&i| self.detail[i].abs()).fold(0.0, f64::max);
        let flanks: Vec<usize> = all.into_iter().filter(|&i| self.detail[i].abs() >= T_SIGNIFICANT * steepest).collect();
        let (first, last) = self.pair(&flanks, span(T_WIDTH_S))?;
        self.wave(first, last, T_EDGES, span(0.2), self.lowest[1])
    }

    /// The neighbouring flanks of opposite sign, at most `width` apart, whose weaker one is strongest.
    fn pair(&self, flanks: &[usize], width: usize) -> Option<(usize, usize)> {
        let strength = |pair: &&[usize]| self.detail[pair[0]].abs().min(self.detail[pair[1]].abs());
        let opposite = |pair: &&[usize]| pair[1] - pair[0] <= width && self.detail[pair[0]] * self.detail[pair[1]] < 0.0;
        let best = flanks.windows(2).filter(opposite).max_by(|a, b| strength(a).total_cmp(&strength(b)).then(b[0].cmp(&a[0])))?;
        Some((best[0], best[1]))
    }

    /// The wave between two flanks; none where it is too low.
    fn wave(&self, first: usize, last: usize, edges: [f64; 2], reach: usize, lowest: f64) -> Option<Found> {
        let change = (first..last).find(|&i| self.detail[i] * self.detail[i + 1] <= 0.0)?;
        let (a, b) = (self.detail[change].abs(), self.detail[change + 1].abs());
        let peak = change as f64 + 0.5 + if a + b > 0.0 { a / (a + b) } else { 0.5 };
        let onset = edge(&self.detail, first, Way::Back, edges[0], reach);
        let offset = edge(&self.detail, last, Way::On, edges[1], reach);
        let at = |x: f64| self.samples[(x.round() as usize).min(self.samples.len() - 1)];
        let (begin, end) = (onset.map_or(first as f64, |x| x), offset.map_or(last as f64, |x| x));
        let share = (peak - begin) / (end - begin).max(1.0);
        let height = (at(peak) - at(begin) - share * (at(end) - at(begin))).abs();
        (height >= lowest).then_some(Found { onset, peak, offset })
    }
}

/// Standard deviation of the noise, if it is white, from the median modulus at scale 2¹ outside `from..=to`.
fn noise(detail: &[f64], from: usize, to: usize) -> f64 {
    let mut rest: Vec<f64> = detail.iter().enumerate().filter(|(i, _)| !(from..=to).contains(i)).map(|(_, d)| d.abs()).collect();
    if rest.is_empty() {
        return 0.0;
    }
    let middle = rest.len() / 2;
    let (_, median, _) = rest.select_nth_unstable_by(middle, f64::total_cmp);
    *median / (0.6745 * 8.0_f64.sqrt())
}

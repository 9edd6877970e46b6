//! The QRS complex around a mark, from scale 2².

use super::wavelet::GRID_HZ;
use super::{Found, Way, edge, maxima};

/// A flank counts from this share of the steepest one's modulus, before the steepest and after it (Martínez et al. 2004: γ).
const SIGNIFICANT: [f64; 2] = [0.06, 0.09];
/// And from so many standard deviations of the noise, as the finest scale shows it outside the complex.
const ABOVE_NOISE: f64 = 4.0;
/// The complex begins where the modulus has fallen to this share of the first flank's, rising or falling (ξ of the paper).
const ONSET: [f64; 2] = [0.05, 0.07];
/// It ends where the modulus has fallen to this share of the last flank's.
const OFFSET: f64 = 0.125;
/// Flanks of one complex follow one another within this time, in seconds.
const GAP_S: f64 = 0.068;
/// How far before and after the mark flanks are looked for, in seconds: farther lie those of the P wave and of the T wave.
const REACH_S: [f64; 2] = [0.09, 0.13];
/// The steepest flank is within this time of the mark, in seconds.
const STEEPEST_S: f64 = 0.1;
/// It is at least so many times as steep as the rest of the excerpt usually is: less is noise.
const STANDS_OUT: f64 = 3.5;

/// Looks for the complex in an excerpt that holds `band` of the grid's half rate (0 to 1; less where it was sampled more slowly); none where nothing at the mark stands out from the rest of the excerpt.
pub(super) fn find(samples: &[f64], levels: &[Vec<f64>], mark: usize, band: f64) -> Option<Found> {
    let [finest, detail, ..] = levels else { return None };
    let span = |s: f64| (s * GRID_HZ).round() as usize;
    let (from, to) = (mark.saturating_sub(span(REACH_S[0])), (mark + span(REACH_S[1])).min(detail.len()));
    let near = mark.saturating_sub(span(STEEPEST_S))..mark + span(STEEPEST_S);
    let flanks = maxima(detail, from, to);
    let steepest = flanks
        .iter()
        .copied()
        .enumerate()
        .filter(|(_, i)| near.contains(i))
        .max_by(|a, b| detail[a.1].abs().total_cmp(&detail[b.1].abs()).then(b.1.cmp(&a.1)))?;
    let largest = detail[steepest.1].abs();
    if largest < STANDS_OUT * outside(detail, from, to) {
        return None;
    }
    let noise = coarser_noise(band) * outside(finest, from, to);
    // From the steepest flank outwards, as long as significant ones follow closely.
    let chain = |side: &mut dyn Iterator<Item = usize>, share: f64| {
        let mut outermost = steepest.1;
        for i in side.filter(|&i| detail[i].abs() >= (share * largest).max(ABOVE_NOISE * noise)) {
            if i.abs_diff(outermost) > span(GAP_S) {
                break;
            }
            outermost = i;
        }
        outermost
    };
    let first = chain(&mut flanks[..steepest.0].iter().rev().copied(), SIGNIFICANT[0]);
    let last = chain(&mut flanks[steepest.0 + 1..].iter().copied(), SIGNIFICANT[1]);
    let onset = edge(detail, first, Way::Back, ONSET[usize::from(detail[first] < 0.0)], span(GAP_S));
    let offset = edge(detail, last, Way::On, OFFSET, span(GAP_S));
    let (begin, end) = (onset.map_or(first, |x| x as usize), offset.map_or(last, |x| x.ceil() as usize));
    let level = f64::midpoint(samples[begin], samples[end.min(samples.len() - 1)]);
    let height = |i: &usize| (samples[*i] - level).abs();
    let peak = (begin..=end.min(samples.len() - 1)).max_by(|a, b| height(a).total_cmp(&height(b)).then(b.cmp(a)))?;
    Some(Found { onset, peak: vertex(samples, peak), offset })
}

/// How large the transform is outside `from..to`: its standard deviation if it were Gaussian, from the median modulus, which neighbouring
/// beats and T waves hardly move. 0 where less than 100 ms are left to judge by.
fn outside(detail: &[f64], from: usize, to: usize) -> f64 {
    let mut rest: Vec<f64> = detail[..from.min(to)].iter().chain(&detail[to..]).map(|d| d.abs()).collect();
    if (rest.len() as f64) < 0.1 * GRID_HZ {
        return 0.0;
    }
    let middle = rest.len() / 2;
    *rest.select_nth_unstable_by(middle, f64::total_cmp).1 / 0.6745
}

/// What noise that is white up to `band` of half the grid's rate has at scale 2² over what it has at 2¹: the root of the ratio of the
/// integrals of the squared responses, 16 cos⁶(ω/2) sin² ω and 16 sin²(ω/2).
fn coarser_noise(band: f64) -> f64 {
    let steps = 64;
    let (coarse, fine) = (0..steps).fold((0.0, 0.0), |(coarse, fine), i| {
        let omega = std::f64::consts::PI * band.min(1.0) * (f64::from(i) + 0.5) / f64::from(steps);
        (coarse + (0.5 * omega).cos().powi(6) * omega.sin().powi(2), fine + (0.5 * omega).sin().powi(2))
    });
    (coarse / fine).sqrt()
}

/// The vertex of the parabola through an extremum and its neighbours.
pub(super) fn vertex(samples: &[f64], i: usize) -> f64 {
    let (Some(a), Some(c)) = (i.checked_sub(1).and_then(|j| samples.get(j)), samples.get(i + 1)) else { return i as f64 };
    let bend = a - 2.0 * samples[i] + c;
    if bend == 0.0 { i as f64 } else { i as f64 + (0.5 * (a - c) / bend).clamp(-0.5, 0.5) }
}

#[cfg(test)]
mod tests {
    use super::coarser_noise;

    #[test]
    fn noise_of_the_coarser_scale_follows_from_the_filters() {
        // White: the sums of squares of the filters, (1 + 9 + 4 + 4 + 9 + 1) / 16 and 8.
        assert!((coarser_noise(1.0) - (28.0_f64 / 16.0 / 8.0).sqrt()).abs() < 1e-9, "{}", coarser_noise(1.0));
        assert!((coarser_noise(0.01) - 2.0).abs() < 0.01, "slow signals double from scale to scale");
    }
}

//! What is read off one delineated beat: intervals in milliseconds, amplitudes in millivolts.

use super::delineate::Delineation;

/// The quantities of one beat; none where a wave that they need was not found.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct BeatQuantities {
    /// From the beginning of the P wave to the beginning of the QRS complex.
    pub pr_ms: Option<f64>,
    /// Duration of the QRS complex.
    pub qrs_ms: Option<f64>,
    /// From the beginning of the QRS complex to the end of the T wave.
    pub qt_ms: Option<f64>,
    /// QT / ∛RR, RR in seconds (Fridericia 1920).
    pub qtc_fridericia_ms: Option<f64>,
    /// QT / √RR, RR in seconds (Bazett 1920).
    pub qtc_bazett_ms: Option<f64>,
    /// Highest point of the QRS complex above the baseline; 0 where all of it lies below.
    pub r_mv: Option<f64>,
    /// Lowest point of the complex after that, below the baseline (negative); 0 where all of it lies above. Where the complex has no
    /// upward part (QS), its lowest point.
    pub s_mv: Option<f64>,
    /// The P wave's peak above (or, negative, below) the baseline.
    pub p_mv: Option<f64>,
    /// The T wave's peak above (or, negative, below) the baseline.
    pub t_mv: Option<f64>,
    /// ST level 60 ms after the end of the complex (the J point), above the baseline.
    pub st60_mv: Option<f64>,
    /// ST level 80 ms after the J point.
    pub st80_mv: Option<f64>,
}

/// The baseline is the mean of so many seconds before the complex begins: the end of the PR segment, which is isoelectric.
const BASELINE_S: f64 = 0.02;
/// An ST level is the mean of so many seconds either side of its instant.
const ST_MEAN_S: f64 = 0.01;

/// Reads the quantities off `samples` (millivolts, one lead) of which sample `mark` is the mark that `waves` counts from. `rr_s` is the
/// time since the beat before, for the corrected intervals; it is taken as unknown where it is not positive.
pub fn beat_quantities(
    samples: &[f32],
    sampling_frequency_hz: f64,
    mark: usize,
    waves: &Delineation,
    rr_s: Option<f64>,
) -> BeatQuantities {
    let lead = Lead { samples, rate: sampling_frequency_hz, mark };
    let Some(qrs) = waves.qrs else { return BeatQuantities::default() };
    let milliseconds = |from: Option<f64>, to: Option<f64>| Some(1000.0 * (to? - from?));
    let qt_ms = milliseconds(qrs.onset_s, waves.t.and_then(|t| t.offset_s));
    let rr = rr_s.filter(|rr| rr.is_finite() && *rr > 0.0);
    let baseline = qrs.onset_s.and_then(|onset| lead.mean(onset - BASELINE_S, onset));
    let above = |level: Option<f64>| Some(level? - baseline?);
    let deflections = qrs.onset_s.zip(qrs.offset_s).zip(baseline).and_then(|((a, b), base)| lead.deflections(a, b, base));
    let st = |after: f64| above(qrs.offset_s.and_then(|j| lead.mean(j + after - ST_MEAN_S, j + after + ST_MEAN_S)));
    BeatQuantities {
        pr_ms: milliseconds(waves.p.and_then(|p| p.onset_s), qrs.onset_s),
        qrs_ms: milliseconds(qrs.onset_s, qrs.offset_s),
        qt_ms,
        qtc_fridericia_ms: qt_ms.zip(rr).map(|(qt, rr)| qt / rr.cbrt()),
        qtc_bazett_ms: qt_ms.zip(rr).map(|(qt, rr)| qt / rr.sqrt()),
        r_mv: deflections.map(|d| d[0]),
        s_mv: deflections.map(|d| d[1]),
        p_mv: above(waves.p.and_then(|p| lead.at(p.peak_s))),
        t_mv: above(waves.t.and_then(|t| lead.at(t.peak_s))),
        st60_mv: st(0.06),
        st80_mv: st(0.08),
    }
}

/// Samples by their time from the mark.
struct Lead<'a> {
    samples: &'a [f32],
    rate: f64,
    mark: usize,
}

impl Lead<'_> {
    fn position(&self, time_s: f64) -> f64 {
        self.mark as f64 + time_s * self.rate
    }

    /// The value at a time, between samples by a straight line.
    fn at(&self, time_s: f64) -> Option<f64> {
        let position = self.position(time_s);
        let i = position.floor();
        if i.is_nan() || i < 0.0 {
            return None;
        }
        let here = f64::from(*self.samples.get(i as usize)?);
        let there = self.samples.get(i as usize + 1).map_or(here, |&x| f64::from(x));
        Some(here + (position - i) * (there - here))
    }

    /// Mean of the samples between two times, both within the excerpt; at least one sample, the nearest.
    fn mean(&self, from_s: f64, to_s: f64) -> Option<f64> {
        let (from, to) = (self.position(from_s).round(), self.position(to_s).round());
        if !(from >= 0.0 && to >= from) {
            return None;
        }
        let part = self.samples.get(from as usize..=to as usize)?;
        Some(part.iter().map(|&x| f64::from(x)).sum::<f64>() / part.len() as f64)
    }

    /// The highest point above `baseline` between two times, and the lowest after it.
    fn deflections(&self, from_s: f64, to_s: f64, baseline: f64) -> Option<[f64; 2]> {
        let (from, to) = (self.position(from_s).ceil().max(0.0), self.position(to_s).floor());
        let complex = self.samples.get(from as usize..=to.max(from) as usize)?;
        let (highest, r) = complex.iter().enumerate().fold((0, f32::MIN), |best, (i, &x)| if x > best.1 { (i, x) } else { best });
        let r = f64::from(r) - baseline;
        // A complex that only goes down has its R nowhere: the lowest point is then anywhere in it.
        let after = if r > 0.0 { &complex[highest..] } else { complex };
        let s = after.iter().fold(f32::MAX, |m, &x| m.min(x));
        Some([r.max(0.0), (f64::from(s) - baseline).min(0.0)])
    }
}

#[cfg(test)]
mod tests {
    use super::super::delineate::Wave;
    use super::*;

    /// 100 Hz, mark at sample 40; a complex from −50 to +50 ms, baseline 0.1, ST level 0.3.
    fn scene() -> (Vec<f32>, Delineation) {
        let mut samples = vec![0.1_f32; 90];
        samples[38..43].copy_from_slice(&[0.1, 0.6, 1.1, 0.2, -0.2]);
        samples[45..60].fill(0.3);
        samples[24] = 0.25;
        samples[65] = 0.5;
        let wave = |a: f64, b: f64, c: f64| Some(Wave { onset_s: Some(a), peak_s: b, offset_s: Some(c) });
        (samples, Delineation { p: wave(-0.2, -0.16, -0.12), qrs: wave(-0.05, 0.0, 0.05), t: wave(0.2, 0.25, 0.35) })
    }

    #[test]
    fn intervals_and_amplitudes_are_read_off() {
        let (samples, waves) = scene();
        let q = beat_quantities(&samples, 100.0, 40, &waves, Some(0.64));
        let close = |value: Option<f64>, expected: f64| assert!((value.unwrap() - expected).abs() < 1e-6, "{value:?} {expected}");
        close(q.pr_ms, 150.0);
        close(q.qrs_ms, 100.0);
        close(q.qt_ms, 400.0);
        close(q.qtc_bazett_ms, 500.0);
        close(q.qtc_fridericia_ms, 400.0 / 0.64_f64.cbrt());
        close(q.r_mv, 1.0);
        close(q.s_mv, -0.3);
        close(q.p_mv, 0.15);
        close(q.t_mv, 0.4);
        close(q.st60_mv, 0.2);
        close(q.st80_mv, 0.2);
    }

    #[test]
    fn what_is_missing_stays_missing() {
        let (samples, waves) = scene();
        assert_eq!(beat_quantities(&samples, 100.0, 40, &Delineation::default(), Some(1.0)), BeatQuantities::default());
        let without_t = Delineation { t: None, ..waves };
        let q = beat_quantities(&samples, 100.0, 40, &without_t, Some(f64::NAN));
        assert!(q.qt_ms.is_none() && q.t_mv.is_none() && q.qtc_bazett_ms.is_none() && q.r_mv.is_some());
        let short = beat_quantities(&samples[..50], 100.0, 40, &waves, None);
        assert!(short.st60_mv.is_none() && short.t_mv.is_none() && short.qrs_ms.is_some());
        let _ = beat_quantities(&[], f64::NAN, 40, &waves, None);
    }
}

//! QT follows RR.
//!
//! The QT interval grows with RR by about 0.154 s for each second (Sagie et al. 1992, the Framingham study), each person by a slope of
//! their own. A segment that was made for one RR interval and gets another has its ST segment and T wave drawn out or in, from the end of
//! the QRS complex on, so that QT changes by slope times the difference. Where a segment's own interval is unknown, nothing is moved.

/// Where repolarisation begins, in seconds behind the mark: the end of a QRS complex.
const BEGIN_S: f64 = 0.06;
/// QT at an RR interval of 1 s, in seconds: a resting adult's.
const QT_AT_1_S: f64 = 0.4;
/// From the beginning of the QRS complex to the mark, in seconds.
const ONSET_S: f64 = 0.04;
/// The slope holds between these RR intervals, in seconds.
const RR_S: [f64; 2] = [0.4, 1.5];
/// The least and the most by which repolarisation is drawn out.
const FACTOR: [f64; 2] = [0.8, 1.25];

/// A patient's QT and RR.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Repolarisation {
    slope: f64,
    rate: f64,
}

/// What is done to one window.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Stretch {
    /// First sample behind the mark that is moved.
    begin: f64,
    factor: f64,
}

impl Repolarisation {
    /// With this slope, in seconds per second, at a sampling frequency in hertz.
    pub(super) fn new(slope: f64, rate: f64) -> Self {
        Self { slope, rate }
    }

    /// For a window that was made for an interval of `own_s` (NaN: unknown) and gets `given_s`.
    pub(super) fn stretch(&self, own_s: f32, given_s: Option<f64>) -> Stretch {
        let begin = BEGIN_S * self.rate;
        let Some(given_s) = given_s.filter(|_| own_s > 0.0) else { return Stretch { begin, factor: 1.0 } };
        let limited = |rr: f64| rr.clamp(RR_S[0], RR_S[1]);
        let (own, given) = (limited(f64::from(own_s)), limited(given_s));
        let duration = QT_AT_1_S + self.slope * (own - 1.0) - ONSET_S - BEGIN_S;
        let factor = if duration > 0.0 { 1.0 + self.slope * (given - own) / duration } else { 1.0 };
        Stretch { begin, factor: factor.clamp(FACTOR[0], FACTOR[1]) }
    }
}

impl Stretch {
    /// Where a sample `behind` the mark comes to lie.
    pub(super) fn reach(&self, behind: usize) -> usize {
        let x = behind as f64;
        if x <= self.begin { behind } else { (self.begin + (x - self.begin) * self.factor).floor() as usize }
    }

    /// Moves what is behind sample `mark` of a window. What comes from beyond its end is its last sample; [`reach`](Self::reach) tells
    /// how far the window goes.
    pub(super) fn apply(&self, window: &mut [f32], mark: usize) {
        if self.factor == 1.0 {
            return;
        }
        let source = window.to_vec();
        let Some(&last) = source.last() else { return };
        for (x, value) in window.iter_mut().skip(mark).enumerate().skip(self.begin.ceil() as usize) {
            let from = mark as f64 + self.begin + (x as f64 - self.begin) / self.factor;
            let (index, share) = (from.floor() as usize, (from - from.floor()) as f32);
            let at = |index: usize| source.get(index).copied().unwrap_or(last);
            *value = at(index) + share * (at(index + 1) - at(index));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn qt_grows_by_the_slope() {
        let (rate, mark) = (250.0, 70);
        // A T wave whose end is 0.36 s behind the mark: QT of 0.4 s at 1 s.
        let wave = |x: f32| (-((x - 0.28) / 0.03_f32).powi(2)).exp();
        let mut window: Vec<f32> = (0..220).map(|i| wave((i as f32 - mark as f32) / rate as f32)).collect();
        let peak = |window: &[f32]| (0..220).max_by(|a, b| window[*a].total_cmp(&window[*b])).unwrap() as f64 / rate;
        let before = peak(&window);
        let stretch = Repolarisation::new(0.154, rate).stretch(1.0, Some(0.6));
        stretch.apply(&mut window, mark);
        // The end moves by 0.4 · 0.154 = 62 ms, the peak in proportion: 45 ms.
        assert!((before - peak(&window) - 0.045).abs() < 0.005, "{}", before - peak(&window));
        assert_eq!(stretch.reach(10), 10);
        assert!((stretch.reach(90) as f64 - (90.0 - 0.062 * rate)).abs() <= 1.0, "{}", stretch.reach(90));
    }

    #[test]
    fn nothing_moves_where_the_interval_is_unknown_or_the_same() {
        let patient = Repolarisation::new(0.154, 250.0);
        assert_eq!(patient.stretch(f32::NAN, Some(0.8)).factor, 1.0);
        assert_eq!(patient.stretch(0.75, None).factor, 1.0);
        assert_eq!(patient.stretch(0.75, Some(0.75)).factor, 1.0);
        assert_eq!(patient.stretch(0.2, Some(3.0)).factor, FACTOR[1]);
    }
}

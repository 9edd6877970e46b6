//! Where an axis has its ticks, and what they say.

/// Positions of ticks from `low` to `high`, at most `most` of them but two at least: multiples of 1, 2 or 5 times a power of
/// ten.
pub(crate) fn linear(low: f64, high: f64, most: usize) -> Vec<f64> {
    let span = high - low;
    if !span.is_finite() || span <= 0.0 {
        return vec![low];
    }
    let at = |step: f64| -> Vec<f64> {
        let first = (low / step - 1e-6).ceil() as i64;
        let last = (high / step + 1e-6).floor() as i64;
        (first..=last.min(first + 100)).map(|k| k as f64 * step).collect()
    };
    let power = 10_f64.powf((span / most.max(2) as f64).log10().floor());
    let mut ticks = at(power);
    for multiple in [2.0, 5.0, 10.0, 20.0, 50.0] {
        if ticks.len() <= most {
            break;
        }
        let coarser = at(multiple * power);
        if coarser.len() < 2 {
            break;
        }
        ticks = coarser;
    }
    ticks
}

/// Positions of ticks on a logarithmic axis: powers of ten, with 2 and 5 times them where there is room.
pub(crate) fn logarithmic(low: f64, high: f64, most: usize) -> Vec<f64> {
    if !(low > 0.0 && high > low && high.is_finite()) {
        return vec![low];
    }
    let (first, last) = (low.log10().floor() as i32, high.log10().ceil() as i32);
    let at = |multiples: &[f64]| -> Vec<f64> {
        let within = |v: &f64| *v >= low * 0.999 && *v <= high * 1.001;
        (first..=last).flat_map(|e| multiples.iter().map(move |m| m * 10_f64.powi(e))).filter(within).collect()
    };
    let (fine, powers) = (at(&[1.0, 2.0, 5.0]), at(&[1.0]));
    if (2..=most).contains(&fine.len()) {
        return fine;
    }
    match powers.len() {
        0 | 1 if fine.len() >= 2 => fine,
        0 | 1 => linear(low, high, most),
        n => powers.into_iter().step_by(n.div_ceil(most.max(2))).collect(),
    }
}

/// The tick at `value` of a logarithmic axis in words.
pub(crate) fn logarithmic_label(value: f64) -> String {
    if (1e-3..1e5).contains(&value) { format!("{}", (value * 1e6).round() / 1e6) } else { label(value, &[value]) }
}

/// The tick at `value` in words, given all ticks of its axis: as few digits as tell them apart.
pub(crate) fn label(value: f64, ticks: &[f64]) -> String {
    let largest = ticks.iter().fold(0.0_f64, |m, t| m.max(t.abs()));
    let step = ticks.windows(2).map(|p| (p[1] - p[0]).abs()).fold(f64::INFINITY, f64::min);
    if value == 0.0 {
        return "0".into();
    }
    if !(1e-3..1e5).contains(&largest) || (step.is_finite() && step < 1e-4) {
        let text = format!("{value:.1e}").replace(".0e", "e");
        return minus(&text);
    }
    let step = if step.is_finite() && step > 0.0 { step } else { value.abs() };
    let decimals = (0..=4_usize).find(|&d| decimal(step, d as i32)).unwrap_or(4);
    minus(&format!("{value:.decimals$}"))
}

/// Whether `value` has no digits behind the `decimals`-th.
fn decimal(value: f64, decimals: i32) -> bool {
    let scaled = value * 10_f64.powi(decimals);
    (scaled - scaled.round()).abs() < 1e-6 * scaled.abs().max(1.0) && scaled.round() != 0.0
}

/// `value` in three significant digits, for tables and labels in pictures.
pub(crate) fn significant(value: f64) -> String {
    if !value.is_finite() {
        return "–".into();
    }
    if value == 0.0 {
        return "0".into();
    }
    let exponent = value.abs().log10().floor() as i32;
    if !(-4..6).contains(&exponent) {
        return minus(&format!("{value:.2e}"));
    }
    minus(&format!("{value:.*}", (2 - exponent).max(0) as usize))
}

/// `count` in groups of three digits: `109,494`.
pub(crate) fn grouped(count: usize) -> String {
    let digits = count.to_string();
    let mut text = String::new();
    for (k, digit) in digits.chars().enumerate() {
        if k > 0 && (digits.len() - k).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

fn minus(text: &str) -> String {
    text.replace('-', "−")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn linear_ticks_are_round() {
        assert_eq!(linear(-0.31, 1.27, 4), vec![0.0, 0.5, 1.0]);
        assert_eq!(linear(-250.0, 400.0, 4), vec![-200.0, 0.0, 200.0, 400.0]);
        assert_eq!(linear(-250.0, 400.0, 2), vec![-200.0, 0.0, 200.0, 400.0], "two at least");
        assert_eq!(linear(-250.0, 400.0, 7), vec![-200.0, -100.0, 0.0, 100.0, 200.0, 300.0, 400.0]);
        assert_eq!(linear(1.0, 1.0, 5), vec![1.0]);
        assert_eq!(linear(f64::NAN, 1.0, 5).len(), 1);
    }

    #[test]
    fn logarithmic_ticks_stay_within() {
        assert_eq!(logarithmic(0.01, 100.0, 5), vec![0.01, 0.1, 1.0, 10.0, 100.0]);
        assert_eq!(logarithmic(0.3, 3.0, 5), vec![0.5, 1.0, 2.0]);
        assert_eq!(logarithmic(8e-6, 1.25e-3, 3).len(), 3);
        assert!(logarithmic(0.31, 0.36, 4).len() >= 2);
        assert!(logarithmic(1e-12, 1e12, 6).len() <= 6);
        assert_eq!([0.05, 2.0, 1e-5].map(logarithmic_label), ["0.05", "2", "1e−5"]);
    }

    #[test]
    fn labels_have_as_many_digits_as_needed() {
        let say = |ticks: &[f64]| ticks.iter().map(|&t| label(t, ticks)).collect::<Vec<_>>();
        assert_eq!(say(&[-0.5, 0.0, 0.5]), ["−0.5", "0", "0.5"]);
        assert_eq!(say(&[0.0, 100.0, 200.0]), ["0", "100", "200"]);
        assert_eq!(say(&[0.25, 0.5]), ["0.25", "0.50"]);
        assert_eq!(say(&[1e-6, 2e-6]), ["1e−6", "2e−6"]);
        assert_eq!(say(&[0.01, 0.1, 1.0]), ["0.01", "0.10", "1.00"]);
    }

    #[test]
    fn numbers_for_readers() {
        assert_eq!(significant(0.123_45), "0.123");
        assert_eq!(significant(-1234.5), "−1234");
        assert_eq!(significant(f64::NAN), "–");
        assert_eq!(grouped(109_494), "109,494");
        assert_eq!(grouped(415), "415");
    }
}

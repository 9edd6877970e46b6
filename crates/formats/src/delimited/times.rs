//! The sampling frequency that a column of times tells.

use super::CsvProblem;

/// What a column of times has shown. Not all of them are kept: the one that is furthest off a line, whatever its slope, is a corner
/// of the convex hull of all (index, time).
#[derive(Debug, Clone, Default)]
pub(super) struct Times {
    count: usize,
    first: f64,
    last: f64,
    /// Corners of the hull, from left to right, with all times below or on it.
    upper: Vec<(usize, f64)>,
    /// The same with all times above.
    lower: Vec<(usize, f64)>,
}

/// Seconds in a cell: a number in `unit_s` seconds each, or `[H:]MM:SS[.f]`.
pub(super) fn seconds(cell: &str, unit_s: f64) -> Option<f64> {
    if cell.contains(':') {
        let parts = cell.split(':').map(|part| part.trim().parse::<f64>().ok().filter(|part| *part >= 0.0));
        return parts.collect::<Option<Vec<f64>>>().map(|parts| parts.iter().fold(0.0, |sum, part| sum * 60.0 + part));
    }
    cell.parse::<f64>().ok().filter(|value| value.is_finite()).map(|value| value * unit_s)
}

/// Seconds that one unit of a time column is, by the column's name; `None` where it is no time column.
pub(super) fn unit_of(name: &str) -> Option<f64> {
    let name = name.to_lowercase();
    let word = name.trim_end_matches([')', ']']).replace(['(', '[', ' '], "_");
    let word = word.split('_').filter(|part| !part.is_empty()).collect::<Vec<_>>().join("_");
    match word.as_str() {
        "time_s" | "time" | "t" | "t_s" | "s" | "sec" | "seconds" | "elapsed_time" | "time_sec" | "time_seconds"
        | "timestamp" => Some(1.0),
        "time_ms" | "t_ms" | "ms" | "milliseconds" | "time_milliseconds" => Some(1e-3),
        "time_us" | "t_us" | "us" => Some(1e-6),
        _ => None,
    }
}

impl Times {
    pub(super) fn push(&mut self, seconds: f64) {
        if self.count == 0 {
            self.first = seconds;
        }
        self.last = seconds;
        corner(&mut self.upper, (self.count, seconds), 1.0);
        corner(&mut self.lower, (self.count, seconds), -1.0);
        self.count += 1;
    }

    /// Samples per second. Times have to be evenly spaced, as far as their digits say; the roundest frequency that agrees with them
    /// is taken.
    pub(super) fn rate(&self) -> Result<f64, CsvProblem> {
        let steps = self.count.saturating_sub(1);
        let span = self.last - self.first;
        if steps == 0 || span <= 0.0 || !span.is_finite() {
            return Err(CsvProblem::FewTimes);
        }
        let step = span / steps as f64;
        let mut furthest = (0.0_f64, 0);
        for &(index, time) in self.upper.iter().chain(&self.lower) {
            let off = (time - (self.first + index as f64 * step)).abs();
            if off > furthest.0 {
                furthest = (off, index);
            }
        }
        if furthest.0 >= 0.75 * step {
            return Err(CsvProblem::Uneven { row: furthest.1, off_s: furthest.0, step_s: step });
        }
        let rate = 1.0 / step;
        let tolerance = 2.0 * furthest.0 + 1e-9 * span;
        let round = [1.0, 10.0, 100.0, 1e3, 1e4, 1e5].map(|parts| (rate * parts).round() / parts);
        let agrees = |rate: &&f64| **rate > 0.0 && (steps as f64 / **rate - span).abs() <= tolerance;
        Ok(round.iter().find(agrees).copied().unwrap_or(rate))
    }
}

/// Adds a time to a hull, and drops the corners that it puts inside: those not above the line past them, where `side` is 1.
fn corner(hull: &mut Vec<(usize, f64)>, new: (usize, f64), side: f64) {
    while let [.., before, last] = hull[..] {
        let rise = |from: (usize, f64), to: (usize, f64)| ((to.0 - from.0) as f64, side * (to.1 - from.1));
        let (whole, part) = (rise(before, new), rise(before, last));
        if part.1 * whole.0 > whole.1 * part.0 {
            break;
        }
        hull.pop();
    }
    hull.push(new);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rate(times: impl IntoIterator<Item = f64>) -> Result<f64, CsvProblem> {
        let mut found = Times::default();
        for seconds in times {
            found.push(seconds);
        }
        found.rate()
    }

    #[test]
    fn rates_from_times() {
        assert_eq!(rate((0..1_000).map(|i| f64::from(i) / 360.0)).unwrap(), 360.0);
        // To the millisecond.
        assert_eq!(rate((0..1_000).map(|i| (f64::from(i) / 360.0 * 1e3).round() / 1e3)).unwrap(), 360.0);
        assert_eq!(rate((0..50).map(|i| 7.0 + f64::from(i) / 12.8)).unwrap(), 12.8);
        assert_eq!(rate([0.0, 4.0]).unwrap(), 0.25);
        assert!(matches!(rate([0.0, 1.0, 2.0, 9.0, 10.0, 11.0]), Err(CsvProblem::Uneven { .. })));
        assert!(matches!(rate([3.0]), Err(CsvProblem::FewTimes)));
        assert!(matches!(rate([3.0, 3.0]), Err(CsvProblem::FewTimes)));
    }

    #[test]
    fn few_times_are_kept_and_the_furthest_is_found() {
        let mut times = Times::default();
        for i in 0..1_000_000_u32 {
            // To the millisecond; one of them two and a half milliseconds late.
            times.push((f64::from(i) / 360.0 * 1e3).round() / 1e3 + if i == 777_777 { 0.0025 } else { 0.0 });
        }
        assert!(times.upper.len() + times.lower.len() < 200, "{} {}", times.upper.len(), times.lower.len());
        let Err(CsvProblem::Uneven { row, off_s, .. }) = times.rate() else { panic!("{times:?}") };
        assert!(row == 777_777 && (off_s - 0.0025).abs() < 6e-4, "{row} {off_s}");
    }

    #[test]
    fn what_is_kept_tells_what_all_times_would() {
        let mut state = 7_u32;
        let mut random = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            f64::from(state) / f64::from(u32::MAX)
        };
        for jitter in [0.0, 1e-4, 0.3, 0.7, 1.2] {
            let seconds: Vec<f64> = (0..500).map(|i| f64::from(i) + jitter * random()).collect();
            let step = (seconds[499] - seconds[0]) / 499.0;
            let off = |(index, time): (usize, &f64)| (time - (seconds[0] + index as f64 * step)).abs();
            let furthest = seconds.iter().enumerate().map(off).fold(0.0, f64::max);
            let mut times = Times::default();
            for &time in &seconds {
                times.push(time);
            }
            match times.rate() {
                Err(CsvProblem::Uneven { off_s, .. }) => assert!(off_s == furthest && off_s >= 0.75 * step, "{jitter}: {off_s}"),
                found => assert!(found.is_ok() && furthest < 0.75 * step, "{jitter}: {found:?} {furthest}"),
            }
        }
    }

    #[test]
    fn times_in_the_forms_that_files_have() {
        assert_eq!(
            (seconds("1.5", 1e-3), seconds("1:02.5", 1.0), seconds("1:00:00", 1.0)),
            (Some(0.0015), Some(62.5), Some(3600.0))
        );
        assert_eq!((seconds("x", 1.0), seconds("nan", 1.0), seconds("1:x", 1.0)), (None, None, None));
        for (name, unit) in [("time_s", 1.0), ("Time (ms)", 1e-3), ("Elapsed time", 1.0), ("t [s]", 1.0)] {
            assert_eq!(unit_of(name), Some(unit), "{name}");
        }
        assert_eq!((unit_of("MLII"), unit_of("timer")), (None, None));
    }
}

//! The sampling frequency that a column of times tells.

use super::CsvProblem;

/// What a column of times has shown.
#[derive(Debug, Clone, Default)]
pub(super) struct Times {
    seconds: Vec<f64>,
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
        self.seconds.push(seconds);
    }

    /// Samples per second, and the time of the first sample. Times have to be evenly spaced, as far as their digits say; the
    /// roundest frequency that agrees with them is taken.
    pub(super) fn rate(&self) -> Result<(f64, f64), CsvProblem> {
        let (Some(&first), Some(&last)) = (self.seconds.first(), self.seconds.last()) else { return Err(CsvProblem::FewTimes) };
        let steps = self.seconds.len() - 1;
        let span = last - first;
        if steps == 0 || span <= 0.0 || !span.is_finite() {
            return Err(CsvProblem::FewTimes);
        }
        let step = span / steps as f64;
        let mut furthest = (0.0_f64, 0);
        for (index, &time) in self.seconds.iter().enumerate() {
            let off = (time - (first + index as f64 * step)).abs();
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
        Ok((round.iter().find(agrees).copied().unwrap_or(rate), first))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rate(times: impl IntoIterator<Item = f64>) -> Result<f64, CsvProblem> {
        Times { seconds: times.into_iter().collect() }.rate().map(|(rate, _)| rate)
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

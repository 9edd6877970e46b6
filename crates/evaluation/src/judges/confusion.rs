//! Who was taken for what.

/// Counts of examples by actual and predicted class.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Confusion {
    /// `[actual][predicted]`; rows may outnumber columns where a class was not taught.
    pub counts: Vec<Vec<f64>>,
}

impl Confusion {
    /// Nothing counted yet.
    pub fn new(actual: usize, predicted: usize) -> Self {
        Self { counts: vec![vec![0.0; predicted]; actual] }
    }

    /// Adds `count` examples.
    pub fn add(&mut self, actual: usize, predicted: usize, count: f64) {
        if let Some(cell) = self.counts.get_mut(actual).and_then(|row| row.get_mut(predicted)) {
            *cell += count;
        }
    }

    /// Adds another's counts.
    pub fn merge(&mut self, other: &Self) {
        for (row, more) in self.counts.iter_mut().zip(&other.counts) {
            for (cell, count) in row.iter_mut().zip(more) {
                *cell += count;
            }
        }
    }

    /// Every count times `factor`.
    #[must_use]
    pub fn scaled(mut self, factor: f64) -> Self {
        self.counts.iter_mut().flatten().for_each(|cell| *cell *= factor);
        self
    }

    /// The same shares of each actual class with `totals[actual]` examples of it: what the counts would be where classes are as
    /// frequent as elsewhere. A class that has no example stays empty.
    #[must_use]
    pub fn with_totals(mut self, totals: &[f64]) -> Self {
        for (row, total) in self.counts.iter_mut().zip(totals) {
            let sum: f64 = row.iter().sum();
            if sum > 0.0 {
                for cell in row.iter_mut() {
                    *cell *= total / sum;
                }
            }
        }
        self
    }

    /// Share of the examples of `class` that were found (recall). None where there are none.
    pub fn sensitivity(&self, class: usize) -> Option<f64> {
        let row = self.counts.get(class)?;
        let all: f64 = row.iter().sum();
        (all > 0.0).then(|| row[class] / all)
    }

    /// Share of what was taken for `class` that is of it (precision), among the taught classes. None where nothing was.
    pub fn predictivity(&self, class: usize) -> Option<f64> {
        let all: f64 = self.taught().map(|row| row[class]).sum();
        (all > 0.0).then(|| self.counts[class][class] / all)
    }

    /// F1 of `class`, 2TP / (2TP + FP + FN), among the taught classes; 0 where nothing was found.
    pub fn f1(&self, class: usize) -> f64 {
        let found = self.counts[class][class];
        let actual: f64 = self.counts[class].iter().sum();
        let taken: f64 = self.taught().map(|row| row[class]).sum();
        if actual + taken > 0.0 { 2.0 * found / (actual + taken) } else { 0.0 }
    }

    /// Mean F1 over the taught classes.
    pub fn macro_f1(&self) -> f64 {
        let classes = self.taught().count();
        (0..classes).map(|class| self.f1(class)).sum::<f64>() / classes.max(1) as f64
    }

    /// Rows of the classes that were taught: the first ones, as many as there are columns.
    fn taught(&self) -> impl Iterator<Item = &Vec<f64>> {
        self.counts.iter().take(self.counts.first().map_or(0, Vec::len))
    }
}

#[cfg(test)]
mod tests {
    use super::Confusion;

    fn example() -> Confusion {
        Confusion { counts: vec![vec![8.0, 2.0], vec![1.0, 3.0], vec![5.0, 5.0]] }
    }

    #[test]
    fn rates_leave_out_classes_that_were_not_taught() {
        let c = example();
        assert_eq!((c.sensitivity(0), c.predictivity(0)), (Some(0.8), Some(8.0 / 9.0)));
        assert_eq!((c.sensitivity(1), c.predictivity(1)), (Some(0.75), Some(0.6)));
        assert!((c.f1(0) - 16.0 / 19.0).abs() < 1e-12 && (c.f1(1) - 6.0 / 9.0).abs() < 1e-12);
        assert!((c.macro_f1() - f64::midpoint(16.0 / 19.0, 6.0 / 9.0)).abs() < 1e-12);
        assert_eq!(Confusion::new(2, 2).macro_f1(), 0.0);
    }

    #[test]
    fn totals_change_frequencies_and_leave_sensitivities() {
        let c = example().with_totals(&[100.0, 4.0, 0.0]);
        assert_eq!(c.counts[0], [80.0, 20.0]);
        assert_eq!(c.counts[1], [1.0, 3.0]);
        assert_eq!(c.sensitivity(0), example().sensitivity(0));
    }
}

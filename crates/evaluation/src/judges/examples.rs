//! What a classifier is told of a segment.

use std::collections::BTreeMap;

use rayon::prelude::*;

use crate::pool::Pool;

/// Stretches of a segment whose means stand for it in the table, per channel.
const MEANS: usize = 42;
/// The same where real is to be told from synthetic: finer, since that is a matter of detail.
const FINE_MEANS: usize = 64;
/// Stretches whose mean steps from sample to sample stand for how restless it is there, per channel.
const STEPS: usize = 12;
/// Facts of the intervals between beats.
const INTERVALS: usize = 4;
/// Segments of a subject that its typical segment is made of at most, spread evenly over all.
const TYPICAL_OF: usize = 500;

/// Rows of equal length.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Table {
    rows: usize,
    columns: usize,
    values: Vec<f32>,
}

impl Table {
    /// Of row-major `values`; an unfinished last row is dropped.
    pub fn new(columns: usize, mut values: Vec<f32>) -> Self {
        let rows = values.len() / columns.max(1);
        values.truncate(rows * columns);
        Self { rows, columns, values }
    }

    fn of_rows(rows: Vec<Vec<f32>>) -> Self {
        let (count, columns) = (rows.len(), rows.first().map_or(0, Vec::len));
        Self { rows: count, columns, values: rows.into_iter().flatten().collect() }
    }

    /// How many rows.
    pub fn len(&self) -> usize {
        self.rows
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// Values per row.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// Row `i`.
    ///
    /// # Panics
    /// Where `i` is not below [`len`](Self::len).
    pub fn row(&self, i: usize) -> &[f32] {
        &self.values[i * self.columns..(i + 1) * self.columns]
    }

    /// All rows in order.
    pub fn rows(&self) -> impl Iterator<Item = &[f32]> + Clone {
        (0..self.rows).map(|i| self.row(i))
    }

    /// The rows at `indices`, in that order.
    #[must_use]
    pub fn select(&self, indices: &[usize]) -> Self {
        let values = indices.iter().flat_map(|&i| self.row(i)).copied().collect();
        Self { rows: indices.len(), columns: self.columns, values }
    }

    /// Adds the rows of `other`, which has as many columns.
    pub fn append(&mut self, other: &Self) {
        debug_assert!(self.is_empty() || self.columns == other.columns);
        self.columns = other.columns;
        self.rows += other.rows;
        self.values.extend_from_slice(&other.values);
    }
}

/// Segments as classifiers see them: networks look at `signals` and `facts`, forests at `columns`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Examples {
    /// The curves, `[example, time × channel]`; without columns where they were not asked for.
    pub signals: Table,
    /// Channels of `signals`: samples of one instant lie side by side. Curves relative to a subject's typical one come behind those
    /// that are not, as channels of their own.
    pub channels: usize,
    /// What is known besides the curve (intervals between beats, likeness to the subject's typical segment), NaN where unknown.
    pub facts: Table,
    /// Curve and facts as one row for classifiers that know no time; NaN where unknown.
    pub columns: Table,
    /// How many of the last columns speak of intervals between beats: few, and for some classes all that counts.
    pub intervals: usize,
}

impl Examples {
    /// How many.
    pub fn len(&self) -> usize {
        self.columns.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.columns.is_empty()
    }

    /// Those at `indices`, in that order.
    #[must_use]
    pub fn select(&self, indices: &[usize]) -> Self {
        Self {
            signals: self.signals.select(indices),
            channels: self.channels,
            facts: self.facts.select(indices),
            columns: self.columns.select(indices),
            intervals: self.intervals,
        }
    }

    /// Adds those of `other`, described in the same way.
    pub fn append(&mut self, other: &Self) {
        self.channels = other.channels;
        self.signals.append(&other.signals);
        self.facts.append(&other.facts);
        self.columns.append(&other.columns);
        self.intervals = other.intervals;
    }
}

/// What descriptions of segments for utility classifiers contain. Both sides of a comparison are described alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Described {
    /// Intervals to the beats before and after, their sum (as long as two usual ones where an early beat is followed by a full
    /// pause) and their ratio.
    pub rr: bool,
    /// Curves and intervals relative to the subject's typical ones, which takes sets whose subjects have several segments each.
    pub subjects: bool,
    /// Whether [`Examples::signals`] is wanted: only networks look at it, and it is the largest part.
    pub curves: bool,
}

/// Describes segments for utility classifiers.
///
/// With `subjects`, a subject's typical segment is the median over its segments, sample by sample, and its amplitude that one's
/// range in each channel; curves are divided by the amplitude, and given with and without the typical segment taken off. That is
/// learnt from the subject's segments alone, without their classes, and so works for subjects never seen before. Intervals are
/// divided by the subject's mean interval (de Chazal et al. 2004), which pauses lengthen, so that a subject whose beats are mostly
/// early still has early ones. Without `subjects`, a curve is divided by its own range, which becomes a fact.
///
/// `weights` (one per segment) say how much each counts in a median: a set in which rare classes are as frequent as common ones
/// would otherwise have medians that no real subject has.
pub fn describe(pool: &Pool, channels: usize, described: Described, weights: &[f64]) -> Examples {
    let mut of_subject: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (i, subject) in pool.subjects.iter().enumerate() {
        of_subject.entry(if described.subjects { subject } else { "" }).or_default().push(i);
    }
    let groups: Vec<(&str, Vec<usize>)> = of_subject.into_iter().collect();
    let typical: Vec<Typical> = groups.par_iter().map(|(_, members)| Typical::of(pool, members, channels, weights)).collect();
    let mut group_of = vec![0; pool.len()];
    for (group, (_, members)) in groups.iter().enumerate() {
        for &i in members {
            group_of[i] = group;
        }
    }
    let rows: Vec<_> = (0..pool.len())
        .into_par_iter()
        .map(|i| typical[group_of[i]].describe(pool.segment(i), pool.rr_s[i], channels, described))
        .collect();
    let gathered = gather(rows, if described.subjects { 2 * channels } else { channels });
    Examples { intervals: if described.rr { INTERVALS } else { 0 }, ..gathered }
}

/// Describes segments for telling real from synthetic: curves in physical units, how restless they are from sample to sample and
/// in their slope, stretch by stretch, and nothing that a generator takes over from its source, such as intervals.
pub fn plain(pool: &Pool, channels: usize, curves: bool) -> Examples {
    let rows: Vec<_> = (0..pool.len())
        .into_par_iter()
        .map(|i| {
            let segment = pool.segment(i);
            let mut columns = means(segment, channels, FINE_MEANS);
            columns.extend(restlessness(segment, channels, 1));
            columns.extend(restlessness(segment, channels, 2));
            (if curves { segment.to_vec() } else { Vec::new() }, Vec::new(), columns)
        })
        .collect();
    gather(rows, channels)
}

type Row = (Vec<f32>, Vec<f32>, Vec<f32>);

fn gather(rows: Vec<Row>, channels: usize) -> Examples {
    let (mut signals, mut facts, mut columns) = (Vec::new(), Vec::new(), Vec::new());
    for (signal, fact, column) in rows {
        signals.push(signal);
        facts.push(fact);
        columns.push(column);
    }
    let [signals, facts, columns] = [signals, facts, columns].map(Table::of_rows);
    Examples { signals, channels, facts, columns, intervals: 0 }
}

/// What is usual for a subject.
struct Typical {
    segment: Vec<f32>,
    /// Per channel.
    amplitude: Vec<f32>,
    rr_s: f32,
}

impl Typical {
    fn of(pool: &Pool, members: &[usize], channels: usize, weights: &[f64]) -> Self {
        let step = members.len().div_ceil(TYPICAL_OF).max(1);
        let some: Vec<usize> = members.iter().copied().step_by(step).collect();
        let mut values = Vec::with_capacity(some.len());
        let mut median = |value: &dyn Fn(usize) -> f32| {
            values.clear();
            values.extend(some.iter().map(|&i| (value(i), weights[i])).filter(|(x, _)| x.is_finite()));
            weighted_median(&mut values)
        };
        let segment: Vec<f32> = (0..pool.length()).map(|t| median(&|i| pool.segment(i)[t]).unwrap_or(0.0)).collect();
        let known = members.iter().map(|&i| (pool.rr_s[i][0], weights[i])).filter(|(rr, _)| rr.is_finite() && *rr > 0.0);
        let (sum, weight) = known.fold((0.0, 0.0), |(sum, all), (rr, weight)| (sum + f64::from(rr) * weight, all + weight));
        let rr_s = (sum / weight) as f32;
        Self { amplitude: ranges(&segment, channels), segment, rr_s }
    }

    fn describe(&self, segment: &[f32], rr_s: [f32; 2], channels: usize, described: Described) -> Row {
        let own = ranges(segment, channels);
        let amplitude = if described.subjects { &self.amplitude } else { &own };
        let scaled: Vec<f32> = segment.iter().enumerate().map(|(at, x)| x / amplitude[at % channels]).collect();
        let mut columns = means(&scaled, channels, MEANS);
        columns.extend(restlessness(&scaled, channels, 1));
        let mut curve = if described.curves { scaled } else { Vec::new() };
        let mut facts = Vec::new();
        let rr_unit = if described.subjects {
            let off: Vec<f32> =
                segment.iter().zip(&self.segment).enumerate().map(|(at, (x, y))| (x - y) / amplitude[at % channels]).collect();
            columns.extend(means(&off, channels, MEANS));
            let both = curve.chunks_exact(channels).zip(off.chunks_exact(channels));
            curve = both.flat_map(|(scaled, off)| scaled.iter().chain(off)).copied().collect();
            for channel in 0..channels {
                let (likeness, distance) = likeness(segment, &self.segment, channel, channels);
                facts.extend([likeness, distance, own[channel] / amplitude[channel]]);
            }
            self.rr_s
        } else {
            facts.extend(&own);
            1.0
        };
        if described.rr {
            facts.extend([rr_s[0] / rr_unit, rr_s[1] / rr_unit, (rr_s[0] + rr_s[1]) / rr_unit, rr_s[0] / rr_s[1]]);
        }
        columns.extend(&facts);
        (curve, facts, columns)
    }
}

/// The value with half of the weight on either side. None of nothing.
fn weighted_median(values: &mut [(f32, f64)]) -> Option<f32> {
    values.sort_by(|a, b| a.0.total_cmp(&b.0));
    let half = values.iter().map(|(_, weight)| weight).sum::<f64>() / 2.0;
    let mut below = 0.0;
    for (value, weight) in values.iter() {
        below += weight;
        if below >= half {
            return Some(*value);
        }
    }
    values.last().map(|(value, _)| *value)
}

/// Highest minus lowest value of each channel; 1 where that is 0, so that it can divide.
fn ranges(segment: &[f32], channels: usize) -> Vec<f32> {
    (0..channels)
        .map(|channel| {
            let values = segment.iter().skip(channel).step_by(channels).copied();
            let range = values.clone().fold(f32::NEG_INFINITY, f32::max) - values.fold(f32::INFINITY, f32::min);
            if range.is_finite() && range > 0.0 { range } else { 1.0 }
        })
        .collect()
}

/// Correlation of a channel with the typical one, and distance from it relative to its size.
fn likeness(segment: &[f32], typical: &[f32], channel: usize, channels: usize) -> (f32, f32) {
    let pairs = || segment.iter().zip(typical).skip(channel).step_by(channels).map(|(&x, &y)| (f64::from(x), f64::from(y)));
    let n = pairs().count().max(1) as f64;
    let (mx, my) = pairs().fold((0.0, 0.0), |(a, b), (x, y)| (a + x / n, b + y / n));
    let (mut xy, mut xx, mut yy, mut dd, mut size) = (0.0, 0.0, 0.0, 0.0, 0.0);
    for (x, y) in pairs() {
        xy += (x - mx) * (y - my);
        xx += (x - mx).powi(2);
        yy += (y - my).powi(2);
        dd += (x - y).powi(2);
        size += y * y;
    }
    ((xy / (xx * yy).sqrt()) as f32, (dd / size).sqrt() as f32)
}

/// Means over `count` stretches of each channel, or the samples themselves where there are no more of them.
fn means(segment: &[f32], channels: usize, count: usize) -> Vec<f32> {
    let time = segment.len() / channels.max(1);
    let count = count.min(time);
    (0..channels).flat_map(|channel| stretches(time, count, |t| segment[t * channels + channel])).collect()
}

/// Mean absolute difference of the given order between neighbouring samples, over [`STEPS`] stretches of each channel.
fn restlessness(segment: &[f32], channels: usize, order: usize) -> Vec<f32> {
    let time = (segment.len() / channels.max(1)).saturating_sub(order);
    let count = STEPS.min(time);
    let at = |t: usize, channel: usize| segment[t * channels + channel];
    (0..channels)
        .flat_map(|channel| {
            stretches(time, count, |t| match order {
                1 => (at(t + 1, channel) - at(t, channel)).abs(),
                _ => (at(t + 2, channel) - 2.0 * at(t + 1, channel) + at(t, channel)).abs(),
            })
        })
        .collect()
}

fn stretches(time: usize, count: usize, value: impl Fn(usize) -> f32) -> Vec<f32> {
    (0..count)
        .map(|i| {
            let stretch = time * i / count..time * (i + 1) / count;
            let n = stretch.len().max(1) as f32;
            stretch.map(&value).sum::<f32>() / n
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians_count_weights() {
        assert_eq!(weighted_median(&mut [(3.0, 1.0), (1.0, 1.0), (2.0, 1.0)]), Some(2.0));
        assert_eq!(weighted_median(&mut [(3.0, 5.0), (1.0, 1.0), (2.0, 1.0)]), Some(3.0));
        assert_eq!(weighted_median(&mut []), None);
    }

    #[test]
    fn stretches_cover_all_samples_once() {
        assert_eq!(means(&[1.0, 3.0, 5.0, 7.0, 9.0], 1, 2), [2.0, 7.0]);
        assert_eq!(means(&[1.0, 10.0, 2.0, 20.0], 2, 8), [1.0, 2.0, 10.0, 20.0]);
        let steps = restlessness(&[0.0, 1.0, 0.0, 1.0], 1, 1);
        assert_eq!(steps, [1.0; 3]);
        assert_eq!(restlessness(&[0.0, 1.0, 0.0, 1.0], 1, 2), [2.0; 2]);
    }

    #[test]
    fn likeness_of_a_multiple_is_one() {
        let (r, d) = likeness(&[2.0, 4.0, 6.0], &[1.0, 2.0, 3.0], 0, 1);
        assert!((r - 1.0).abs() < 1e-6 && (d - 1.0).abs() < 1e-6);
    }
}

//! A random forest (Breiman 2001) over columns cut into quantile bins.
//!
//! Written here because the crates at hand lack what judges need: smartcore 0.7 grows its trees one after the other and weighs
//! all examples alike, linfa-ensemble 0.8 votes without probabilities and stands on another ndarray. Bins make a split a pass
//! over counts instead of a sort, and cost no accuracy that could be measured (`tests/forest_sklearn.rs`).

use physiosynth_signal::Seed;
use rand::{Rng, RngExt};
use rayon::prelude::*;

use super::{Classifier, Examples, Fitted, Table};

/// Bins of a column, the one of missing values left out: a bin's number fits a byte.
const BINS: usize = 128;

/// Rows whose trees are walked together, so that a tree stays in cache for them.
const ROWS_TOGETHER: usize = 128;

/// Of so few examples the bins are sorted; of more, all bins are gone through.
const SORTED_UP_TO: usize = 64;

/// A random forest: Gini impurity, √lots columns tried at each split, bootstrap samples, classes weighted equal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Forest {
    /// Trees.
    pub trees: usize,
    /// Fewest examples in a leaf.
    pub leaf: usize,
    /// How many lots each column of [`Examples::intervals`] has where the columns tried at a split are drawn, others having one. With
    /// one lot they would drown among the columns of the curve.
    pub interval_lots: usize,
}

impl Forest {
    /// The usual forest of `trees` trees. Leaves of two or more and four lots: chosen on subjects of MIT-BIH's DS1 left out in turn.
    pub fn new(trees: usize) -> Self {
        Self { trees, leaf: 2, interval_lots: 4 }
    }
}

impl Classifier for Forest {
    fn name(&self) -> &'static str {
        "forest"
    }

    fn fit(&self, examples: &Examples, labels: &[usize], classes: usize, seed: Seed, purpose: &str) -> Box<dyn Fitted> {
        let table = &examples.columns;
        let binned = Binned::new(table);
        let mut counts = vec![0_usize; classes];
        for &label in labels {
            counts[label] += 1;
        }
        let weights = counts.iter().map(|&n| 1.0 / n.max(1) as f64).collect::<Vec<_>>();
        let lots = lots(table.columns(), examples.intervals, self.interval_lots);
        let growing = Growing { binned: &binned, labels, weights: &weights, leaf: self.leaf.max(1), lots: &lots };
        let purpose = format!("evaluation/forest/{purpose}");
        let trees = (0..self.trees).into_par_iter().map(|tree| growing.tree(&mut seed.stream(&purpose, tree as u64))).collect();
        Box::new(Grown { trees, classes })
    }
}

/// Each column once, the last `intervals` `each` times.
fn lots(columns: usize, intervals: usize, each: usize) -> Vec<usize> {
    let curve = columns.saturating_sub(intervals);
    (0..curve).chain((curve..columns).flat_map(|column| std::iter::repeat_n(column, each))).collect()
}

/// A table's columns cut into bins. Bin 0 is of missing values, bin `b` of values up to `edges[b − 1]`.
struct Binned {
    rows: usize,
    /// `[column][row]`.
    bins: Vec<Vec<u8>>,
    /// Upper edges per column, increasing; the last bin has none.
    edges: Vec<Vec<f32>>,
}

impl Binned {
    fn new(table: &Table) -> Self {
        let (bins, edges) = (0..table.columns())
            .into_par_iter()
            .map(|column| {
                let mut values: Vec<f32> = table.rows().map(|row| row[column]).filter(|x| x.is_finite()).collect();
                values.sort_by(f32::total_cmp);
                let mut edges: Vec<f32> = Vec::with_capacity(BINS - 1);
                for cut in 1..BINS {
                    let at = cut * values.len() / BINS;
                    // Between a value and the next different one, so that equal values share a bin.
                    let Some(&below) = at.checked_sub(1).and_then(|i| values.get(i)) else { continue };
                    let Some(&above) = values[at..].iter().find(|&&x| x > below) else { break };
                    let edge = below + (above - below) / 2.0;
                    if edges.last().is_none_or(|&last| edge > last) {
                        edges.push(edge);
                    }
                }
                let bin = |x: f32| if x.is_finite() { 1 + edges.partition_point(|&edge| edge < x) as u8 } else { 0 };
                (table.rows().map(|row| bin(row[column])).collect(), edges)
            })
            .unzip();
        Self { rows: table.len(), bins, edges }
    }
}

const LEAF: u32 = u32::MAX;

/// A split, or a leaf.
#[derive(Debug, Clone, Copy)]
struct Node {
    /// What is asked about, or [`LEAF`].
    column: u32,
    /// Values above it go to the second child.
    threshold: f32,
    /// The first child, the second behind it; of a leaf, where its shares begin.
    next: u32,
}

#[derive(Debug, Default)]
struct Tree {
    nodes: Vec<Node>,
    /// `[leaf, class]`.
    shares: Vec<f32>,
}

struct Growing<'a> {
    binned: &'a Binned,
    labels: &'a [usize],
    weights: &'a [f64],
    leaf: usize,
    /// The columns to draw from.
    lots: &'a [usize],
}

/// A way to part a node's examples.
struct Split {
    column: usize,
    /// Bins up to this go to the first child.
    bin: u8,
    purity: f64,
}

impl Growing<'_> {
    fn tree(&self, rng: &mut impl Rng) -> Tree {
        let n = self.binned.rows;
        let mut rows: Vec<u32> = (0..n).map(|_| rng.random_range(0..n.max(1)) as u32).collect();
        // In order of memory.
        rows.sort_unstable();
        let mut order = self.lots.to_vec();
        let mut tree = Tree { nodes: vec![Node { column: LEAF, threshold: 0.0, next: 0 }], shares: Vec::new() };
        let mut open = vec![(0, 0, n)];
        let mut room = Room::new(self.weights.len());
        while let Some((node, from, to)) = open.pop() {
            match self.split(&rows[from..to], &mut order, &mut room, rng) {
                None => self.close(&mut tree, node, &rows[from..to]),
                Some(split) => {
                    let bins = &self.binned.bins[split.column];
                    let (first, second): (Vec<u32>, Vec<u32>) =
                        rows[from..to].iter().partition(|&&row| bins[row as usize] <= split.bin);
                    let middle = from + first.len();
                    rows[from..middle].copy_from_slice(&first);
                    rows[middle..to].copy_from_slice(&second);
                    let next = tree.nodes.len();
                    // Bin 0 alone: everything that is a number goes to the second child.
                    let edge = usize::from(split.bin).checked_sub(1).map(|edge| self.binned.edges[split.column][edge]);
                    tree.nodes[node] =
                        Node { column: split.column as u32, threshold: edge.unwrap_or(f32::NEG_INFINITY), next: next as u32 };
                    tree.nodes.extend([Node { column: LEAF, threshold: 0.0, next: 0 }; 2]);
                    open.push((next + 1, middle, to));
                    open.push((next, from, middle));
                }
            }
        }
        tree
    }

    fn close(&self, tree: &mut Tree, node: usize, rows: &[u32]) {
        let mut shares = vec![0.0_f64; self.weights.len()];
        for &row in rows {
            let label = self.labels[row as usize];
            shares[label] += self.weights[label];
        }
        let sum: f64 = shares.iter().sum();
        tree.nodes[node].next = tree.shares.len() as u32;
        tree.shares.extend(shares.iter().map(|share| if sum > 0.0 { (share / sum) as f32 } else { 1.0 / shares.len() as f32 }));
    }

    /// The purest split on columns of √lots lots drawn at random; on more where none of those parts the examples at all.
    fn split(&self, rows: &[u32], order: &mut [usize], room: &mut Room, rng: &mut impl Rng) -> Option<Split> {
        let first = self.labels[*rows.first()? as usize];
        if rows.len() < 2 * self.leaf || rows.iter().all(|&row| self.labels[row as usize] == first) {
            return None;
        }
        room.all.fill(0.0);
        for &row in rows {
            let label = self.labels[row as usize];
            room.all[label] += self.weights[label];
        }
        let wanted = (order.len() as f64).sqrt().ceil() as usize;
        let (mut tried, mut best): (usize, Option<Split>) = (0, None);
        for at in 0..order.len() {
            if tried == wanted {
                break;
            }
            order.swap(at, rng.random_range(at..order.len()));
            let found = if rows.len() <= SORTED_UP_TO {
                self.best_of_few(order[at], rows, room)
            } else {
                self.best_of_many(order[at], rows, room)
            };
            let Some(split) = found else { continue };
            tried += 1;
            if best.as_ref().is_none_or(|best| split.purity > best.purity) {
                best = Some(split);
            }
        }
        best
    }

    /// The purest split on one column: the one with the highest Σ over children of (Σ over classes of weight²) / weight, which is
    /// the lowest mean Gini impurity. None where all values are in one bin or a child would be too small.
    fn best_of_many(&self, column: usize, rows: &[u32], room: &mut Room) -> Option<Split> {
        let classes = self.weights.len();
        let counts = &mut room.counts[..(self.binned.edges[column].len() + 2) * classes];
        counts.fill(0);
        let bins = &self.binned.bins[column];
        for &row in rows {
            counts[usize::from(bins[row as usize]) * classes + self.labels[row as usize]] += 1;
        }
        let mut sides = Sides::new(&mut room.left, &mut room.right, &room.all, rows.len(), self.leaf);
        let mut best = None;
        for (bin, of_bin) in counts.chunks_exact(classes).enumerate() {
            let mut any = false;
            for (label, &count) in of_bin.iter().enumerate().filter(|(_, count)| **count > 0) {
                sides.take(label, count as usize, self.weights[label]);
                any = true;
            }
            if any {
                sides.weigh(column, bin as u8, &mut best);
            }
        }
        best
    }

    /// The same for few examples: bins in order of size instead of all in turn.
    fn best_of_few(&self, column: usize, rows: &[u32], room: &mut Room) -> Option<Split> {
        let bins = &self.binned.bins[column];
        room.keys.clear();
        room.keys.extend(rows.iter().map(|&row| (bins[row as usize], self.labels[row as usize])));
        room.keys.sort_unstable();
        let mut sides = Sides::new(&mut room.left, &mut room.right, &room.all, rows.len(), self.leaf);
        let mut best = None;
        for (at, &(bin, label)) in room.keys.iter().enumerate() {
            sides.take(label, 1, self.weights[label]);
            if room.keys.get(at + 1).is_some_and(|next| next.0 != bin) {
                sides.weigh(column, bin, &mut best);
            }
        }
        best
    }
}

/// Memory that a tree's splits share.
struct Room {
    /// `[bin, class]`.
    counts: Vec<u32>,
    keys: Vec<(u8, usize)>,
    /// Weight by class: of the node, and of the children.
    all: Vec<f64>,
    left: Vec<f64>,
    right: Vec<f64>,
}

impl Room {
    fn new(classes: usize) -> Self {
        let weights = vec![0.0; classes];
        let counts = vec![0; (BINS + 1) * classes];
        Self { counts, keys: Vec::new(), all: weights.clone(), left: weights.clone(), right: weights }
    }
}

/// The two children while a node's examples move from the second to the first.
struct Sides<'a> {
    left: &'a mut [f64],
    right: &'a mut [f64],
    taken: usize,
    rows: usize,
    leaf: usize,
}

impl<'a> Sides<'a> {
    fn new(left: &'a mut [f64], right: &'a mut [f64], all: &[f64], rows: usize, leaf: usize) -> Self {
        left.fill(0.0);
        right.copy_from_slice(all);
        Self { left, right, taken: 0, rows, leaf }
    }

    fn take(&mut self, label: usize, count: usize, weight: f64) {
        let moved = count as f64 * weight;
        self.left[label] += moved;
        self.right[label] -= moved;
        self.taken += count;
    }

    fn weigh(&self, column: usize, bin: u8, best: &mut Option<Split>) {
        if self.taken < self.leaf || self.rows - self.taken < self.leaf {
            return;
        }
        let purity = purity(self.left) + purity(self.right);
        if best.as_ref().is_none_or(|best| purity > best.purity) {
            *best = Some(Split { column, bin, purity });
        }
    }
}

fn purity(weights: &[f64]) -> f64 {
    let sum: f64 = weights.iter().sum();
    if sum > 0.0 { weights.iter().map(|w| w * w).sum::<f64>() / sum } else { 0.0 }
}

struct Grown {
    trees: Vec<Tree>,
    classes: usize,
}

impl Fitted for Grown {
    fn probabilities(&self, examples: &Examples) -> Table {
        let table = &examples.columns;
        let mut values = vec![0.0_f32; table.len() * self.classes];
        let of_row = |row: &[f32], tree: &Tree| {
            let mut node = tree.nodes[0];
            while node.column != LEAF {
                node = tree.nodes[node.next as usize + usize::from(row[node.column as usize] > node.threshold)];
            }
            node.next as usize
        };
        values.par_chunks_mut(ROWS_TOGETHER * self.classes.max(1)).enumerate().for_each(|(chunk, values)| {
            for tree in &self.trees {
                for (i, sums) in values.chunks_exact_mut(self.classes).enumerate() {
                    let leaf = of_row(table.row(chunk * ROWS_TOGETHER + i), tree);
                    for (sum, share) in sums.iter_mut().zip(&tree.shares[leaf..]) {
                        *sum += share;
                    }
                }
            }
            let trees = self.trees.len().max(1) as f32;
            for sum in values.iter_mut() {
                *sum /= trees;
            }
        });
        Table::new(self.classes, values)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_have_more_lots() {
        assert_eq!(lots(4, 2, 3), [0, 1, 2, 2, 2, 3, 3, 3]);
        assert_eq!(lots(2, 0, 4), [0, 1]);
        assert_eq!(lots(1, 2, 2), [0, 0]);
    }
}

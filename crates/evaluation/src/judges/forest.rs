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

/// A random forest: Gini impurity, √columns tried at each split, bootstrap samples, classes weighted equal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Forest {
    /// Trees.
    pub trees: usize,
    /// Fewest examples in a leaf.
    pub leaf: usize,
}

impl Forest {
    /// The usual forest of `trees` trees. Leaves of two or more: chosen on subjects of MIT-BIH's DS1 left out in turn.
    pub fn new(trees: usize) -> Self {
        Self { trees, leaf: 2 }
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
        let growing = Growing { binned: &binned, labels, weights: &weights, leaf: self.leaf.max(1) };
        let purpose = format!("evaluation/forest/{purpose}");
        let trees = (0..self.trees).into_par_iter().map(|tree| growing.tree(&mut seed.stream(&purpose, tree as u64))).collect();
        Box::new(Grown { trees, classes })
    }
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
        let mut order: Vec<usize> = (0..self.binned.bins.len()).collect();
        let mut tree = Tree { nodes: vec![Node { column: LEAF, threshold: 0.0, next: 0 }], shares: Vec::new() };
        let mut open = vec![(0, 0, n)];
        let mut counts = vec![0; (BINS + 1) * self.weights.len()];
        while let Some((node, from, to)) = open.pop() {
            match self.split(&rows[from..to], &mut order, &mut counts, rng) {
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

    /// The purest split on some √columns columns drawn at random; on more where none of those parts the examples at all.
    fn split(&self, rows: &[u32], order: &mut [usize], counts: &mut [u32], rng: &mut impl Rng) -> Option<Split> {
        let first = self.labels[*rows.first()? as usize];
        if rows.len() < 2 * self.leaf || rows.iter().all(|&row| self.labels[row as usize] == first) {
            return None;
        }
        let wanted = (order.len() as f64).sqrt().ceil() as usize;
        let (mut tried, mut best): (usize, Option<Split>) = (0, None);
        for at in 0..order.len() {
            if tried == wanted {
                break;
            }
            order.swap(at, rng.random_range(at..order.len()));
            let Some(split) = self.best_of(order[at], rows, counts) else { continue };
            tried += 1;
            if best.as_ref().is_none_or(|best| split.purity > best.purity) {
                best = Some(split);
            }
        }
        best
    }

    /// The purest split on one column: the one with the highest Σ over children of (Σ over classes of weight²) / weight, which is
    /// the lowest mean Gini impurity. None where all values are in one bin or a child would be too small.
    fn best_of(&self, column: usize, rows: &[u32], counts: &mut [u32]) -> Option<Split> {
        let classes = self.weights.len();
        counts.fill(0);
        let bins = &self.binned.bins[column];
        for &row in rows {
            counts[usize::from(bins[row as usize]) * classes + self.labels[row as usize]] += 1;
        }
        let mut right = vec![0.0_f64; classes];
        for bin in counts.chunks_exact(classes) {
            for ((sum, &count), weight) in right.iter_mut().zip(bin).zip(self.weights) {
                *sum += f64::from(count) * weight;
            }
        }
        let mut left = vec![0.0_f64; classes];
        let (mut taken, mut best): (usize, Option<Split>) = (0, None);
        for (bin, of_bin) in counts.chunks_exact(classes).enumerate().take(self.binned.edges[column].len() + 1) {
            let here: u32 = of_bin.iter().sum();
            if here == 0 {
                continue;
            }
            taken += here as usize;
            for (((l, r), &count), weight) in left.iter_mut().zip(&mut right).zip(of_bin).zip(self.weights) {
                let moved = f64::from(count) * weight;
                *l += moved;
                *r -= moved;
            }
            if taken < self.leaf || rows.len() - taken < self.leaf {
                continue;
            }
            let purity = purity(&left) + purity(&right);
            if best.as_ref().is_none_or(|best| purity > best.purity) {
                best = Some(Split { column, bin: bin as u8, purity });
            }
        }
        best
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
            values.iter_mut().for_each(|sum| *sum /= trees);
        });
        Table::new(self.classes, values)
    }
}

use crate::dot::padded;

/// Points of a Euclidean space, one per row, padded with zeros for the vectorised sums.
#[derive(Debug, Clone, PartialEq)]
pub struct Points {
    data: Vec<f32>,
    count: usize,
    dimensions: usize,
}

impl Points {
    /// Collects rows of `dimensions` values; values beyond are left out, values short of it are 0.
    pub fn new<'a>(dimensions: usize, rows: impl ExactSizeIterator<Item = &'a [f32]>) -> Self {
        let stride = padded(dimensions);
        let count = rows.len();
        let mut data = vec![0.0; count * stride];
        for (to, from) in data.chunks_exact_mut(stride.max(1)).zip(rows) {
            let n = from.len().min(dimensions);
            to[..n].copy_from_slice(&from[..n]);
        }
        Self { data, count, dimensions }
    }

    /// How many points there are.
    pub fn len(&self) -> usize {
        self.count
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Values per point.
    pub fn dimensions(&self) -> usize {
        self.dimensions
    }

    /// Point `i`, without padding.
    ///
    /// # Panics
    /// Where `i` is not below [`len`](Self::len).
    pub fn point(&self, i: usize) -> &[f32] {
        &self.row(i)[..self.dimensions]
    }

    /// The points at `indices`, in that order.
    ///
    /// # Panics
    /// Where an index is not below [`len`](Self::len).
    #[must_use]
    pub fn select(&self, indices: &[usize]) -> Self {
        Self::new(self.dimensions, indices.iter().map(|&i| self.point(i)))
    }

    /// Point `i` with its padding.
    pub(crate) fn row(&self, i: usize) -> &[f32] {
        let stride = self.stride();
        &self.data[i * stride..][..stride]
    }

    pub(crate) fn row_mut(&mut self, i: usize) -> &mut [f32] {
        let stride = self.stride();
        &mut self.data[i * stride..][..stride]
    }

    /// All rows, padded.
    pub(crate) fn rows(&self) -> std::slice::ChunksExact<'_, f32> {
        self.data.chunks_exact(self.stride().max(1))
    }

    /// Values per padded row.
    pub(crate) fn stride(&self) -> usize {
        padded(self.dimensions)
    }

    /// All padded values.
    pub(crate) fn data(&self) -> &[f32] {
        &self.data
    }
}

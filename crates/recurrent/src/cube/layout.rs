//! Where things stand in the buffers. Several share one, since a kernel may bind few.

/// The sizes of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sizes {
    pub batch: usize,
    pub time: usize,
    pub units: usize,
    pub directions: usize,
    pub gates: usize,
}

impl Sizes {
    /// Values of a state: `[directions, batch, units]`.
    pub(crate) const fn state(&self) -> usize {
        self.directions * self.batch * self.units
    }

    /// Values of one per gate and row: `[directions, batch, gates × units]`.
    pub(crate) const fn sums(&self) -> usize {
        self.state() * self.gates
    }
}

/// Regions of one buffer, in values of 4 bytes, each aligned so that it can be a tensor of its own.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Regions {
    align: usize,
    end: usize,
}

impl Regions {
    /// `align`: bytes.
    pub(crate) const fn new(align: usize) -> Self {
        Self { align, end: 0 }
    }

    /// The start of the next region, of `len` values.
    pub(crate) fn next(&mut self, len: usize) -> usize {
        let start = self.end;
        self.end = (start + len).next_multiple_of(self.align.div_ceil(size_of::<f32>()).max(1));
        start
    }

    /// Values of the whole buffer, at least one.
    pub(crate) fn len(self) -> usize {
        self.end.max(1)
    }
}

//! Segment files: a [`SegmentSet`](physiosynth_signal::SegmentSet) in HDF5, readable with h5py as it is.
//!
//! | dataset | type, shape | what |
//! |---|---|---|
//! | `signals` | float32 `[segment, time, channel]` | normalised samples; chunks of about 64 KiB of segments, shuffled, deflated at level 1 |
//! | `scale`, `offset` | float32 `[segment, channel]` | `signals × scale + offset` is in physical units |
//! | `label`, `code`, `subject`, `record`, `split`, `group`, `rhythm`, `sex`, `derived_from` | UTF-8 of fixed size `[segment]` | as in [`Segment`](physiosynth_signal::Segment) |
//! | `cluster` | int32 `[segment]` | −1 where not clustered |
//! | `sample` | int64 `[segment]` | position of the mark at the source's rate; −1 where synthetic |
//! | `rr_before_s`, `rr_after_s` | float32 `[segment]` | seconds; NaN where unknown |
//! | `age_years` | float32 `[segment]` | years; NaN where unknown |
//!
//! Attributes of `signals`: `sampling_frequency_hz`, `mark_index`, `channel_names`, `channel_units`; of the file: `format`
//! (`physiosynth segments`) and `format_version` (1). Nothing in a file depends on when or where it was written: equal sets
//! give equal bytes, whatever the number of threads.
//!
//! **Writing** is done here, `structures` and `writer` being all of HDF5 that such a file needs, because `hdf5-pure` takes no
//! chunks that are already compressed: it compresses them one after the other and holds the samples, their chunks and the
//! compressed chunks at once. Here the chunks of a batch are compressed in parallel and written before the next batch.
//! Memory on top of the set: one batch (32 chunks per thread, each at most about 64 KiB or one segment, before and
//! after compression) and the bytes of the largest other dataset.
//!
//! **Reading** goes through `hdf5-pure`, which knows what other programs write (h5py with gzip and shuffle, variable-length
//! strings, MATLAB 7.3). Chunks are fetched as they are needed: memory is the set itself, plus about one mebibyte.

mod read;
pub(crate) mod structures;
mod write;
pub(crate) mod writer;

pub use read::read_segments;
pub use write::write_segments;

/// `format` attribute of every segment file.
const FORMAT: &str = "physiosynth segments";
/// Version of the layout above; readers refuse a newer one.
const FORMAT_VERSION: i64 = 1;

#[cfg(test)]
mod tests;

//! Figures, tables and the HTML page of a run.
//!
//! [`write_report`] takes a [`Report`] (plain values, and the segment sets of [`physiosynth_signal`]) and writes
//! `figures/*.png` and `index.html`. The page opens offline: style and pictures are inside it.
//!
//! Each figure is one file under `figures/` and one line in its list. All share one canvas (plotters' bitmap backend over a
//! buffer in memory, the font compiled in, so that no system library is needed) and one palette: real is blue, synthetic
//! vermillion, on every picture.
//!
//! Pictures are the same bytes for the same report, whatever the number of threads: what is drawn of many segments is chosen
//! by the run's seed, means are summed in a fixed order.
#![forbid(unsafe_code)]

mod canvas;
pub mod comparison;
mod context;
mod coverage;
mod downsample;
mod error;
mod figures;
mod font;
mod indexed;
mod page;
mod palette;
mod panel;
mod paper;
mod recording;
mod report;
mod spectrum;
mod ticks;
mod waveforms;
mod words;
mod write;

pub use error::ReportError;
pub use recording::draw_record;
pub use report::{ClusterRow, Epoch, Report, RunFacts, SplitRow, Stretch, Strip};
pub use words::{measure_in_words, text_in_words};
pub use write::{Written, write_report};

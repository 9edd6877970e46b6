//! When each data record began, and what is annotated: both are in the annotation signals.

use std::path::Path;

use super::clock::SECOND_NS;
use super::header::{Extension, Header};
use super::layout::{Input, Layout};
use super::tal::{self, Tal};
use crate::FormatError;

/// Bytes that are read at a time, where data records are shorter.
const PIECE: u64 = 1 << 20;
/// Data records up to this length are read whole for their annotations: seeking would cost more than reading.
const READ_THROUGH: u64 = 1 << 14;
/// More annotations than any recording has; a file of texts of one byte would take 50 times its size in memory.
const MOST_ANNOTATIONS: usize = 1 << 22;
/// Starts of data records are believed to the millisecond: writers round them.
const JITTER_NS: i64 = SECOND_NS / 1_000;

/// Consecutive data records without a gap between them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stretch {
    /// Index of the first.
    pub(crate) first: u64,
    /// How many.
    pub(crate) records: u64,
    /// Start in nanoseconds after the start of the first data record of the file.
    pub(crate) start_ns: i64,
}

/// An annotation with its times as the file has them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimedAnnotation {
    /// Onset in nanoseconds after the first sample of the file.
    pub onset_ns: i64,
    /// Duration in nanoseconds, where there is one.
    pub duration_ns: Option<i64>,
    /// Text.
    pub text: String,
}

/// The times of a file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Timeline {
    /// Start of the first data record, in nanoseconds after the start time of the header.
    pub(crate) start_ns: i64,
    /// The data records, in order of time.
    pub(crate) stretches: Vec<Stretch>,
    /// The annotations, in the file's order.
    pub(crate) annotations: Vec<TimedAnnotation>,
}

/// Collects what the annotation blocks say.
struct Collector<'a> {
    path: &'a Path,
    /// Duration of a data record.
    record_ns: i64,
    /// A data record that starts this close to the end of the one before follows it without a gap.
    tolerance_ns: i64,
    /// Whether starts of data records are asked for.
    discontinuous: bool,
    timeline: Timeline,
    /// Blocks with bytes that are no list.
    malformed: usize,
    /// Data records without a time-keeping list.
    untimed: u64,
    /// Data records of a continuous file that are stated to start elsewhere.
    astray: u64,
}

impl Timeline {
    /// Reads all annotation blocks, which may be anywhere in a file whatever part of it is wanted.
    pub(crate) fn read(
        input: &mut Input,
        header: &Header,
        layout: &Layout,
        problems: &mut Vec<String>,
    ) -> Result<Self, FormatError> {
        let record_ns = header.record_ns();
        let most_samples = header.ordinary().map(|(_, signal)| signal.samples_per_record).max().unwrap_or(1).max(1);
        let discontinuous = header.extension == Extension::Discontinuous;
        let mut collector = Collector {
            path: input.path,
            record_ns,
            tolerance_ns: (record_ns / most_samples as i64).max(JITTER_NS),
            discontinuous,
            timeline: Self::default(),
            malformed: 0,
            untimed: 0,
            astray: 0,
        };
        let blocks: Vec<(u64, u64)> =
            header.signals.iter().zip(&layout.blocks).filter(|(signal, _)| signal.annotations).map(|(_, block)| *block).collect();
        if !blocks.is_empty() {
            visit(input, layout, &blocks, &mut |record, index, bytes| collector.block(record, index, bytes))?;
        }
        let Collector { mut timeline, malformed, untimed, astray, .. } = collector;
        let path = input.path.display();
        if malformed > 0 {
            problems.push(format!("{path}: {malformed} stretches of bytes in annotation signals are no annotations; skipped"));
        }
        if untimed > 0 && header.extension != Extension::Plain {
            problems
                .push(format!("{path}: {untimed} data records do not say when they start; taken as following the one before"));
        }
        if astray > 0 {
            problems.push(format!(
                "{path}: is marked as continuous, but {astray} data records are stated to start elsewhere than where the one before \
                 ends; read as continuous"
            ));
        }
        if timeline.stretches.is_empty() || !discontinuous {
            timeline.stretches = vec![Stretch { first: 0, records: layout.records, start_ns: 0 }];
        }
        Ok(timeline)
    }
}

/// What is called with each block: data record, number of the block among the annotation signals, bytes.
type Visitor<'a> = dyn FnMut(u64, usize, &[u8]) -> Result<(), FormatError> + 'a;

/// Calls `each` with every block, in order.
fn visit(input: &mut Input, layout: &Layout, blocks: &[(u64, u64)], each: &mut Visitor) -> Result<(), FormatError> {
    let mut bytes = Vec::new();
    let wanted: u64 = blocks.iter().map(|block| block.1).sum();
    if layout.record_bytes > READ_THROUGH.max(4 * wanted) {
        for record in 0..layout.records {
            for (index, &(offset, length)) in blocks.iter().enumerate() {
                bytes.resize(length as usize, 0);
                input.read_at(layout.record(record) + offset, &mut bytes)?;
                each(record, index, &bytes)?;
            }
        }
        return Ok(());
    }
    let at_once = (PIECE / layout.record_bytes.max(1)).max(1);
    let mut record = 0;
    while record < layout.records {
        let records = at_once.min(layout.records - record);
        bytes.resize((records * layout.record_bytes) as usize, 0);
        input.read_at(layout.record(record), &mut bytes)?;
        for own in bytes.chunks_exact(layout.record_bytes as usize) {
            for (index, &(offset, length)) in blocks.iter().enumerate() {
                each(record, index, own.get(offset as usize..(offset + length) as usize).unwrap_or(&[]))?;
            }
            record += 1;
        }
    }
    Ok(())
}

impl Collector<'_> {
    fn block(&mut self, record: u64, index: usize, bytes: &[u8]) -> Result<(), FormatError> {
        let block = tal::parse(bytes);
        self.malformed += block.malformed;
        let mut lists = block.lists.into_iter();
        if index == 0 {
            let keeps_time = |list: &Tal| list.texts.first().is_some_and(String::is_empty);
            let first = lists.next();
            match &first {
                Some(list) if keeps_time(list) => self.start(record, Some(list.onset_ns))?,
                _ => self.start(record, None)?,
            }
            if let Some(first) = first {
                self.list(first)?;
            }
        }
        lists.try_for_each(|list| self.list(list))
    }

    /// Data record `record` starts at `onset_ns` by the file's clock.
    fn start(&mut self, record: u64, onset_ns: Option<i64>) -> Result<(), FormatError> {
        self.untimed += u64::from(onset_ns.is_none());
        if record == 0 {
            self.timeline.start_ns = onset_ns.unwrap_or(0);
            self.timeline.stretches = vec![Stretch { first: 0, records: 1, start_ns: 0 }];
            return Ok(());
        }
        let Some(last) = self.timeline.stretches.last_mut() else { return Ok(()) };
        let duration_ns = i64::try_from(last.records).unwrap_or(i64::MAX).saturating_mul(self.record_ns);
        let end_ns = last.start_ns.saturating_add(duration_ns);
        let start_ns = onset_ns.map_or(end_ns, |onset_ns| onset_ns.saturating_sub(self.timeline.start_ns));
        if start_ns.abs_diff(end_ns) <= self.tolerance_ns.unsigned_abs() {
            last.records += 1;
        } else if !self.discontinuous {
            self.astray += 1;
            last.records += 1;
        } else if start_ns < end_ns {
            let cause = "it starts before the one before it ends".into();
            return Err(self.malformed(format!("data record {record}"), cause));
        } else {
            self.timeline.stretches.push(Stretch { first: record, records: 1, start_ns });
        }
        Ok(())
    }

    fn malformed(&self, place: String, cause: String) -> FormatError {
        let remedy = "export the recording again; several files where it is too long for one";
        FormatError::Malformed { path: self.path.to_path_buf(), place, cause, remedy }
    }

    fn list(&mut self, list: Tal) -> Result<(), FormatError> {
        let onset_ns = list.onset_ns.saturating_sub(self.timeline.start_ns);
        for text in list.texts.into_iter().filter(|text| !text.is_empty()) {
            self.timeline.annotations.push(TimedAnnotation { onset_ns, duration_ns: list.duration_ns, text });
        }
        if self.timeline.annotations.len() > MOST_ANNOTATIONS {
            let cause = format!("there are more than {MOST_ANNOTATIONS} annotations");
            return Err(self.malformed("annotation signals".into(), cause));
        }
        Ok(())
    }
}

//! EDF and BDF recordings (`.edf`, `.bdf`, `.rec`): Kemp B et al., *Electroencephalography and Clinical Neurophysiology*
//! 82:391–393, 1992; EDF+: Kemp B, Olivan J, *Clinical Neurophysiology* 114:1755–1761, 2003, and the specifications at
//! <https://www.edfplus.info>; BDF: the same with 24 bits a sample, from `BioSemi`.
//!
//! How a file becomes a [`Record`]:
//!
//! - **Signals** keep their own sampling frequencies, labels and units. Annotations count in samples of the fastest signal,
//!   and in milliseconds (1000 Hz) where there are annotations alone.
//! - **Physical values** are `(digital − digital minimum) × scale + physical minimum` in `f64`, rounded once. Digital values
//!   outside the stated range are scaled like the others. A signal whose minima and maxima leave no scale stays in digital
//!   values.
//! - **The start** has the fraction of a second that the first data record states, and annotations count from its first sample.
//! - **Annotations** of all annotation signals are read, in order of onset. An annotation signal in a file that is not marked as
//!   EDF+ is read as one if it holds annotations.
//! - **The `Status` channel** of BDF is bits, not a voltage: it is kept in digital values, whatever range the header states. Its
//!   triggers become annotations too; see [`EdfReadOptions::status_events`].
//! - **Gaps** (EDF+D) are filled with NaN, so that sample `i` is at `i / rate` seconds throughout. So are stretches that an
//!   annotation `BAD_missing` tells of, which [`write_record`] writes.
//! - **What is wrong** but can be read is told as a list of problems beside the record; the file's size decides where it and the
//!   header differ.

mod clock;
pub mod header;
mod inspect;
mod layout;
mod missing;
mod recording;
mod samples;
mod status;
pub mod tal;
mod text;
mod timeline;
mod units;
mod write;

use std::path::Path;

use physiosynth_signal::{Annotation, Channel, Digitisation, Record};

use crate::FormatError;
use clock::SECOND_NS;
pub(crate) use inspect::inspect;
pub(crate) use recording::open;

pub use clock::{Date, NoStartTime, StartTime};
pub use header::{Coding, Extension, Header, Line, SignalHeader};
pub use layout::Source;
use layout::{Input, Layout};
use missing::Gap;
use samples::{Span, Track};
pub use timeline::TimedAnnotation;
use timeline::Timeline;
pub use units::{convert_voltage, volts};
pub use write::{Scaling, WriteOptions, write_record, write_recording};

/// Extensions of such files, in lower case.
pub const EXTENSIONS: [&str; 3] = ["edf", "bdf", "rec"];
/// Annotations count in these where there are no signals.
const ANNOTATIONS_ALONE_HZ: f64 = 1_000.0;
/// How many problems of one kind are listed.
const LISTED: usize = 5;

/// What of a recording to read.
#[derive(Debug, Clone, PartialEq)]
pub struct EdfReadOptions {
    /// Label of the only signal to read; all where `None`. The first, where several have it. A recording without it is read
    /// without channels.
    pub lead: Option<String>,
    /// Where to begin, in seconds after the first sample. Annotations that begin earlier are left out; what is kept counts
    /// from here. Of the signals only the data records that hold the part are read.
    pub from_s: f64,
    /// Where to end (exclusive), in seconds after the first sample; at the recording's end where `None`.
    pub to_s: Option<f64>,
    /// Whether the triggers of a BDF file's `Status` channel become annotations: one wherever they rise to a value, whose
    /// decimal digits are the code.
    pub status_events: bool,
}

impl Default for EdfReadOptions {
    /// All of it.
    fn default() -> Self {
        Self { lead: None, from_s: 0.0, to_s: None, status_events: true }
    }
}

/// A recording and what is wrong with its file.
#[derive(Debug, Clone, PartialEq)]
pub struct Recording {
    /// The recording.
    pub record: Record,
    /// What the header says.
    pub header: Header,
    /// What is wrong, each in a sentence that names the file.
    pub problems: Vec<String>,
}

/// Whether a file begins as EDF or BDF files do.
pub fn is_edf(path: &Path) -> bool {
    use std::io::Read as _;
    let mut start = [0; 8];
    std::fs::File::open(path).and_then(|mut file| file.read_exact(&mut start)).is_ok() && header::recognise(&start).is_some()
}

/// Whether a path is that of an EDF or BDF file, by its extension or by how it begins.
pub(crate) fn is_recording(path: &Path) -> bool {
    let named = path.extension().and_then(|extension| extension.to_str());
    let named = named.is_some_and(|extension| EXTENSIONS.iter().any(|other| extension.eq_ignore_ascii_case(other)));
    path.is_file() && (named || is_edf(path))
}

/// Reads a file's header.
pub fn read_header(path: &Path) -> Result<Header, FormatError> {
    Input::new(path, &mut layout::open(path)?)?.header()
}

/// Reads the annotations with their times as the file has them, in the file's order, without reading samples.
pub fn read_annotations(path: &Path) -> Result<Vec<TimedAnnotation>, FormatError> {
    let mut file = layout::open(path)?;
    let mut input = Input::new(path, &mut file)?;
    Ok(Opened::new(&mut input)?.timeline.annotations)
}

/// As [`read_annotations`], without those that tell of the file's own samples (missing ones, and what fills the last data record):
/// what another recording may be marked with.
pub(crate) fn read_marks(path: &Path) -> Result<Vec<TimedAnnotation>, FormatError> {
    let mut file = layout::open(path)?;
    let Opened { header, mut timeline, .. } = Opened::new(&mut Input::new(path, &mut file)?)?;
    let labels: Vec<&str> = header.ordinary().map(|(_, signal)| signal.label.as_str()).collect();
    missing::take_gaps(&mut timeline, &labels);
    missing::take_padding(&mut timeline, header.record_ns(), (SECOND_NS as f64 / rate_of(&header)) as i64);
    Ok(timeline.annotations)
}

/// Reads a recording: its signals in physical units and its annotations.
pub fn read_record(path: &Path, options: &EdfReadOptions) -> Result<Record, FormatError> {
    Ok(read(path, options)?.record)
}

/// Reads a recording, with its header and with what is wrong with its file.
pub fn read(path: &Path, options: &EdfReadOptions) -> Result<Recording, FormatError> {
    read_from(path, &mut layout::open(path)?, options)
}

/// Reads a recording from any source; `path` gives its name and stands in messages.
pub fn read_from(path: &Path, source: &mut dyn Source, options: &EdfReadOptions) -> Result<Recording, FormatError> {
    let mut input = Input::new(path, source)?;
    let Opened { header, layout, mut timeline, mut problems } = Opened::new(&mut input)?;
    let rate = rate_of(&header);
    let labels: Vec<&str> = header.ordinary().map(|(_, signal)| signal.label.as_str()).collect();
    let gaps = missing::take_gaps(&mut timeline, &labels);
    let padding = missing::take_padding(&mut timeline, header.record_ns(), (SECOND_NS as f64 / rate) as i64);

    let span = span(&input, options, padding)?;
    let wanted = |signal: &SignalHeader| options.lead.as_ref().is_none_or(|lead| *lead == signal.label);
    let limit = if options.lead.is_some() { 1 } else { usize::MAX };
    let chosen: Vec<usize> = header.ordinary().filter(|(_, signal)| wanted(signal)).map(|(index, _)| index).take(limit).collect();
    let track = |&signal: &usize| Track::new(&header, &timeline.stretches, signal, span);
    let mut tracks: Vec<Track> = chosen.iter().filter_map(track).collect();
    let status = header.ordinary().find(|(_, signal)| options.status_events && header.is_status(signal));
    tracks.extend(status.and_then(|(signal, _)| track(&signal)));
    samples::read(&mut input, &header, &layout, &timeline.stretches, &mut tracks)?;

    let status = status.and_then(|(_, stated)| Some((header.sampling_frequency_hz(stated), tracks.pop()?.into_samples().1)));
    let channels: Vec<Channel> = tracks.into_iter().filter_map(|track| channel(&header, track, &gaps, span)).collect();
    problems
        .extend(channels.iter().filter_map(units::implausible).take(LISTED).map(|text| format!("{}: {text}", path.display())));
    let mut record = Record { sampling_frequency_hz: rate, channels, ..Record::new(name_of(path)) };
    let from_ns = (span.from_s * SECOND_NS as f64).round() as i64;
    record.start = header.start.map(|start| start.plus(timeline.start_ns.saturating_add(from_ns)).to_string());
    record.annotations = annotations(&timeline, rate, span, options);
    if let Some((own, samples)) = status {
        add_triggers(&mut record.annotations, &samples, rate / own);
    }
    record.annotations.sort_by_key(|annotation| annotation.sample);
    record.comments = comments(&header);
    Ok(Recording { record, header, problems })
}

/// The sampling frequency that annotations count in.
fn rate_of(header: &Header) -> f64 {
    let rate = header.ordinary().map(|(_, signal)| header.sampling_frequency_hz(signal)).fold(0.0, f64::max);
    if rate > 0.0 { rate } else { ANNOTATIONS_ALONE_HZ }
}

/// The record's name: the file's, without its extension.
fn name_of(path: &Path) -> String {
    path.file_stem().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

/// What the header says of patient and recording, as comments.
fn comments(header: &Header) -> Vec<String> {
    let comments = [("patient", &header.patient), ("recording", &header.recording)];
    comments.iter().filter(|(_, text)| !text.is_empty()).map(|(what, text)| format!("{what}: {text}")).collect()
}

/// A file whose header and times are read.
struct Opened {
    header: Header,
    layout: Layout,
    timeline: Timeline,
    problems: Vec<String>,
}

impl Opened {
    fn new(input: &mut Input) -> Result<Self, FormatError> {
        let mut header = input.header()?;
        let mut problems = std::mem::take(&mut header.problems);
        let layout = Layout::new(input.path, &header, input.length, &mut problems);
        check_annotation_signals(input, &mut header, &layout, &mut problems)?;
        tell_oddities(input.path, &header, &mut problems);
        let timeline = Timeline::read(input, &header, &layout, &mut problems)?;
        Ok(Self { header, layout, timeline, problems })
    }
}

/// In a file that is not marked as EDF+, a signal named as annotations is one if it begins as one.
fn check_annotation_signals(
    input: &mut Input,
    header: &mut Header,
    layout: &Layout,
    problems: &mut Vec<String>,
) -> Result<(), FormatError> {
    if header.extension != Extension::Plain || layout.records == 0 {
        return Ok(());
    }
    let path = input.path.display();
    for (signal, &(offset, length)) in header.signals.iter_mut().zip(&layout.blocks).filter(|(signal, _)| signal.annotations) {
        let mut bytes = vec![0; length as usize];
        input.read_at(layout.record(0) + offset, &mut bytes)?;
        signal.annotations = !tal::parse(&bytes).lists.is_empty();
        let what =
            if signal.annotations { "holds annotations, and is read as such" } else { "holds none, and is read as samples" };
        problems.push(format!("{path}: is not marked as EDF+, but has a signal '{}'; it {what}", signal.label));
    }
    Ok(())
}

/// What is odd in a header.
fn tell_oddities(path: &Path, header: &Header, problems: &mut Vec<String>) {
    let mut problem = |text: String| problems.push(format!("{}: {text}", path.display()));
    let mut seen = std::collections::BTreeMap::new();
    for (_, signal) in header.ordinary() {
        *seen.entry(signal.label.as_str()).or_insert(0) += 1;
    }
    for (label, count) in seen.iter().filter(|(_, count)| **count > 1).take(LISTED) {
        problem(format!("{count} signals have the label '{label}'; by its label only the first is found"));
    }
    let uncalibrated: Vec<&str> =
        header.ordinary().filter(|(_, signal)| signal.scaling().is_none()).map(|(_, signal)| signal.label.as_str()).collect();
    if !uncalibrated.is_empty() {
        let listed = uncalibrated.get(..LISTED.min(uncalibrated.len())).unwrap_or(&[]).join("', '");
        problem(format!(
            "{} signals ('{listed}') state no range of physical or digital values; they are in digital units",
            uncalibrated.len()
        ));
    }
    if header.record_duration_s == 0.0 && header.ordinary().next().is_some() {
        problem("the duration of a data record is stated as 0; taken as 1 second".into());
    }
}

/// The part to read, which has to be one.
fn span(input: &Input, options: &EdfReadOptions, padding_ns: Option<i64>) -> Result<Span, FormatError> {
    let (from_s, to_s) = (options.from_s, options.to_s);
    if !(from_s.is_finite() && from_s >= 0.0) || to_s.is_some_and(|to_s| to_s.is_nan() || to_s < from_s) {
        return Err(FormatError::Malformed {
            path: input.path.to_path_buf(),
            place: "the part to read".into(),
            cause: format!("from {from_s} s to {} s is no part", to_s.unwrap_or(f64::INFINITY)),
            remedy: "give two times in seconds after the first sample, the second not before the first",
        });
    }
    let end_s = padding_ns.map(|ns| ns as f64 / SECOND_NS as f64);
    Ok(Span { from_s, to_s: end_s.map_or(to_s, |end| Some(to_s.map_or(end, |to| to.min(end)))) })
}

fn channel(header: &Header, track: Track, gaps: &[Gap], span: Span) -> Option<Channel> {
    let (index, mut samples) = track.into_samples();
    let signal = header.signals.get(index)?;
    let rate = header.sampling_frequency_hz(signal);
    let number = header.ordinary().position(|(other, _)| other == index)?;
    missing::mark(&mut samples, rate, (span.from_s * rate).round() as u64, gaps, number);
    let digitisation = digitisation(header, signal);
    Some(Channel { label: signal.label.clone(), unit: signal.unit.clone(), sampling_frequency_hz: rate, samples, digitisation })
}

/// How a signal's samples were digitised, where its header says so.
fn digitisation(header: &Header, signal: &SignalHeader) -> Option<Digitisation> {
    header.line(signal).and_then(|header::Line { scale, zero, shift }| {
        // One of the two is 0.
        let (gain, baseline) = (1.0 / scale, zero - shift / scale);
        // A gain that is a round number but for the rounding of the scale is that number: 200, not 199.99999999999997.
        let round = (gain * 1e6).round() / 1e6;
        let gain = if (round - gain).abs() <= 1e-13 * gain { round } else { gain };
        let usable = gain > 0.0 && gain.is_finite() && baseline.abs() <= f64::from(i32::MAX);
        usable.then(|| Digitisation { gain, baseline, adc_resolution: header.coding.sample_bytes() as u16 * 8, adc_zero: 0 })
    })
}

/// Adds the triggers of a status channel, `ratio` samples of the record to one of its own, but for those that an annotation tells
/// of already: what was written from a recording with triggers has them twice.
fn add_triggers(annotations: &mut Vec<Annotation>, samples: &[f32], ratio: f64) {
    let at = |index: i64| (index as f64 * ratio).round() as i64;
    let told: std::collections::BTreeSet<(i64, String)> =
        annotations.iter().map(|annotation| (annotation.sample, annotation.code.clone().into_owned())).collect();
    let events = status::events(samples).into_iter();
    let events = events.map(|event| Annotation { sample: at(event.sample), duration: at(event.duration), ..event });
    annotations.extend(events.filter(|event| !told.contains(&(event.sample, event.code.clone().into_owned()))));
}

/// The annotations that begin in the part, in its samples; all of them where the whole is wanted.
fn annotations(timeline: &Timeline, rate: f64, span: Span, options: &EdfReadOptions) -> Vec<Annotation> {
    let whole = options.from_s == 0.0 && options.to_s.is_none();
    let ns = |seconds: f64| (seconds * SECOND_NS as f64).round() as i64;
    let from_ns = ns(span.from_s);
    let part = from_ns..span.to_s.map_or(i64::MAX, ns);
    let samples = |ns: i64| (ns as f64 * rate / SECOND_NS as f64).round() as i64;
    let kept = timeline.annotations.iter().filter(|annotation| whole || part.contains(&annotation.onset_ns));
    let annotation = |timed: &TimedAnnotation| Annotation {
        duration: samples(timed.duration_ns.unwrap_or(0)).max(0),
        ..Annotation::beat(samples(timed.onset_ns.saturating_sub(from_ns)), timed.text.clone())
    };
    kept.map(annotation).collect()
}

//! The header: 256 bytes about the recording, then 256 for each signal, in fields of fixed width.

use std::path::Path;

use super::clock::{Date, SECOND_NS, StartTime, three_numbers};
use super::text;
use crate::FormatError;

/// Bytes about the recording, and bytes about each signal.
pub(crate) const BLOCK: usize = 256;
/// Widths of a signal's fields: label, transducer, unit, physical minimum and maximum, digital minimum and maximum,
/// prefiltering, samples per data record, reserved.
pub(crate) const WIDTHS: [usize; 10] = [16, 80, 8, 8, 8, 8, 8, 80, 8, 32];
const REMEDY: &str = "the header is damaged or of another format: fetch the file again, or export it anew";

/// How samples are coded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Coding {
    /// EDF: 16 bits.
    #[default]
    Edf,
    /// BDF, the extension by `BioSemi`: 24 bits.
    Bdf,
}

impl Coding {
    /// Bytes per sample.
    pub fn sample_bytes(self) -> usize {
        match self {
            Self::Edf => 2,
            Self::Bdf => 3,
        }
    }

    /// Smallest and largest digital value.
    pub fn range(self) -> (i32, i32) {
        match self {
            Self::Edf => (-0x8000, 0x7FFF),
            Self::Bdf => (-0x80_0000, 0x7F_FFFF),
        }
    }

    /// `EDF` or `BDF`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Edf => "EDF",
            Self::Bdf => "BDF",
        }
    }

    /// Label of signals that hold annotations.
    pub fn annotations_label(self) -> &'static str {
        match self {
            Self::Edf => "EDF Annotations",
            Self::Bdf => "BDF Annotations",
        }
    }
}

/// Whether a file is EDF+ (or BDF+), and how its data records follow one another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extension {
    /// Plain EDF or BDF.
    Plain,
    /// EDF+C: without interruption.
    Continuous,
    /// EDF+D: each data record has its own start.
    Discontinuous,
}

/// What the header says.
#[derive(Debug, Clone, PartialEq)]
pub struct Header {
    /// 16 or 24 bits.
    pub coding: Coding,
    /// EDF+ or not.
    pub extension: Extension,
    /// Patient field. In EDF+: code, sex, birthdate, name.
    pub patient: String,
    /// Recording field. In EDF+: `Startdate`, date, administration code, technician, equipment.
    pub recording: String,
    /// When the recording started, to the second, where the field is valid; without a date where the file hides it
    /// (`Startdate X` with 01.01.85).
    pub start: Option<StartTime>,
    /// Length of the header in bytes as stated.
    pub header_bytes: i64,
    /// Number of data records as stated; −1 where unknown when the header was written.
    pub records: i64,
    /// Duration of a data record in seconds; 0 in files of annotations alone.
    pub record_duration_s: f64,
    /// The signals, those that hold annotations included.
    pub signals: Vec<SignalHeader>,
    /// What is wrong in it, but could be read.
    pub problems: Vec<String>,
}

/// What the header says of a signal.
#[derive(Debug, Clone, PartialEq)]
pub struct SignalHeader {
    /// Label.
    pub label: String,
    /// Transducer type.
    pub transducer: String,
    /// Physical unit (dimension).
    pub unit: String,
    /// Physical value of `digital_minimum`.
    pub physical_minimum: f64,
    /// Physical value of `digital_maximum`.
    pub physical_maximum: f64,
    /// Smallest digital value that the recording system gives.
    pub digital_minimum: i64,
    /// Largest digital value that the recording system gives.
    pub digital_maximum: i64,
    /// Prefiltering.
    pub prefiltering: String,
    /// Samples in each data record.
    pub samples_per_record: u64,
    /// Whether the signal holds annotations instead of samples.
    pub annotations: bool,
}

/// From digital values to physical ones: `(digital − zero) × scale + shift`, where one of `zero` and `shift` is 0.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Line {
    /// Physical units per digital unit.
    pub scale: f64,
    /// The digital value of a physical 0, where that is a whole number; else 0.
    pub zero: f64,
    /// The physical value of a digital 0, where that of a physical 0 is no whole number; else 0.
    pub shift: f64,
}

impl SignalHeader {
    /// How digital values become physical ones. `None` where minima and maxima leave no scale.
    pub fn scaling(&self) -> Option<Line> {
        let digital = (self.digital_minimum as f64, self.digital_maximum as f64);
        Line::through(digital, (self.physical_minimum, self.physical_maximum))
    }
}

impl Line {
    /// The line on which the smallest and the largest digital value have these physical ones. `None` where they leave no scale.
    pub(crate) fn through(digital: (f64, f64), physical: (f64, f64)) -> Option<Self> {
        let range = digital.1 - digital.0;
        let scale = (physical.1 - physical.0) / range;
        let usable = range != 0.0 && scale.is_finite() && scale != 0.0;
        // A digital value whose physical one is 0, but for rounding, gives exactly 0.
        let zero = digital.0 - physical.0 / scale;
        if (zero - zero.round()).abs() <= 1e-14 * (range.abs() + zero.abs()) {
            return usable.then_some(Self { scale, zero: zero.round(), shift: 0.0 });
        }
        usable.then_some(Self { scale, zero: 0.0, shift: physical.0 - scale * digital.0 })
    }

    /// The sample of a digital value, as it is read.
    pub(crate) fn sample(&self, digital: f64) -> f32 {
        ((digital - self.zero) * self.scale + self.shift) as f32
    }
}

impl Header {
    /// Number of bytes that the header takes by its number of signals.
    pub(crate) fn length(&self) -> u64 {
        (BLOCK * (self.signals.len() + 1)) as u64
    }

    /// Samples per second of a signal.
    pub fn sampling_frequency_hz(&self, signal: &SignalHeader) -> f64 {
        // A recording of signals without a duration: as other readers do, one second.
        let duration = if self.record_duration_s > 0.0 { self.record_duration_s } else { 1.0 };
        signal.samples_per_record as f64 / duration
    }

    /// Whether a signal is the status channel of a BDF file.
    pub(crate) fn is_status(&self, signal: &SignalHeader) -> bool {
        self.coding == Coding::Bdf && signal.label == super::status::LABEL
    }

    /// How the digital values of a signal become physical ones: as its minima and maxima say, but for a status channel, whose
    /// bits they are. `None` where there is no scale.
    pub(crate) fn line(&self, signal: &SignalHeader) -> Option<Line> {
        let bits = Line { scale: 1.0, zero: 0.0, shift: 0.0 };
        if self.is_status(signal) { Some(bits) } else { signal.scaling() }
    }

    /// Duration of a data record in nanoseconds.
    pub(crate) fn record_ns(&self) -> i64 {
        let seconds =
            if self.record_duration_s == 0.0 && self.ordinary().next().is_some() { 1.0 } else { self.record_duration_s };
        (seconds * SECOND_NS as f64).round() as i64
    }

    /// The ordinary signals, with their indices.
    pub fn ordinary(&self) -> impl Iterator<Item = (usize, &SignalHeader)> {
        self.signals.iter().enumerate().filter(|(_, signal)| !signal.annotations)
    }
}

/// The coding that the first bytes of a file tell of; `None` where it is neither EDF nor BDF.
pub(crate) fn recognise(start: &[u8]) -> Option<Coding> {
    match start.get(..8)? {
        [0xFF, name @ ..] if name == b"BIOSEMI" => Some(Coding::Bdf),
        [b'0', rest @ ..] if rest.iter().all(|byte| matches!(byte, b' ' | 0)) => Some(Coding::Edf),
        _ => None,
    }
}

/// Cuts fields off the front of a header.
struct Fields<'a> {
    path: &'a Path,
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Fields<'a> {
    /// The next field; empty behind the end.
    fn next(&mut self, width: usize) -> &'a [u8] {
        let field = self.bytes.get(self.at..self.at + width).unwrap_or(&[]);
        self.at += width;
        field
    }

    fn text(&mut self, width: usize) -> String {
        text::decode(self.next(width))
    }

    fn malformed(&self, width: usize, what: &str) -> FormatError {
        let at = self.at - width;
        let found = text::decode(self.bytes.get(at..self.at).unwrap_or(&[]));
        FormatError::Malformed {
            path: self.path.to_path_buf(),
            place: format!("byte {at}"),
            cause: format!("'{found}' is no {what}"),
            remedy: REMEDY,
        }
    }

    fn whole(&mut self, what: &str) -> Result<i64, FormatError> {
        text::whole(self.next(8)).ok_or_else(|| self.malformed(8, what))
    }

    fn number(&mut self, what: &str) -> Result<f64, FormatError> {
        text::number(self.next(8)).ok_or_else(|| self.malformed(8, what))
    }
}

/// Number of signals that the first 256 bytes announce.
pub(crate) fn announced_signals(path: &Path, bytes: &[u8]) -> Result<usize, FormatError> {
    if recognise(bytes).is_none() {
        return Err(FormatError::Malformed {
            path: path.to_path_buf(),
            place: "byte 0".into(),
            cause: "the file begins neither as EDF (0) nor as BDF (255, BIOSEMI)".into(),
            remedy: "name an EDF or BDF file, or fetch it again",
        });
    }
    let mut fields = Fields { path, bytes, at: 252 };
    let field = fields.next(4);
    text::whole(field).and_then(|n| usize::try_from(n).ok()).ok_or_else(|| fields.malformed(4, "number of signals"))
}

/// Parses a header. `bytes` are all of it, 256 for the recording and 256 for each signal announced.
pub fn parse(path: &Path, bytes: &[u8]) -> Result<Header, FormatError> {
    let count = announced_signals(path, bytes)?;
    let expected = count.saturating_add(1).saturating_mul(BLOCK);
    if bytes.len() < expected {
        return Err(FormatError::Truncated {
            path: path.to_path_buf(),
            expected: expected as u64,
            found: bytes.len() as u64,
            because: format!("a header of {count} signals"),
            remedy: REMEDY,
        });
    }
    let coding = recognise(bytes).unwrap_or_default();
    let mut fields = Fields { path, bytes, at: 8 };
    let (patient, recording) = (fields.text(80), fields.text(80));
    let (date, time) = (fields.text(8), fields.text(8));
    let mut problems = Vec::new();
    let header_bytes = text::whole(fields.next(8)).unwrap_or_else(|| {
        problems.push(format!("{}, byte 184: no length of the header is stated", path.display()));
        expected as i64
    });
    let reserved = fields.text(44);
    let mark = reserved.get(..5).unwrap_or("");
    let extension = match (mark.get(..3), mark.get(3..)) {
        (Some("EDF" | "BDF"), Some("+C")) => Extension::Continuous,
        (Some("EDF" | "BDF"), Some("+D")) => Extension::Discontinuous,
        _ => Extension::Plain,
    };
    let records = fields.whole("number of data records")?;
    let record_duration_s = fields.number("duration of a data record")?;
    // Shorter than a nanosecond, or longer than thirty years, is nobody's data record.
    if record_duration_s != 0.0 && !(1e-9..=1e9).contains(&record_duration_s) {
        return Err(fields.malformed(8, "duration of a data record"));
    }
    let start = start(path, &date, &time, (extension != Extension::Plain).then_some(&recording), &mut problems);
    let signals = signals(path, bytes, count, coding)?;
    Ok(Header { coding, extension, patient, recording, start, header_bytes, records, record_duration_s, signals, problems })
}

fn signals(path: &Path, bytes: &[u8], count: usize, coding: Coding) -> Result<Vec<SignalHeader>, FormatError> {
    let mut at = BLOCK;
    // All labels come first, then all transducers, and so on.
    let columns = WIDTHS.map(|width| {
        let column = at;
        at += width * count;
        (column, width)
    });
    let signal = |index: usize| {
        let [label, transducer, unit, p_min, p_max, d_min, d_max, prefiltering, samples, _] =
            columns.map(|(column, width)| Fields { path, bytes, at: column + index * width });
        let [mut label, mut transducer, mut unit, mut prefiltering] = [label, transducer, unit, prefiltering];
        let [mut p_min, mut p_max, mut d_min, mut d_max, mut samples] = [p_min, p_max, d_min, d_max, samples];
        let label = label.text(16);
        // Nothing is scaled in an annotation signal: what its minima and maxima say makes no difference.
        let annotations = label == coding.annotations_label();
        let lenient = |value: Result<f64, FormatError>| if annotations { Ok(value.unwrap_or(0.0)) } else { value };
        let lenient_whole = |value: Result<i64, FormatError>| if annotations { Ok(value.unwrap_or(0)) } else { value };
        let samples_per_record = samples.whole("number of samples")?;
        Ok(SignalHeader {
            annotations,
            label,
            transducer: transducer.text(80),
            unit: unit.text(8),
            physical_minimum: lenient(p_min.number("physical minimum"))?,
            physical_maximum: lenient(p_max.number("physical maximum"))?,
            digital_minimum: lenient_whole(d_min.whole("digital minimum"))?,
            digital_maximum: lenient_whole(d_max.whole("digital maximum"))?,
            prefiltering: prefiltering.text(80),
            samples_per_record: u64::try_from(samples_per_record).map_err(|_| samples.malformed(8, "number of samples"))?,
        })
    };
    (0..count).map(signal).collect()
}

/// The start, from date and time fields and, in EDF+, the recording field, which has the year in four digits.
fn start(path: &Path, date: &str, time: &str, recording: Option<&String>, problems: &mut Vec<String>) -> Option<StartTime> {
    let path = path.display();
    let stated = recording.and_then(|text| text.split_whitespace().nth(1).filter(|_| text.starts_with("Startdate")));
    let full = stated.and_then(Date::from_dashed);
    let short = three_numbers(date).and_then(|[day, month, year]| {
        // Years from 1985 to 2084 by the specification.
        Date::new(i32::from(year) + if year >= 85 { 1900 } else { 2000 }, month, day)
    });
    let hidden = Date::new(1985, 1, 1);
    let date = match (full, short) {
        (Some(full), Some(short)) if full.month == short.month && full.day == short.day => Some(full),
        // `02.03.yy` beyond 2084.
        (Some(full), None) => Some(full),
        (None, Some(short)) if stated == Some("X") && Some(short) == hidden => None,
        (None, Some(short)) => Some(short),
        (Some(full), Some(short)) => {
            let full = full.dashed();
            problems.push(format!("{path}, byte 168: start date '{date}' differs from '{full}' in the recording field"));
            Some(short)
        }
        (None, None) => {
            problems.push(format!("{path}, byte 168: '{date}' is no date"));
            None
        }
    };
    let start = three_numbers(time).and_then(|time| StartTime::new(date, time));
    if start.is_none() {
        problems.push(format!("{path}, byte 176: '{time}' is no time of day"));
    }
    start
}

#[cfg(test)]
#[path = "header_tests.rs"]
mod tests;

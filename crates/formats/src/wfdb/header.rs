//! Header files (`.hea`), as WFDB's header(5) describes them: a record line, one line per signal, comments. A field that the
//! file does not state stays `None`; what to assume then is in the methods of [`Header`] and [`SignalLine`].

use std::fs;
use std::path::Path;

use super::text;
use crate::FormatError;

/// Sampling frequency of a record whose header states none, in hertz (header(5), "sampling frequency").
pub const DEFAULT_SAMPLING_FREQUENCY_HZ: f64 = 250.0;
/// ADC units per physical unit of a signal whose header states none, or 0 (header(5), "ADC gain"): the signal is uncalibrated.
pub const DEFAULT_GAIN: f64 = 200.0;
/// Physical unit of a signal whose header states none (header(5), "units").
pub const DEFAULT_UNIT: &str = "mV";

/// Sampling frequencies from one sample in decades to those of any converter, in hertz.
const SAMPLING_FREQUENCIES_HZ: std::ops::RangeInclusive<f64> = 1e-9..=1e12;
/// Gains below it take the largest digital values, 2³² from their baseline, beyond the range of `f32`.
const SMALLEST_GAIN: f64 = 1e-28;

const REMEDY: &str = "correct the line after WFDB's header(5), or fetch the file again";

/// What a header states.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Header {
    /// Name on the record line.
    pub name: String,
    /// Number of segments, in a multi-segment header.
    pub segments: Option<u32>,
    /// The segments of a multi-segment header, in order.
    pub segment_lines: Vec<SegmentLine>,
    /// Samples (frames, where signals differ in rate) per second, in hertz.
    pub sampling_frequency_hz: Option<f64>,
    /// Counter ticks per second, in hertz.
    pub counter_frequency_hz: Option<f64>,
    /// Counter value at sample 0.
    pub base_counter: Option<f64>,
    /// Samples per signal (frames, where signals differ in rate). A stated 0 means "not known" and is `None`.
    pub samples: Option<u64>,
    /// Time of day at sample 0, as written.
    pub base_time: Option<String>,
    /// Date at sample 0, as written (`DD/MM/YYYY`).
    pub base_date: Option<String>,
    /// The signals, in order; none in a multi-segment header, whose segments have them.
    pub signals: Vec<SignalLine>,
    /// Comment lines, without `#` and surrounding blanks.
    pub comments: Vec<String>,
}

/// What a multi-segment header states about one segment.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SegmentLine {
    /// Line of the header file, from 1.
    pub line: usize,
    /// Name of the record that is the segment; `~` for a gap, in which no signal was recorded.
    pub name: String,
    /// Its length in frames. 0 for the first segment of a record of variable layout, which only lists the signals.
    pub samples: u64,
}

/// What a header states about one signal.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SignalLine {
    /// Line of the header file, from 1.
    pub line: usize,
    /// Signal file, relative to the header's folder.
    pub file_name: String,
    /// Number of the signal format.
    pub format: u32,
    /// Samples per frame.
    pub samples_per_frame: Option<u32>,
    /// Samples of this signal that stand in the file before its sample 0.
    pub skew: Option<u32>,
    /// Byte of the file where samples begin; in the FLAC formats, the number of the sample (of each signal) that is sample 0.
    pub byte_offset: Option<u64>,
    /// ADC units per physical unit.
    pub gain: Option<f64>,
    /// Digital value of physical 0.
    pub baseline: Option<i32>,
    /// Physical unit.
    pub units: Option<String>,
    /// ADC resolution in bits.
    pub adc_resolution: Option<u16>,
    /// Digital value in the middle of the ADC's range.
    pub adc_zero: Option<i32>,
    /// First sample.
    pub initial_value: Option<i32>,
    /// 16-bit sum of all samples; written signed by most tools and unsigned by some.
    pub checksum: Option<i64>,
    /// Block size of special files.
    pub block_size: Option<i64>,
    /// Description: the lead's or electrode's name.
    pub description: Option<String>,
}

impl Header {
    /// Frames per second, or the default where the header states none.
    pub fn sampling_frequency(&self) -> f64 {
        self.sampling_frequency_hz.unwrap_or(DEFAULT_SAMPLING_FREQUENCY_HZ)
    }

    /// Time and date at sample 0 as the header writes them, where it does.
    pub fn start(&self) -> Option<String> {
        let time = self.base_time.as_ref()?;
        Some(self.base_date.as_ref().map_or_else(|| time.clone(), |date| format!("{time} {date}")))
    }
}

impl SignalLine {
    /// ADC units per physical unit, or the default where the header states none, or 0.
    pub fn effective_gain(&self) -> f64 {
        self.gain.filter(|&gain| gain != 0.0).unwrap_or(DEFAULT_GAIN)
    }

    /// Digital value of physical 0: where not stated, the ADC's zero, and where that is not stated either, 0.
    pub fn effective_baseline(&self) -> i32 {
        self.baseline.or(self.adc_zero).unwrap_or(0)
    }

    /// Physical unit, or the default.
    pub fn unit(&self) -> &str {
        self.units.as_deref().unwrap_or(DEFAULT_UNIT)
    }

    /// The signal's name: its description, or `signal 2` for the third where it has none.
    pub fn label(&self, index: usize) -> String {
        self.description.clone().unwrap_or_else(|| format!("signal {index}"))
    }

    /// Samples per frame: 1 where not stated, or stated as 0.
    pub fn frame_samples(&self) -> u32 {
        self.samples_per_frame.unwrap_or(1).max(1)
    }
}

/// Reads a header file.
pub(crate) fn read(path: &Path) -> Result<Header, FormatError> {
    let bytes = fs::read(path).map_err(|source| match source.kind() {
        std::io::ErrorKind::NotFound => FormatError::Missing {
            path: path.to_path_buf(),
            named_by: "the record's header".into(),
            remedy: "check the record's name and folder",
        },
        _ => FormatError::Io { path: path.to_path_buf(), action: "read the header", source },
    })?;
    parse(path, &bytes)
}

/// Parses the content of a header file; `path` is for messages only.
pub fn parse(path: &Path, bytes: &[u8]) -> Result<Header, FormatError> {
    let content = text::decode(bytes);
    let mut comments = Vec::new();
    let mut lines = Vec::new();
    for (index, line) in content.lines().enumerate() {
        let line = line.trim();
        if let Some(comment) = line.strip_prefix('#') {
            comments.push(comment.trim_start_matches('#').trim().to_owned());
        } else if !line.is_empty() {
            lines.push(Line { path, number: index + 1, text: line });
        }
    }
    let Some((first, rest)) = lines.split_first() else {
        return Err(Line { path, number: 1, text: "" }.malformed("the file has no record line"));
    };
    let (mut header, announced) = record_line(first)?;
    header.comments = comments;
    if let Some(count) = header.segments {
        if (rest.len() as u64) < u64::from(count) {
            return Err(first.malformed(format!("announces {count} segments, but {} segment lines follow", rest.len())));
        }
        header.segment_lines = rest.iter().take(count as usize).map(segment_line).collect::<Result<_, _>>()?;
    } else {
        if (rest.len() as u64) < announced {
            return Err(first.malformed(format!("announces {announced} signals, but {} signal lines follow", rest.len())));
        }
        header.signals = rest.iter().take(announced as usize).map(signal_line).collect::<Result<_, _>>()?;
    }
    Ok(header)
}

/// One line that is neither empty nor a comment.
struct Line<'a> {
    path: &'a Path,
    number: usize,
    text: &'a str,
}

impl Line<'_> {
    fn malformed(&self, cause: impl Into<String>) -> FormatError {
        FormatError::Malformed {
            path: self.path.to_path_buf(),
            place: format!("line {}", self.number),
            cause: cause.into(),
            remedy: REMEDY,
        }
    }

    /// A number, or an error that names the field.
    fn number<T: std::str::FromStr>(&self, field: &str, text: &str) -> Result<T, FormatError> {
        text.parse().map_err(|_| self.malformed(format!("'{text}' is no {field}")))
    }

    /// A number that is neither infinite nor NaN.
    fn finite(&self, field: &str, text: &str) -> Result<f64, FormatError> {
        match self.number::<f64>(field, text)? {
            value if value.is_finite() => Ok(value),
            _ => Err(self.malformed(format!("'{text}' is no {field}"))),
        }
    }
}

/// `name[/segments] signals [frequency[/counter[(base)]]] [samples] [time] [date]`; also gives the number of signals.
fn record_line(line: &Line) -> Result<(Header, u64), FormatError> {
    let mut fields = line.text.split_whitespace();
    let mut header = Header::default();
    let name = fields.next().unwrap_or_default();
    match name.split_once('/') {
        Some((name, segments)) => {
            name.clone_into(&mut header.name);
            header.segments = Some(line.number("number of segments", segments)?);
        }
        None => name.clone_into(&mut header.name),
    }
    let Some(signals) = fields.next() else {
        return Err(line.malformed("the record line has no number of signals"));
    };
    let signals = line.number("number of signals", signals)?;
    if let Some(field) = fields.next() {
        let (frequency, counter) = field.split_once('/').map_or((field, None), |(f, c)| (f, Some(c)));
        let hertz = line.finite("sampling frequency", frequency)?;
        if !SAMPLING_FREQUENCIES_HZ.contains(&hertz) {
            return Err(line.malformed(format!("'{frequency}' is no sampling frequency, which is above 0")));
        }
        header.sampling_frequency_hz = Some(hertz);
        if let Some(counter) = counter {
            let (counter, base) = counter.split_once('(').map_or((counter, None), |(c, b)| (c, Some(b)));
            header.counter_frequency_hz = Some(line.finite("counter frequency", counter)?);
            let base = base.map(|base| line.finite("base counter value", base.trim_end_matches(')')));
            header.base_counter = base.transpose()?;
        }
    }
    if let Some(field) = fields.next() {
        header.samples = Some(line.number("number of samples", field)?).filter(|&samples| samples > 0);
    }
    header.base_time = fields.next().map(str::to_owned);
    header.base_date = fields.next().map(str::to_owned);
    Ok((header, signals))
}

/// `name samples`
fn segment_line(line: &Line) -> Result<SegmentLine, FormatError> {
    let mut fields = line.text.split_whitespace();
    let name = fields.next().unwrap_or_default().to_owned();
    let Some(samples) = fields.next() else {
        return Err(line.malformed(format!("the segment '{name}' has no length")));
    };
    Ok(SegmentLine { line: line.number, name, samples: line.number("number of samples", samples)? })
}

/// `file format[xFRAME][:skew][+offset] [gain[(baseline)][/units]] [resolution] [zero] [initial] [checksum] [block] [description]`
fn signal_line(line: &Line) -> Result<SignalLine, FormatError> {
    let mut rest = line.text;
    let mut next = || {
        let (field, tail) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
        rest = tail.trim_start();
        Some(field).filter(|field| !field.is_empty())
    };
    let mut signal = SignalLine { line: line.number, ..SignalLine::default() };
    next().unwrap_or_default().clone_into(&mut signal.file_name);
    let Some(format) = next() else {
        return Err(line.malformed("the signal line has no format"));
    };
    format_field(line, format, &mut signal)?;
    if let Some(field) = next() {
        gain_field(line, field, &mut signal)?;
    }
    signal.adc_resolution = next().map(|field| line.number("ADC resolution", field)).transpose()?;
    signal.adc_zero = next().map(|field| line.number("ADC zero", field)).transpose()?;
    signal.initial_value = next().map(|field| line.number("initial value", field)).transpose()?;
    signal.checksum = next().map(|field| line.number("checksum", field)).transpose()?;
    signal.block_size = next().map(|field| line.number("block size", field)).transpose()?;
    signal.description = Some(rest.to_owned()).filter(|text| !text.is_empty());
    Ok(signal)
}

/// `format[xFRAME][:skew][+offset]`
fn format_field(line: &Line, field: &str, signal: &mut SignalLine) -> Result<(), FormatError> {
    let (field_, offset) = field.split_once('+').map_or((field, None), |(f, o)| (f, Some(o)));
    let (field_, skew) = field_.split_once(':').map_or((field_, None), |(f, s)| (f, Some(s)));
    let (number, frame) = field_.split_once('x').map_or((field_, None), |(f, x)| (f, Some(x)));
    signal.format = line.number("signal format", number)?;
    signal.samples_per_frame = frame.map(|text| line.number("number of samples per frame", text)).transpose()?;
    signal.skew = skew.map(|text| line.number("skew", text)).transpose()?;
    signal.byte_offset = offset.map(|text| line.number("byte offset", text)).transpose()?;
    Ok(())
}

/// `gain[(baseline)][/units]`
fn gain_field(line: &Line, field: &str, signal: &mut SignalLine) -> Result<(), FormatError> {
    let (field_, units) = field.split_once('/').map_or((field, None), |(f, u)| (f, Some(u)));
    let (gain, baseline) = field_.split_once('(').map_or((field_, None), |(f, b)| (f, Some(b)));
    let stated = line.finite("gain", gain)?;
    if stated != 0.0 && stated.abs() < SMALLEST_GAIN {
        return Err(line.malformed(format!("'{gain}' is no gain: a sample would be beyond the range of float32")));
    }
    signal.gain = Some(stated);
    if let Some(text) = baseline {
        let Some(text) = text.strip_suffix(')') else {
            return Err(line.malformed(format!("'{field}' has a baseline without a closing parenthesis")));
        };
        signal.baseline = Some(line.number("baseline", text)?);
    }
    signal.units = units.filter(|units| !units.is_empty()).map(str::to_owned);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(text: &str) -> Result<Header, FormatError> {
        parse(Path::new("x.hea"), text.as_bytes())
    }

    #[test]
    fn a_full_header() {
        let h = header(
            "# first\n12726 1 250/24000(7.5) 825000 15:08:24 01/02/2003\n\na.dat 16x2:3+24 64.02(4)/mmHg 16 -5 4004 -26056 0 ABP left\n\
             ##<age>: 28\n",
        )
        .unwrap();
        assert_eq!((h.name.as_str(), h.samples, h.sampling_frequency_hz), ("12726", Some(825_000), Some(250.0)));
        assert_eq!((h.counter_frequency_hz, h.base_counter), (Some(24_000.0), Some(7.5)));
        assert_eq!(h.start().as_deref(), Some("15:08:24 01/02/2003"));
        assert_eq!(h.comments, ["first", "<age>: 28"]);
        let expected = SignalLine {
            line: 4,
            file_name: "a.dat".into(),
            format: 16,
            samples_per_frame: Some(2),
            skew: Some(3),
            byte_offset: Some(24),
            gain: Some(64.02),
            baseline: Some(4),
            units: Some("mmHg".into()),
            adc_resolution: Some(16),
            adc_zero: Some(-5),
            initial_value: Some(4004),
            checksum: Some(-26_056),
            block_size: Some(0),
            description: Some("ABP left".into()),
        };
        assert_eq!(h.signals, [expected]);
    }

    #[test]
    fn absent_fields_stay_absent_and_have_the_specified_defaults() {
        let h = header("r 1\nr.dat 212\n").unwrap();
        assert_eq!((h.sampling_frequency_hz, h.samples, h.start()), (None, None, None));
        assert_eq!(h.sampling_frequency(), 250.0);
        let s = &h.signals[0];
        assert_eq!((s.gain, s.baseline, s.units.as_deref(), s.description.as_deref()), (None, None, None, None));
        assert_eq!((s.effective_gain(), s.effective_baseline(), s.unit()), (200.0, 0, "mV"));
        assert_eq!(s.label(0), "signal 0");
    }

    #[test]
    fn the_baseline_defaults_to_the_adc_zero_and_a_gain_of_zero_to_200() {
        let h = header("r 1 360 10\nr.dat 212 0 11 1024\n").unwrap();
        assert_eq!((h.signals[0].effective_gain(), h.signals[0].effective_baseline()), (200.0, 1024));
        assert_eq!(h.signals[0].gain, Some(0.0));
    }

    #[test]
    fn errors_name_the_line_and_the_field() {
        for (text, line, field) in [
            ("", "line 1", "record line"),
            ("r\n", "line 1", "number of signals"),
            ("# c\nr two\n", "line 2", "'two' is no number of signals"),
            ("r 1 0 10\nr.dat 16\n", "line 1", "sampling frequency"),
            ("r 1 inf 10\nr.dat 16\n", "line 1", "sampling frequency"),
            ("r 1 360 -4\nr.dat 16\n", "line 1", "'-4' is no number of samples"),
            ("r 2 360 10\nr.dat 16\n", "line 1", "announces 2 signals, but 1"),
            ("r 2147483648 360 10\nr.dat 16\n", "line 1", "announces 2147483648 signals"),
            ("r/2 1 360 10\na 5\n", "line 1", "announces 2 segments, but 1"),
            ("r/4294967295 1 360 10\na 5\n", "line 1", "announces 4294967295 segments"),
            ("r/2 1 360 10\na 5\nb\n", "line 3", "has no length"),
            ("r/1 1 360 10\na -5\n", "line 2", "'-5' is no number of samples"),
            ("r 1 360 10\nr.dat\n", "line 2", "no format"),
            ("r 1 360 10\nr.dat 16x\n", "line 2", "samples per frame"),
            ("r 1 360 10\nr.dat 16 nan\n", "line 2", "'nan' is no gain"),
            ("r 1 360 10\nr.dat 16 1e-300", "line 2", "'1e-300' is no gain"),
            ("r 1 1e-300 10\nr.dat 16", "line 1", "'1e-300' is no sampling frequency"),
            ("r 1 360 10\nr.dat 16 200(12/mV\n", "line 2", "closing parenthesis"),
            ("r 1 360 10\nr.dat 16 200 twelve\n", "line 2", "ADC resolution"),
        ] {
            let message = header(text).unwrap_err().to_string();
            assert!(message.contains("x.hea") && message.contains(line) && message.contains(field), "{text:?}: {message}");
        }
    }

    #[test]
    fn a_multi_segment_header_lists_its_segments() {
        let h = header("v/3 2 250 100\nlayout 0\n# gap\n~ 25\nc 75\n").unwrap();
        assert_eq!((h.segments, h.signals.len()), (Some(3), 0));
        let segments: Vec<_> = h.segment_lines.iter().map(|s| (s.line, s.name.as_str(), s.samples)).collect();
        assert_eq!(segments, [(2, "layout", 0), (4, "~", 25), (5, "c", 75)]);
    }
}

//! Writing EDF+ and BDF+.

mod annotations;
mod label;
mod losses;
mod plan;
mod scaling;

use std::path::Path;

use physiosynth_signal::{Channel, Record};

use crate::FormatError;
use crate::recording::{Recording, Roundings, Survey};
use crate::replace::Partial;
use plan::Plan;
pub use scaling::Scaling;
use scaling::{Digitiser, WIDTH, exactly};

use super::clock::{Date, SECOND_NS, StartTime};
use super::header::{BLOCK, Coding, Extension, Header, WIDTHS};
use super::status;

/// How to write a recording. What is left at its default is chosen.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct WriteOptions {
    /// 16 or 24 bits; by the file's extension (`.bdf`) where `None`.
    pub coding: Option<Coding>,
    /// Patient: code, sex, birthdate and name, `X` for what is unknown (`X X X SYNTHETIC`). A text of another form is taken
    /// for the name. The record's comment `patient: …` where `None`.
    pub patient: Option<String>,
    /// Recording, behind the start date: administration code, technician and equipment. The record's comment `recording: …`
    /// where `None`.
    pub recording: Option<String>,
    /// Scaling of each channel; chosen where there is none, or where the samples do not fit it.
    pub scaling: Vec<Option<Scaling>>,
    /// Transducer of each channel.
    pub transducers: Vec<String>,
    /// Prefiltering of each channel.
    pub prefiltering: Vec<String>,
    /// Duration of a data record in seconds.
    pub record_duration_s: Option<f64>,
    /// Whether data records of which every sample is missing are left out, as EDF+D has it. Few other programs read such files.
    pub discontinuous: bool,
}

impl WriteOptions {
    /// Those by which what was read with this header is written as it was: the same digital values, the same texts.
    pub fn like(header: &Header) -> Self {
        let ordinary = || header.ordinary().map(|(_, signal)| signal);
        Self {
            coding: Some(header.coding),
            patient: Some(header.patient.clone()),
            recording: Some(header.recording.clone()),
            scaling: ordinary().map(|signal| Scaling::of(header, signal)).collect(),
            transducers: ordinary().map(|signal| signal.transducer.clone()).collect(),
            prefiltering: ordinary().map(|signal| signal.prefiltering.clone()).collect(),
            record_duration_s: Some(header.record_duration_s).filter(|duration| *duration > 0.0),
            discontinuous: header.extension == Extension::Discontinuous,
        }
    }

    /// The same for some of the signals.
    pub(crate) fn of_signals(self, chosen: &[usize]) -> Self {
        let text = |list: &[String]| chosen.iter().map(|&index| list.get(index).cloned().unwrap_or_default()).collect();
        Self {
            scaling: chosen.iter().map(|&index| self.scaling.get(index).copied().flatten()).collect(),
            transducers: text(&self.transducers),
            prefiltering: text(&self.prefiltering),
            // What fitted all signals and the whole recording need not fit a part.
            record_duration_s: None,
            ..self
        }
    }
}

/// Writes a recording as EDF+ or BDF+ (`options.coding`), in place of a file of that name, in one step.
///
/// Each channel keeps its sampling frequency; the duration of a data record is chosen so that all have whole numbers of samples
/// in it. Digital values are those of the scaling given or of the channel's digitisation, where eight characters can state it;
/// else the channel's range fills that of the coding. Missing samples become 0, under an annotation `BAD_missing` that
/// [`read_record`](super::read_record) takes back; samples that fill the last data record lie under one `BAD_ACQ_SKIP`, as
/// MNE writes it. An annotation's text is its code, or code and auxiliary text with a space between them. Headers are ASCII:
/// `µ` becomes `u`, other characters `_`; a channel named as annotation signals are gets another label.
pub fn write_record(path: &Path, record: &Record, options: &WriteOptions) -> Result<(), FormatError> {
    write_recording(path, &mut Recording::of(record), options).map(drop)
}

/// As [`write_record`], from a recording that is read in parts; gives a sentence for each thing that is not read back as it was.
pub fn write_recording(path: &Path, recording: &mut Recording, options: &WriteOptions) -> Result<Vec<String>, FormatError> {
    let bdf = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("bdf"));
    let coding = options.coding.unwrap_or(if bdf { Coding::Bdf } else { Coding::Edf });
    let (mut writer, head) = Writer::new(path, recording, options, coding)?;
    let mut file = Partial::new(path)?;
    file.put(&head)?;
    let mut bytes = Vec::new();
    recording.each_block(&mut |block| {
        writer.digitisers.iter_mut().zip(block).for_each(|(digitiser, samples)| digitiser.take(samples));
        writer.take(&mut bytes, false);
        file.put(&bytes)?;
        bytes.clear();
        Ok(())
    })?;
    writer.take(&mut bytes, true);
    file.put(&bytes)?;
    file.commit()?;

    let mut warnings = losses::of_record(&recording.record);
    let mut roundings = Roundings::default();
    for ((channel, digitiser), &samples) in recording.record.channels.iter().zip(&writer.digitisers).zip(recording.lengths()) {
        roundings.add(&channel.label, &channel.unit, samples, digitiser.rounding);
    }
    warnings.extend(roundings.warning(&format!("{} bits", 8 * coding.sample_bytes())));
    Ok(warnings)
}

fn unwritable(path: &Path, cause: String, remedy: &'static str) -> FormatError {
    FormatError::Unwritable { path: path.to_path_buf(), cause, remedy }
}

/// Data records on their way into a file.
struct Writer {
    digitisers: Vec<Digitiser>,
    per_record: Vec<usize>,
    coding: Coding,
    /// Which data records are written.
    kept: Vec<bool>,
    /// What is annotated in those.
    blocks: std::vec::IntoIter<Vec<u8>>,
    /// The next data record.
    next: usize,
}

impl Writer {
    /// Plans the file, and gives its header.
    fn new(
        path: &Path,
        recording: &mut Recording,
        options: &WriteOptions,
        coding: Coding,
    ) -> Result<(Self, Vec<u8>), FormatError> {
        let channels = recording.record.channels.len();
        if channels > 9_998 {
            return Err(unwritable(path, format!("{channels} channels are too many"), "write several files"));
        }
        let plan = Plan::new(recording, options, coding)
            .map_err(|cause| unwritable(path, cause, "resample or cut the channels to one duration at a round rate"))?;
        let surveys = recording.surveys()?;
        let record = &recording.record;
        let given = |index: usize| options.scaling.get(index).copied().flatten();
        let each = record.channels.iter().zip(&surveys).enumerate();
        let digitisers: Vec<Digitiser> = each
            .map(|(index, (channel, survey))| digitiser(path, channel, survey, given(index), coding))
            .collect::<Result<_, _>>()?;
        let start = record.start.as_ref().and_then(|start| start.parse::<StartTime>().ok());
        let start_ns = start.map_or(0, |start| i64::from(start.nanosecond));
        let kept = kept(recording.lengths(), &surveys, &plan, options.discontinuous);
        let labels: Vec<String> = record.channels.iter().map(|channel| label::written(&channel.label)).collect();

        let mut lists = annotations::gaps((record, &surveys), &plan, &kept, &labels, start_ns);
        lists.extend(annotations::padding(recording, &plan, start_ns));
        let rate = if record.sampling_frequency_hz > 0.0 { record.sampling_frequency_hz } else { 1.0 };
        for (index, annotation) in record.annotations.iter().enumerate() {
            let list = annotations::list(annotation, rate, start_ns);
            let refuse = || unwritable(path, format!("annotation {index} has no text"), "give it a code, or take it out");
            lists.push(list.ok_or_else(refuse)?);
        }
        let records = || (0..plan.records).filter(|&index| kept.get(index).is_none_or(|kept| *kept));
        let onset = |index: usize| (index as f64 * plan.duration_s * SECOND_NS as f64).round() as i64 + start_ns;
        let blocks = annotations::blocks(lists, &records().map(onset).collect::<Vec<_>>(), coding.sample_bytes());
        let block_samples = blocks.first().map_or(0, Vec::len) / coding.sample_bytes();
        let written = records().count();

        let mut head = main_header(record, options, coding, start, (written, written < plan.records, plan.duration_s));
        signal_headers(&mut head, record, options, &digitisers, &labels, &plan, (coding, block_samples));
        let blocks = blocks.into_iter();
        Ok((Self { digitisers, per_record: plan.per_record, coding, kept, blocks, next: 0 }, head))
    }

    /// Appends the data records that the channels fill; at the end, the last, in which each channel's last sample is repeated.
    fn take(&mut self, bytes: &mut Vec<u8>, end: bool) {
        let filled = self.digitisers.iter().zip(&self.per_record).map(|(channel, per_record)| channel.pending.len() / per_record);
        // Without channels all data records are written at the end.
        let filled = filled.min().unwrap_or(0);
        let left = self.kept.len().saturating_sub(self.next);
        let records = if end { left } else { filled.min(left) };
        for record in 0..records {
            if self.kept.get(self.next + record).is_none_or(|kept| *kept) {
                for (digitiser, &per_record) in self.digitisers.iter().zip(&self.per_record) {
                    samples(bytes, digitiser, record * per_record, per_record, self.coding);
                }
                bytes.extend(self.blocks.next().unwrap_or_default());
            }
        }
        self.next += records;
        for (digitiser, &per_record) in self.digitisers.iter_mut().zip(&self.per_record) {
            let taken = (records * per_record).min(digitiser.pending.len());
            digitiser.pending.drain(..taken);
        }
    }
}

fn digitiser(
    path: &Path,
    channel: &Channel,
    survey: &Survey,
    given: Option<Scaling>,
    coding: Coding,
) -> Result<Digitiser, FormatError> {
    if let Some(index) = survey.infinite {
        let cause = format!("sample {index} of channel '{}' is infinite", channel.label);
        return Err(unwritable(path, cause, "replace it by NaN, which stands for a missing sample"));
    }
    let status = coding == Coding::Bdf && channel.label == status::LABEL;
    if status {
        let (low, high) = coding.range();
        let is_bits = survey.low > survey.high || (survey.whole && low as f32 <= survey.low && survey.high <= high as f32);
        if !is_bits {
            let cause = format!("channel '{}' stands for 24 bits of triggers in BDF, and has other values", channel.label);
            return Err(unwritable(path, cause, "give the channel another label"));
        }
    }
    let given = if status { Some(Scaling::bits(coding.range())) } else { given };
    Digitiser::new(channel, survey, given, coding).ok_or_else(|| {
        let cause = format!("no header can state the range of channel '{}'", channel.label);
        unwritable(path, cause, "rescale the channel")
    })
}

/// Which data records are written: with `discontinuous`, the first, the last, and all that have a sample which is not missing.
fn kept(lengths: &[u64], surveys: &[Survey], plan: &Plan, discontinuous: bool) -> Vec<bool> {
    if !discontinuous {
        return vec![true; plan.records];
    }
    // In how many channels all samples of a data record are missing.
    let mut missing = vec![0; plan.records];
    for ((survey, &per_record), &length) in surveys.iter().zip(&plan.per_record).zip(lengths) {
        for gap in &survey.missing {
            let first = gap.start.div_ceil(per_record as u64) as usize;
            let end = if gap.end == length { plan.records } else { gap.end as usize / per_record };
            if let Some(records) = missing.get_mut(first..end) {
                for channels in records {
                    *channels += 1;
                }
            }
        }
    }
    let mut kept: Vec<bool> = missing.iter().map(|&channels| channels < surveys.len()).collect();
    if let Some(first) = kept.first_mut() {
        *first = true;
    }
    if let Some(last) = kept.last_mut() {
        *last = true;
    }
    kept
}

/// One channel's samples of a data record, of those that are pending; behind the end the last one is repeated.
fn samples(bytes: &mut Vec<u8>, digitiser: &Digitiser, from: usize, count: usize, coding: Coding) {
    let held = digitiser.pending.len();
    let own = digitiser.pending.get(from.min(held)..(from + count).min(held)).unwrap_or(&[]);
    let all = own.iter().copied().chain(std::iter::repeat_n(digitiser.last, count - own.len()));
    match coding {
        Coding::Edf => all.for_each(|sample| bytes.extend_from_slice(&(sample as i16).to_le_bytes())),
        Coding::Bdf => all.for_each(|sample| {
            let [a, b, c, _] = sample.to_le_bytes();
            bytes.extend_from_slice(&[a, b, c]);
        }),
    }
}

/// A text in ASCII, of at most `width` characters.
fn ascii(text: &str, width: usize) -> String {
    let mut ascii = String::with_capacity(width);
    for c in text.trim().chars() {
        match c {
            ' '..='~' => ascii.push(c),
            '\u{b5}' | '\u{3bc}' => ascii.push('u'),
            '\u{3a9}' | '\u{2126}' => ascii.push_str("Ohm"),
            '\u{b0}' => ascii.push_str("deg"),
            _ => ascii.push('_'),
        }
    }
    ascii.truncate(width);
    ascii
}

/// A comment of the record that begins with this word.
fn comment<'a>(record: &'a Record, what: &str) -> Option<&'a str> {
    record.comments.iter().find_map(|comment| comment.strip_prefix(what)?.strip_prefix(": "))
}

/// Code, sex, birthdate, name.
fn patient(record: &Record, options: &WriteOptions) -> String {
    let text = ascii(options.patient.as_deref().or_else(|| comment(record, "patient")).unwrap_or(""), WIDTHS[1]);
    let words: Vec<&str> = text.split(' ').filter(|word| !word.is_empty()).collect();
    let formed = matches!(words[..], [_, "M" | "F" | "X", birth, _, ..] if birth == "X" || Date::from_dashed(birth).is_some());
    if formed {
        text
    } else {
        ascii(&format!("X X X {}", if words.is_empty() { "X".into() } else { words.join("_") }), WIDTHS[1])
    }
}

/// `Startdate`, date, administration code, technician, equipment.
fn recording(record: &Record, options: &WriteOptions, date: Option<Date>) -> String {
    let text = ascii(options.recording.as_deref().or_else(|| comment(record, "recording")).unwrap_or(""), WIDTHS[1]);
    let mut words: Vec<&str> = text.split(' ').filter(|word| !word.is_empty()).collect();
    if words.first() == Some(&"Startdate") {
        words.drain(..words.len().min(2));
    }
    while words.len() < 3 {
        words.push("X");
    }
    ascii(&format!("Startdate {} {}", date.map_or("X".into(), Date::dashed), words.join(" ")), WIDTHS[1])
}

fn main_header(
    record: &Record,
    options: &WriteOptions,
    coding: Coding,
    start: Option<StartTime>,
    (records, discontinuous, duration_s): (usize, bool, f64),
) -> Vec<u8> {
    let date = start.and_then(|start| start.date);
    let short = match date {
        Some(Date { year: year @ 1985..=2084, month, day }) => format!("{day:02}.{month:02}.{:02}", year % 100),
        Some(Date { month, day, .. }) => format!("{day:02}.{month:02}.yy"),
        None => "01.01.85".into(),
    };
    let [hour, minute, second] = start.map_or([0; 3], |start| start.hms());
    let mut bytes = match coding {
        Coding::Edf => b"0       ".to_vec(),
        Coding::Bdf => b"\xFFBIOSEMI".to_vec(),
    };
    let signals = record.channels.len() + 1;
    let fields = [
        (patient(record, options), 80),
        (recording(record, options, date), 80),
        (short, WIDTH),
        (format!("{hour:02}.{minute:02}.{second:02}"), WIDTH),
        (((signals + 1) * BLOCK).to_string(), WIDTH),
        (format!("{}+{}", coding.name(), if discontinuous { 'D' } else { 'C' }), 44),
        (records.to_string(), WIDTH),
        (exactly(duration_s).unwrap_or_default(), WIDTH),
        (signals.to_string(), 4),
    ];
    for (text, width) in fields {
        bytes.extend(format!("{text:<width$}").bytes());
    }
    bytes
}

fn signal_headers(
    bytes: &mut Vec<u8>,
    record: &Record,
    options: &WriteOptions,
    digitisers: &[Digitiser],
    labels: &[String],
    plan: &Plan,
    (coding, block_samples): (Coding, usize),
) {
    let text = |list: &[String], index: usize| list.get(index).cloned().unwrap_or_default();
    let number = |value: f64| exactly(value).unwrap_or_default();
    let ordinary = record.channels.iter().zip(digitisers).zip(labels).zip(&plan.per_record).enumerate();
    let mut signals: Vec<[String; 10]> = ordinary
        .map(|(index, (((channel, Digitiser { scaling, .. }), label), per_record))| {
            [
                label.clone(),
                text(&options.transducers, index),
                channel.unit.clone(),
                number(scaling.physical_minimum),
                number(scaling.physical_maximum),
                scaling.digital_minimum.to_string(),
                scaling.digital_maximum.to_string(),
                text(&options.prefiltering, index),
                per_record.to_string(),
                String::new(),
            ]
        })
        .collect();
    let (low, high) = coding.range();
    let label = coding.annotations_label();
    let fields = [label, "", "", "-1", "1", &low.to_string(), &high.to_string(), "", &block_samples.to_string(), ""];
    signals.push(fields.map(str::to_owned));
    for (field, width) in WIDTHS.into_iter().enumerate() {
        for signal in &signals {
            let text = ascii(signal.get(field).map_or("", String::as_str), width);
            bytes.extend(format!("{text:<width$}").bytes());
        }
    }
}

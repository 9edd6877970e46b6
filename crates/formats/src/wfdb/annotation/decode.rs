use std::path::Path;

use physiosynth_signal::{Annotation, Code};

use super::codes::FREE_NUMBERS;
use super::{
    AUX, AnnotationFile, CHAN, DEFINITIONS_BEGIN, DEFINITIONS_END, Definition, LARGEST_CODE, NOTE, NUM, SKIP, SUB,
    TIME_RESOLUTION, aha, by_number,
};
use crate::FormatError;
use crate::wfdb::text;

const REMEDY: &str = "fetch the file again";

/// Decodes the content of an annotation file, in the MIT or the AHA format; `path` is for messages only.
pub fn decode(path: &Path, bytes: &[u8]) -> Result<AnnotationFile, FormatError> {
    if aha::is_aha(bytes) { aha::decode(path, bytes) } else { decode_mit(path, bytes) }
}

fn decode_mit(path: &Path, bytes: &[u8]) -> Result<AnnotationFile, FormatError> {
    let mut words = Words { path, bytes, at: 0 };
    // Most annotations are one word.
    let mut raw: Vec<Raw> = Vec::with_capacity(bytes.len() / 2);
    // CHAN and NUM hold until they are set again; SUB and AUX are of one annotation (annot(5)).
    let (mut sample, mut channel, mut number) = (0_i64, 0_u8, 0_i8);
    loop {
        let at = words.at;
        let (code, interval) = words.next()?;
        let current = raw.last_mut();
        match (code, current) {
            (0, _) if interval == 0 => break,
            // A file of SKIPs alone, each of the largest interval, stays far from the ends of 64 bits.
            (SKIP, _) => sample += words.long()?,
            (NUM, Some(annotation)) => {
                number = interval as u8 as i8;
                annotation.number = number;
            }
            (SUB, Some(annotation)) => annotation.subtype = interval as u8 as i8,
            (CHAN, Some(annotation)) => {
                channel = interval as u8;
                annotation.channel = channel;
            }
            (AUX, Some(annotation)) => annotation.aux = words.aux(interval as u8)?,
            (NUM..=AUX, None) => {
                return Err(words.malformed(at, format!("field {code} of an annotation stands before the first annotation")));
            }
            _ => {
                sample += i64::from(interval);
                raw.push(Raw { sample, code, subtype: 0, channel, number, aux: String::new() });
            }
        }
    }
    describe(&words, raw)
}

/// An annotation before its code has its name.
struct Raw {
    sample: i64,
    code: u8,
    subtype: i8,
    channel: u8,
    number: i8,
    aux: String,
}

/// Takes out what describes the file, and marks that are no annotations (code 0), and names the codes. The file is described
/// by comments at sample 0 that no other annotation precedes and that begin with `## `, or define a code: between the marks
/// for that, or, as older files do, alone, in which case only numbers without a standard meaning are taken for definitions,
/// so that a comment like `12 lead ECG` stays one.
fn describe(words: &Words, raw: Vec<Raw>) -> Result<AnnotationFile, FormatError> {
    let mut file = AnnotationFile { annotations: Vec::with_capacity(raw.len()), ..AnnotationFile::default() };
    // By number: what the file defines, or else the standard symbols.
    let mut names: [Option<Code>; 64] = [const { None }; 64];
    let (mut heading, mut defining) = (true, false);
    for annotation in raw {
        heading &= annotation.sample == 0 && annotation.code == NOTE && annotation.subtype == 0;
        if heading {
            let text = annotation.aux.as_str();
            if text == DEFINITIONS_BEGIN || text == DEFINITIONS_END {
                defining = text == DEFINITIONS_BEGIN;
                continue;
            }
            let free = |number: u8| defining || FREE_NUMBERS.contains(&number);
            if let Some(defined) = definition(text).filter(|defined| free(defined.number)) {
                if let Some(name) = names.get_mut(usize::from(defined.number)) {
                    *name = Some(defined.code.clone());
                }
                file.definitions.push(defined);
                continue;
            }
            if let Some(stated) = text.strip_prefix(TIME_RESOLUTION) {
                let hertz = stated.trim().parse().ok().filter(|hertz: &f64| (1e-9..=1e12).contains(hertz));
                let cause = || words.malformed(0, format!("'{stated}' is no time resolution in hertz"));
                file.time_resolution_hz = Some(hertz.ok_or_else(cause)?);
                continue;
            }
            if text.starts_with("## ") {
                continue;
            }
        }
        if annotation.code != 0 {
            let known =
                names.get_mut(usize::from(annotation.code)).map(|n| n.get_or_insert_with(|| name(annotation.code)).clone());
            let code = known.unwrap_or_else(|| name(annotation.code));
            let Raw { sample, subtype, channel, number, aux, .. } = annotation;
            file.annotations.push(Annotation { sample, duration: 0, code, subtype, channel, number, aux });
        }
    }
    Ok(file)
}

/// The name of a code that the file does not define: its standard symbol, or its number in brackets.
fn name(number: u8) -> Code {
    by_number(number).map_or_else(|| format!("[{number}]").into(), |code| code.symbol.into())
}

/// Whether a comment at sample 0, before all other annotations, would be taken for a description of the file.
pub(super) fn describes(text: &str) -> bool {
    text.starts_with("## ") || definition(text).is_some_and(|defined| FREE_NUMBERS.contains(&defined.number))
}

/// `42 T1 Rest with eyes closed`: number, symbol, description.
fn definition(text: &str) -> Option<Definition> {
    let mut rest = text.trim_start();
    let mut next = || {
        let (field, tail) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
        rest = tail.trim_start();
        Some(field).filter(|field| !field.is_empty())
    };
    let number = next()?.parse().ok().filter(|number| (1..=LARGEST_CODE).contains(number))?;
    let symbol = next()?;
    let standard = super::by_symbol(symbol).map(|code| Code::Borrowed(code.symbol));
    let code = standard.unwrap_or_else(|| symbol.to_owned().into());
    Some(Definition { number, code, description: rest.trim_end().to_owned() })
}

/// The file as 16-bit words.
struct Words<'a> {
    path: &'a Path,
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Words<'a> {
    fn malformed(&self, at: usize, cause: String) -> FormatError {
        FormatError::Malformed { path: self.path.to_path_buf(), place: format!("byte {at}"), cause, remedy: REMEDY }
    }

    /// The next `count` bytes, or an error that says what is missing.
    fn take(&mut self, count: usize, what: &str) -> Result<&'a [u8], FormatError> {
        let taken = self.bytes.get(self.at..self.at + count).ok_or_else(|| FormatError::Truncated {
            path: self.path.to_path_buf(),
            expected: (self.at + count) as u64,
            found: self.bytes.len() as u64,
            because: format!("{what} at byte {}", self.at),
            remedy: REMEDY,
        })?;
        self.at += count;
        Ok(taken)
    }

    /// Code and interval of the next word.
    fn next(&mut self) -> Result<(u8, u16), FormatError> {
        let word = self.half("an annotation or the end mark is expected")?;
        Ok(((word >> 10) as u8, word & 0x3FF))
    }

    fn half(&mut self, what: &str) -> Result<u16, FormatError> {
        let bytes = self.take(2, what)?;
        Ok(bytes.iter().rev().fold(0, |word, &byte| (word << 8) | u16::from(byte)))
    }

    /// A 32-bit interval in the PDP-11's order: the high word first, each word little-endian.
    fn long(&mut self) -> Result<i64, FormatError> {
        let high = self.half("the interval of a SKIP is expected")?;
        let low = self.half("the interval of a SKIP is expected")?;
        Ok(i64::from(((u32::from(high) << 16) | u32::from(low)) as i32))
    }

    /// The text of an AUX field, padded to whole words in the file. Trailing NUL bytes are of the writer's making.
    fn aux(&mut self, length: u8) -> Result<String, FormatError> {
        let length = usize::from(length);
        let padded = self.take(length.next_multiple_of(2), "the text of an AUX field is expected")?;
        let text = padded.get(..length).unwrap_or(padded);
        let end = text.iter().rposition(|&byte| byte != 0).map_or(0, |last| last + 1);
        Ok(text::decode(text.get(..end).unwrap_or(text)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(bytes: &[u8]) -> Result<AnnotationFile, FormatError> {
        decode(Path::new("x.atr"), bytes)
    }

    fn word(code: u8, interval: u16) -> [u8; 2] {
        ((u16::from(code) << 10) | interval).to_le_bytes()
    }

    #[test]
    fn the_start_of_record_100() {
        // "+" at 18 with the text "(N", then "N" at 77.
        let file = decoded(&[0x12, 0x70, 0x03, 0xFC, 0x28, 0x4E, 0, 0, 0x3B, 0x04, 0, 0]).unwrap();
        assert_eq!(file.annotations, [Annotation::beat(18, "+").with_aux("(N"), Annotation::beat(77, "N")]);
    }

    #[test]
    fn skips_are_in_pdp_order_and_signed() {
        let mut bytes = [word(SKIP, 0), [0x01, 0x00], [0x02, 0x00], word(1, 5)].concat();
        bytes.extend([word(SKIP, 0), [0xFF, 0xFF], [0xFE, 0xFF], word(1, 0), [0, 0]].concat());
        let samples: Vec<i64> = decoded(&bytes).unwrap().annotations.iter().map(|a| a.sample).collect();
        assert_eq!(samples, [65_536 + 2 + 5, 65_536 + 2 + 5 - 2]);
    }

    #[test]
    fn chan_and_num_hold_while_sub_and_aux_do_not() {
        let bytes =
            [word(1, 1), word(SUB, 0xFF), word(CHAN, 2), word(NUM, 3), word(AUX, 1), [b'a', 0], word(1, 1), [0, 0]].concat();
        let list = decoded(&bytes).unwrap().annotations;
        assert_eq!((list[0].subtype, list[0].channel, list[0].number, list[0].aux.as_str()), (-1, 2, 3, "a"));
        assert_eq!((list[1].subtype, list[1].channel, list[1].number, list[1].aux.as_str()), (0, 2, 3, ""));
    }

    #[test]
    fn time_resolution_and_defined_codes_are_taken_out() {
        let note = |text: &str| {
            let mut bytes = [word(NOTE, 0), word(AUX, text.len() as u16)].concat();
            bytes.extend(text.bytes());
            bytes.resize(bytes.len().next_multiple_of(2), 0);
            bytes
        };
        let head = [note("## time resolution: 512.5"), note(DEFINITIONS_BEGIN), note("42 T1 left fist"), note(DEFINITIONS_END)];
        let bytes = [head.concat(), [word(42, 9), word(43, 1), [0, 0]].concat()].concat();
        let file = decoded(&bytes).unwrap();
        assert_eq!(file.time_resolution_hz, Some(512.5));
        assert_eq!(file.annotations, [Annotation::beat(9, "T1"), Annotation::beat(10, "[43]")]);
        assert_eq!((file.definitions[0].number, file.definitions[0].description.as_str()), (42, "left fist"));
    }

    #[test]
    fn comments_at_the_start_stay_unless_they_define_a_free_number() {
        let note = |text: &str| [&word(NOTE, 0)[..], &word(AUX, text.len() as u16), text.as_bytes()].concat();
        let bytes = [note("12 lead ECG "), note("43 xx "), note("hello!"), word(43, 5).to_vec(), vec![0, 0]].concat();
        let file = decoded(&bytes).unwrap();
        let found: Vec<_> = file.annotations.iter().map(|a| (a.code.as_ref(), a.aux.as_str())).collect();
        assert_eq!(found, [("\"", "12 lead ECG "), ("\"", "hello!"), ("xx", "")]);
    }

    #[test]
    fn positions_are_rescaled_with_halves_rounded_up() {
        let mut file = AnnotationFile { time_resolution_hz: Some(720.0), ..AnnotationFile::default() };
        file.annotations = [0, 1, 2, 3, -1, -3, 1_000_001].map(|sample| Annotation::beat(sample, "N")).to_vec();
        file.rescale(360.0);
        let samples: Vec<i64> = file.annotations.iter().map(|a| a.sample).collect();
        assert_eq!(samples, [0, 1, 1, 2, 0, -1, 500_001]);
        assert_eq!(file.time_resolution_hz, Some(360.0));
    }

    #[test]
    fn truncation_is_an_error_wherever_it_happens() {
        let whole =
            [word(1, 9), word(AUX, 3), [b'a', b'b'], [b'c', 0], word(SKIP, 0), [1, 0], [0, 0], word(5, 1), [0, 0]].concat();
        assert!(decoded(&whole).is_ok());
        for length in 0..whole.len() {
            let message = decoded(&whole[..length]).unwrap_err().to_string();
            assert!(message.contains(&format!("holds {length} bytes")) && message.contains("x.atr"), "{length}: {message}");
        }
    }

    #[test]
    fn a_field_before_the_first_annotation_is_refused() {
        let message = decoded(&[word(CHAN, 1), [0, 0]].concat()).unwrap_err().to_string();
        assert!(message.contains("byte 0") && message.contains("before the first annotation"), "{message}");
    }
}

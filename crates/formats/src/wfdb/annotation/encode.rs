use std::collections::BTreeMap;
use std::path::Path;

use physiosynth_signal::Annotation;

use super::codes::FREE_NUMBERS;
use super::decode::describes;
use super::{
    AUX, CHAN, DEFINITIONS_BEGIN, DEFINITIONS_END, LARGEST_CODE, LARGEST_INTERVAL, NOTE, NUM, SKIP, SUB, TIME_RESOLUTION, aha,
    by_number, by_symbol,
};
use crate::FormatError;

/// Longest symbol that a file may define, in bytes: wfdb-python refuses files with longer ones whole.
const LONGEST_SYMBOL: usize = 3;

/// Encodes annotations as the content of an annotation file; `path` is for messages only.
pub(crate) fn encode(path: &Path, annotations: &[Annotation], time_resolution_hz: Option<f64>) -> Result<Vec<u8>, FormatError> {
    let numbers = numbers(path, annotations)?;
    let mut bytes = Vec::with_capacity(2 * annotations.len() + 64);
    if let Some(hertz) = time_resolution_hz {
        if !(hertz.is_finite() && hertz > 0.0) {
            return Err(FormatError::Unwritable {
                path: path.to_path_buf(),
                cause: format!("the time resolution is {hertz} Hz"),
                remedy: "give one above 0, or none",
            });
        }
        note(path, &mut bytes, &format!("{TIME_RESOLUTION}{hertz}"))?;
    }
    let defined: Vec<_> = numbers.iter().filter(|(_, (_, defined))| *defined).collect();
    if !defined.is_empty() {
        note(path, &mut bytes, DEFINITIONS_BEGIN)?;
        for (code, (number, _)) in defined {
            note(path, &mut bytes, &format!("{number} {code} {code}"))?;
        }
        note(path, &mut bytes, DEFINITIONS_END)?;
    }
    let comment =
        |mark: &&Annotation| mark.sample == 0 && mark.subtype == 0 && numbers.get(mark.code.as_ref()) == Some(&(NOTE, false));
    if annotations.iter().take_while(comment).any(|mark| describes(&mark.aux)) {
        // A mark that is no annotation ends the description, as WFDB's own tools write it: one sample back, and on again.
        skip(&mut bytes, -1);
        word(&mut bytes, 0, 1);
    }
    let (mut sample, mut channel, mut number) = (0, 0, 0);
    for annotation in annotations {
        interval(&mut bytes, annotation.sample.saturating_sub(sample), numbers.get(annotation.code.as_ref()).map_or(0, |n| n.0));
        sample = annotation.sample;
        if annotation.number != number {
            number = annotation.number;
            word(&mut bytes, NUM, u16::from(number as u8));
        }
        if annotation.subtype != 0 {
            word(&mut bytes, SUB, u16::from(annotation.subtype as u8));
        }
        if annotation.channel != channel {
            channel = annotation.channel;
            word(&mut bytes, CHAN, u16::from(channel));
        }
        aux(path, &mut bytes, &annotation.aux)?;
    }
    word(&mut bytes, 0, 0);
    Ok(told_apart(bytes))
}

/// The same content, begun otherwise where its first word would be taken for the beginning of a file in the AHA format.
fn told_apart(bytes: Vec<u8>) -> Vec<u8> {
    let &[low, high, ref rest @ ..] = bytes.as_slice() else { return bytes };
    if !aha::begins_so(&bytes) {
        return bytes;
    }
    let mut begun = Vec::with_capacity(bytes.len() + 6);
    let first = u16::from_le_bytes([low, high]);
    skip(&mut begun, i32::from(first & LARGEST_INTERVAL as u16));
    word(&mut begun, (first >> 10) as u8, 0);
    begun.extend_from_slice(rest);
    begun
}

/// The number of each code in use, and whether the file has to define it.
fn numbers<'a>(path: &Path, annotations: &'a [Annotation]) -> Result<BTreeMap<&'a str, (u8, bool)>, FormatError> {
    let mut numbers: BTreeMap<&str, (u8, bool)> = BTreeMap::new();
    let mut undefined = Vec::new();
    for annotation in annotations {
        let code = annotation.code.as_ref();
        if numbers.contains_key(code) || undefined.contains(&code) {
            continue;
        }
        if let Some(number) = by_symbol(code).map(|standard| standard.number).or_else(|| bracketed(code)) {
            numbers.insert(code, (number, false));
        } else if !(1..=LONGEST_SYMBOL).contains(&code.len()) || code.contains(|c: char| c.is_whitespace() || c.is_control()) {
            return Err(FormatError::Unwritable {
                path: path.to_path_buf(),
                cause: format!(
                    "the annotation code '{code}' is no word of 1 to {LONGEST_SYMBOL} bytes, the most that WFDB's tools read"
                ),
                remedy: "give it a short name, and what it means as the annotation's text",
            });
        } else {
            undefined.push(code);
        }
    }
    let taken: Vec<u8> = numbers.values().map(|&(number, _)| number).collect();
    let mut free = FREE_NUMBERS.iter().filter(|number| !taken.contains(number));
    for code in undefined {
        let number = free.next().ok_or_else(|| FormatError::Unwritable {
            path: path.to_path_buf(),
            cause: format!("more than {} annotation codes without a standard symbol", FREE_NUMBERS.len()),
            remedy: "merge some of them, or write them as the text of comments",
        })?;
        numbers.insert(code, (*number, true));
    }
    Ok(numbers)
}

/// The number of a code that was read as `[43]`, since it has no name.
fn bracketed(code: &str) -> Option<u8> {
    let number = code.strip_prefix('[')?.strip_suffix(']')?.parse().ok()?;
    let nameless = (1..=LARGEST_CODE).contains(&number) && by_number(number).is_none();
    (nameless && code == format!("[{number}]")).then_some(number)
}

fn word(bytes: &mut Vec<u8>, code: u8, interval: u16) {
    bytes.extend(((u16::from(code) << 10) | interval).to_le_bytes());
}

/// The word of an annotation, after as many SKIPs as its interval needs.
fn interval(bytes: &mut Vec<u8>, mut interval: i64, code: u8) {
    while !(0..=LARGEST_INTERVAL).contains(&interval) {
        let step = interval.clamp(i64::from(i32::MIN), i64::from(i32::MAX));
        skip(bytes, step as i32);
        interval -= step;
    }
    word(bytes, code, interval as u16);
}

/// An interval of its own, the high half first.
fn skip(bytes: &mut Vec<u8>, interval: i32) {
    let bits = interval as u32;
    word(bytes, SKIP, 0);
    bytes.extend(((bits >> 16) as u16).to_le_bytes());
    bytes.extend((bits as u16).to_le_bytes());
}

/// A comment at sample 0 that describes the file.
fn note(path: &Path, bytes: &mut Vec<u8>, text: &str) -> Result<(), FormatError> {
    word(bytes, NOTE, 0);
    aux(path, bytes, text)
}

fn aux(path: &Path, bytes: &mut Vec<u8>, text: &str) -> Result<(), FormatError> {
    if text.is_empty() {
        return Ok(());
    }
    let Ok(length) = u8::try_from(text.len()) else {
        return Err(FormatError::Unwritable {
            path: path.to_path_buf(),
            cause: format!("the annotation text '{text}' has {} bytes, and 255 is the most that fit", text.len()),
            remedy: "shorten it",
        });
    };
    word(bytes, AUX, u16::from(length));
    bytes.extend(text.bytes());
    if length % 2 == 1 {
        bytes.push(0);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_that_look_like_descriptions_and_codes_that_look_like_numbers_come_back() {
        let path = Path::new("x.atr");
        let texts = ["", "## gqrs -r 100", "## annotation type definitions", "42 T1 rest", "12 lead"];
        let mut annotations: Vec<Annotation> = texts.iter().map(|text| Annotation::beat(0, "\"").with_aux(*text)).collect();
        annotations.extend(["[5]", "[42]", "T1", "N"].map(|code| Annotation::beat(9, code)));
        for from in 0..annotations.len() {
            let annotations = &annotations[from..];
            let back = super::super::decode(path, &encode(path, annotations, Some(250.0)).unwrap()).unwrap();
            assert_eq!(back.annotations, annotations);
            assert_eq!(back.time_resolution_hz, Some(250.0));
        }
    }

    #[test]
    fn files_of_one_or_two_annotations_are_not_taken_for_another_format() {
        let path = Path::new("x.atr");
        // Two bytes each for annotations, six for an interval, two for the end: sixteen in all.
        for number in 1..=LARGEST_CODE {
            let code = by_number(number).map_or_else(|| format!("[{number}]"), |code| code.symbol.to_owned());
            for sample in [0, 256, 512, 768] {
                let marks: Vec<_> = [sample, 5_000, 9_000].map(|sample| Annotation::beat(sample, code.clone())).to_vec();
                let bytes = encode(path, &marks[..2], None).unwrap();
                assert!(!aha::begins_so(&bytes), "{code} {sample}");
                for count in 1..=3 {
                    let back = super::super::decode(path, &encode(path, &marks[..count], None).unwrap()).unwrap();
                    assert!(!back.is_aha);
                    assert_eq!(back.annotations, marks[..count], "{code} {sample}");
                }
            }
        }
    }

    #[test]
    fn what_cannot_be_written_is_refused() {
        let path = Path::new("x.atr");
        let long = encode(path, &[Annotation::beat(1, "N").with_aux("a".repeat(256))], None).unwrap_err().to_string();
        assert!(long.contains("256 bytes") && long.contains("x.atr"), "{long}");
        let blank = encode(path, &[Annotation::beat(1, "two words")], None).unwrap_err().to_string();
        assert!(blank.contains("'two words'"), "{blank}");
        let word = encode(path, &[Annotation::beat(1, "seizure")], None).unwrap_err().to_string();
        assert!(word.contains("'seizure'") && word.contains("3 bytes"), "{word}");
        let many: Vec<_> = (0..11).map(|i| Annotation::beat(i, format!("e{i}"))).collect();
        let message = encode(path, &many, None).unwrap_err().to_string();
        assert!(message.contains("more than 10"), "{message}");
        assert!(encode(path, &many[..10], None).is_ok());
    }
}

//! Annotation files in the format of the American Heart Association's database (annot(5), "AHA format"): sixteen bytes for each
//! annotation. Byte 0 is zero and byte 1 the AHA code; then follow the sample (32 bits, the high word first), a serial number
//! (16 bits), the MIT subtype, the MIT code, and up to six bytes of text. The file ends, or its last block is filled up, with
//! bytes of 255.

use std::path::Path;

use physiosynth_signal::{Annotation, Code};

use super::{AnnotationFile, by_number};
use crate::FormatError;
use crate::wfdb::text;

/// AHA codes, with the symbols of the MIT codes that stand for them.
static CODES: [(u8, &str); 11] = [
    (b'N', "N"),
    (b'V', "V"),
    (b'F', "F"),
    (b'E', "E"),
    (b'P', "/"),
    (b'Q', "Q"),
    (b'R', "r"),
    (b'O', "\""),
    (b'U', "~"),
    (b'[', "["),
    (b']', "]"),
];

/// MIT numbers that are written as `N` in this format although they are beats of another kind, so that their number says more
/// than the letter.
const NORMAL_TO_AHA: [u8; 13] = [1, 2, 3, 4, 7, 8, 9, 11, 25, 34, 35, 38, 30];

const REMEDY: &str = "fetch the file again";
const END: u8 = 0xFF;

/// Whether a file is in this format. As in the WFDB library, the first annotation decides, and `[` and `]` don't count; what
/// follows it has to look like another or the end too, since a file in the MIT format can begin with these two bytes.
pub(super) fn is_aha(bytes: &[u8]) -> bool {
    match bytes {
        [_, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, rest @ ..] if begins_so(bytes) => match rest {
            [] | [END, ..] => true,
            [0, code, ..] => symbol(*code).is_some(),
            _ => false,
        },
        _ => false,
    }
}

/// Whether a file begins with the bytes by which WFDB's tools tell this format.
pub(super) fn begins_so(bytes: &[u8]) -> bool {
    matches!(bytes, [0, code, ..] if symbol(*code).is_some() && !matches!(code, b'[' | b']'))
}

fn symbol(code: u8) -> Option<&'static str> {
    CODES.iter().find(|(aha, _)| *aha == code).map(|(_, symbol)| *symbol)
}

pub(super) fn decode(path: &Path, bytes: &[u8]) -> Result<AnnotationFile, FormatError> {
    let malformed = |at: usize, cause: String| FormatError::Malformed {
        path: path.to_path_buf(),
        place: format!("byte {at}"),
        cause,
        remedy: REMEDY,
    };
    let mut file = AnnotationFile { is_aha: true, ..AnnotationFile::default() };
    let (records, rest) = bytes.as_chunks::<16>();
    for (index, record) in records.iter().enumerate() {
        let [first, code, b2, b3, b4, b5, _, _, subtype, number, aux @ ..] = *record;
        if first == END {
            return Ok(file);
        }
        let at = index * 16;
        if first != 0 {
            return Err(malformed(at, format!("an annotation begins with {first}, not 0")));
        }
        let Some(symbol) = symbol(code) else { return Err(malformed(at + 1, format!("{code} is no AHA annotation code"))) };
        let sample = i64::from(i32::from_le_bytes([b4, b5, b2, b3]));
        // Files of the WFDB library tell which of the beats that AHA calls normal it was; original ones have zeros there.
        let finer = by_number(number).filter(|standard| symbol == "N" && NORMAL_TO_AHA.contains(&standard.number));
        let unreadable = code == b'U' && subtype == 0;
        let length = aux.iter().rposition(|&byte| byte != 0).map_or(0, |last| last + 1);
        let aux = if aux[0] == 0 { String::new() } else { text::decode(aux.get(..length).unwrap_or(&[])) };
        let code = Code::Borrowed(finer.map_or(symbol, |standard| standard.symbol));
        let subtype = if unreadable { -1 } else { subtype as i8 };
        file.annotations.push(Annotation { sample, duration: 0, code, subtype, channel: 0, number: 0, aux });
    }
    if rest.first().is_some_and(|&byte| byte != END) {
        return Err(FormatError::Truncated {
            path: path.to_path_buf(),
            expected: bytes.len().next_multiple_of(16) as u64,
            found: bytes.len() as u64,
            because: "AHA annotations have 16 bytes each".into(),
            remedy: REMEDY,
        });
    }
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(code: u8, sample: i32, subtype: u8, number: u8, aux: &[u8]) -> Vec<u8> {
        let [a, b, c, d] = sample.to_le_bytes();
        let mut bytes = vec![0, code, c, d, a, b, 1, 0, subtype, number];
        bytes.extend(aux);
        bytes.resize(16, 0);
        bytes
    }

    #[test]
    fn letters_numbers_and_texts() {
        let mut bytes = record(b'N', 70_000, 0, 0, b"");
        bytes.extend(record(b'N', 70_100, 0, 8, b""));
        bytes.extend(record(b'P', 70_200, 0, 12, b"(P"));
        bytes.extend(record(b'U', 70_300, 0, 0, b""));
        bytes.extend(record(b'[', 70_400, 0, 0, b""));
        bytes.extend([255; 20]);
        assert!(is_aha(&bytes));
        let file = decode(Path::new("x.atr"), &bytes).unwrap();
        let found: Vec<_> = file.annotations.iter().map(|a| (a.sample, a.code.as_ref(), a.subtype, a.aux.as_str())).collect();
        let expected =
            [(70_000, "N", 0, ""), (70_100, "A", 0, ""), (70_200, "/", 0, "(P"), (70_300, "~", -1, ""), (70_400, "[", 0, "")];
        assert_eq!(found, expected);
    }

    #[test]
    fn what_is_damaged_is_named() {
        let mut bytes = [record(b'N', 5, 0, 0, b""), record(b'x', 9, 0, 0, b"")].concat();
        let message = decode(Path::new("x.atr"), &bytes).unwrap_err().to_string();
        assert!(message.contains("byte 17") && message.contains("120 is no AHA annotation code"), "{message}");
        bytes.truncate(20);
        let message = decode(Path::new("x.atr"), &bytes).unwrap_err().to_string();
        assert!(message.contains("holds 20 bytes where 32 are needed"), "{message}");
    }

    #[test]
    fn files_in_the_mit_format_are_told_apart() {
        // "+" at 18 with a text; "N" at 77.
        assert!(!is_aha(&[0x12, 0x70, 0x03, 0xFC, 0x28, 0x4E, 0, 0, 0x3B, 0x04, 0, 0, 0, 0, 0, 0]));
        assert!(!is_aha(&[0, b'N']));
    }
}

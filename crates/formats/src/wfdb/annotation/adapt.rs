//! Annotations of other formats as annotations that the MIT format can hold.

use std::collections::BTreeSet;

use physiosynth_signal::Annotation;

use super::by_symbol;
use super::codes::FREE_NUMBERS;

/// Longest text of an annotation, in bytes.
const LONGEST_TEXT: usize = 255;
/// Longest symbol that a file may define, in bytes.
const LONGEST_SYMBOL: usize = 3;
/// The code of a comment.
const COMMENT: &str = "\"";

/// Makes annotations such that the MIT format holds them, in order of position; gives a sentence for each thing that is lost.
///
/// A code that is a standard symbol, or a word of up to three bytes, stays. Code and text that another format has as one text
/// (`+ (AFIB`) are told apart where the code is a sign, not a letter. Any other code becomes the text of a comment (`"`), with the
/// annotation's own text behind it. Durations have no place.
pub fn as_mit(annotations: &mut Vec<Annotation>, samples: u64) -> Vec<String> {
    let mut warnings = Vec::new();
    let before = annotations.len();
    annotations.retain(|mark| u64::try_from(mark.sample).is_ok_and(|sample| sample < samples));
    if annotations.len() < before {
        warnings.push(format!("{} annotations outside the record are left out", before - annotations.len()));
    }
    let durations = annotations.iter().filter(|mark| mark.duration > 0).count();
    if durations > 0 {
        warnings.push(format!("the durations of {durations} annotations have no place in WFDB"));
    }
    annotations.iter_mut().for_each(split);
    let words: BTreeSet<String> =
        annotations.iter().filter(|mark| defined(&mark.code)).map(|mark| mark.code.to_string()).collect();
    let room = words.len() <= FREE_NUMBERS.len();
    let (mut comments, mut cut) = (0, 0);
    for mark in annotations.iter_mut() {
        let stays = by_symbol(&mark.code).is_some() || is_number(&mark.code) || (room && defined(&mark.code));
        if !stays {
            comments += 1;
            let text = match (mark.code.trim(), mark.aux.as_str()) {
                (code, "") => code.to_owned(),
                (code, aux) => format!("{code} {aux}"),
            };
            mark.aux = text;
            mark.code = COMMENT.into();
        }
        if mark.aux.len() > LONGEST_TEXT {
            cut += 1;
            let end = (0..=LONGEST_TEXT).rev().find(|&end| mark.aux.is_char_boundary(end)).unwrap_or(0);
            mark.aux.truncate(end);
        }
    }
    if comments > 0 {
        warnings.push(format!("{comments} annotations whose codes WFDB does not have are written as comments (code '\"')"));
    }
    if cut > 0 {
        warnings.push(format!("the texts of {cut} annotations are cut to {LONGEST_TEXT} bytes"));
    }
    annotations.sort_by_key(|mark| mark.sample);
    warnings
}

/// Tells code and text apart where another format has them as one.
fn split(mark: &mut Annotation) {
    if !mark.aux.is_empty() {
        return;
    }
    let Some((code, text)) = mark.code.split_once(' ') else { return };
    if code.chars().all(|c| !c.is_alphanumeric())
        && let Some(standard) = by_symbol(code)
    {
        mark.aux = text.to_owned();
        mark.code = standard.symbol.into();
    }
}

/// Whether a file may define a code.
fn defined(code: &str) -> bool {
    by_symbol(code).is_none()
        && !is_number(code)
        && (1..=LONGEST_SYMBOL).contains(&code.len())
        && !code.contains(|c: char| c.is_whitespace() || c.is_control())
}

/// Whether a code is a number without a meaning, as it is read (`[43]`).
fn is_number(code: &str) -> bool {
    let number = code.strip_prefix('[').and_then(|code| code.strip_suffix(']')).and_then(|number| number.parse::<u8>().ok());
    number.is_some_and(|number| (1..=super::LARGEST_CODE).contains(&number))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::{decode, encode};
    use super::*;

    #[test]
    fn annotations_of_other_formats_fit() {
        let mark = |sample: i64, code: &str| Annotation::beat(sample, code.to_owned());
        let mut marks = vec![
            mark(30, "Sleep stage W"),
            mark(5, "+ (AFIB"),
            mark(10, "N"),
            mark(20, "T0"),
            mark(25, "[43]"),
            mark(28, &"x".repeat(400)),
            mark(-3, "N"),
            mark(100, "N"),
        ];
        marks[3].duration = 10;
        let warnings = as_mit(&mut marks, 100);
        assert_eq!(warnings.len(), 4, "{warnings:?}");
        let found: Vec<(i64, &str, &str)> = marks.iter().map(|m| (m.sample, m.code.as_ref(), m.aux.as_str())).collect();
        assert_eq!(found[..4], [(5, "+", "(AFIB"), (10, "N", ""), (20, "T0", ""), (25, "[43]", "")]);
        assert_eq!((found[4].1, found[4].2.len(), found[5]), ("\"", 255, (30, "\"", "Sleep stage W")));
        let mut written = marks.clone();
        for mark in &mut written {
            mark.duration = 0;
        }
        let bytes = encode(Path::new("x.atr"), &marks, None).unwrap();
        assert_eq!(decode(Path::new("x.atr"), &bytes).unwrap().annotations, written);
    }

    #[test]
    fn too_many_codes_become_comments() {
        let mut marks: Vec<Annotation> = (0..11).map(|n| Annotation::beat(n, format!("x{n}"))).collect();
        let warnings = as_mit(&mut marks, 100);
        assert!(marks.iter().all(|mark| mark.code == "\"" && mark.aux.starts_with('x')), "{marks:?}");
        assert!(warnings[0].contains("11 annotations"), "{warnings:?}");
    }
}

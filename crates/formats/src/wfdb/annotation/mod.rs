//! Annotation files in the MIT format (WFDB's annot(5)): 16-bit little-endian words with a code in the upper six bits and an
//! interval in the lower ten, and pseudo-codes for long intervals (SKIP) and for the fields SUB, CHAN, NUM and AUX.

mod codes;
mod decode;
mod encode;

use physiosynth_signal::Annotation;

pub use codes::{STANDARD_CODES, StandardCode, by_number, by_symbol};
pub(crate) use decode::decode;
pub(crate) use encode::encode;

/// Largest number that a word's code field may hold for an annotation; those above are pseudo-codes, SKIP the first of them.
const LARGEST_CODE: u8 = 58;
const SKIP: u8 = 59;
const NUM: u8 = 60;
const SUB: u8 = 61;
const CHAN: u8 = 62;
const AUX: u8 = 63;
/// Largest interval that fits in a word.
const LARGEST_INTERVAL: i64 = 1023;
/// Number of the comment code `"`, whose texts at sample 0 that begin with `## ` describe the file itself.
const NOTE: u8 = 22;
const TIME_RESOLUTION: &str = "## time resolution: ";
const DEFINITIONS_BEGIN: &str = "## annotation type definitions";
const DEFINITIONS_END: &str = "## end of definitions";

/// What an annotation file holds.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct AnnotationFile {
    /// The annotations, in file order, without those that describe the file itself.
    pub annotations: Vec<Annotation>,
    /// What positions count in, where the file states it, in hertz.
    pub time_resolution_hz: Option<f64>,
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use proptest::prelude::*;

    use super::*;

    /// Codes of each kind: standard, numbered, and named by the file.
    fn any_code() -> impl Strategy<Value = String> {
        prop_oneof![
            4 => prop::sample::select(STANDARD_CODES.iter().map(|code| code.symbol.to_owned()).collect::<Vec<_>>()),
            1 => (50_u8..=58).prop_map(|number| format!("[{number}]")),
            1 => prop::sample::select(vec!["T1".to_owned(), "sz".into(), "é".into()]),
        ]
    }

    prop_compose! {
        fn any_annotation()(
            code in any_code(),
            gap in prop_oneof![0_i64..2000, 1_000_000_i64..5_000_000_000, -3_000_000_000_i64..0],
            subtype in prop_oneof![Just(0_i8), any::<i8>()],
            channel in prop_oneof![Just(0_u8), any::<u8>()],
            number in prop_oneof![Just(0_i8), any::<i8>()],
            aux in prop_oneof![Just(String::new()), "[ -~]{0,255}", "\\PC{0,60}"],
        ) -> Annotation {
            Annotation { sample: gap, duration: 0, code: code.into(), subtype, channel, number, aux }
        }
    }

    proptest! {
        #[test]
        fn lists_round_trip(mut list in prop::collection::vec(any_annotation(), 0..60)) {
            // A comment at the very start that looks like a description of the file is taken for one.
            let mut sample = 7;
            for annotation in &mut list {
                sample += annotation.sample;
                annotation.sample = sample;
                prop_assume!(sample != 0);
            }
            let bytes = encode(Path::new("x.atr"), &list).unwrap();
            prop_assert_eq!(decode(Path::new("x.atr"), &bytes).unwrap().annotations, list);
        }

        #[test]
        fn random_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            let _ = decode(Path::new("x.atr"), &bytes);
        }
    }

    #[test]
    fn the_empty_list_is_an_end_mark() {
        let bytes = encode(Path::new("x.atr"), &[]).unwrap();
        assert_eq!(bytes, [0, 0]);
        assert_eq!(decode(Path::new("x.atr"), &bytes).unwrap(), AnnotationFile::default());
    }
}

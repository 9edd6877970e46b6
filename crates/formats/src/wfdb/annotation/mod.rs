//! Annotation files in the MIT format (WFDB's annot(5)): 16-bit little-endian words with a code in the upper six bits and an
//! interval in the lower ten, and pseudo-codes for long intervals (SKIP) and for the fields SUB, CHAN, NUM and AUX. Files in
//! the older AHA format are recognised by their first bytes.

mod adapt;
mod aha;
mod codes;
mod decode;
mod encode;

use std::path::Path;

use physiosynth_signal::{Annotation, Code};

use super::Location;
use crate::FormatError;
use crate::replace::replace_file;
pub use adapt::as_mit;
pub use codes::{STANDARD_CODES, StandardCode, by_number, by_symbol};
pub use decode::decode;
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
pub struct AnnotationFile {
    /// The annotations, in file order, without those that describe the file itself.
    pub annotations: Vec<Annotation>,
    /// What positions count in, where the file states it, in hertz; the record's sampling frequency otherwise.
    pub time_resolution_hz: Option<f64>,
    /// The codes that the file defines.
    pub definitions: Vec<Definition>,
    /// Whether the file is in the AHA format.
    pub is_aha: bool,
}

/// A code that an annotation file defines for itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Definition {
    /// Its number in the file.
    pub number: u8,
    /// Its symbol: the code of the annotations that bear it.
    pub code: Code,
    /// What it means, where the file says.
    pub description: String,
}

impl AnnotationFile {
    /// A position in samples at this frequency; halves are rounded up.
    pub(crate) fn rescaled(&self, sample: i64, sampling_frequency_hz: f64) -> i64 {
        match self.time_resolution_hz.filter(|&hertz| hertz != sampling_frequency_hz) {
            None => sample,
            Some(hertz) => (sample as f64 * (sampling_frequency_hz / hertz) + 0.5).floor() as i64,
        }
    }

    /// Makes positions count in samples at this frequency, where the file has a time resolution of its own.
    pub fn rescale(&mut self, sampling_frequency_hz: f64) {
        if self.time_resolution_hz.is_some_and(|hertz| hertz != sampling_frequency_hz) {
            let rescaled: Vec<i64> =
                self.annotations.iter().map(|annotation| self.rescaled(annotation.sample, sampling_frequency_hz)).collect();
            self.annotations.iter_mut().zip(rescaled).for_each(|(annotation, sample)| annotation.sample = sample);
            self.time_resolution_hz = Some(sampling_frequency_hz);
        }
    }
}

/// Writes annotations into the file `NAME.extension` of the record at `record` (its path without extension), in the MIT
/// format. `time_resolution_hz` is what positions count in, where that is not the record's sampling frequency.
///
/// Codes without a standard symbol are given one of the free numbers, defined at the start of the file. Durations have no
/// place in this format and are not written.
pub fn write_annotations(
    record: &Path,
    extension: &str,
    annotations: &[Annotation],
    time_resolution_hz: Option<f64>,
) -> Result<(), FormatError> {
    let path = Location::new(record).file(extension);
    let bytes = encode(&path, annotations, time_resolution_hz)?;
    replace_file(&path, &bytes)
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
            let bytes = encode(Path::new("x.atr"), &list, None).unwrap();
            prop_assert_eq!(decode(Path::new("x.atr"), &bytes).unwrap().annotations, list);
        }

        #[test]
        fn random_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            let _ = decode(Path::new("x.atr"), &bytes);
        }
    }

    #[test]
    fn the_empty_list_is_an_end_mark() {
        let bytes = encode(Path::new("x.atr"), &[], None).unwrap();
        assert_eq!(bytes, [0, 0]);
        assert_eq!(decode(Path::new("x.atr"), &bytes).unwrap(), AnnotationFile::default());
    }
}

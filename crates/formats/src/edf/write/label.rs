//! What a channel is called in the file.

use super::ascii;
use crate::edf::header::{Coding, WIDTHS};

/// Whether a channel of this label would be read as annotations. Both codings' labels are: some programs (MNE) take either for
/// annotations in any file.
pub(super) fn is_reserved(label: &str) -> bool {
    let label = ascii(label, WIDTHS[0]);
    [Coding::Edf, Coding::Bdf].iter().any(|coding| label.trim_end() == coding.annotations_label())
}

/// The label in the file: ASCII, cut to its field, and none that stands for annotations (`EDF_Annotations` instead).
pub(super) fn written(label: &str) -> String {
    let text = ascii(label, WIDTHS[0]);
    if is_reserved(label) { text.trim_end().replace(' ', "_") } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_channel_is_called_annotations() {
        for (label, expected) in [
            ("Fp1", "Fp1"),
            ("EDF Annotations", "EDF_Annotations"),
            (" BDF Annotations ", "BDF_Annotations"),
            // Cut to 16 characters it ends in a space, which fields are padded with.
            ("EDF Annotations (2)", "EDF_Annotations"),
            ("EDF Annotations2", "EDF Annotations2"),
            ("EDF annotations", "EDF annotations"),
        ] {
            assert_eq!(written(label), expected, "{label}");
        }
    }
}

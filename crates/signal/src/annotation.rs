use std::borrow::Cow;

/// An annotation code as printed by the field's tools: `N`, `V`, `+`, `T1`, …. The standard codes borrow a static string.
pub type Code = Cow<'static, str>;

/// One mark in a record: a beat, a change of rhythm, a comment, the onset of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Annotation {
    /// Position, in samples from the start of the record at the record's sampling frequency.
    pub sample: i64,
    /// Duration in samples; 0 for marks without one (every MIT annotation).
    pub duration: i64,
    /// What is marked.
    pub code: Code,
    /// MIT `SUBTYP` field.
    pub subtype: i8,
    /// MIT `CHAN` field: the signal that the mark was made on.
    pub channel: u8,
    /// MIT `NUM` field.
    pub number: i8,
    /// MIT `AUX` field: free text, such as the rhythm `(AFIB` of a `+` mark. Trailing NUL bytes are removed.
    pub aux: String,
}

impl Annotation {
    /// A mark of `code` at `sample`, all other fields empty.
    pub fn beat(sample: i64, code: impl Into<Code>) -> Self {
        Self { sample, duration: 0, code: code.into(), subtype: 0, channel: 0, number: 0, aux: String::new() }
    }

    /// The same mark with an auxiliary text.
    #[must_use]
    pub fn with_aux(mut self, aux: impl Into<String>) -> Self {
        self.aux = aux.into();
        self
    }
}

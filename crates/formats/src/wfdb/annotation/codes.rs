//! The annotation codes of the MIT format (WFDB's `ecgcodes.h`, and "annotation codes" of the WFDB applications guide).

/// One standard code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StandardCode {
    /// Its number in a file.
    pub number: u8,
    /// The sign that the field's tools print.
    pub symbol: &'static str,
    /// What it means.
    pub description: &'static str,
    /// Whether it marks a beat (a QRS complex) rather than a rhythm, a wave, noise or a comment.
    pub is_beat: bool,
}

const fn beat(number: u8, symbol: &'static str, description: &'static str) -> StandardCode {
    StandardCode { number, symbol, description, is_beat: true }
}

const fn mark(number: u8, symbol: &'static str, description: &'static str) -> StandardCode {
    StandardCode { number, symbol, description, is_beat: false }
}

/// Every standard code, in order of number.
pub static STANDARD_CODES: [StandardCode; 39] = [
    beat(1, "N", "normal beat"),
    beat(2, "L", "left bundle branch block beat"),
    beat(3, "R", "right bundle branch block beat"),
    beat(4, "a", "aberrated atrial premature beat"),
    beat(5, "V", "premature ventricular contraction"),
    beat(6, "F", "fusion of ventricular and normal beat"),
    beat(7, "J", "nodal (junctional) premature beat"),
    beat(8, "A", "atrial premature contraction"),
    beat(9, "S", "premature or ectopic supraventricular beat"),
    beat(10, "E", "ventricular escape beat"),
    beat(11, "j", "nodal (junctional) escape beat"),
    beat(12, "/", "paced beat"),
    beat(13, "Q", "unclassifiable beat"),
    mark(14, "~", "signal quality change"),
    mark(16, "|", "isolated QRS-like artifact"),
    mark(18, "s", "ST change"),
    mark(19, "T", "T-wave change"),
    mark(20, "*", "systole"),
    mark(21, "D", "diastole"),
    mark(22, "\"", "comment"),
    mark(23, "=", "measurement"),
    mark(24, "p", "P-wave peak"),
    beat(25, "B", "left or right bundle branch block"),
    mark(26, "^", "non-conducted pacer spike"),
    mark(27, "t", "T-wave peak"),
    mark(28, "+", "rhythm change"),
    mark(29, "u", "U-wave peak"),
    beat(30, "?", "beat not classified during learning"),
    mark(31, "!", "ventricular flutter wave"),
    mark(32, "[", "start of ventricular flutter or fibrillation"),
    mark(33, "]", "end of ventricular flutter or fibrillation"),
    beat(34, "e", "atrial escape beat"),
    beat(35, "n", "supraventricular escape beat"),
    mark(36, "@", "link to external data"),
    mark(37, "x", "non-conducted P-wave (blocked atrial premature beat)"),
    beat(38, "f", "fusion of paced and normal beat"),
    mark(39, "(", "waveform onset"),
    mark(40, ")", "waveform end"),
    beat(41, "r", "R-on-T premature ventricular contraction"),
];

/// Numbers that have no standard meaning and may be given one in a file.
pub(super) const FREE_NUMBERS: [u8; 10] = [42, 43, 44, 45, 46, 47, 48, 49, 15, 17];

/// The standard code of this number.
pub fn by_number(number: u8) -> Option<&'static StandardCode> {
    STANDARD_CODES.binary_search_by_key(&number, |code| code.number).ok().and_then(|index| STANDARD_CODES.get(index))
}

/// The standard code with this symbol.
pub fn by_symbol(symbol: &str) -> Option<&'static StandardCode> {
    STANDARD_CODES.iter().find(|code| code.symbol == symbol)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_order_and_nineteen_codes_are_beats() {
        assert!(STANDARD_CODES.is_sorted_by_key(|code| code.number));
        let beats: String = STANDARD_CODES.iter().filter(|code| code.is_beat).map(|code| code.symbol).collect();
        assert_eq!(beats, "NLRaVFJASEj/QB?enfr");
    }

    #[test]
    fn codes_are_found_by_number_and_symbol() {
        assert_eq!(by_number(28).map(|code| code.symbol), Some("+"));
        assert_eq!(by_number(15), None);
        assert_eq!(by_symbol("/").map(|code| code.number), Some(12));
    }
}

//! Text and numbers of header fields.

/// The text of a field: without padding, cut at the first NUL. ASCII by the specification; what isn't is taken for UTF-8
/// (a character that the field's end cuts in two is dropped) and, where it is none, for Latin-1.
pub(crate) fn decode(bytes: &[u8]) -> String {
    let bytes = bytes.split(|&byte| byte == 0).next().unwrap_or(bytes);
    let bytes = match std::str::from_utf8(bytes) {
        // A sequence cut short by the end, not a wrong byte.
        Err(error) if error.error_len().is_none() && error.valid_up_to() > 0 => bytes.get(..error.valid_up_to()).unwrap_or(bytes),
        _ => bytes,
    };
    decode_whole(bytes).trim().to_owned()
}

/// UTF-8 or, where it is none, Latin-1; nothing cut or trimmed.
pub(crate) fn decode_whole(bytes: &[u8]) -> String {
    std::str::from_utf8(bytes).map_or_else(|_| bytes.iter().map(|&byte| char::from(byte)).collect(), str::to_owned)
}

/// A finite number, padded with spaces or NULs. A decimal comma, which some exporters write, is taken for a point.
pub(crate) fn number(bytes: &[u8]) -> Option<f64> {
    let text = decode(bytes);
    let value: f64 = if text.contains(',') { text.replacen(',', ".", 1).parse().ok()? } else { text.parse().ok()? };
    value.is_finite().then_some(value)
}

/// A whole number within ±2³¹.
pub(crate) fn whole(bytes: &[u8]) -> Option<i64> {
    number(bytes).filter(|value| value.fract() == 0.0 && value.abs() <= 2_147_483_648.0).map(|value| value as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_in_any_encoding() {
        assert_eq!(decode(b"uV      "), "uV");
        assert_eq!(decode("µV      ".as_bytes()), "µV");
        assert_eq!(decode(b"\xB5V\0junk"), "µV");
        // Two bytes of the three of a character, at the end of the field.
        assert_eq!(decode(&"脑电".as_bytes()[..5]), "脑");
        assert_eq!(decode(b"\xE9"), "é");
        assert_eq!(decode(b""), "");
    }

    #[test]
    fn numbers_in_the_forms_that_files_have() {
        assert_eq!(number(b"  1     "), Some(1.0));
        assert_eq!(number(b"-3276,8 "), Some(-3276.8));
        assert_eq!(number(b"1.2E-5\0\0"), Some(1.2e-5));
        assert_eq!((number(b"nan     "), number(b"inf     "), number(b"        ")), (None, None, None));
        assert_eq!((whole(b"-1      "), whole(b"1.5     "), whole(b"1e300   ")), (Some(-1), None, None));
    }
}

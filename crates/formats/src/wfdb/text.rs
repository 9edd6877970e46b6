//! Text of unstated encoding, as found in headers and annotations.

/// The text in `bytes`: UTF-8 where they are valid UTF-8, otherwise ISO 8859-1, in which older headers write `µV`.
pub(crate) fn decode(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => bytes.iter().map(|&byte| char::from(byte)).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::decode;

    #[test]
    fn utf_8_is_kept_and_anything_else_is_latin_1() {
        assert_eq!(decode("µV".as_bytes()), "µV");
        assert_eq!(decode(&[0xB5, b'V']), "µV");
    }
}

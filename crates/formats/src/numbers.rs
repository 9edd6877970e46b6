//! Numbers as they lie in files: of a kind, a size and a byte order.

/// What kind of numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NumberKind {
    /// IEEE 754, of 4 or 8 bytes.
    Float,
    /// Two's complement, of 1, 2, 4 or 8 bytes.
    Signed,
    /// Of 1, 2, 4 or 8 bytes.
    Unsigned,
}

/// How numbers are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NumberType {
    pub(crate) kind: NumberKind,
    /// Bytes of a number.
    pub(crate) size: usize,
    pub(crate) big_endian: bool,
}

impl NumberType {
    /// Appends the numbers that bytes hold, each rounded once to `f32`; what is left of an incomplete one is not read. A size that the
    /// kind has not gives none.
    pub(crate) fn append_f32(self, bytes: &[u8], out: &mut Vec<f32>) {
        use NumberKind::{Float, Signed, Unsigned};
        match (self.kind, self.size) {
            (Float, 4) => self.each(bytes, out, f32::from_le_bytes),
            (Float, 8) => self.each(bytes, out, |b| f64::from_le_bytes(b) as f32),
            (Signed, 1) => self.each(bytes, out, |b| f32::from(i8::from_le_bytes(b))),
            (Signed, 2) => self.each(bytes, out, |b| f32::from(i16::from_le_bytes(b))),
            (Signed, 4) => self.each(bytes, out, |b| i32::from_le_bytes(b) as f32),
            (Signed, 8) => self.each(bytes, out, |b| i64::from_le_bytes(b) as f32),
            (Unsigned, 1) => self.each(bytes, out, |b| f32::from(u8::from_le_bytes(b))),
            (Unsigned, 2) => self.each(bytes, out, |b| f32::from(u16::from_le_bytes(b))),
            (Unsigned, 4) => self.each(bytes, out, |b| u32::from_le_bytes(b) as f32),
            (Unsigned, 8) => self.each(bytes, out, |b| u64::from_le_bytes(b) as f32),
            _ => {}
        }
    }

    fn each<const N: usize>(self, bytes: &[u8], out: &mut Vec<f32>, from: impl Fn([u8; N]) -> f32) {
        let (chunks, _) = bytes.as_chunks::<N>();
        if self.big_endian {
            out.extend(chunks.iter().map(|chunk| {
                let mut chunk = *chunk;
                chunk.reverse();
                from(chunk)
            }));
        } else {
            out.extend(chunks.iter().map(|&chunk| from(chunk)));
        }
    }
}

#[cfg(test)]
mod tests {
    use NumberKind::{Float, Signed, Unsigned};

    use super::*;

    #[test]
    fn every_kind_and_byte_order() {
        let read = |kind, size, big_endian, bytes: &[u8]| {
            let mut out = Vec::new();
            NumberType { kind, size, big_endian }.append_f32(bytes, &mut out);
            out
        };
        assert_eq!(read(Float, 4, true, &1.5_f32.to_be_bytes()), [1.5]);
        assert_eq!(read(Float, 8, false, &0.1_f64.to_le_bytes()), [0.1]);
        assert_eq!(read(Signed, 1, false, &[0xFF, 1]), [-1.0, 1.0]);
        assert_eq!(read(Unsigned, 1, true, &[0xFF, 1]), [255.0, 1.0]);
        assert_eq!(read(Signed, 2, true, &[0xFF, 0xFE, 0]), [-2.0]);
        assert_eq!(read(Unsigned, 2, false, &[0xFE, 0xFF]), [65_534.0]);
        assert_eq!(read(Signed, 4, false, &i32::MIN.to_le_bytes()), [-2_147_483_648.0]);
        assert_eq!(read(Unsigned, 4, true, &u32::MAX.to_be_bytes()), [4_294_967_296.0]);
        assert_eq!(read(Signed, 8, true, &(-3_i64).to_be_bytes()), [-3.0]);
        assert_eq!(read(Unsigned, 8, false, &u64::MAX.to_le_bytes()), [18_446_744_073_709_551_616.0]);
        assert!(read(Float, 2, false, &[0; 8]).is_empty());
    }
}

//! The two check sums of FLAC frames (RFC 9639, 9.1.8 and 9.3).

const fn table8() -> [u8; 256] {
    let mut table = [0; 256];
    let mut index = 0;
    while index < 256 {
        let mut crc = index as u8;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc & 0x80 == 0 { crc << 1 } else { (crc << 1) ^ 0x07 };
            bit += 1;
        }
        table[index] = crc;
        index += 1;
    }
    table
}

/// Table `k` is for a byte that `k` more bytes follow: eight bytes are looked up at once.
const fn tables16() -> [[u16; 256]; 8] {
    let mut tables = [[0; 256]; 8];
    let mut index = 0;
    while index < 256 {
        let mut crc = (index as u16) << 8;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc & 0x8000 == 0 { crc << 1 } else { (crc << 1) ^ 0x8005 };
            bit += 1;
        }
        tables[0][index] = crc;
        index += 1;
    }
    let mut k = 1;
    while k < 8 {
        let mut index = 0;
        while index < 256 {
            let before = tables[k - 1][index];
            tables[k][index] = (before << 8) ^ tables[0][(before >> 8) as usize];
            index += 1;
        }
        k += 1;
    }
    tables
}

static TABLE_8: [u8; 256] = table8();
static TABLES_16: [[u16; 256]; 8] = tables16();

/// Sum of a frame's header.
pub(super) fn crc8(bytes: &[u8]) -> u8 {
    bytes.iter().fold(0, |crc, &byte| TABLE_8[usize::from(crc ^ byte)])
}

/// Sum of a whole frame.
pub(super) fn crc16(bytes: &[u8]) -> u16 {
    let (blocks, rest) = bytes.as_chunks::<8>();
    let mut crc = 0_u16;
    for &[a, b, c, d, e, f, g, h] in blocks {
        let [high, low] = crc.to_be_bytes();
        crc = TABLES_16[7][usize::from(a ^ high)]
            ^ TABLES_16[6][usize::from(b ^ low)]
            ^ TABLES_16[5][usize::from(c)]
            ^ TABLES_16[4][usize::from(d)]
            ^ TABLES_16[3][usize::from(e)]
            ^ TABLES_16[2][usize::from(f)]
            ^ TABLES_16[1][usize::from(g)]
            ^ TABLES_16[0][usize::from(h)];
    }
    rest.iter().fold(crc, |crc, &byte| (crc << 8) ^ TABLES_16[0][usize::from((crc >> 8) as u8 ^ byte)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_catalogued_check_values() {
        // CRC-8/SMBUS and CRC-16/UMTS of "123456789".
        assert_eq!((crc8(b"123456789"), crc16(b"123456789")), (0xF4, 0xFEE8));
    }

    #[test]
    fn eight_bytes_at_once_give_the_same_sum() {
        let bytes: Vec<u8> = (0..100_u8).map(|i| i.wrapping_mul(37)).collect();
        for length in 0..bytes.len() {
            let slow =
                bytes[..length].iter().fold(0_u16, |crc, &byte| (crc << 8) ^ TABLES_16[0][usize::from((crc >> 8) as u8 ^ byte)]);
            assert_eq!(crc16(&bytes[..length]), slow);
        }
    }
}

//! Bits of a byte string, the most significant of each byte first.

use super::frame::Fault;

/// Reads bits in order.
pub(super) struct Bits<'a> {
    bytes: &'a [u8],
    /// The next byte to load.
    at: usize,
    /// Loaded bits, from the top. Bits below the `loaded` uppermost are either zero or those that follow.
    cache: u64,
    /// How many bits of the cache count.
    loaded: u32,
}

impl<'a> Bits<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0, cache: 0, loaded: 0 }
    }

    /// Loads as many whole bytes as fit: at least 56 bits are there afterwards, where the bytes are.
    #[inline]
    fn refill(&mut self) {
        if let Some(next) = self.bytes.get(self.at..).and_then(|rest| rest.first_chunk::<8>()) {
            self.cache |= u64::from_be_bytes(*next) >> self.loaded;
            self.at += ((63 - self.loaded) >> 3) as usize;
            self.loaded |= 0x38;
        } else {
            self.refill_at_end();
        }
    }

    #[cold]
    fn refill_at_end(&mut self) {
        while self.loaded <= 56
            && let Some(&byte) = self.bytes.get(self.at)
        {
            self.cache |= u64::from(byte) << (56 - self.loaded);
            self.loaded += 8;
            self.at += 1;
        }
    }

    /// The next `count` bits, at most 32 of them, as an unsigned number.
    #[inline]
    pub(super) fn unsigned(&mut self, count: u32) -> Result<u32, Fault> {
        if self.loaded < count {
            self.refill();
            if self.loaded < count {
                return Err(Fault::Exhausted);
            }
        }
        // Two shifts, since one by 64 is none.
        let value = (self.cache >> 1) >> (63 - count);
        self.cache <<= count;
        self.loaded -= count;
        Ok(value as u32)
    }

    /// The next `count` bits, 1 to 32 of them, as a number in two's complement.
    pub(super) fn signed(&mut self, count: u32) -> Result<i32, Fault> {
        let shift = 32 - count;
        Ok(((self.unsigned(count)? << shift) as i32) >> shift)
    }

    /// How many zeros stand before the next one, which is passed too; at most `limit`.
    pub(super) fn zeros(&mut self, limit: u32) -> Result<u32, Fault> {
        let mut count = 0_u32;
        loop {
            self.refill();
            let zeros = self.cache.leading_zeros();
            if zeros < self.loaded {
                self.cache = (self.cache << zeros) << 1;
                self.loaded -= zeros + 1;
                return if count + zeros <= limit { Ok(count + zeros) } else { Err(Fault::Broken("a number is too large")) };
            }
            if self.loaded == 0 {
                return Err(Fault::Exhausted);
            }
            count += self.loaded;
            self.cache = 0;
            self.loaded = 0;
            if count > limit {
                return Err(Fault::Broken("a number is too large"));
            }
        }
    }

    /// Rice-coded numbers of one parameter.
    #[inline]
    pub(super) fn rice(&mut self, parameter: u32, values: &mut [i32]) -> Result<(), Fault> {
        for value in values {
            self.refill();
            let zeros = self.cache.leading_zeros();
            let taken = zeros + 1 + parameter;
            let folded = if taken <= self.loaded {
                let rest = (self.cache << zeros) << 1;
                let low = (rest >> 1) >> (63 - parameter);
                self.cache = rest << parameter;
                self.loaded -= taken;
                (zeros << parameter) | low as u32
            } else {
                let high = self.zeros(u32::MAX >> 1 >> parameter)?;
                (high << parameter) | self.unsigned(parameter)?
            };
            *value = (folded >> 1) as i32 ^ -((folded & 1) as i32);
        }
        Ok(())
    }

    /// Passes what is left of the current byte; gives how many bytes were passed in all.
    pub(super) fn align(&mut self) -> usize {
        let partial = self.loaded % 8;
        self.cache <<= partial;
        self.loaded -= partial;
        self.at - (self.loaded / 8) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_come_in_order_across_the_end_of_the_cache() {
        let bytes: Vec<u8> = (1..=20).collect();
        let mut bits = Bits::new(&bytes);
        for byte in 1..=20 {
            assert_eq!(bits.unsigned(3).unwrap(), byte >> 5);
            assert_eq!(bits.unsigned(5).unwrap(), byte & 31);
        }
        assert!(matches!(bits.unsigned(1), Err(Fault::Exhausted)));
    }

    #[test]
    fn zeros_are_counted_over_many_bytes() {
        let mut bytes = vec![0; 30];
        bytes.extend([0b0000_0101, 0x80]);
        let mut bits = Bits::new(&bytes);
        assert_eq!(bits.zeros(1000).unwrap(), 245);
        assert_eq!(bits.zeros(1000).unwrap(), 1);
        assert_eq!(bits.align(), 31);
        assert_eq!(bits.signed(2).unwrap(), -2);
        assert!(matches!(Bits::new(&bytes).zeros(200), Err(Fault::Broken(_))));
        assert!(matches!(Bits::new(&[0; 9]).zeros(200), Err(Fault::Exhausted)));
    }

    #[test]
    fn rice_numbers_alternate_in_sign() {
        // Parameter 1: 0 → 10, −1 → 11, 1 → 010, −2 → 011, 2 → 0010.
        let mut values = [9; 5];
        Bits::new(&[0b1011_0100, 0b1100_1000]).rice(1, &mut values).unwrap();
        assert_eq!(values, [0, -1, 1, -2, 2]);
    }
}

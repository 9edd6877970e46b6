use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

/// The run's seed: the only source of randomness. Every use draws from its own stream, named by what it is for and
/// numbered by step (a record, a batch, a segment), so that no result depends on the order in which threads ran or on
/// what else was drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seed(pub u64);

impl Seed {
    /// The stream for step `step` of `purpose`: a `ChaCha8` generator whose 256-bit key is made of seed, purpose and step.
    ///
    /// ```
    /// use physiosynth_signal::Seed;
    /// use rand::Rng;
    ///
    /// let seed = Seed(7);
    /// assert_eq!(seed.stream("noise", 3).next_u64(), seed.stream("noise", 3).next_u64());
    /// assert_ne!(seed.stream("noise", 3).next_u64(), seed.stream("noise", 4).next_u64());
    /// assert_ne!(seed.stream("noise", 3).next_u64(), seed.stream("weights", 3).next_u64());
    /// ```
    pub fn stream(self, purpose: &str, step: u64) -> ChaCha8Rng {
        let mut key = [0_u8; 32];
        key[..8].copy_from_slice(&self.0.to_le_bytes());
        key[8..16].copy_from_slice(&fnv1a(purpose.as_bytes()).to_le_bytes());
        key[16..24].copy_from_slice(&step.to_le_bytes());
        key[24..].copy_from_slice(b"physiosy");
        ChaCha8Rng::from_seed(key)
    }
}

/// FNV-1a, 64 bits (Fowler, Noll, Vo): spreads the purpose's name over the key.
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, &byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3))
}

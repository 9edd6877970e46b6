//! The wavelet families, one file each, and [`Wavelet`]: a filter pair by its name.

mod biorthogonal;
mod coiflets;
mod daubechies;
mod symlets;

use super::WaveletError;

/// A wavelet: the two low-pass filters that define it, of one even length.
///
/// The high-pass filters follow from them: analysis `g[k] = (-1)^(k+1) rec[k]`, synthesis `g[k] = (-1)^k dec[k]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Wavelet {
    name: String,
    dec_lo: Vec<f64>,
    rec_lo: Vec<f64>,
}

impl Wavelet {
    /// The wavelet of that name, as PyWavelets spells it: `db4`, `sym8`, `coif2`, `bior2.2`, `rbio3.5`; `haar` is `db1`.
    /// An unknown name's error suggests the nearest known one.
    pub fn by_name(name: &str) -> Result<Self, WaveletError> {
        let wanted = if name == "haar" { "db1" } else { name };
        if let Some((known, rec)) = orthogonal().find(|(known, _)| *known == wanted) {
            let reversed = rec.iter().rev().copied().collect();
            return Ok(Self { name: known.to_owned(), dec_lo: reversed, rec_lo: rec.to_vec() });
        }
        let spline = wanted.strip_prefix("bior").or_else(|| wanted.strip_prefix("rbio"));
        let found = biorthogonal::BIORTHOGONAL.iter().find(|(known, _, _)| known.strip_prefix("bior") == spline);
        match found {
            Some((_, dec, rec)) if wanted.starts_with("bior") => {
                Ok(Self { name: wanted.to_owned(), dec_lo: dec.to_vec(), rec_lo: rec.to_vec() })
            }
            // The reverse one: analysis and synthesis change places.
            Some((_, dec, rec)) => Ok(Self {
                name: wanted.to_owned(),
                dec_lo: rec.iter().rev().copied().collect(),
                rec_lo: dec.iter().rev().copied().collect(),
            }),
            None => Err(WaveletError::UnknownName { name: name.to_owned(), nearest: nearest(name) }),
        }
    }

    /// The names of all wavelets, family by family.
    pub fn names() -> Vec<String> {
        let splines = |prefix: &str| {
            let prefix = prefix.to_owned();
            biorthogonal::BIORTHOGONAL.iter().map(move |(name, _, _)| name.replace("bior", &prefix))
        };
        orthogonal().map(|(name, _)| name.to_owned()).chain(splines("bior")).chain(splines("rbio")).collect()
    }

    /// The name it was asked for by.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Taps of each of its filters; always even.
    pub fn filter_len(&self) -> usize {
        self.dec_lo.len()
    }

    /// The analysis low-pass filter.
    pub fn dec_lo(&self) -> &[f64] {
        &self.dec_lo
    }

    /// The synthesis low-pass filter.
    pub fn rec_lo(&self) -> &[f64] {
        &self.rec_lo
    }

    /// The analysis high-pass filter.
    pub fn dec_hi(&self) -> Vec<f64> {
        self.rec_lo.iter().enumerate().map(|(k, &c)| if k % 2 == 0 { -c } else { c }).collect()
    }

    /// The synthesis high-pass filter.
    pub fn rec_hi(&self) -> Vec<f64> {
        self.dec_lo.iter().enumerate().map(|(k, &c)| if k % 2 == 0 { c } else { -c }).collect()
    }
}

fn orthogonal() -> impl Iterator<Item = (&'static str, &'static [f64])> {
    [daubechies::DAUBECHIES, symlets::SYMLETS, coiflets::COIFLETS].into_iter().flatten().copied()
}

/// The known name with the fewest edits from `name`; ties go to the first listed.
fn nearest(name: &str) -> String {
    let lower = name.to_lowercase();
    Wavelet::names().into_iter().min_by_key(|known| strsim::damerau_levenshtein(known, &lower)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_family_is_listed_once_with_its_length() {
        let names = Wavelet::names();
        assert_eq!(names.len(), 20 + 19 + 5 + 15 + 15);
        let length = |name: &str| Wavelet::by_name(name).unwrap().filter_len();
        assert_eq!((length("db1"), length("db20"), length("sym8"), length("coif5")), (2, 40, 16, 30));
        assert_eq!((length("bior2.2"), length("bior6.8"), length("rbio3.9")), (6, 18, 20));
    }

    /// The filters' own equations (Daubechies 1992, 5.1 and 8.3), independent of whoever listed the numbers.
    #[test]
    fn every_pair_is_biorthogonal_under_even_shifts() {
        for name in Wavelet::names() {
            let wavelet = Wavelet::by_name(&name).unwrap();
            let (dec, rec) = (wavelet.dec_lo(), wavelet.rec_lo());
            assert!((dec.iter().sum::<f64>() - std::f64::consts::SQRT_2).abs() < 1e-10, "{name}");
            let taps = dec.len() as isize;
            for shift in (2 - taps..taps).step_by(2) {
                // rec against dec reversed: the correlation that synthesis after analysis makes.
                let sum: f64 =
                    (0..taps).filter_map(|k| Some(rec[k as usize] * dec.get(usize::try_from(taps - 1 - k + shift).ok()?)?)).sum();
                let expected = f64::from(u8::from(shift == 0));
                assert!((sum - expected).abs() < 1e-10, "{name}, shift {shift}: {sum}");
            }
        }
    }

    #[test]
    fn an_unknown_name_suggests_the_nearest() {
        let message = |name: &str| Wavelet::by_name(name).unwrap_err().to_string();
        assert!(message("sym88").contains("\"sym8\""));
        assert!(message("Bior2.2").contains("\"bior2.2\""));
        assert!(message("coif9").contains("\"coif"));
        assert!(Wavelet::by_name("").is_err() && Wavelet::by_name("bior").is_err());
        assert_eq!(Wavelet::by_name("haar").unwrap().name(), "db1");
    }
}

//! Coefficients and reconstructions against `PyWavelets` 1.9.0: every family, both modes, lengths odd, even and shorter than the
//! filter. The file is made by `goldens/make_wavelet_goldens.py`, which states its order.

use physiosynth_preprocessing::wavelet::{Boundary, Filters, Wavelet, wavedec};

const TOLERANCE: f64 = 1e-10;
const LENGTHS: [usize; 5] = [1, 4, 5, 33, 48];

/// The signal of the script, of integers alone.
fn signal(n: usize) -> Vec<f64> {
    (0..n as i64).map(|k| ((7919 * k * k + 104_729 * k) % 2001 - 1000) as f64 / 512.0).collect()
}

/// Reads the golden file from its start to its end.
struct Goldens(std::vec::IntoIter<f64>);

impl Goldens {
    fn open() -> Self {
        let bytes = include_bytes!("goldens/wavelet.f64");
        let values: Vec<f64> = bytes.chunks_exact(8).map(|b| f64::from_le_bytes(b.try_into().unwrap())).collect();
        Self(values.into_iter())
    }

    fn expect(&mut self, ours: &[f64], what: &str) -> f64 {
        let mut worst = 0.0_f64;
        for (index, ours) in ours.iter().enumerate() {
            let theirs = self.0.next().unwrap_or_else(|| panic!("{what}: the golden file ends"));
            let error = (ours - theirs).abs();
            assert!(error <= TOLERANCE, "{what}, coefficient {index}: {ours} against {theirs}");
            worst = worst.max(error);
        }
        worst
    }
}

#[test]
fn coefficients_and_reconstructions_are_those_of_pywavelets() {
    let mut goldens = Goldens::open();
    let mut worst = 0.0_f64;
    for name in Wavelet::names() {
        let wavelet = Wavelet::by_name(&name).unwrap();
        let filters = Filters::<f64>::new(&wavelet);
        for boundary in [Boundary::Symmetric, Boundary::Periodization] {
            for n in LENGTHS {
                let (approximation, detail) = filters.dwt(&signal(n), boundary).unwrap();
                let what = format!("{name} {boundary:?}, dwt of {n}");
                worst = worst.max(goldens.expect(&approximation, &what)).max(goldens.expect(&detail, &what));
            }
            let mut decomposition = wavedec(&signal(101), &wavelet, boundary, 3).unwrap();
            let what = format!("{name} {boundary:?}, wavedec");
            worst = worst.max(goldens.expect(decomposition.approximation(), &what));
            for level in [3, 2, 1] {
                worst = worst.max(goldens.expect(decomposition.detail(level), &what));
            }
            decomposition.approximation_mut().fill(0.0);
            worst = worst.max(goldens.expect(&decomposition.reconstruct(), &format!("{name} {boundary:?}, waverec")));

            let reversed: Vec<f64> = signal(24).into_iter().rev().collect();
            let back = filters.idwt(&signal(24), &reversed, boundary).unwrap();
            worst = worst.max(goldens.expect(&back, &format!("{name} {boundary:?}, idwt")));
        }
    }
    assert!(goldens.0.next().is_none(), "the golden file goes on");
    println!("largest difference from PyWavelets: {worst:.1e}");
}

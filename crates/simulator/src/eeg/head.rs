//! Where electrodes and sources are, and how strongly one is seen by the other.

/// An electrode on a head of radius 1: x to the right, y to the front, z up.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Electrode {
    /// Its name in the 10–20 system.
    pub name: &'static str,
    /// Where it is.
    pub place: [f64; 3],
}

const fn electrode(name: &'static str, place: [f64; 3]) -> Electrode {
    Electrode { name, place }
}

/// The nineteen electrodes of the 10–20 system (Jasper 1958), placed on a sphere by its rule of tenths and fifths; temporal ones under
/// their newer names (T7 = T3, T8 = T4, P7 = T5, P8 = T6).
pub const ELECTRODES: [Electrode; 19] = [
    electrode("Fp1", [-0.294, 0.904, 0.309]),
    electrode("Fp2", [0.294, 0.904, 0.309]),
    electrode("F7", [-0.769, 0.559, 0.309]),
    electrode("F3", [-0.499, 0.633, 0.592]),
    electrode("Fz", [0.0, 0.707, 0.707]),
    electrode("F4", [0.499, 0.633, 0.592]),
    electrode("F8", [0.769, 0.559, 0.309]),
    electrode("T7", [-0.951, 0.0, 0.309]),
    electrode("C3", [-0.707, 0.0, 0.707]),
    electrode("Cz", [0.0, 0.0, 1.0]),
    electrode("C4", [0.707, 0.0, 0.707]),
    electrode("T8", [0.951, 0.0, 0.309]),
    electrode("P7", [-0.769, -0.559, 0.309]),
    electrode("P3", [-0.499, -0.633, 0.592]),
    electrode("Pz", [0.0, -0.707, 0.707]),
    electrode("P4", [0.499, -0.633, 0.592]),
    electrode("P8", [0.769, -0.559, 0.309]),
    electrode("O1", [-0.294, -0.904, 0.309]),
    electrode("O2", [0.294, -0.904, 0.309]),
];

/// The ears, whose mean potential is what the electrodes are measured against.
const EARS: [[f64; 3]; 2] = [[-0.99, 0.0, -0.1], [0.99, 0.0, -0.1]];

/// What a source does over time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum SourceKind {
    /// Noise whose power falls with frequency as `f^−slope`, of this root mean square in microvolts.
    Background {
        /// Exponent, from 0.5 to 2.
        slope: f64,
        /// Microvolts.
        rms_uv: f64,
    },
    /// A rhythm that wanders about `hz`, `width_hz` wide, of this root mean square in microvolts; `open` is the share of its amplitude
    /// that is left when the eyes are open.
    Rhythm {
        /// Hertz.
        hz: f64,
        /// Full width at half of the power, in hertz.
        width_hz: f64,
        /// Microvolts, eyes closed.
        rms_uv: f64,
        /// Share, 0 to 1.
        open: f64,
    },
    /// Spike-and-wave complexes during discharges: the height of their slow waves in microvolts, and how many a second.
    SpikeAndWave {
        /// Microvolts.
        height_uv: f64,
        /// Hertz.
        hz: f64,
    },
}

/// A patch of cortex.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Source {
    /// The point of the scalp above it.
    pub place: [f64; 3],
    /// How far its field reaches over the scalp: the standard deviation of a bell, in head radii. Skull and scalp blur a point of the
    /// cortex to about 0.4; a large patch reaches further.
    pub reach: f64,
    /// What it does.
    pub kind: SourceKind,
}

/// How much of a source's activity an electrode sees, against the mean of the ears: a bell over the scalp. A concentric-sphere model
/// with a poorly conducting skull gives fields of this form for radial patches (Nunez and Srinivasan 2006, chapter 6).
pub fn lead_field(source: &Source, electrode: &Electrode) -> f64 {
    let bell = |place: &[f64; 3]| {
        let squared: f64 = place.iter().zip(&source.place).map(|(a, b)| (a - b) * (a - b)).sum();
        (-0.5 * squared / (source.reach * source.reach)).exp()
    };
    bell(&electrode.place) - EARS.iter().map(bell).sum::<f64>() / EARS.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn electrodes_lie_on_the_head_and_pairs_mirror_each_other() {
        for e in &ELECTRODES {
            let radius: f64 = e.place.iter().map(|x| x * x).sum::<f64>().sqrt();
            assert!((radius - 1.0).abs() < 0.01, "{} lies at {radius}", e.name);
        }
        let place = |name: &str| ELECTRODES.iter().find(|e| e.name == name).unwrap().place;
        for (left, right) in [("Fp1", "Fp2"), ("F7", "F8"), ("C3", "C4"), ("T7", "T8"), ("P3", "P4"), ("O1", "O2")] {
            let [x, y, z] = place(left);
            assert_eq!([-x, y, z], place(right));
        }
    }

    #[test]
    fn a_source_is_seen_best_above_it_and_less_the_farther_away() {
        let source = Source { place: ELECTRODES[17].place, reach: 0.5, kind: SourceKind::Background { slope: 1.0, rms_uv: 1.0 } };
        let seen = |name: &str| lead_field(&source, ELECTRODES.iter().find(|e| e.name == name).unwrap());
        assert!(seen("O1") > 0.9 && seen("O1") > seen("O2") && seen("O2") > seen("Cz") && seen("Cz").abs() < 0.2);
    }
}

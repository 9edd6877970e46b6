use physiosynth_signal::Seed;
use rand::{Rng, RngExt};

use super::head::{Source, SourceKind};

/// Patches of background all over the cortex.
const BACKGROUND: usize = 32;

/// One simulated person: everything that stays the same through the record.
#[derive(Debug, Clone, PartialEq)]
pub struct EegSubject {
    /// The patches of cortex, background first.
    pub sources: Vec<Source>,
    /// Frequency of the alpha rhythm in hertz.
    pub alpha_hz: f64,
    /// Blinks per minute with the eyes open.
    pub blinks_per_min: f64,
    /// Height of a blink at the forehead, in microvolts.
    pub blink_uv: f64,
    /// Muscle bursts per minute.
    pub bursts_per_min: f64,
    /// Root mean square of a muscle burst at the temples, in microvolts.
    pub muscle_uv: f64,
    /// Root mean square of mains interference, in microvolts.
    pub mains_uv: f64,
    /// Mains frequency in hertz: 50 or 60.
    pub mains_hz: f64,
    /// Factor on the database's rate of discharges.
    pub discharge_share: f64,
}

impl EegSubject {
    /// Subject `index` of a database, from the stream (`"simulator-eeg"`, `index`).
    pub fn draw(seed: Seed, index: usize) -> Self {
        let mut rng = seed.stream("simulator-eeg", index as u64);
        let rng = &mut rng;
        let alpha_hz = rng.random_range(8.8..11.4);
        let mut sources = background(rng);
        sources.extend(rhythms(rng, alpha_hz));
        sources.extend(discharges(rng));
        Self {
            sources,
            alpha_hz,
            blinks_per_min: rng.random_range(8.0..20.0),
            blink_uv: rng.random_range(70.0..150.0),
            bursts_per_min: rng.random_range(0.5..3.0),
            muscle_uv: rng.random_range(6.0..15.0),
            mains_uv: rng.random_range(0.5..3.0),
            mains_hz: if rng.random_bool(0.5) { 50.0 } else { 60.0 },
            discharge_share: rng.random_range(0.6..1.4),
        }
    }
}

/// Patches spread over the upper half of the head by the golden angle, each shifted a little.
fn background(rng: &mut impl Rng) -> Vec<Source> {
    let level: f64 = rng.random_range(5.0..8.0);
    let slope: f64 = rng.random_range(0.9..1.4);
    let patch = |i: usize, rng: &mut dyn FnMut() -> f64| {
        let height = 1.0 - 1.05 * (i as f64 + 0.5) / BACKGROUND as f64 + 0.06 * rng();
        let height = height.clamp(-0.1, 1.0);
        let round = i as f64 * 2.399_963 + 0.4 * rng();
        let ring = (1.0 - height * height).max(0.0).sqrt();
        [ring * round.cos(), ring * round.sin(), height]
    };
    (0..BACKGROUND)
        .map(|i| {
            let place = patch(i, &mut || rng.random_range(-1.0..1.0));
            let kind =
                SourceKind::Background { slope: slope + rng.random_range(-0.1..0.1), rms_uv: level * rng.random_range(0.7..1.3) };
            Source { place, reach: rng.random_range(0.4..0.7), kind }
        })
        .collect()
}

/// Alpha over both occipital lobes and the midline behind, beta over the motor cortex and the front.
fn rhythms(rng: &mut impl Rng, alpha_hz: f64) -> Vec<Source> {
    let alpha_uv = rng.random_range(10.0..22.0);
    let open = rng.random_range(0.2..0.4);
    let beta_hz = rng.random_range(16.0..23.0);
    let beta_uv = rng.random_range(2.0..5.0);
    let rhythm = |place, reach, hz, width_hz, rms_uv, open| Source {
        place,
        reach,
        kind: SourceKind::Rhythm { hz, width_hz, rms_uv, open },
    };
    vec![
        rhythm([-0.35, -0.85, 0.4], 0.6, alpha_hz, 1.2, alpha_uv * rng.random_range(0.8..1.0), open),
        rhythm([0.35, -0.85, 0.4], 0.6, alpha_hz, 1.2, alpha_uv, open),
        rhythm([0.0, -0.7, 0.71], 0.7, alpha_hz * 0.98, 1.5, 0.6 * alpha_uv, open),
        rhythm([-0.6, 0.15, 0.78], 0.5, beta_hz, 5.0, beta_uv, 0.9),
        rhythm([0.6, 0.15, 0.78], 0.5, beta_hz, 5.0, beta_uv, 0.9),
        rhythm([0.0, 0.7, 0.71], 0.6, beta_hz * 1.05, 6.0, 0.8 * beta_uv, 1.0),
    ]
}

/// One wide source at the front: the discharges are generalised.
fn discharges(rng: &mut impl Rng) -> Vec<Source> {
    let kind = SourceKind::SpikeAndWave { height_uv: rng.random_range(120.0..200.0), hz: rng.random_range(2.8..3.4) };
    vec![Source { place: [0.06 * rng.random_range(-1.0..1.0), 0.55, 0.83], reach: rng.random_range(0.8..1.0), kind }]
}

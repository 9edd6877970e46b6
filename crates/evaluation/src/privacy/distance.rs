//! Nearest published segment: what was trained on lies nearer to what was published.

use super::{Attack, Seen};

pub(super) const ATTACK: Attack = Attack {
    name: "distance",
    definition: "Score: −ln of the distance to the nearest published segment of the class (the distance attack of Chen et al. 2020, \
                 GAN-Leaks). Blind to how common a segment is: ordinary segments have near neighbours whether trained on or not.",
    score: |seen: &Seen| -f64::from(seen.published.first().copied().unwrap_or(f32::INFINITY).max(seen.floor)).ln(),
};

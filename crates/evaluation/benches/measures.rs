//! The time of measures on beats of 256 samples.

fn main() {}

use physiosynth_evaluation::Scores;
use physiosynth_signal::SegmentSet;

use crate::context::Context;
use crate::context::tests::{report_of, set_of};
use crate::figures::{Drawing, figures_for};

/// Epochs of three channels in microvolts: a rhythm at 10 Hz, a louder one in step with it, and another rhythm.
fn eeg(parts: &[(&str, &str, usize)]) -> SegmentSet {
    let mut set = set_of(parts, 200);
    set.channel_names = ["Fz", "Cz", "O1"].map(String::from).to_vec();
    set.channel_units = vec!["uV".into(); 3];
    set.mark_index = 0;
    let n = set.len();
    set.signals = ndarray::Array3::from_shape_fn((n, 200, 3), |(i, t, c)| {
        let hz = if c == 2 { 6.0 } else { 10.0 };
        let phase = i as f32 + std::f32::consts::TAU * hz * t as f32 / 100.0;
        phase.sin() * if c == 1 { 2.0 } else { 1.0 }
    });
    set.scale = ndarray::Array2::from_elem((n, 3), 10.0);
    set.offset = ndarray::Array2::zeros((n, 3));
    set
}

#[test]
fn an_eeg_has_its_own_figures_and_none_on_ecg_paper() {
    let real = eeg(&[("rest", "train", 12), ("move", "train", 9), ("rest", "test", 4)]);
    let made = eeg(&[("rest", "synthetic", 8)]);
    let scores = Scores::default();
    let report = report_of(&real, &made, &scores);
    let context = Context::new(&report);
    let names: Vec<&str> = figures_for(&context).map(|f| f.name).collect();
    for name in ["overview", "epochs", "eeg_psd", "band_powers", "channel_correlation", "fidelity", "training"] {
        assert_eq!(names.iter().filter(|n| **n == name).count(), 1, "{name}: {names:?}");
    }
    assert!(["strips", "beats", "means", "psd", "clusters"].iter().all(|name| !names.contains(name)), "{names:?}");
    for figure in figures_for(&context) {
        assert!((figure.caption)(&context).len() > 80, "{}", figure.name);
        let Drawing::Picture(canvas) = (figure.draw)(&context) else { continue };
        let (w, h) = (canvas.size().0 as i32, canvas.size().1 as i32);
        assert!((300..3200).contains(&h), "{}: {h}", figure.name);
        let white = |x, y| canvas.pixel(x, y) == crate::palette::WHITE;
        let edge = (0..w).all(|x| white(x, 0) && white(x, h - 1)) && (0..h).all(|y| white(0, y) && white(w - 1, y));
        assert!(edge, "{}: something touches the edge", figure.name);
    }
    let beats = set_of(&[("N", "train", 5)], 60);
    let report = report_of(&beats, &beats, &scores);
    let names: Vec<&str> = figures_for(&Context::new(&report)).map(|f| f.name).collect();
    assert!(names.contains(&"strips") && !names.contains(&"epochs"), "{names:?}");
}

#[test]
fn gaps_and_missing_sides_are_told() {
    let real = eeg(&[("rest", "train", 3)]);
    let none = real.select(&[]);
    let mut broken = real.clone();
    broken.signals.fill(f32::NAN);
    let scores = Scores::default();
    for (real, made) in [(&real, &none), (&none, &real), (&broken, &broken), (&none, &none)] {
        let report = report_of(real, made, &scores);
        let context = Context::new(&report);
        for figure in figures_for(&context) {
            let _ = (figure.draw)(&context);
        }
    }
}

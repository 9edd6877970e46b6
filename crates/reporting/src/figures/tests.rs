use super::*;
use crate::context::tests::{report_of, set_of};
use crate::report::{ClusterRow, Epoch, Report, Stretch, Strip};
use physiosynth_evaluation::{Better, Family, Measure, Scores};
use physiosynth_signal::SegmentSet;

fn history(n: u32) -> Vec<Epoch> {
    (1..=n)
        .map(|epoch| Epoch {
            epoch,
            train_loss: 1.0 / f64::from(epoch),
            validation_loss: f64::NAN,
            gradient_norm_mean: 0.5,
            gradient_norm_max: 2.0,
            learning_rate: 1e-3,
        })
        .collect()
}

fn scores() -> Scores {
    let measure = |class: &str, value| Measure {
        name: "prd_nearest".into(),
        unit: "mV".into(),
        family: Family::Fidelity,
        class: class.into(),
        value,
        low: None,
        high: None,
        segments: 10,
        subjects: 3,
        same: Some(1.0),
        held_out: Some(f64::NAN),
        baselines: [("training_copy".to_string(), 0.0)].into(),
        better: Better::Lower,
        definition: String::new(),
    };
    Scores { measures: vec![measure("N", Some(2.0)), measure("V", None)], ..Scores::default() }
}

fn strip() -> Strip {
    let samples = (0..1200).map(|k| if k % 100 == 30 { 1.1 } else { 0.01 * (k % 7) as f32 }).collect();
    let marks = vec![(30, "N".into()), (31, "+".into()), (5000, "V".into())];
    Strip { title: "record 1".into(), unit: "mV".into(), sampling_frequency_hz: 100.0, samples, marks }
}

fn stretch() -> Stretch {
    let Strip { samples, marks, .. } = strip();
    Stretch {
        record: "1".into(),
        lead: "MLII".into(),
        unit: "mV".into(),
        sampling_frequency_hz: 100.0,
        start_s: 3.0,
        before: samples.clone(),
        after: samples,
        marks,
    }
}

fn clusters(n: usize) -> Vec<ClusterRow> {
    let row = |id: usize| ClusterRow {
        id: id as i32,
        class: ["N", "V"].get(id).map_or_else(|| format!("T{id:02}"), ToString::to_string),
        subject: String::new(),
        segments: 5,
        silhouette: f64::NAN,
    };
    (0..n).map(row).collect()
}

/// Draws every figure of `report`; the names of those with nothing to show.
fn draw_all(report: &Report<'_>) -> (Vec<(&'static str, Canvas)>, Vec<&'static str>) {
    let context = Context::new(report);
    let (mut drawn, mut nothing) = (Vec::new(), Vec::new());
    for figure in FIGURES {
        match (figure.draw)(&context) {
            Drawing::Picture(canvas) => drawn.push((figure.name, canvas)),
            Drawing::Nothing(_) => nothing.push(figure.name),
        }
        assert!((figure.caption)(&context).len() > 80, "{}: a caption says how to read it", figure.name);
    }
    (drawn, nothing)
}

/// Nothing but white within the outermost pixels (nothing was cut off there), and not white everywhere.
fn assert_drawn_and_not_cut(name: &str, canvas: &Canvas) {
    let (w, h) = (canvas.size().0 as i32, canvas.size().1 as i32);
    let white = |x, y| canvas.pixel(x, y) == crate::palette::WHITE;
    let edge = (0..w).all(|x| white(x, 0) && white(x, h - 1)) && (0..h).all(|y| white(0, y) && white(w - 1, y));
    assert!(edge, "{name}: something touches the edge");
    let ink = (0..h).step_by(3).flat_map(|y| (0..w).step_by(3).map(move |x| (x, y))).filter(|&(x, y)| !white(x, y)).count();
    assert!(ink > 500, "{name}: {ink} sampled pixels are not white");
}

#[test]
fn every_figure_is_drawn_at_its_size() {
    let real = set_of(&[("N", "train", 40), ("V", "train", 12), ("N", "test", 9)], 90);
    let synthetic = set_of(&[("N", "synthetic", 20), ("V", "synthetic", 10)], 90);
    let (scores, history, stretches, clusters) = (scores(), history(12), [stretch()], clusters(2));
    let report = Report {
        history: &history,
        best_epoch: Some(4),
        stretches: &stretches,
        real_strip: Some(strip()),
        synthetic_strip: Some(strip()),
        clusters: &clusters,
        ..report_of(&real, &synthetic, &scores)
    };
    let (drawn, nothing) = draw_all(&report);
    assert!(nothing.is_empty(), "{nothing:?}");
    for (name, canvas) in &drawn {
        let width = if *name == "overview" { 2000 } else { WIDTH };
        assert_eq!(canvas.size().0, width, "{name}");
        assert!((300..3000).contains(&canvas.size().1), "{name}");
        assert_drawn_and_not_cut(name, canvas);
    }
    let (again, _) = draw_all(&report);
    for ((name, a), (_, b)) in drawn.iter().zip(&again) {
        assert!(a.encode(name).unwrap() == b.encode(name).unwrap(), "{name} differs from itself");
    }
}

#[test]
fn real_is_blue_and_synthetic_vermillion() {
    let real = set_of(&[("N", "train", 3)], 60);
    let scores = Scores::default();
    let has = |canvas: &Canvas, colour| {
        let (w, h) = canvas.size();
        (0..h as i32).any(|y| (0..w as i32).any(|x| canvas.pixel(x, y) == colour))
    };
    let empty = real.select(&[]);
    for (real, synthetic, expected) in [(&real, &empty, (true, false)), (&empty, &real, (false, true))] {
        let report = report_of(real, synthetic, &scores);
        let Drawing::Picture(canvas) = (psd::FIGURE.draw)(&Context::new(&report)) else { panic!("no picture") };
        // The legend holds both once; only the curve's side counts below it.
        let (_, h) = canvas.size();
        let below = |colour| (100..h as i32).any(|y| (0..WIDTH as i32).any(|x| canvas.pixel(x, y) == colour));
        assert_eq!((below(crate::palette::REAL), below(crate::palette::SYNTHETIC)), expected);
        assert!(has(&canvas, crate::palette::REAL) && has(&canvas, crate::palette::SYNTHETIC));
    }
}

#[test]
fn odd_inputs_still_make_sensible_figures() {
    let labels: Vec<String> = (0..17).map(|k| format!("T{k:02}")).collect();
    let many: Vec<(&str, &str, usize)> = labels.iter().map(|l| (l.as_str(), "train", 5)).collect();
    let mut gaps = set_of(&[("N", "train", 4), ("Q", "test", 1)], 50);
    gaps.signals.fill(f32::NAN);
    let mut infinite = set_of(&[("N", "train", 4)], 50);
    infinite.signals[[0, 0, 0]] = f32::INFINITY;
    infinite.signals[[1, 5, 0]] = f32::MAX;
    infinite.sampling_frequency_hz = f64::NAN;
    let flat = {
        let mut set = set_of(&[("N", "train", 4)], 50);
        set.signals.fill(0.25);
        set
    };
    let none = SegmentSet::empty(50, 100.0, 10, vec!["MLII".into()], vec!["mV".into()]);
    let nameless = SegmentSet::empty(0, 0.0, 0, Vec::new(), Vec::new());
    let short = set_of(&[("N", "train", 2)], 1);
    let one = set_of(&[("N", "train", 1)], 50);
    let many = set_of(&many, 50);
    let (scores, clusters) = (scores(), clusters(17));
    let history = history(1);
    let broken = Strip { sampling_frequency_hz: f64::NAN, samples: vec![f32::NAN; 5], unit: String::new(), ..strip() };
    for (what, real, synthetic) in [
        ("gaps", &gaps, &none),
        ("infinite", &infinite, &infinite),
        ("flat", &flat, &one),
        ("none", &none, &none),
        ("nameless", &nameless, &nameless),
        ("short", &short, &short),
        ("many", &many, &none),
        ("one", &one, &many),
    ] {
        let report = Report {
            history: &history,
            best_epoch: Some(77),
            clusters: &clusters,
            real_strip: Some(broken.clone()),
            ..report_of(real, synthetic, &scores)
        };
        let (drawn, _) = draw_all(&report);
        let (name, overview) = &drawn[0];
        assert_eq!(*name, "overview", "{what}");
        assert_drawn_and_not_cut(&format!("{what} {name}"), overview);
    }
}

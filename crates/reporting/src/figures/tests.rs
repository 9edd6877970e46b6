use super::*;
use crate::context::tests::{report_of, set_of};
use crate::report::{ClusterRow, Epoch, Report, Stretch, Strip};
use physiosynth_evaluation::exhibits::{
    Attention, ConfusionMatrix, Curve, Distribution, DistributionOfSet, Exhibits, NearestPair, PointGroup, PointMap,
};
use physiosynth_evaluation::{Better, Family, Measure, Outcome, Scores, Verdict};
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

/// A measure with a value between its references.
pub(crate) fn measure(name: &str, class: &str) -> Measure {
    Measure {
        name: name.into(),
        unit: "mV".into(),
        family: Family::Fidelity,
        class: class.into(),
        value: Some(2.0),
        low: None,
        high: None,
        segments: 10,
        subjects: 3,
        same: Some(1.0),
        held_out: Some(f64::NAN),
        baselines: [("training_copy".to_string(), 0.0), ("pca_gaussian".to_string(), 3.0)].into(),
        better: Better::Lower,
        definition: String::new(),
    }
}

/// Scores with all that figures draw, of these classes.
fn scores(classes: &[&str]) -> Scores {
    let families = [Family::Fidelity, Family::Diversity, Family::Utility, Family::Privacy, Family::Clinical];
    let names = ["prd_nearest", "coverage", "tstr_f1_forest", "dcr", "wasserstein_qt_ms"];
    let mut measures = Vec::new();
    for (family, name) in families.into_iter().zip(names) {
        measures.push(Measure { family, ..measure(name, "all") });
        measures.extend(classes.iter().map(|class| Measure { family, value: Some(1e9), ..measure(name, class) }));
        measures.push(Measure { family, value: None, ..measure(name, "X") });
    }
    let verdict = |outcome| Verdict { outcome, because: ["N: prd_nearest is far"; 9].join("; ") };
    let verdicts = [("faithful", Outcome::Pass), ("private", Outcome::Fail), ("useful", Outcome::NotAssessable)];
    Scores {
        measures,
        verdicts: verdicts.map(|(name, outcome)| (name.to_string(), verdict(outcome))).into(),
        exhibits: exhibits(classes),
        ..Scores::default()
    }
}

fn exhibits(classes: &[&str]) -> Exhibits {
    let names: Vec<String> = classes.iter().map(ToString::to_string).collect();
    let matrix = |trained_on: &str, tested_on: &str| ConfusionMatrix {
        judge: "forest".into(),
        trained_on: trained_on.into(),
        tested_on: tested_on.into(),
        actual: [names.clone(), vec!["an untaught class".into()]].concat(),
        predicted: names.clone(),
        counts: (0..=classes.len())
            .map(|i| (0..classes.len()).map(|j| if i == j { 12_345.6 } else { i as f64 }).collect())
            .collect(),
    };
    let group = |set: &str, class: &str, at: f64| PointGroup {
        set: set.into(),
        class: class.into(),
        x: (0..40).map(|k| at + f64::from(k % 7)).chain([f64::NAN]).collect(),
        y: (0..40).map(|k| at - f64::from(k % 11)).chain([1.0]).collect(),
    };
    let map = |name: &str| PointMap {
        name: name.into(),
        x_label: "first".into(),
        y_label: "second".into(),
        groups: ["train", "held_out", "synthetic", "other"]
            .iter()
            .flat_map(|set| classes.iter().enumerate().map(|(k, class)| group(set, class, 9.0 * k as f64)))
            .collect(),
    };
    let pair =
        |class: &str, rank, real| NearestPair { class: class.into(), rank, distance: 0.1, unit: "mV".into(), synthetic: 0, real };
    let of_set = |set: &str, values| DistributionOfSet {
        set: set.into(),
        values,
        missing: 3,
        quantiles: [1.0, 2.0, 3.0, 4.0, 5.0],
        density: (0..30).map(|k| (-f64::from(k - 12).powi(2) / 20.0).exp()).collect(),
    };
    let distribution = |name: &str, class: &str| Distribution {
        name: name.into(),
        what: "a quantity".into(),
        unit: "ms".into(),
        class: class.into(),
        range: [0.0, 8.0],
        sets: vec![of_set("train", 50), of_set("held_out", 40), of_set("synthetic", 1)],
    };
    let curve = |name: &str, set: &str| Curve {
        name: format!("membership_{name}"),
        class: "all".into(),
        set: set.into(),
        x_label: "x".into(),
        y_label: "y".into(),
        x: vec![0.0, 0.01, 0.4, 1.0],
        y: vec![0.0, 0.1, 0.7, 1.0],
    };
    let attention = |class: &str, trained_on: &str| Attention {
        judge: "attention".into(),
        trained_on: trained_on.into(),
        class: class.into(),
        weights: vec![0.1, 0.6, f64::NAN, 0.3],
        mean_segment: (0..90).map(|k| (-(f64::from(k) - 30.0).powi(2) / 20.0).exp()).collect(),
    };
    Exhibits {
        confusions: vec![matrix("real", "real"), matrix("synthetic", "real"), matrix("real", "synthetic")],
        attentions: classes.iter().flat_map(|c| [attention(c, "real"), attention(c, "synthetic")]).collect(),
        curves: ["distance_subject", "density_ratio_segment"]
            .iter()
            .flat_map(|name| ["synthetic", "same", "training_copy"].map(|set| curve(name, set)))
            .collect(),
        maps: vec![map("pca"), map("tsne")],
        nearest: classes.iter().flat_map(|c| [pair(c, 0.0, 0), pair(c, 0.5, 1), pair(c, 1.0, usize::MAX)]).collect(),
        distributions: ["pr_ms", "qt_ms"].iter().flat_map(|name| classes.iter().map(|class| distribution(name, class))).collect(),
    }
}

/// The same with every number missing, and every list empty that may be.
fn hollow(mut scores: Scores) -> Scores {
    for m in &mut scores.measures {
        (m.value, m.same, m.held_out) = (Some(f64::NAN), Some(f64::INFINITY), None);
    }
    let e = &mut scores.exhibits;
    e.confusions.iter_mut().flat_map(|m| &mut m.counts).flatten().for_each(|n| *n = f64::NAN);
    e.attentions.iter_mut().for_each(|a| a.weights.fill(f64::NAN));
    e.curves.iter_mut().for_each(|c| c.y.fill(f64::NAN));
    e.maps.iter_mut().flat_map(|m| &mut m.groups).for_each(|g| g.x.fill(f64::NAN));
    for d in &mut e.distributions {
        d.range = [f64::NAN, 1.0];
        d.sets.iter_mut().for_each(|s| s.density.clear());
    }
    scores
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
    let (scores, history, stretches, clusters) = (scores(&["N", "V"]), history(12), [stretch()], clusters(2));
    let report = Report {
        history: &history,
        best_epoch: Some(4),
        stretches: &stretches,
        real_strips: vec![strip()],
        synthetic_strips: vec![strip(), strip()],
        clusters: &clusters,
        ..report_of(&real, &synthetic, &scores)
    };
    let (drawn, nothing) = draw_all(&report);
    assert!(nothing.is_empty(), "{nothing:?}");
    for (name, canvas) in &drawn {
        let width = if *name == "overview" { 2000 } else { WIDTH };
        assert_eq!(canvas.size().0, width, "{name}");
        assert!((240..3000).contains(&canvas.size().1), "{name}");
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
    let seventeen: Vec<&str> = labels.iter().map(String::as_str).collect();
    let (scores, clusters) = ([scores(&seventeen), scores(&["N"]), hollow(scores(&["N", "V"])), scores(&[])], clusters(17));
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
        for (kind, scores) in scores.iter().enumerate() {
            let report = Report {
                history: &history,
                best_epoch: Some(77),
                clusters: &clusters,
                real_strips: vec![broken.clone()],
                ..report_of(real, synthetic, scores)
            };
            let (drawn, _) = draw_all(&report);
            assert_eq!(drawn[0].0, "overview", "{what}");
            for (name, canvas) in drawn.iter().filter(|(name, _)| *name == "overview" || what == "one") {
                assert_drawn_and_not_cut(&format!("{what} {kind} {name}"), canvas);
            }
        }
    }
}

//! The report as its users meet it: files in a folder.

use std::fs;
use std::path::PathBuf;

use ndarray::{Array2, Array3};
use physiosynth_evaluation::{Better, Family, Measure, Outcome, Scores, Verdict};
use physiosynth_reporting::{Epoch, Report, ReportError, RunFacts, SplitRow, write_report};
use physiosynth_signal::{Progress, Segment, SegmentSet, Silent, Split};

/// A folder for one test, removed at its end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("physiosynth-reporting-{}-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn set(label: &str, split: Split, n: usize) -> SegmentSet {
    let mut set = SegmentSet::empty(80, 128.0, 30, vec!["MLII".into(), "V1".into()], vec!["mV".into(), "mV".into()]);
    set.signals = Array3::from_shape_fn((n, 80, 2), |(i, t, _)| {
        ((t as f32 - 30.0) / (5.0 + i as f32 % 3.0)).powi(2).mul_add(-1.0, 0.0).exp()
    });
    set.scale = Array2::ones((n, 2));
    set.offset = Array2::zeros((n, 2));
    set.segments =
        (0..n).map(|i| Segment { record: String::new(), ..Segment::new(label, format!("{}", i % 4), split) }).collect();
    set
}

fn scores() -> Scores {
    let measure = Measure {
        name: "prd_nearest".into(),
        unit: "mV".into(),
        family: Family::Fidelity,
        class: "<N>".into(),
        value: Some(12.345),
        low: Some(11.0),
        high: Some(14.0),
        segments: 40,
        subjects: 6,
        same: Some(8.0),
        held_out: Some(31.0),
        baselines: [("training_copy".to_string(), 0.0), ("class_mean_noise".to_string(), 40.0)].into(),
        better: Better::Lower,
        definition: "100 × √(Σ(x−y)²/Σx²) \"percent\" & <so on>".into(),
    };
    let verdict = Verdict { outcome: Outcome::Fail, because: "N: too <far>; V: fine".into() };
    Scores {
        measures: vec![measure],
        verdicts: [("faithful".to_string(), verdict)].into(),
        notes: vec!["a note & more".into()],
        ..Scores::default()
    }
}

fn report<'a>(real: &'a SegmentSet, synthetic: &'a SegmentSet, scores: &'a Scores) -> Report<'a> {
    let facts = RunFacts {
        title: "<b>run</b> & 'co'".into(),
        database: "mitdb<script>".into(),
        seed: 3,
        command: "physiosynth run --set a=\"<x>\"".into(),
        skipped: vec![("102".into(), "no signal <MLII>".into())],
        splits: vec![SplitRow { split: "train".into(), subjects: 4, segments: vec![("N".into(), 1234)] }],
        timings: vec![("train".into(), 12.34)],
        ..RunFacts::default()
    };
    Report {
        facts,
        real,
        synthetic,
        scores,
        history: &[],
        best_epoch: None,
        stretches: &[],
        real_strips: Vec::new(),
        synthetic_strips: Vec::new(),
        clusters: &[],
    }
}

fn write(report: &Report<'_>, name: &str) -> (Folder, physiosynth_reporting::Written, String) {
    let folder = Folder::new(name);
    let written = write_report(report, &folder.0, &Silent).unwrap();
    let page = fs::read_to_string(&written.page).unwrap();
    (folder, written, page)
}

#[test]
fn the_page_is_one_file_and_escapes_all_text() {
    let (real, synthetic, scores) = (set("N", Split::Train, 9), set("N", Split::Synthetic, 5), scores());
    let (_folder, written, page) = write(&report(&real, &synthetic, &scores), "page");
    for wanted in [
        "&lt;b&gt;run&lt;/b&gt; &amp; &#39;co&#39;",
        "mitdb&lt;script&gt;",
        "no signal &lt;MLII&gt;",
        "a=&quot;&lt;x&gt;&quot;",
        "too &lt;far&gt;",
        "&quot;percent&quot; &amp; &lt;so on&gt;",
        "<strong>12.3</strong>",
        "11.0 to 14.0",
        "40.0 <span class=\"faint\">class mean noise</span>",
        "1,234",
        "Not for sharing",
        "2 channels; the pictures show the first, MLII",
        "Not drawn: no training history was given",
    ] {
        assert!(page.contains(wanted), "the page lacks {wanted}");
    }
    for unwanted in ["<script", "<b>run", "<far>", "http://", "https://", "src=\"figures"] {
        assert!(!page.contains(unwanted), "the page holds {unwanted}");
    }
    assert_eq!(page.matches("data:image/png;base64,").count(), written.figures.len());
    // Every opened element is closed.
    for element in ["table", "tbody", "tr", "td", "figure", "details", "ul", "main", "html"] {
        let opened = page.matches(&format!("<{element}>")).count() + page.matches(&format!("<{element} ")).count();
        assert_eq!(opened, page.matches(&format!("</{element}>")).count(), "<{element}>");
    }
}

#[test]
fn simulated_data_carry_no_warning() {
    let (real, scores) = (set("N", Split::Train, 3), Scores::default());
    let mut simulated = report(&real, &real, &scores);
    simulated.facts.simulated = true;
    let (_folder, _, page) = write(&simulated, "simulated");
    assert!(!page.contains("Not for sharing") && page.contains("simulated"));
}

#[test]
fn pictures_are_png_files_of_their_size_and_leave_nothing_behind() {
    let (real, synthetic, scores) = (set("N", Split::Train, 9), set("V", Split::Synthetic, 5), scores());
    let (folder, written, _) = write(&report(&real, &synthetic, &scores), "pictures");
    let names: Vec<String> = written.figures.iter().map(|f| f.file_stem().unwrap().to_string_lossy().into_owned()).collect();
    assert_eq!(names, ["overview", "verdicts", "beats", "means", "fidelity", "psd"]);
    for figure in &written.figures {
        let mut decoder = png::Decoder::new(std::io::BufReader::new(fs::File::open(figure).unwrap()));
        decoder.set_transformations(png::Transformations::EXPAND);
        let mut reader = decoder.read_info().unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut pixels).unwrap();
        assert_eq!(info.width, if figure.ends_with("overview.png") { 2000 } else { 1600 });
        assert!(pixels.iter().any(|&v| v < 128), "{} is blank", figure.display());
    }
    let mut files: Vec<_> = fs::read_dir(folder.0.join("figures")).unwrap().map(|e| e.unwrap().file_name()).collect();
    files.sort();
    assert_eq!(files.len(), written.figures.len(), "{files:?}");
}

#[test]
fn the_same_report_is_the_same_bytes_with_one_thread_and_with_three() {
    let (real, synthetic, scores) = (set("N", Split::Train, 1500), set("N", Split::Synthetic, 700), scores());
    let report = report(&real, &synthetic, &scores);
    let with = |threads: usize| {
        let folder = Folder::new(&format!("threads-{threads}"));
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let written = pool.install(|| write_report(&report, &folder.0, &Silent)).unwrap();
        fs::read(written.page).unwrap()
    };
    assert!(with(1) == with(3));
}

#[test]
fn a_picture_that_is_no_longer_drawn_is_removed() {
    let (real, scores) = (set("N", Split::Train, 3), Scores::default());
    let history = [Epoch {
        epoch: 1,
        train_loss: 1.0,
        validation_loss: 1.0,
        gradient_norm_mean: 1.0,
        gradient_norm_max: 1.0,
        learning_rate: 1e-3,
    }];
    let with = Report { history: &history, ..report(&real, &real, &scores) };
    let (folder, ..) = write(&with, "stale");
    let training = folder.0.join("figures/training.png");
    assert!(training.exists());
    let written = write_report(&report(&real, &real, &scores), &folder.0, &Silent).unwrap();
    assert!(!training.exists());
    assert!(written.left_out.iter().any(|(name, why)| name == "training" && why.contains("history")));
}

#[test]
fn errors_name_what_is_wrong() {
    let (mut real, scores) = (set("N", Split::Train, 3), Scores::default());
    let good = real.clone();
    let folder = Folder::new("errors");
    real.segments.pop();
    let error = write_report(&report(&real, &good, &scores), &folder.0, &Silent).unwrap_err();
    assert!(error.to_string().contains("real segments are inconsistent"), "{error}");
    fs::write(&folder.0, "a file where the folder should be").unwrap();
    let error = write_report(&report(&good, &good, &scores), &folder.0, &Silent).unwrap_err();
    assert!(matches!(&error, ReportError::Io { .. }) && error.to_string().contains("create the folder"), "{error}");
    fs::remove_file(&folder.0).unwrap();
}

#[test]
fn it_stops_when_asked() {
    struct Stop;
    impl Progress for Stop {
        fn begin(&self, _: &str, _: u64, _: &str) {}
        fn advance(&self, _: u64) {}
        fn note(&self, _: &str) {}
        fn warn(&self, _: &str) {}
        fn end(&self) {}
        fn cancelled(&self) -> bool {
            true
        }
    }
    let (real, scores) = (set("N", Split::Train, 3), Scores::default());
    let folder = Folder::new("stop");
    let error = write_report(&report(&real, &real, &scores), &folder.0, &Stop).unwrap_err();
    assert!(matches!(error, ReportError::Cancelled(_)));
    assert!(!folder.0.join("index.html").exists());
}

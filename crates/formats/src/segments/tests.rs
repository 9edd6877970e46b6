use std::path::{Path, PathBuf};

use ndarray::{Array2, Array3};
use physiosynth_signal::{Group, Segment, SegmentSet, Sex, Split};

use super::{read_segments, write_segments};

/// A folder of the test's own, removed at the end.
struct Folder(PathBuf);

impl Folder {
    fn new(test: &str) -> Self {
        let path = std::env::temp_dir().join(format!("physiosynth-segments-{test}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }
    fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Distinct values everywhere, with NaN, infinities and texts of several widths.
fn sample_set(n: usize, time: usize, channels: usize) -> SegmentSet {
    let mut state = 1_u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        f32::from((state >> 16) as u16) / 4096.0 - 8.0
    };
    let mut signals = Array3::from_shape_simple_fn((n, time, channels), &mut next);
    if let Some(first) = signals.first_mut() {
        *first = f32::NEG_INFINITY;
    }
    let segment = |i: usize| Segment {
        label: ["N", "S", "imagined left fist", ""][i % 4].into(),
        code: ["N", "\"", "T1"][i % 3].into(),
        subject: format!("subject {}", i / 10),
        record: format!("{}", i % 23),
        split: [Split::Train, Split::Validation, Split::Test, Split::Synthetic][i % 4],
        group: [Group::A, Group::B, Group::None][i % 3],
        cluster: i as i32 - 1,
        sample: i as i64 * 5_000_000_000 - 1,
        rr_before_s: i as f32 / 7.0,
        rr_after_s: -(i as f32),
        rhythm: ["(N", "", "(AFIB"][i % 3].into(),
        age_years: (!i.is_multiple_of(5)).then_some(i as f32),
        sex: [Some(Sex::Female), None, Some(Sex::Male)][i % 3],
        derived_from: if i.is_multiple_of(2) { "élève".into() } else { String::new() },
    };
    SegmentSet {
        signals,
        scale: Array2::from_shape_simple_fn((n, channels), &mut next),
        offset: Array2::from_shape_simple_fn((n, channels), &mut next),
        segments: (0..n).map(segment).collect(),
        sampling_frequency_hz: 127.5,
        mark_index: time / 3,
        channel_names: (0..channels).map(|c| format!("lead {c}")).collect(),
        channel_units: (0..channels).map(|c| if c == 1 { String::new() } else { "µV".into() }).collect(),
    }
}

fn round_trip(test: &str, set: &SegmentSet) {
    let folder = Folder::new(test);
    write_segments(&folder.file("s.h5"), set).unwrap();
    assert_eq!(&read_segments(&folder.file("s.h5")).unwrap(), set);
    assert_eq!(std::fs::read_dir(&folder.0).unwrap().count(), 1, "a temporary file was left behind");
}

#[test]
fn what_is_written_is_read_back() {
    // One segment; a last chunk that is not full; several channels; a segment larger than a chunk.
    for (n, time, channels) in [(1, 1, 1), (1000, 126, 1), (333, 50, 3), (3, 20_000, 2)] {
        round_trip(&format!("round-{n}"), &sample_set(n, time, channels));
    }
}

#[test]
fn unknown_intervals_stay_unknown() {
    let folder = Folder::new("nan");
    let mut set = sample_set(2, 4, 1);
    set.segments[1].rr_before_s = f32::NAN;
    write_segments(&folder.file("s.h5"), &set).unwrap();
    let back = read_segments(&folder.file("s.h5")).unwrap();
    assert!(back.segments[1].rr_before_s.is_nan() && back.segments[0].rr_before_s == 0.0);
}

#[test]
fn no_segments_are_a_set_too() {
    round_trip("empty", &sample_set(0, 126, 2));
}

#[test]
fn equal_sets_give_equal_bytes_on_any_number_of_threads() {
    let folder = Folder::new("threads");
    let set = sample_set(2000, 126, 1);
    let bytes = |threads: usize, name: &str| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| write_segments(&folder.file(name), &set).unwrap());
        std::fs::read(folder.file(name)).unwrap()
    };
    let one = bytes(1, "one.h5");
    assert!(one == bytes(3, "other name.h5") && one == bytes(8, "one.h5"));
    assert!(one.len() < 4 * set.signals.len(), "not compressed: {} bytes", one.len());
}

#[test]
fn a_file_of_h5py_is_read() {
    let set = read_segments(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src/segments/goldens/h5py.h5")).unwrap();
    set.check().unwrap();
    assert_eq!(set.signals, Array3::from_shape_fn((5, 8, 2), |(n, t, c)| (n * 16 + t * 2 + c) as f32 / 8.0 - 3.0));
    assert_eq!((set.sampling_frequency_hz, set.mark_index), (250.0, 3));
    assert_eq!((set.channel_names, set.channel_units), (vec!["MLII".into(), "Fc5.".into()], vec![String::new(); 2]));
    let labels: Vec<&str> = set.segments.iter().map(|s| s.label.as_str()).collect();
    assert_eq!(labels, ["N", "V", "N", "façade", ""]);
    assert_eq!(set.segments[4].subject, "3");
    let one = &set.segments[0];
    assert_eq!((one.code.as_str(), one.record.as_str(), one.split, one.group), ("", "", Split::Synthetic, Group::None));
    assert_eq!((one.cluster, one.sample, one.rr_after_s, one.rr_before_s.is_nan()), (-1, -1, 0.5, true));
    assert!(set.scale.iter().all(|&v| v == 1.0) && set.offset.iter().all(|&v| v == 0.0));
}

#[test]
fn a_missing_dataset_is_named() {
    let folder = Folder::new("missing");
    let mut builder = hdf5_pure::FileBuilder::new();
    let signals = builder.create_dataset("signals").with_f32_data(&[0.0; 8]).with_shape(&[2, 4, 1]);
    signals.set_attr("sampling_frequency_hz", hdf5_pure::AttrValue::F64(250.0));
    builder.write(folder.file("s.h5")).unwrap();
    let message = read_segments(&folder.file("s.h5")).unwrap_err().to_string();
    assert!(message.contains("dataset 'label'") && message.contains("missing"), "{message}");

    let mut builder = hdf5_pure::FileBuilder::new();
    builder.create_dataset("label").with_strings(&["N", "V"]).unwrap();
    builder.write(folder.file("l.h5")).unwrap();
    let message = read_segments(&folder.file("l.h5")).unwrap_err().to_string();
    assert!(message.contains("dataset 'signals'"), "{message}");
}

#[test]
fn datasets_that_disagree_are_named() {
    let folder = Folder::new("disagree");
    let mut builder = hdf5_pure::FileBuilder::new();
    let signals = builder.create_dataset("signals").with_f32_data(&[0.0; 8]).with_shape(&[2, 4, 1]);
    signals.set_attr("sampling_frequency_hz", hdf5_pure::AttrValue::F64(250.0));
    builder.create_dataset("label").with_strings(&["N", "V", "N"]).unwrap();
    builder.write(folder.file("s.h5")).unwrap();
    let message = read_segments(&folder.file("s.h5")).unwrap_err().to_string();
    assert!(message.contains("'label'") && message.contains('3') && message.contains('2'), "{message}");
}

#[test]
fn a_set_that_is_inconsistent_is_not_written() {
    let folder = Folder::new("inconsistent");
    let mut set = sample_set(3, 4, 1);
    set.segments.pop();
    assert!(write_segments(&folder.file("s.h5"), &set).is_err());
    assert!(write_segments(&folder.file("absent/s.h5"), &sample_set(1, 4, 1)).is_err());
    assert_eq!(std::fs::read_dir(&folder.0).unwrap().count(), 0);
}

/// Otherwise the reader takes the memory that a damaged index claims before it finds out.
#[test]
fn a_chunk_beyond_the_end_of_the_file_is_refused() {
    let folder = Folder::new("chunk");
    let path = folder.file("s.h5");
    write_segments(&path, &sample_set(300, 32, 1)).unwrap();
    let mut bytes = std::fs::read(&path).unwrap();
    // The first chunk index node: its header is 24 bytes, then the first chunk's size.
    let node = bytes.windows(6).position(|window| window == b"TREE\x01\0").unwrap();
    bytes[node + 24..node + 28].copy_from_slice(&u32::MAX.to_le_bytes());
    std::fs::write(&path, &bytes).unwrap();
    let message = read_segments(&path).unwrap_err().to_string();
    assert!(message.contains("dataset 'signals'") && message.contains("4294967295 bytes"), "{message}");
}

/// Damage of every kind gives an error, or data of the shape that the file claims; never a panic.
#[test]
fn damaged_files_do_not_panic() {
    let folder = Folder::new("damage");
    let path = folder.file("s.h5");
    write_segments(&path, &sample_set(300, 32, 1)).unwrap();
    let whole = std::fs::read(&path).unwrap();
    let golden = include_bytes!("goldens/h5py.h5").to_vec();
    let mut state = 7_u64;
    let mut next = |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below
    };
    for bytes in [&whole, &golden] {
        for step in 0..60 {
            std::fs::write(&path, &bytes[..bytes.len() * step / 60]).unwrap();
            assert!(read_segments(&path).is_err(), "cut to {step}/60");
        }
        for _ in 0..250 {
            let mut damaged = bytes.clone();
            for _ in 0..=next(4) {
                let at = next(damaged.len());
                // Structures sit at both ends of our files; most of the middle is samples.
                let at = if next(2) == 0 { at } else { damaged.len() - 1 - at % 4096.min(damaged.len()) };
                damaged[at] = [0, 0xff, 1 << next(8), next(256) as u8][next(4)];
            }
            std::fs::write(&path, &damaged).unwrap();
            if let Ok(set) = read_segments(&path) {
                set.check().unwrap();
            }
        }
    }
    for garbage in [&b""[..], b"not HDF5", b"\x89HDF\r\n\x1a\n", &[0xff; 4096]] {
        std::fs::write(&path, garbage).unwrap();
        assert!(read_segments(&path).is_err());
    }
}

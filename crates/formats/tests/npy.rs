//! NumPy arrays: files of NumPy's own (`tests/goldens/make_npy.py`), and what is written here.

use std::path::Path;

use physiosynth_formats::npy::{self, Array, SegmentOptions, Values};
use physiosynth_signal::Split;
use proptest::prelude::*;

/// Files that NumPy wrote, as hexadecimal.
fn golden(name: &str) -> Vec<u8> {
    let line = include_str!("goldens/npy.tsv").lines().find_map(|line| line.strip_prefix(&format!("{name}\t"))).unwrap();
    line.as_bytes().chunks(2).map(|two| u8::from_str_radix(std::str::from_utf8(two).unwrap(), 16).unwrap()).collect()
}

fn parse(bytes: &[u8]) -> Result<Array, String> {
    npy::parse(Path::new("x.npy"), bytes).map_err(|error| error.to_string())
}

#[test]
fn arrays_that_numpy_wrote() {
    // arange(24).reshape(2, 3, 4), as each type and order.
    let all: Vec<f32> = (0..24_u8).map(f32::from).collect();
    for name in ["f4", "f4-fortran", "f8", "f8-big", "f8-fortran", "i2", "u1", "i8-fortran", "f4-version-2", "f4-version-3"] {
        let array = parse(&golden(name)).unwrap();
        assert_eq!((array.shape.as_slice(), array.values.into_f32().unwrap()), (&[2, 3, 4][..], all.clone()), "{name}");
    }
    for name in ["U", "U-big", "S"] {
        let array = parse(&golden(name)).unwrap();
        let expected: &[&str] = if name == "S" { &["N", "left fist", ""] } else { &["N", "left fist", "µ"] };
        assert_eq!(
            (array.shape.as_slice(), array.values.into_text()),
            (&[3][..], expected.iter().map(ToString::to_string).collect())
        );
    }
    assert_eq!(parse(&golden("scalar")).unwrap(), Array { shape: vec![], values: Values::F64(vec![7.5]) });
    assert_eq!(parse(&golden("empty")).unwrap(), Array { shape: vec![0, 5], values: Values::F32(vec![]) });
    assert!(parse(&golden("record")).unwrap_err().contains("not supported"));
    assert!(parse(&golden("complex")).unwrap_err().contains("'<c8'"));
}

#[test]
fn broken_files_are_refused() {
    let good = golden("f4");
    assert!(parse(&good[..good.len() - 1]).unwrap_err().contains("2 × 3 × 4 values"));
    assert!(parse(&good[..5]).unwrap_err().contains("too short"));
    assert!(parse(b"\x93NUMPX\x01\x00\x00\x00").unwrap_err().contains("does not begin"));
    let patched = |from: &str, to: &str| {
        let text: Vec<u8> = good.clone();
        let at = text.windows(from.len()).position(|window| window == from.as_bytes()).unwrap();
        [&text[..at], to.as_bytes(), &text[at + from.len()..]].concat()
    };
    // Lengths whose product overflows, and texts of no size.
    assert!(parse(&patched("(2, 3, 4), }     ", "(99999999999, 99999999999), }")[..]).is_err());
    assert!(parse(&patched("'<f4'", "'<U0'")).is_ok_and(|array| array.values.into_text().len() == 24));
    assert!(parse(&patched("(2, 3, 4), } ", "(99999999), }")).is_err());
    assert!(parse(&patched("False", "Maybe")).unwrap_err().contains("no description"));
}

#[test]
fn segments_there_and_back() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    std::fs::write(path("x.npy"), golden("f8-fortran")).unwrap();
    std::fs::write(path("y.txt"), "N\nV\n").unwrap();
    let options =
        SegmentOptions { sampling_frequency_hz: 128.0, channel_names: vec!["C3".into()], unit: "uV".into(), split: Split::Test };
    let set = npy::read_segments(&path("x.npy"), Some(&path("y.txt")), &options).unwrap();
    set.check().unwrap();
    // [segment, time, channel]: channel 1 of segment 0 is 4, 5, 6, 7.
    assert_eq!((set.len(), set.time(), set.signals[[0, 2, 1]], set.signals[[1, 0, 0]]), (2, 4, 6.0, 12.0));
    assert_eq!(set.channel_names, ["C3", "channel 2", "channel 3"]);
    assert_eq!((set.segments[1].label.as_str(), set.segments[1].split), ("V", Split::Test));

    npy::write_segments(&path("again.npy"), Some(&path("labels.npy")), &set).unwrap();
    let again = npy::read_segments(&path("again.npy"), Some(&path("labels.npy")), &options).unwrap();
    assert_eq!((again.signals, again.segments[0].label.as_str()), (set.signals.clone(), "N"));
    assert!(npy::read_segments(&path("labels.npy"), None, &options).unwrap_err().to_string().contains("2 or 3 axes"));
    std::fs::write(path("y.txt"), "N\n").unwrap();
    assert!(npy::read_segments(&path("x.npy"), Some(&path("y.txt")), &options).unwrap_err().to_string().contains("1 labels"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn broken_files_never_panic(
        name in prop::sample::select(vec!["f4", "f8-fortran", "U", "S", "record", "f4-version-3"]),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
        cut in any::<prop::sample::Index>(),
    ) {
        let mut bytes = golden(name);
        for (index, byte) in changes {
            let at = index.index(bytes.len());
            bytes[at] = byte;
        }
        let _ = parse(&bytes);
        bytes.truncate(cut.index(bytes.len()));
        let _ = parse(&bytes);
    }
}

#[test]
fn what_stands_beside_signals_is_read_with_them() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let options =
        SegmentOptions { sampling_frequency_hz: 128.0, channel_names: Vec::new(), unit: "mV".into(), split: Split::Synthetic };
    let read = |axes: Option<npy::Axes>| npy::read_with_companions(&path("x.npy"), axes, &options).map(|(set, _)| set);
    // arange(24).reshape(2, 3, 4): four channels of three samples, or three of four.
    std::fs::write(path("x.npy"), golden("f4")).unwrap();
    assert_eq!(read(None).unwrap().time(), 4, "the longer of the two is time");
    let by_time = read(Some(npy::Axes::TimeChannel)).unwrap();
    assert_eq!((by_time.time(), by_time.channels(), by_time.signals[[1, 0, 1]]), (3, 4, 13.0));
    assert_eq!((by_time.segments[0].subject.as_str(), by_time.segments[0].label.as_str()), ("", ""));
    assert!(by_time.segments[0].rr_before_s.is_nan());

    npy::write_text(&path("x.labels.npy"), &["N".into(), "V".into()]).unwrap();
    std::fs::write(path("x.subjects.txt"), "100\n7\n").unwrap();
    npy::write_f32(&path("x.rr.npy"), &[2, 2], &[0.8, 0.9, 0.4, f32::NAN]).unwrap();
    assert_eq!(npy::companions(&path("x.npy")).len(), 3);
    let set = read(Some(npy::Axes::ChannelTime)).unwrap();
    set.check().unwrap();
    assert_eq!((set.time(), set.channels(), set.signals[[1, 0, 1]]), (4, 3, 16.0));
    assert_eq!((set.segments[1].label.as_str(), set.segments[1].subject.as_str()), ("V", "7"));
    assert_eq!((set.segments[0].rr_after_s, set.segments[1].rr_before_s), (0.9, 0.4));

    npy::write_f32(&path("x.rr.npy"), &[4], &[0.8, 0.9, 0.4, 0.3]).unwrap();
    assert!(read(Some(npy::Axes::ChannelTime)).unwrap_err().to_string().contains("x.rr.npy"));
    std::fs::remove_file(path("x.rr.npy")).unwrap();
    std::fs::write(path("x.subjects.txt"), "100\n").unwrap();
    let error = read(Some(npy::Axes::ChannelTime)).unwrap_err().to_string();
    assert!(error.contains("x.subjects.txt") && error.contains("2 segments, and 1 values"), "{error}");
}

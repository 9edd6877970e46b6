//! Damaged files of every format: an error or a record, never a panic, and in bounded time. Valid contents are changed at random, from
//! a fixed seed: bytes flipped, cut, repeated, moved, numbers replaced by extreme ones.
//!
//! The test is short. `PHYSIOSYNTH_FUZZ_SECONDS=600 cargo test --release -p physiosynth-formats --test mutations damaged` takes that long
//! for each parser. The coverage-guided targets in `fuzz/` go deeper, and need a nightly toolchain.

use std::io::Cursor;
use std::path::Path;
use std::time::{Duration, Instant};

use physiosynth_formats::edf::{self, tal};
use physiosynth_formats::recording::{OpenOptions, Recording, open};
use physiosynth_formats::wfdb::{annotation, header, subject_info};
use physiosynth_formats::{SignalFormat, delimited, hdf5, npy, wfdb};
use physiosynth_signal::{Annotation, Channel, Digitisation, Record};

/// Rounds of each parser in the test that runs always.
const ROUNDS: u64 = 400;
/// The longest that one input may take; a debug build on a busy machine stays far below.
const LONGEST: Duration = Duration::from_secs(20);

/// Random numbers of a fixed sequence (`SplitMix64`).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        (self.next() % end.max(1) as u64) as usize
    }
}

/// Numbers, as text and as bytes, that parsers stumble over.
const EXTREME: [&[u8]; 16] = [
    b"0",
    b"-1",
    b"2147483648",
    b"4294967295",
    b"9223372036854775807",
    b"18446744073709551615",
    b"1e308",
    b"-1e-320",
    b"NaN",
    b"inf",
    b"../../etc/passwd",
    b"\xff\xff\xff\xff\xff\xff\xff\xff",
    b"\x00\x00\x00\x80",
    b"\xff\xff\xff\x7f",
    b"\0",
    b"\xef\xbb\xbf",
];

/// Changes a valid content in one to six places.
fn mutated(random: &mut Random, seeds: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = seeds[random.below(seeds.len())].clone();
    for _ in 0..=random.below(6) {
        // Headers stand at the beginning: half of the changes are made there.
        let reach = if random.below(2) == 0 { bytes.len().min(600) } else { bytes.len() };
        let at = random.below(reach + 1).min(bytes.len());
        let length = random.below(40).min(bytes.len() - at);
        match random.below(8) {
            0 if at < bytes.len() => bytes[at] ^= 1 << random.below(8),
            1 if at < bytes.len() => bytes[at] = random.next() as u8,
            2 => drop(bytes.drain(at..at + length)),
            3 => bytes.truncate(at),
            4 => {
                let piece = bytes[at..at + length].to_vec();
                let to = random.below(bytes.len() + 1);
                bytes.splice(to..to, piece);
            }
            5 => {
                let value = EXTREME[random.below(EXTREME.len())];
                let end = (at + value.len()).min(bytes.len());
                bytes.splice(at..end, value.iter().copied());
            }
            6 => {
                let value = EXTREME[random.below(EXTREME.len())];
                bytes.splice(at..at, value.iter().copied());
            }
            _ => {
                let other = &seeds[random.below(seeds.len())];
                let from = random.below(other.len() + 1);
                bytes.truncate(at);
                bytes.extend_from_slice(&other[from.min(other.len())..]);
            }
        }
    }
    bytes.truncate(1 << 20);
    bytes
}

/// A record with all that formats can hold.
fn record() -> Record {
    let wave = |rate: usize| (0..rate * 4).map(|i| ((i as f32 * 0.3).sin() * 200.0).round() / 200.0).collect::<Vec<f32>>();
    let mut lead = Channel::new("MLII", "mV", 100.0, wave(100));
    lead.digitisation = Some(Digitisation { gain: 200.0, baseline: 0.0, adc_resolution: 12, adc_zero: 0 });
    let mut record = Record::new("r").with_channel(lead).with_channel(Channel::new("V1", "mV", 100.0, wave(100)));
    record.channels[1].samples[30..60].fill(f32::NAN);
    record.annotations = (1..9).map(|n| Annotation::beat(n * 45, if n % 3 == 0 { "V" } else { "N" })).collect();
    record.annotations[2] = Annotation { duration: 12, ..Annotation::beat(135, "+").with_aux("(AFIB") };
    record.start = Some("10:20:30.5 01/02/2003".into());
    record.comments = vec!["69 M 1085 1629 x1".into(), "age: 69  sex: M".into()];
    record
}

/// Runs `parse` on mutated contents: as many rounds, or for as long as asked for.
fn torture(name: &str, seeds: &[Vec<u8>], seconds: Option<u64>, mut parse: impl FnMut(&[u8])) {
    assert!(seeds.iter().all(|seed| !seed.is_empty()), "{name}: no seeds");
    let mut random = Random(name.bytes().fold(7, |sum: u64, byte| sum.wrapping_mul(31).wrapping_add(u64::from(byte))));
    let started = Instant::now();
    let mut rounds = 0_u64;
    let more = |rounds: u64| seconds.map_or(rounds < ROUNDS, |seconds| started.elapsed() < Duration::from_secs(seconds));
    for seed in seeds {
        parse(seed);
    }
    while more(rounds) {
        let bytes = mutated(&mut random, seeds);
        let before = Instant::now();
        let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| parse(&bytes)));
        if result.is_err() {
            let path = std::env::temp_dir().join(format!("physiosynth-{name}-{rounds}.bin"));
            std::fs::write(&path, &bytes).unwrap();
            panic!("{name}, round {rounds}: the input is in {}", path.display());
        }
        assert!(before.elapsed() < LONGEST, "{name}, round {rounds}: took {:?}", before.elapsed());
        rounds += 1;
    }
    println!("{name}: {rounds} inputs in {:.0} s", started.elapsed().as_secs_f64());
}

fn all(seconds: Option<u64>) {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let (record, path) = (record(), Path::new("mutated"));
    wfdb::write_record(folder.path(), &record, SignalFormat::Format16).unwrap();
    let headers = [std::fs::read(at("r.hea")).unwrap(), b"m/3 2 360 0\nm_l 0\n~ 100\nm_1 200\n# age: 30\n".to_vec()];
    torture("wfdb-header", &headers, seconds, |bytes| {
        if let Ok(header) = header::parse(path, bytes) {
            assert!(header.sampling_frequency() > 0.0);
            let _ = subject_info(&header.comments);
        }
    });
    let annotations = [std::fs::read(at("r.atr")).unwrap(), vec![0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0]];
    torture("wfdb-annotations", &annotations, seconds, |bytes| {
        if let Ok(mut file) = annotation::decode(path, bytes) {
            assert!(2 * file.annotations.len() <= bytes.len());
            file.rescale(360.0);
        }
    });
    for number in [8, 16, 24, 32, 61, 80, 160, 212, 310, 311, 508, 516, 524] {
        let format = SignalFormat::from_number(number).unwrap();
        let mut seed = vec![3; 64];
        if format.is_writable() {
            let mut record = record.clone();
            record.name = format!("f{number}");
            wfdb::write_record(folder.path(), &record, format).unwrap();
            seed = std::fs::read(at(&format!("f{number}.dat"))).unwrap();
        }
        torture(&format!("wfdb-format-{number}"), &[seed], seconds, |bytes| {
            assert!(format.decode(bytes, 10_000).len() <= 10_000);
        });
    }
    for name in ["r.edf", "r.bdf"] {
        edf::write_record(&at(name), &record, &edf::WriteOptions::default()).unwrap();
    }
    let recordings = [std::fs::read(at("r.edf")).unwrap(), std::fs::read(at("r.bdf")).unwrap()];
    torture("edf", &recordings, seconds, |bytes| {
        let mut source = Cursor::new(bytes);
        let _ = edf::read_from(path, &mut source, &edf::EdfReadOptions::default());
        let part = edf::EdfReadOptions { from_s: 0.5, to_s: Some(1.5), ..edf::EdfReadOptions::default() };
        let _ = edf::read_from(path, &mut source, &part);
    });
    let lists = [b"+0\x14\x14\0+1.5\x152\x14Sleep stage W\x14\0+3\x14a\x14b\x14\0\0\0".to_vec()];
    torture("edf-tal", &lists, seconds, |bytes| drop(tal::parse(bytes)));
    delimited::write_record(&at("r.csv"), &record).unwrap();
    delimited::write_annotations(&at("r.annotations.csv"), &record).unwrap();
    let texts = [std::fs::read(at("r.csv")).unwrap()[..3_000].to_vec(), b"t;a;b\ns;mV;mV\n0,0;1,5;-\n0,01;2;x\n".to_vec()];
    torture("csv", &texts, seconds, |bytes| {
        let text = String::from_utf8_lossy(bytes);
        let _ = delimited::parse(path, &text, &delimited::TextReadOptions::default());
        let _ = delimited::parse(path, &text, &delimited::TextReadOptions { rate_hz: Some(360.0), ..Default::default() });
    });
    let marks = [std::fs::read(at("r.annotations.csv")).unwrap()];
    torture("csv-annotations", &marks, seconds, |bytes| {
        std::fs::write(at("x.csv"), bytes).unwrap();
        let _ = delimited::read_annotations(&at("x.csv"), 100.0);
    });
    npy::write_f32(&at("r.npy"), &[40, 2], &[0.5; 80]).unwrap();
    torture("npy", &[std::fs::read(at("r.npy")).unwrap()], seconds, |bytes| drop(npy::parse(path, bytes)));
    hdf5::write_recording(&at("r.h5"), &mut Recording::of(&record)).unwrap();
    torture("hdf5", &[std::fs::read(at("r.h5")).unwrap()], seconds, |bytes| {
        std::fs::write(at("x.h5"), bytes).unwrap();
        if let Ok(recording) = open(&at("x.h5"), &OpenOptions { rate_hz: Some(100.0), ..OpenOptions::default() }) {
            let _ = recording.into_record();
        }
    });
}

#[test]
fn damaged_contents_never_panic() {
    all(std::env::var("PHYSIOSYNTH_FUZZ_SECONDS").ok().map(|seconds| seconds.parse().expect("a number of seconds")));
}

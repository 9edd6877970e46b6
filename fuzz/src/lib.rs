//! What the fuzz targets check, for those that share it.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use physiosynth_formats::wfdb::annotation::{self, AnnotationFile};
use physiosynth_formats::wfdb::{read_annotation_file, write_annotations, write_record};
use physiosynth_formats::{SignalFormat, WfdbReadOptions, read_record};
use physiosynth_signal::Record;

/// A folder of this process: `TMPDIR=/dev/shm` has it in memory.
pub fn folder() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let folder = std::env::temp_dir().join(format!("physiosynth-fuzz-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("the folder for temporary files can be written");
        folder
    })
}

/// A signal file in the format of this number: an error or samples, and no more than asked for. The first byte lays out the record that
/// the file is of, the second says how many samples are asked for; a third of inputs is decoded alone, which is faster.
pub fn signal_file(number: u32, bytes: &[u8]) {
    let [layout, limit, content @ ..] = bytes else { return };
    let format = SignalFormat::from_number(number).expect("the target's number is that of a format");
    let limit = 64 * usize::from(*limit);
    assert!(format.decode(content, limit).len() <= limit);
    if *layout & 0x80 == 0 {
        return;
    }
    let (signals, per_frame, skew) = (1 + (layout & 3), 1 + (layout >> 2 & 1), layout >> 3 & 1);
    let length = if layout & 0x10 == 0 { String::new() } else { format!(" {limit}") };
    let offset = if layout & 0x20 == 0 { "" } else { "+5" };
    let mut header = format!("r {signals} 100{length}\n");
    for signal in 0..signals {
        let skew = if signal == 0 { skew } else { 0 };
        header += &format!("r.dat {number}x{per_frame}:{skew}{offset} 200/mV\n");
    }
    let path = folder().join("r");
    fs::write(path.with_extension("hea"), header).expect("a header can be written");
    fs::write(path.with_extension("dat"), content).expect("a signal file can be written");
    let whole = read_record(&path, &WfdbReadOptions::default());
    let part = read_record(&path, &WfdbReadOptions { from: Some(3), to: Some(9), ..WfdbReadOptions::default() });
    let Ok(whole) = whole else { return };
    if let Ok(part) = part {
        for (whole, part) in whole.channels.iter().zip(&part.channels) {
            let (from, to) = (3 * usize::from(per_frame), 9 * usize::from(per_frame));
            assert!(same(&whole.samples[from..to], &part.samples), "a part differs from the whole");
        }
    }
    if format.is_writable() && layout & 0x40 != 0 {
        rewritten(whole, format);
    }
}

/// What was read in a format is written in it and read to the same.
fn rewritten(record: Record, format: SignalFormat) {
    let record = Record { name: "w".into(), ..record };
    if write_record(folder(), &record, format).is_err() {
        return;
    }
    let back = read_record(&folder().join("w"), &WfdbReadOptions::default()).expect("what was written can be read");
    assert_eq!(back.channels.len(), record.channels.len());
    for (back, channel) in back.channels.iter().zip(&record.channels) {
        // A float32 does not hold all 32-bit values: those at the ends may need another gain.
        let step = |channel: &physiosynth_signal::Channel| channel.digitisation.as_ref().map(|d| (d.gain, d.baseline));
        if step(back) == step(channel) {
            assert!(same(&back.samples, &channel.samples), "'{}' is not read back", channel.label);
        }
    }
}

/// Whether samples are the same bits, where they are not missing.
pub fn same(one: &[f32], other: &[f32]) -> bool {
    let equal = |(one, other): (&f32, &f32)| one.to_bits() == other.to_bits() || one.is_nan() && other.is_nan();
    one.len() == other.len() && one.iter().zip(other).all(equal)
}

/// An annotation file: an error or annotations, which fit in the bytes; what can be written is read to the same.
pub fn annotations(bytes: &[u8]) -> Option<AnnotationFile> {
    let mut file = annotation::decode(Path::new("fuzzed.atr"), bytes).ok()?;
    assert!(2 * file.annotations.len() <= bytes.len());
    let record = folder().join("a");
    if write_annotations(&record, "atr", &file.annotations, file.time_resolution_hz).is_ok() {
        let back = read_annotation_file(&record.with_extension("atr")).expect("what was written can be read");
        assert_eq!(back.annotations, file.annotations);
        assert_eq!(back.time_resolution_hz, file.time_resolution_hz);
    }
    file.rescale(360.0);
    Some(file)
}

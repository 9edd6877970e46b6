//! A table that is read in parts.

use std::fs::File;
use std::io::BufReader;
use std::ops::Range;
use std::path::{Path, PathBuf};

use super::columns::Columns;
use super::lines::{Lines, Place};
use super::{STRIDE, Table, TextReadOptions, malformed, read_annotations, unopened};
use crate::FormatError;
use crate::recording::{Recording, Signals};

/// Bytes of a file whose samples are held once it was looked through: 64 MiB.
const HELD: u64 = 64 << 20;
/// Bytes that are read at a time.
const PIECE: usize = 1 << 18;

/// Opens a recording: looks through the whole file, which every cell has to be right in, and the sampling frequency follows from. The
/// samples of a large file are then read where they are asked for.
pub(crate) fn open(path: &Path, options: &TextReadOptions) -> Result<Recording<'static>, FormatError> {
    let file = File::open(path).map_err(unopened(path))?;
    let length = file.metadata().map_err(unopened(path))?.len();
    open_file(path, file, options, length <= HELD)
}

fn open_file(path: &Path, file: File, options: &TextReadOptions, hold: bool) -> Result<Recording<'static>, FormatError> {
    let mut lines = Lines::new(path, BufReader::with_capacity(PIECE, file));
    let Table { mut record, columns, rows, places, samples, surveys } = Table::scan(path, &mut lines, options, hold)?;
    let name = path.file_stem().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    (record.subject, record.name) = (name.clone(), name);
    if let Some(annotations) = &options.annotations {
        record.annotations = read_annotations(annotations, record.sampling_frequency_hz)?;
    }
    if hold {
        record.channels.iter_mut().zip(samples).for_each(|(channel, samples)| channel.samples = samples);
        return Ok(Recording::of_owned(path.to_path_buf(), record));
    }
    let lengths = vec![rows; record.channels.len()];
    let source = Source { path: path.to_path_buf(), lines, columns, places, next: rows };
    Ok(Recording::new(path.to_path_buf(), record, lengths, Box::new(source)).surveyed(surveys))
}

/// A table on disk.
struct Source {
    path: PathBuf,
    lines: Lines<BufReader<File>>,
    columns: Columns,
    /// Where the rows 0, [`STRIDE`], … begin.
    places: Vec<Place>,
    /// The row that is next among the lines.
    next: u64,
}

impl Source {
    /// Goes to a row, from the last place before it that is known.
    fn go_to(&mut self, row: u64) -> Result<(), FormatError> {
        if self.next > row || row - self.next >= STRIDE {
            let near = row / STRIDE;
            let place = usize::try_from(near).ok().and_then(|near| self.places.get(near));
            self.lines.go_to(*place.ok_or_else(|| self.shorter())?)?;
            self.next = near * STRIDE;
        }
        while self.next < row {
            if self.lines.next()?.is_none() {
                return Err(self.shorter());
            }
            self.next += 1;
        }
        Ok(())
    }

    fn shorter(&self) -> FormatError {
        FormatError::Malformed {
            path: self.path.clone(),
            place: format!("row {}", self.next + 1),
            cause: "the file has become shorter since it was opened".into(),
            remedy: "read it when nothing writes to it",
        }
    }
}

impl Signals for Source {
    fn read(&mut self, ranges: &[Range<u64>]) -> Result<Vec<Vec<f32>>, FormatError> {
        let wanted: Vec<bool> = ranges.iter().map(|range| !range.is_empty()).collect();
        let asked = || ranges.iter().filter(|range| !range.is_empty());
        let (Some(from), Some(to)) = (asked().map(|range| range.start).min(), asked().map(|range| range.end).max()) else {
            return Ok(vec![Vec::new(); ranges.len()]);
        };
        let capacity = |wanted: &bool| if *wanted { Vec::with_capacity((to - from) as usize) } else { Vec::new() };
        let mut samples: Vec<Vec<f32>> = wanted.iter().map(capacity).collect();
        self.go_to(from)?;
        while self.next < to {
            let Some((place, text)) = self.lines.next()? else { return Err(self.shorter()) };
            let row = self.columns.row(&text, &wanted, &mut samples);
            row.map_err(|problem| malformed(&self.path, place.line, &problem))?;
            self.next += 1;
        }
        for (samples, range) in samples.iter_mut().zip(ranges) {
            samples.truncate(range.end.saturating_sub(from) as usize);
            samples.drain(..(range.start.saturating_sub(from) as usize).min(samples.len()));
        }
        Ok(samples)
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::*;
    use crate::recording::Part;

    /// Rows of three strides, with comments and blank lines among them, in lines of different lengths.
    fn text() -> String {
        let mut text = "\u{feff}# a table\r\ntime_s;MLII;V5\n;mV;µV\n".to_owned();
        for row in 0..3 * STRIDE + 77 {
            if row % 1_000 == 3 {
                text += "# a remark\n\n";
            }
            writeln!(
                text,
                "{};{};{}",
                row as f64 / 250.0,
                row % 997,
                if row % 7 == 0 { "NaN".into() } else { format!("{},5", row % 31) }
            )
            .unwrap();
        }
        text
    }

    fn opened(text: &[u8], hold: bool) -> (tempfile::TempDir, Result<Recording<'static>, FormatError>) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("r.csv");
        std::fs::write(&path, text).unwrap();
        let recording = open_file(&path, File::open(&path).unwrap(), &TextReadOptions::default(), hold);
        (folder, recording)
    }

    #[test]
    fn what_is_read_in_parts_is_what_is_held() {
        let text = text();
        let bits = |samples: &[f32]| samples.iter().map(|sample| sample.to_bits()).collect::<Vec<_>>();
        let (_one, held) = opened(text.as_bytes(), true);
        let held = held.unwrap().into_record().unwrap();
        assert_eq!((held.channels[1].unit.as_str(), held.sampling_frequency_hz), ("µV", 250.0));
        let (_two, streamed) = opened(text.as_bytes(), false);
        let mut streamed = streamed.unwrap();
        let length = streamed.lengths()[0];
        assert_eq!(streamed.surveys().unwrap(), Recording::of(&held).surveys().unwrap());
        // Forwards, back, across places that are kept, one channel alone.
        for (from, to) in [(0, 10), (10, 40_000), (39_999, length), (5, 6), (STRIDE - 1, STRIDE + 1), (2 * STRIDE, 2 * STRIDE)] {
            let part = streamed.read(&[from..to, 0..0]).unwrap();
            assert_eq!(bits(&part[0]), bits(&held.channels[0].samples[from as usize..to as usize]), "{from} to {to}");
            let part = streamed.read(&[0..0, from..to]).unwrap();
            assert_eq!(bits(&part[1]), bits(&held.channels[1].samples[from as usize..to as usize]), "{from} to {to}");
        }
        let part = Part { from_s: 100.0, to_s: Some(170.0), signals: vec!["V5".into(), "MLII".into()] };
        let (mut part, mut expected) = (streamed.part(&part).unwrap(), Recording::of(&held).part(&part).unwrap());
        assert_eq!(part.surveys().unwrap(), expected.surveys().unwrap());
        let part = part.into_record().unwrap();
        assert_eq!(bits(&part.channels[0].samples), bits(&held.channels[1].samples[25_000..42_500]));
    }

    #[test]
    fn what_is_wrong_far_down_is_told_at_once() {
        let mut text = text();
        let lines = text.lines().count();
        text += "196.9;1;one\n";
        for hold in [true, false] {
            let (_folder, found) = opened(text.as_bytes(), hold);
            let error = found.unwrap_err().to_string();
            assert!(error.contains(&format!("line {}", lines + 1)) && error.contains("'one'"), "{error}");
        }
        // Latin-1 in one line.
        let (_folder, found) = opened(b"time_s,\xB5\n0,1\n0.5,2\n", false);
        assert_eq!(found.unwrap().record.channels[0].label, "µ");
    }

    #[test]
    fn a_file_that_is_cut_meanwhile_is_an_error() {
        let text = text();
        let (folder, found) = opened(text.as_bytes(), false);
        let mut recording = found.unwrap();
        std::fs::write(folder.path().join("r.csv"), &text.as_bytes()[..100_000]).unwrap();
        let error = recording.read(&[30_000..40_000, 30_000..40_000]).unwrap_err().to_string();
        assert!(error.contains("shorter"), "{error}");
    }
}

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};

use physiosynth_signal::{Annotation, Record};

use super::digitise::{Digitiser, whole_baseline};
use super::signal::{Blocks, Coding, SignalFormat, Storage};
use super::write::{Layout, header};
use super::{REFERENCE_ANNOTATOR, annotation};
use crate::FormatError;
use crate::replace::replace_file;

/// Writes a record of any length piece by piece, in the memory of a piece: `NAME.dat` in format 16, then `NAME.atr` and `NAME.hea`. The
/// signal file has a temporary name until [`finish`](Self::finish); a writer that is dropped before leaves nothing.
///
/// ```
/// use physiosynth_formats::{WfdbReadOptions, RecordWriter, read_record};
/// use physiosynth_signal::{Annotation, Channel, Digitisation, Record};
///
/// # let folder = tempfile::tempdir()?;
/// let mut channel = Channel::new("MLII", "mV", 250.0, Vec::new());
/// channel.digitisation = Some(Digitisation { gain: 1000.0, baseline: 0.0, adc_resolution: 16, adc_zero: 0 });
/// let mut writer = RecordWriter::create(folder.path(), Record::new("long").with_channel(channel))?;
/// for _ in 0..10 {
///     writer.write(&[vec![0.5; 250]])?;
/// }
/// writer.finish(&[Annotation::beat(100, "N")])?;
/// let record = read_record(&folder.path().join("long"), &WfdbReadOptions::default())?;
/// assert_eq!((record.duration_s(), record.channels[0].samples[7]), (10.0, 0.5));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct RecordWriter {
    folder: PathBuf,
    /// Channels without samples.
    record: Record,
    partial: PathBuf,
    file: Option<BufWriter<File>>,
    frames: usize,
    digitisers: Vec<Digitiser>,
}

fn coding() -> &'static Coding {
    SignalFormat::Format16.coding()
}

impl RecordWriter {
    /// Begins a record in a folder, which is created where it does not exist. `record` says everything but samples and annotations;
    /// each of its channels has the record's sampling frequency and a digitisation.
    pub fn create(folder: &Path, mut record: Record) -> Result<Self, FormatError> {
        for channel in &mut record.channels {
            channel.samples.clear();
        }
        record.annotations.clear();
        let header_path = folder.join(format!("{}.hea", record.name));
        let layout = Layout::new(&header_path, &record, &vec![0; record.channels.len()])?;
        let refuse = |cause: String, remedy| FormatError::Unwritable { path: header_path.clone(), cause, remedy };
        if layout.per_frame.iter().any(|samples| *samples != 1) {
            return Err(refuse("its channels have several rates".into(), "write it whole, or resample the channels to one rate"));
        }
        let mut digitisers = Vec::with_capacity(record.channels.len());
        for channel in &record.channels {
            let digitisation =
                channel.digitisation.as_ref().and_then(whole_baseline).ok_or_else(|| {
                    refuse(format!("channel '{}' has no gain", channel.label), "give each channel a digitisation")
                })?;
            digitisers.push(Digitiser::by(digitisation, coding()));
        }
        fs::create_dir_all(folder).map_err(FormatError::io(folder, "create the folder"))?;
        let mut name = OsString::from(".");
        name.push(format!("{}.dat.partial", record.name));
        let partial = folder.join(name);
        let file = File::create(&partial).map_err(FormatError::io(&partial, "write the file"))?;
        let file = Some(BufWriter::new(file));
        Ok(Self { folder: folder.to_path_buf(), record, partial, file, frames: 0, digitisers })
    }

    /// Frames written so far: samples of each channel.
    pub fn frames(&self) -> usize {
        self.frames
    }

    /// Appends a piece: samples of each channel, in physical units, equally many of each.
    pub fn write(&mut self, channels: &[Vec<f32>]) -> Result<(), FormatError> {
        let path = self.folder.join(format!("{}.dat", self.record.name));
        let refuse = |cause: String, remedy| FormatError::Unwritable { path: path.clone(), cause, remedy };
        let length = channels.first().map_or(0, Vec::len);
        if channels.len() != self.digitisers.len() || channels.iter().any(|channel| channel.len() != length) {
            let cause = format!(
                "a piece of {} channels for a record of {}, or of unequal lengths",
                channels.len(),
                self.digitisers.len()
            );
            return Err(refuse(cause, "give equally many samples of each channel"));
        }
        let Storage::Blocks(Blocks { encode: Some(encode), .. }) = &coding().storage else { return Ok(()) };
        let mut flat = vec![0; length * channels.len()];
        for (index, (samples, digitiser)) in channels.iter().zip(&self.digitisers).enumerate() {
            if digitiser.misfit(samples, coding()).is_some() {
                let label = self.record.channels.get(index).map_or("", |channel| &channel.label);
                let gain = digitiser.digitisation.gain;
                let cause = format!("a sample of channel '{label}' does not fit 16 bits under its gain of {gain}");
                return Err(refuse(cause, "give the channel a lower gain"));
            }
        }
        for (index, (samples, digitiser)) in channels.iter().zip(&mut self.digitisers).enumerate() {
            digitiser.take(samples);
            let slots = flat.iter_mut().skip(index).step_by(channels.len());
            slots.zip(digitiser.pending.drain(..)).for_each(|(slot, sample)| *slot = sample);
        }
        let mut bytes = Vec::with_capacity(2 * flat.len());
        encode(&flat, &mut bytes);
        if let Some(file) = &mut self.file {
            file.write_all(&bytes).map_err(FormatError::io(&self.partial, "write the file"))?;
        }
        self.frames += length;
        Ok(())
    }

    /// Ends the record: gives the signal file its name, then writes the annotations, and the header last.
    pub fn finish(mut self, annotations: &[Annotation]) -> Result<(), FormatError> {
        let of = |extension: &str| self.folder.join(format!("{}.{extension}", self.record.name));
        let (data, marks, text) = (of("dat"), of(REFERENCE_ANNOTATOR), of("hea"));
        if let Some(outside) = annotations.iter().position(|a| !(0..self.frames as i64).contains(&a.sample)) {
            return Err(FormatError::Unwritable {
                path: marks,
                cause: format!("annotation {outside} lies outside the record's {} samples", self.frames),
                remedy: "take it out, or correct its position",
            });
        }
        let encoded = annotation::encode(&marks, annotations, None)?;
        if let Some(file) = self.file.take() {
            let file = file.into_inner().map_err(|error| FormatError::io(&self.partial, "write the file")(error.into_error()))?;
            file.sync_all().and_then(|()| fs::rename(&self.partial, &data)).map_err(FormatError::io(&data, "write the file"))?;
        }
        let channels = self.digitisers.len();
        let rate = self.record.sampling_frequency_hz;
        let layout = Layout { rate, frames: self.frames, per_frame: vec![1; channels] };
        let header = header(&self.record, &layout, &self.digitisers, std::slice::from_ref(&(0..channels)), coding());
        replace_file(&marks, &encoded)?;
        replace_file(&text, header.as_bytes())
    }
}

impl Drop for RecordWriter {
    fn drop(&mut self) {
        if self.file.take().is_some() {
            // Half a file is of no use; that it could not be removed either adds nothing.
            let _ = fs::remove_file(&self.partial);
        }
    }
}

#[cfg(test)]
mod tests {
    use physiosynth_signal::{Channel, Digitisation};

    use super::*;
    use crate::{SignalFormat, write_record};

    fn record(samples: &[Vec<f32>]) -> Record {
        let digitisation = Digitisation { gain: 500.0, baseline: 10.0, adc_resolution: 16, adc_zero: 0 };
        let mut record = Record::new("r");
        for (index, samples) in samples.iter().enumerate() {
            let mut channel = Channel::new(format!("lead {index}"), "mV", 100.0, samples.clone());
            channel.digitisation = Some(digitisation.clone());
            record = record.with_channel(channel);
        }
        record.comments.push("SYNTHETIC".into());
        record
    }

    #[test]
    fn pieces_give_the_files_that_the_whole_gives() {
        let samples: Vec<Vec<f32>> = (0..2).map(|c| (0..997).map(|i| ((i + c) as f32 * 0.1).sin()).collect()).collect();
        let marks = [Annotation::beat(0, "+").with_aux("(N"), Annotation::beat(40, "V")];
        let [whole, pieces] = [0, 1].map(|_| tempfile::tempdir().unwrap());
        write_record(whole.path(), &record(&samples).with_annotations(marks.to_vec()), SignalFormat::Format16).unwrap();
        let mut writer = RecordWriter::create(pieces.path(), record(&samples)).unwrap();
        for from in (0..997).step_by(100) {
            let piece: Vec<Vec<f32>> = samples.iter().map(|c| c[from..(from + 100).min(997)].to_vec()).collect();
            writer.write(&piece).unwrap();
        }
        assert_eq!(writer.frames(), 997);
        writer.finish(&marks).unwrap();
        for name in ["r.dat", "r.atr", "r.hea"] {
            let read = |folder: &tempfile::TempDir| fs::read(folder.path().join(name)).unwrap();
            assert!(read(&whole) == read(&pieces), "{name} differs");
        }
        assert_eq!(fs::read_dir(pieces.path()).unwrap().count(), 3);
    }

    #[test]
    fn what_cannot_be_written_is_said_and_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let mut writer = RecordWriter::create(folder.path(), record(&[vec![]])).unwrap();
        let error = writer.write(&[vec![0.0, 70.0]]).unwrap_err().to_string();
        assert!(error.contains("lead 0") && error.contains("lower gain"), "{error}");
        assert!(writer.write(&[vec![0.0], vec![0.0]]).is_err());
        writer.write(&[vec![0.0; 5]]).unwrap();
        assert!(writer.finish(&[Annotation::beat(5, "N")]).is_err());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
        let ungained = Record::new("r").with_channel(Channel::new("I", "mV", 100.0, vec![]));
        assert!(RecordWriter::create(folder.path(), ungained).is_err());
    }
}

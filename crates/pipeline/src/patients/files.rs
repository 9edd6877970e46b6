//! Patients' records as files.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use physiosynth_formats::{RecordWriter, edf, write_record_list};
use physiosynth_generator::assembly::NOTICE;
use physiosynth_signal::{Annotation, Channel, Digitisation, Record, Segment, SegmentSet, Sex, subject_info};

use super::rhythm::Planned;
use super::{Order, PatientMade, RecordFormat};
use crate::files::write_atomically;
use crate::source::ATTRIBUTION;

/// A record on its way to its files.
pub(super) enum Writer {
    /// Piece by piece.
    Wfdb(Box<RecordWriter>, f64),
    /// Held until it is whole.
    Edf(Box<Record>, PathBuf),
}

impl Writer {
    /// Begins a patient's record; `samples` are its first.
    pub(super) fn create(
        folder: &Path,
        patient: &Planned,
        segments: &SegmentSet,
        samples: &[Vec<f32>],
        (order, learned): (&Order, bool),
    ) -> Result<Self> {
        let rate = segments.sampling_frequency_hz;
        let mut record = Record::new(&patient.name);
        for (index, (label, unit)) in segments.channel_names.iter().zip(&segments.channel_units).enumerate() {
            let mut channel = Channel::new(label, unit, rate, Vec::new());
            channel.digitisation = Some(digitisation(unit, samples.get(index).map_or(&[], Vec::as_slice)));
            record = record.with_channel(channel);
        }
        record.comments = comments(patient, order, learned);
        record.comments.extend(segments.segments.first().and_then(age_and_sex));
        Ok(match order.format {
            RecordFormat::Wfdb => Self::Wfdb(Box::new(RecordWriter::create(folder, record)?), rate),
            RecordFormat::Edf => {
                // Scalings are chosen from the whole.
                for channel in &mut record.channels {
                    channel.digitisation = None;
                }
                Self::Edf(Box::new(record), folder.join(format!("{}.edf", patient.name)))
            }
        })
    }

    pub(super) fn write(&mut self, samples: &[Vec<f32>]) -> Result<()> {
        match self {
            Self::Wfdb(writer, _) => Ok(writer.write(samples)?),
            Self::Edf(record, _) => {
                for (channel, samples) in record.channels.iter_mut().zip(samples) {
                    channel.samples.extend_from_slice(samples);
                }
                Ok(())
            }
        }
    }

    /// Ends the record; gives its duration in seconds.
    pub(super) fn finish(self, annotations: Vec<Annotation>) -> Result<f64> {
        match self {
            Self::Wfdb(writer, rate) => {
                let duration = writer.frames() as f64 / rate;
                writer.finish(&annotations)?;
                Ok(duration)
            }
            Self::Edf(mut record, path) => {
                record.annotations = annotations;
                let options = edf::WriteOptions {
                    patient: Some(patient_field(&record)),
                    recording: Some("X X physiosynth".into()),
                    ..edf::WriteOptions::default()
                };
                edf::write_record(&path, &record, &options)?;
                Ok(record.duration_s())
            }
        }
    }
}

/// Steps fine enough for the unit, with room for anything plausible in 16 bits.
fn digitisation(unit: &str, samples: &[f32]) -> Digitisation {
    let gain = match unit {
        "mV" => 1000.0,
        "uV" | "µV" | "μV" => 10.0,
        "V" => 1e6,
        // A power of ten under which sixteen times the first samples fit.
        _ => {
            let most = samples.iter().fold(0.0_f32, |most, x| most.max(x.abs()));
            10.0_f64.powf((32_767.0 / (16.0 * f64::from(most).max(1e-9))).log10().floor())
        }
    };
    Digitisation { gain, baseline: 0.0, adc_resolution: 16, adc_zero: 0 }
}

/// Age and sex of a synthetic patient as headers of PhysioNet state them; nothing where the model was told neither.
fn age_and_sex(segment: &Segment) -> Option<String> {
    let age = segment.age_years.map(|years| format!("<age>: {years}"));
    let sex = segment.sex.map(|sex| format!("<sex>: {}", sex.letter()));
    let known: Vec<String> = age.into_iter().chain(sex).collect();
    (!known.is_empty()).then(|| known.join(" "))
}

/// The patient field of EDF+: code, sex, birthdate, name, then what there is no place for.
fn patient_field(record: &Record) -> String {
    let info = subject_info(&record.comments);
    let sex = info.sex.map_or('X', Sex::letter);
    let age = info.age_years.map_or_else(String::new, |years| format!(" age={years}"));
    format!("X {sex} X SYNTHETIC_{}{age}", record.name)
}

fn comments(patient: &Planned, order: &Order, learned: bool) -> Vec<String> {
    let mut lines = vec![
        NOTICE.to_owned(),
        format!(
            "Made by physiosynth {} from the database {} with seed {}; not a recording of any person.",
            env!("CARGO_PKG_VERSION"),
            order.database,
            order.seed.0
        ),
    ];
    if let Some(model) = order.shareable {
        let about = &model.about;
        lines.push(format!(
            "Model: {}, made by {}, without its training subjects. {}",
            about.name,
            about.made_by,
            about.data.words()
        ));
    }
    lines.push(if order.paired {
        format!("Each beat was made from a real training segment of subject {} or another with noise added.", patient.around)
    } else {
        "Each beat was made from noise alone.".to_owned()
    });
    lines.push(match (learned, patient.known) {
        (false, _) => "RR intervals come from a simulated rhythm: heart-rate variability means nothing here.".to_owned(),
        (true, true) => format!("The rhythm is like that of training subject {}: not for sharing.", patient.around),
        (true, false) => "The rhythm comes from a learned model, for a new patient.".to_owned(),
    });
    if order.noise && patient.residual.is_some() {
        lines.push("Noise and baseline wander are modelled on what denoising took away from real recordings.".to_owned());
    }
    lines.push("Nothing has shown that these data cannot be traced to a person.".to_owned());
    lines
}

/// Writes what stands beside the records: their list, what became of each, and a text.
pub(super) fn describe(folder: &Path, patients: &[PatientMade], learned: bool, order: &Order) -> Result<()> {
    // As PhysioNet does it, EDF files are listed with their extension.
    let extension = if order.format == RecordFormat::Edf { ".edf" } else { "" };
    let names: Vec<String> = patients.iter().map(|patient| format!("{}{extension}", patient.record)).collect();
    write_record_list(folder, &names)?;
    let mut text = serde_json::to_string_pretty(patients).context("the list of patients cannot be written as JSON")?;
    text.push('\n');
    write_atomically(&folder.join("patients.json"), text.as_bytes())?;
    let files = match order.format {
        RecordFormat::Wfdb => "syn*.hea, .dat, .atr   ",
        RecordFormat::Edf => "syn*.edf               ",
    };
    let rhythm = if learned { "from a learned model" } else { "simulated" };
    let made = if order.paired {
        "the paired objective makes each synthetic beat from a real training beat with noise added. Read the\n\
         report's verdict \"private?\": attacks that tell whose beats were trained on usually succeed."
    } else {
        "each synthetic beat was made from noise alone, for patients drawn at random: none is meant to be\n\
         a person of the source database. That is an intention, not a proof: read the\n\
         verdict \"private?\" of the report, or the model's card."
    };
    let source = match order.shareable {
        Some(model) => format!(
            "Made with the model {}, which was handed on without its training subjects; its card says how it did, under attack too.\n{}\n{ATTRIBUTION} \
             says whose the data are that it was trained on.\n\n",
            model.about.name,
            model.about.data.words()
        ),
        None => String::new(),
    };
    let text = format!(
        "SYNTHETIC DATA\n\n\
         {files}{} synthetic patients as records, in physical units, with annotations of beats\n\
         \x20                      and rhythms; their rhythm is {rhythm}\n\
         patients.json          beats of each by class, and how many were rejected as not plausible\n\
         synthetic.h5           where present: synthetic segments by class; derived_from names what each was made from,\n\
         \x20                      if anything\n\n\
         Made by physiosynth {} from the database \"{}\". Cite that database and keep to its licence.\n\n\
         {source}Before you pass this on: {made} Treat these files with the care\n\
         that the source database asks for.\n",
        patients.len(),
        env!("CARGO_PKG_VERSION"),
        order.database
    );
    if let Some(model) = order.shareable {
        write_atomically(&folder.join(ATTRIBUTION), model.attribution.as_bytes())?;
    }
    write_atomically(&folder.join("README.txt"), text.as_bytes())
}

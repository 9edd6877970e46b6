//! What the WFDB reader makes of files, for comparing with other tools (`benches/peers/conformance_wfdb.py` and
//! `benches/peers/formats_wfdb.py`):
//!
//! ```text
//! wfdb_dump record PATH [--from N] [--to N] [--lead LABEL] [--smooth] [--out FILE]   facts; samples as float32 into FILE
//! wfdb_dump annotations FILE [RATE]                                                  one per line; positions at this rate
//! wfdb_dump write PATH FOLDER FORMAT                                                 the record, written anew
//! wfdb_dump time record|annotations TIMES PATH…                                      seconds of each turn over all paths
//! ```
//!
//! Columns are separated by tabs. An error is a line `error`, tab, message.

use std::error::Error;
use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::time::Instant;

use physiosynth_formats::wfdb::{SignalFormat, WfdbReadOptions, read_annotation_file, read_record, write_record};

/// The allocator of the program itself, so that what is timed is what users get.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let Err(error) = run(&arguments) {
        println!("error\t{error}");
        std::process::exit(1);
    }
}

fn run(arguments: &[String]) -> Result<(), Box<dyn Error>> {
    let rest = arguments.get(1..).unwrap_or(&[]);
    match arguments.first().map(String::as_str) {
        Some("record") => record(rest),
        Some("annotations") => annotations(Path::new(rest.first().ok_or("no file is named")?), rest.get(1)),
        Some("write") => match rest {
            [path, folder, format] => {
                let format = format.parse().ok().and_then(SignalFormat::from_number).ok_or("no such format")?;
                Ok(write_record(Path::new(folder), &read_record(Path::new(path), &WfdbReadOptions::default())?, format)?)
            }
            _ => Err("write PATH FOLDER FORMAT".into()),
        },
        Some("time") => match rest {
            [what, times, paths @ ..] => time(what, times.parse()?, paths),
            _ => Err("time record|annotations TIMES PATH…".into()),
        },
        _ => Err("record, annotations, write or time".into()),
    }
}

/// Options and the path of a record.
fn options(arguments: &[String]) -> Result<(WfdbReadOptions, PathBuf, Option<PathBuf>), Box<dyn Error>> {
    let (mut options, mut path, mut out) = (WfdbReadOptions::default(), None, None);
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        let mut value = || rest.next().ok_or_else(|| format!("{argument} needs a value"));
        match argument.as_str() {
            "--from" => options.from = Some(value()?.parse()?),
            "--to" => options.to = Some(value()?.parse()?),
            "--lead" => options.lead = Some(value()?.clone()),
            "--smooth" => options.smooth_frames = true,
            "--out" => out = Some(PathBuf::from(value()?)),
            other => path = Some(PathBuf::from(other)),
        }
    }
    Ok((options, path.ok_or("no record is named")?, out))
}

fn record(arguments: &[String]) -> Result<(), Box<dyn Error>> {
    let (options, path, out) = options(arguments)?;
    let record = read_record(&path, &options)?;
    println!("record\t{}\t{}\t{}", record.name, record.sampling_frequency_hz, record.start.as_deref().unwrap_or(""));
    for channel in &record.channels {
        let digitisation = channel.digitisation.clone().ok_or("a channel without digitisation")?;
        println!(
            "channel\t{}\t{}\t{}\t{}\t{}\t{}",
            channel.label,
            channel.unit,
            channel.sampling_frequency_hz,
            channel.samples.len(),
            digitisation.gain,
            digitisation.baseline
        );
    }
    if let Some(out) = out {
        let mut file = BufWriter::new(File::create(out)?);
        for sample in record.channels.iter().flat_map(|channel| &channel.samples) {
            file.write_all(&sample.to_le_bytes())?;
        }
        file.flush()?;
    }
    Ok(())
}

fn annotations(path: &Path, rate: Option<&String>) -> Result<(), Box<dyn Error>> {
    let mut file = read_annotation_file(path)?;
    if let Some(rate) = rate {
        file.rescale(rate.parse()?);
    }
    println!("resolution\t{}", file.time_resolution_hz.map(|hertz| hertz.to_string()).unwrap_or_default());
    for definition in &file.definitions {
        println!("definition\t{}\t{}\t{}", definition.number, definition.code, definition.description);
    }
    for a in &file.annotations {
        println!("annotation\t{}\t{}\t{}\t{}\t{}\t{}", a.sample, a.code, a.subtype, a.channel, a.number, a.aux);
    }
    Ok(())
}

/// Reads everything `times` times (`what` may also be options of `record`, as one argument); prints the seconds of each time,
/// and a count that keeps the reading from being left out.
fn time(what: &str, times: usize, paths: &[String]) -> Result<(), Box<dyn Error>> {
    for _ in 0..times {
        let begin = Instant::now();
        let mut count = 0;
        for path in paths {
            count += match what {
                "record" => {
                    read_record(Path::new(path), &WfdbReadOptions::default())?.channels.iter().map(|c| c.samples.len()).sum()
                }
                "annotations" => read_annotation_file(Path::new(path))?.annotations.len(),
                other => {
                    let (options, path, _) =
                        options(&[other.split(' ').map(str::to_owned).collect(), vec![path.clone()]].concat())?;
                    read_record(&path, &options)?.channels.iter().map(|channel| channel.samples.len()).sum()
                }
            };
        }
        println!("{}\t{count}", begin.elapsed().as_secs_f64());
    }
    Ok(())
}

//! Writes what is read from an EDF or BDF file where other programs can compare it: JSON to standard output, and, with a second
//! argument, the samples of all channels after one another as little-endian `f32` into the file that it names. With a third
//! argument the recording is written to that file as EDF+ or BDF+. `--time N FILE…` reads files N times instead and prints
//! the seconds of each pass.
//!
//! ```text
//! cargo run --release -p physiosynth-formats --example dump_edf -- RECORDING.edf SAMPLES.f32 WRITTEN.bdf
//! cargo run --release -p physiosynth-formats --example dump_edf -- --time 5 RECORDING.edf
//! ```

use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;

use physiosynth_formats::edf;

/// The allocator of the program itself, so that what is timed is what users get.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let file = |index: usize| arguments.get(index).map(Path::new);
    let done = match (arguments.first().map(String::as_str), file(0)) {
        (Some("--time"), _) => time(&arguments),
        (_, Some(path)) => dump(path, file(1), file(2)),
        _ => {
            eprintln!("usage: dump_edf RECORDING [SAMPLES [WRITTEN]], or dump_edf --time N RECORDING…");
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(text) => {
            println!("{text}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// Seconds of each pass over the files, the number of passes first.
fn time(arguments: &[String]) -> Result<String, Box<dyn std::error::Error>> {
    let passes: usize = arguments.get(1).ok_or("how many times?")?.parse()?;
    let mut seconds = Vec::with_capacity(passes);
    for _ in 0..passes {
        let clock = std::time::Instant::now();
        for path in arguments.iter().skip(2) {
            std::hint::black_box(edf::read(Path::new(path), &edf::EdfReadOptions::default())?);
        }
        seconds.push(clock.elapsed().as_secs_f64().to_string());
    }
    Ok(format!("[{}]", seconds.join(",")))
}

fn dump(path: &Path, samples: Option<&Path>, written: Option<&Path>) -> Result<String, Box<dyn std::error::Error>> {
    let recording = edf::read(path, &edf::EdfReadOptions::default())?;
    let record = &recording.record;
    if let Some(written) = written {
        edf::write_record(written, record, &edf::WriteOptions::default())?;
    }
    if let Some(samples) = samples {
        let mut file = std::io::BufWriter::new(std::fs::File::create(samples)?);
        for sample in record.channels.iter().flat_map(|channel| &channel.samples) {
            file.write_all(&sample.to_le_bytes())?;
        }
        file.flush()?;
    }
    let list = |items: Vec<String>| format!("[{}]", items.join(","));
    let channels = record.channels.iter().map(|channel| {
        format!(
            "{{\"label\":{},\"unit\":{},\"rate\":{},\"samples\":{}}}",
            quoted(&channel.label),
            quoted(&channel.unit),
            channel.sampling_frequency_hz,
            channel.samples.len()
        )
    });
    let timed = edf::read_annotations(path)?;
    let timed = timed.iter().map(|annotation| {
        let duration = annotation.duration_ns.map_or("null".to_owned(), |ns| ns.to_string());
        format!("[{},{duration},{}]", annotation.onset_ns, quoted(&annotation.text))
    });
    let marks = record.annotations.iter().map(|mark| format!("[{},{},{}]", mark.sample, mark.duration, quoted(&mark.code)));
    Ok(format!(
        "{{\"start\":{},\"rate\":{},\"channels\":{},\"annotations\":{},\"marks\":{},\"problems\":{}}}",
        record.start.as_deref().map_or("null".to_owned(), quoted),
        record.sampling_frequency_hz,
        list(channels.collect()),
        list(timed.collect()),
        list(marks.collect()),
        list(recording.problems.iter().map(|problem| quoted(problem)).collect())
    ))
}

/// A JSON string.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            c if c < ' ' => quoted.extend(format!("\\u{:04x}", u32::from(c)).chars()),
            c => quoted.push(c),
        }
    }
    quoted + "\""
}

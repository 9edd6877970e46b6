use std::path::Path;

use super::header::Header;
use super::record::{Report, check_frames};
use super::segments::{layout, segment_header};
use super::signal::{Reading, SignalFile, Window, groups};
use crate::FormatError;
use crate::inspection::SignalFacts;

/// How many problems of a record's segments are listed; the rest are counted.
const LISTED: usize = 5;

/// Reads all signals of a record for their sums, converting none; adds what is wrong to `problems`. Gives what the header says
/// of the signals, and the record's number of frames.
pub(crate) fn inspect_signals(
    header_path: &Path,
    header: &Header,
    problems: &mut Vec<String>,
) -> (Vec<SignalFacts>, Option<u64>) {
    if header.segments.is_some() {
        return inspect_segments(header_path, header, problems);
    }
    uncalibrated(header_path, header, problems);
    let mut collect = |problem: FormatError| {
        problems.push(problem.to_string());
        Ok(())
    };
    let frames = check(header_path, header, &mut collect);
    (facts(header, &header.signals, frames), frames)
}

/// Notes the signals without a gain.
fn uncalibrated(header_path: &Path, header: &Header, problems: &mut Vec<String>) {
    for (index, line) in header.signals.iter().enumerate().filter(|(_, line)| line.gain.is_none_or(|gain| gain == 0.0)) {
        problems.push(format!(
            "{}, line {}: no gain is stated for signal {index} ('{}'), so that it is uncalibrated; {} units per {} are assumed",
            header_path.display(),
            line.line,
            line.label(index),
            line.effective_gain(),
            line.unit()
        ));
    }
}

fn facts(header: &Header, lines: &[super::SignalLine], frames: Option<u64>) -> Vec<SignalFacts> {
    let rate = header.sampling_frequency();
    let facts = lines.iter().enumerate().map(|(index, line)| SignalFacts {
        label: line.label(index),
        unit: line.unit().to_owned(),
        sampling_frequency_hz: rate * f64::from(line.frame_samples()),
        samples: frames.unwrap_or(0).saturating_mul(u64::from(line.frame_samples())),
    });
    facts.collect()
}

/// Reads each signal file by itself, so that one that is missing does not hide what is wrong with another; gives the number
/// of frames.
fn check(header_path: &Path, header: &Header, report: &mut Report) -> Option<u64> {
    let groups = match groups(header_path, header) {
        Ok(groups) => groups,
        Err(error) => {
            let _ = report(error);
            return header.samples;
        }
    };
    let mut frames = header.samples;
    for group in &groups {
        let checked = SignalFile::open(header_path, header, group).and_then(|file| {
            if let Some(found) = file.frames {
                check_frames(header_path, group, *frames.get_or_insert(found), found)?;
            }
            let frames = file.frames.or(frames).unwrap_or(0);
            // No signal has this index: sums are checked and nothing is converted.
            let only = Some(usize::MAX);
            let mut reading = Reading { header, only, smooth: false, verify: true, report: &mut *report };
            file.read(&mut reading, Window { from: 0, to: frames }, frames)
        });
        if let Err(error) = checked {
            let _ = report(error);
        }
    }
    frames
}

fn inspect_segments(header_path: &Path, header: &Header, problems: &mut Vec<String>) -> (Vec<SignalFacts>, Option<u64>) {
    let layout = match layout(header_path, header) {
        Ok(layout) => layout,
        Err(error) => {
            problems.push(error.to_string());
            return (Vec::new(), header.samples);
        }
    };
    if let Some(stated) = header.samples.filter(|&stated| stated != layout.frames) {
        problems.push(format!(
            "{}, line 1: {stated} samples are stated, but the segments have {} together, which counts",
            header_path.display(),
            layout.frames
        ));
    }
    let mut found = 0_usize;
    let mut collect = |problem: FormatError| {
        found += 1;
        if found <= LISTED {
            problems.push(problem.to_string());
        }
        Ok(())
    };
    for line in header.segment_lines.iter().filter(|line| line.name != "~" && line.samples > 0) {
        match segment_header(header_path, header, line) {
            Ok((path, segment)) => drop(check(&path, &segment, &mut collect)),
            Err(error) => drop(collect(error)),
        }
    }
    if found > LISTED {
        problems.push(format!("{}: {} more problems of its segments", header_path.display(), found - LISTED));
    }
    (facts(header, &layout.signals, Some(layout.frames)), Some(layout.frames))
}

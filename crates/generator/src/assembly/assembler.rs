//! A record, piece by piece.

use std::collections::VecDeque;

use physiosynth_signal::{Annotation, Seed, SegmentSet};
use rand::RngExt;

use super::breathing::Breathing;
use super::bridge::{Noise, fill_gap};
use super::repolarisation::Repolarisation;
use super::seams::{Layout, Placed, place};
use super::{AssemblyConfig, AssemblyError, LEVEL_S, MEET_S, PlannedBeat, check, median};

/// How far before its first beat the mark of a new rhythm stands, in seconds.
const RHYTHM_MARK_S: f64 = 0.1;
/// The same at most, as a share of the interval.
const RHYTHM_MARK_SHARE: f64 = 0.4;

/// The next samples of a record, final.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Piece {
    /// Of each channel, in physical units; they follow on those of the piece before.
    pub samples: Vec<Vec<f32>>,
    /// Beats and rhythm marks, positions from the start of the record. Their samples may come with a later piece.
    pub annotations: Vec<Annotation>,
}

/// A beat with its window in each channel, its level taken away.
struct Beat {
    placed: Placed,
    windows: Vec<Vec<f32>>,
}

/// What is fixed with the first piece.
struct Fixed {
    rate: f64,
    /// Samples before the first and behind the last mark.
    edge: usize,
    /// Samples of a window.
    time: usize,
    /// Of each channel: the record's baseline, and the noise of its gaps.
    channels: Vec<(f32, Option<Noise>)>,
    breathing: Breathing,
    repolarisation: Repolarisation,
}

/// Joins beats into one record, given to it in pieces.
pub struct Assembler {
    name: String,
    config: AssemblyConfig,
    seed: Seed,
    fixed: Option<Fixed>,
    /// The last beat of the piece before: the record is final up to its mark.
    held: VecDeque<Beat>,
    /// Seconds from the first mark to the last.
    time_s: f64,
    /// Beats before the held one.
    count: u64,
    /// Samples given out.
    position: usize,
    rhythm: String,
}

impl Assembler {
    /// An empty record of this name.
    pub fn new(name: &str, config: &AssemblyConfig, seed: Seed) -> Result<Self, AssemblyError> {
        config.validate()?;
        Ok(Self {
            name: name.to_owned(),
            config: config.clone(),
            seed,
            fixed: None,
            held: VecDeque::new(),
            time_s: 0.0,
            count: 0,
            position: 0,
            rhythm: String::new(),
        })
    }

    /// Appends beats: segment `order[i]` of `beats` for beat `i` of `plan`. Gives the samples that are final now: up to the last mark.
    pub fn push(&mut self, beats: &SegmentSet, order: &[usize], plan: &[PlannedBeat]) -> Result<Piece, AssemblyError> {
        check(&self.name, beats, order, plan, self.fixed.is_none())?;
        if order.is_empty() {
            return Ok(Piece { samples: vec![Vec::new(); beats.channels()], annotations: Vec::new() });
        }
        let mut windows: Vec<Vec<Vec<f32>>> = order
            .iter()
            .map(|&segment| {
                let physical = beats.physical(segment);
                (0..beats.channels()).map(|channel| physical.column(channel).to_vec()).collect()
            })
            .collect();
        let fixed = match self.fixed.take() {
            Some(fixed) => fixed,
            None => self.fix(beats, &windows),
        };
        let mut annotations = Vec::new();
        let first = beats.mark_index.max(fixed.edge);
        for (index, ((planned, &segment), mut windows)) in plan.iter().zip(order).zip(windows.drain(..)).enumerate() {
            let begins = index == 0 && self.held.is_empty();
            let rr_s = if begins { None } else { Some(f64::from(planned.rr_before_s)) };
            self.time_s += rr_s.unwrap_or(0.0);
            let mark = first + (self.time_s * fixed.rate).round() as usize;
            let known = &beats.segments[segment];
            let stretch = fixed.repolarisation.stretch(known.rr_before_s, rr_s.filter(|_| self.config.qt_slope > 0.0));
            let placed = place((beats, segment), mark, &self.config, |behind| stretch.reach(behind));
            for window in &mut windows {
                stretch.apply(window, beats.mark_index);
                take_level(window, placed.valid.start - placed.start, fixed.rate);
            }
            self.annotate(&mut annotations, planned, (rr_s, fixed.rate), mark);
            let code = if known.code.is_empty() { &known.label } else { &known.code };
            annotations.push(Annotation::beat(mark as i64, code.clone()));
            self.held.push_back(Beat { placed, windows });
        }
        let until = self.held.back().map_or(0, |beat| beat.placed.mark);
        let samples = self.render(&fixed, until, None);
        self.fixed = Some(fixed);
        Ok(Piece { samples, annotations })
    }

    /// The rest of the record, behind the last mark. Nothing where no beat came.
    pub fn finish(mut self) -> Piece {
        let (Some(fixed), Some(last)) = (self.fixed.take(), self.held.back()) else { return Piece::default() };
        let end = (last.placed.mark + fixed.edge).max(last.placed.start + fixed.time);
        let tail = last.placed.valid.end;
        Piece { samples: self.render(&fixed, end, Some(tail)), annotations: Vec::new() }
    }

    /// Level, noise and the patient's own ways, from the first beats.
    fn fix(&self, beats: &SegmentSet, windows: &[Vec<Vec<f32>>]) -> Fixed {
        let rate = beats.sampling_frequency_hz;
        let mut stream = self.seed.stream(&format!("assembly of {}: ways", self.name), 0);
        let slope = self.config.qt_slope * (0.2 * (stream.random_range(-1.0..1.0) + stream.random_range(-1.0..1.0_f64))).exp();
        let breathing = Breathing::draw(self.config.respiration, rate, &mut stream);
        let channels = (0..beats.channels()).map(|channel| {
            let own: Vec<Vec<f32>> = windows.iter().filter_map(|beat| beat.get(channel)).cloned().collect();
            let mut levels: Vec<f32> = own.iter().map(|window| level(window, 0, rate)).collect();
            (median(&mut levels), self.config.noise.then(|| Noise::fit(&own, rate)))
        });
        Fixed {
            rate,
            edge: (self.config.edge_s * rate).round() as usize,
            time: beats.time(),
            channels: channels.collect(),
            breathing,
            repolarisation: Repolarisation::new(slope, rate),
        }
    }

    /// A rhythm mark where a rhythm with a name begins: at the record's start, or shortly before the beat.
    fn annotate(&mut self, into: &mut Vec<Annotation>, planned: &PlannedBeat, (rr_s, rate): (Option<f64>, f64), mark: usize) {
        if planned.rhythm == self.rhythm {
            return;
        }
        self.rhythm.clone_from(&planned.rhythm);
        if !self.rhythm.is_empty() {
            let lead = |rr_s: f64| (RHYTHM_MARK_S.min(RHYTHM_MARK_SHARE * rr_s) * rate).round().max(1.0) as usize;
            let at = rr_s.map_or(0, |rr_s| mark.saturating_sub(lead(rr_s)));
            into.push(Annotation::beat(at as i64, "+").with_aux(&self.rhythm));
        }
    }

    /// Every channel from what was given out last up to `until`; behind the last beat's `tail`, a gap. Keeps the last beat.
    fn render(&mut self, fixed: &Fixed, until: usize, tail: Option<usize>) -> Vec<Vec<f32>> {
        let mut beats: Vec<Beat> = self.held.drain(..).collect();
        let placed = beats.iter().map(|beat| beat.placed.clone()).collect();
        let layout = Layout::new(placed, fixed.rate, &self.config);
        let from = self.position;
        let channels = (0..fixed.channels.len()).map(|channel| {
            let mut windows: Vec<Vec<f32>> = beats.iter_mut().map(|beat| std::mem::take(&mut beat.windows[channel])).collect();
            let samples = self.channel(fixed, &layout, (channel, &mut windows), from..until, tail);
            if let (Some(beat), Some(window)) = (beats.last_mut(), windows.pop()) {
                beat.windows[channel] = window;
            }
            samples
        });
        let samples = channels.collect();
        self.count += beats.len().saturating_sub(1) as u64;
        self.position = until;
        self.held.extend(beats.pop());
        samples
    }

    fn channel(
        &self,
        fixed: &Fixed,
        layout: &Layout,
        (channel, windows): (usize, &mut [Vec<f32>]),
        range: std::ops::Range<usize>,
        tail: Option<usize>,
    ) -> Vec<f32> {
        let enough = (MEET_S * fixed.rate).round() as usize;
        for (i, seam) in layout.seams.iter().enumerate() {
            let (before, after) = windows.split_at_mut(i + 1);
            if let (Some(before), Some(after)) = (before.last_mut(), after.first_mut()) {
                seam.meet(enough, (&layout.beats[i], before), (&layout.beats[i + 1], after));
            }
        }
        let mut out = vec![0.0_f32; range.len()];
        for (i, (beat, window)) in layout.beats.iter().zip(windows.iter()).enumerate() {
            let used = layout.used(i);
            for position in used.start.max(range.start)..used.end.min(range.end) {
                out[position - range.start] += window[position - beat.start] * layout.weight(i, position);
            }
        }
        let (level, noise) = &fixed.channels[channel];
        let head = (self.position == 0).then(|| (0, 0..layout.beats.first().map_or(0, |beat| beat.valid.start)));
        let tail = tail.map(|start| (self.count + layout.beats.len() as u64, start..range.end));
        let between = layout.gaps().into_iter().map(|(index, gap)| (self.count + index as u64 + 1, gap));
        for (key, gap) in head.into_iter().chain(between).chain(tail).filter(|(_, gap)| !gap.is_empty()) {
            let mut stream = self.seed.stream(&format!("assembly of {}, channel {channel}", self.name), key);
            let drawn = noise.as_ref().map_or_else(|| vec![0.0; gap.len()], |noise| noise.draw(gap.len(), &mut stream));
            fill_gap(&mut out, gap.start - range.start..gap.end - range.start, &drawn, fixed.rate);
        }
        fixed.breathing.apply(&mut out, range.start);
        for value in &mut out {
            *value += level;
        }
        out
    }
}

/// The median of a window's first samples from `from` on: between T and P wave.
fn level(window: &[f32], from: usize, rate: f64) -> f32 {
    let length = ((LEVEL_S * rate).round() as usize).max(1);
    let from = from.min(window.len().saturating_sub(1));
    median(&mut window[from..(from + length).min(window.len())].to_vec())
}

fn take_level(window: &mut [f32], from: usize, rate: f64) {
    let level = level(window, from, rate);
    for value in window {
        *value -= level;
    }
}

use ndarray::{Array2, Array3};
use physiosynth_signal::{Record, Seed, Segment, SegmentSet, Split};
use rand::RngExt;

use super::seams::{Layout, place};
use super::*;

const RATE: f64 = 250.0;
const MARK: usize = 75;
const TIME: usize = 225;

/// Beats with P, QRS and T waves over levels that differ by up to 0.4 mV and noise of 0.004 mV; V beats wide and without P.
fn beats(channels: usize) -> SegmentSet {
    let mut stream = Seed(5).stream("beats", 0);
    let mut names = Vec::new();
    let mut set = SegmentSet::empty(TIME, RATE, MARK, Vec::new(), Vec::new());
    for c in 0..channels {
        names.push(format!("lead {c}"));
    }
    let n = 40;
    let wave = |t: f32, centre: f32, width: f32| (-((t - centre) / width).powi(2) / 2.0).exp();
    set.signals = Array3::zeros((n, TIME, channels));
    for i in 0..n {
        let ventricular = i % 5 == 4;
        for c in 0..channels {
            let level = stream.random_range(-0.2..0.2_f32);
            for k in 0..TIME {
                let t = (k as f32 - MARK as f32) / RATE as f32;
                let shape = if ventricular {
                    1.4 * wave(t, 0.0, 0.035) - 0.4 * wave(t, 0.28, 0.06)
                } else {
                    0.12 * wave(t, -0.16, 0.02) + wave(t, 0.0, 0.012) - 0.2 * wave(t, 0.03, 0.01) + 0.3 * wave(t, 0.27, 0.04)
                };
                let noise = stream.random_range(-0.007..0.007_f32);
                // Normalised by a scale of 2 and an offset of 0.5.
                set.signals[[i, k, c]] = ((shape + level + noise) * (1.0 + c as f32) - 0.5) / 2.0;
            }
        }
        let label = if ventricular { "V" } else { "N" };
        set.segments
            .push(Segment { code: if i == 0 { "L".into() } else { label.into() }, ..Segment::new(label, "1", Split::Synthetic) });
    }
    set.scale = Array2::from_elem((n, channels), 2.0);
    set.offset = Array2::from_elem((n, channels), 0.5);
    set.channel_units = vec!["mV".into(); channels];
    set.channel_names = names;
    set
}

fn plan_of(set: &SegmentSet, order: &[usize], rr_s: impl Fn(usize) -> f32) -> Vec<PlannedBeat> {
    let planned = |(i, &s): (usize, &usize)| PlannedBeat {
        label: set.segments[s].label.clone(),
        rr_before_s: rr_s(i),
        rhythm: "(N".into(),
    };
    order.iter().enumerate().map(planned).collect()
}

fn record(set: &SegmentSet, rr_s: impl Fn(usize) -> f32, config: &AssemblyConfig) -> Record {
    let order: Vec<usize> = (0..set.len()).collect();
    assemble("syn001", set, &order, &plan_of(set, &order, rr_s), config, Seed(1)).unwrap()
}

/// RR intervals that leave gaps, overlap, and come down to 0.3 s.
const RHYTHMS: [fn(usize) -> f32; 4] = [|_| 1.3, |_| 0.75, |i| if i % 5 == 4 { 0.5 } else { 0.9 }, |i| 0.3 + 0.02 * i as f32];

/// RR intervals too short for the guards.
const FLUTTER: fn(usize) -> f32 = |i| 0.2 + 0.002 * i as f32;

#[test]
fn marks_stand_where_they_are_planned() {
    let set = beats(1);
    let record = record(&set, |i| if i == 0 { f32::NAN } else { 0.801 }, &AssemblyConfig::default());
    assert_eq!((record.annotations[0].sample, &*record.annotations[0].code, &*record.annotations[0].aux), (0, "+", "(N"));
    assert_eq!(record.annotations.len(), 41);
    for (i, mark) in record.annotations[1..].iter().enumerate() {
        assert!((mark.sample as f64 - 250.0 - 0.801 * RATE * i as f64).abs() <= 0.51, "beat {i} at {}", mark.sample);
    }
    let codes: Vec<&str> = record.annotations.iter().map(|a| &*a.code).collect();
    assert_eq!(codes[..7], ["+", "L", "N", "N", "N", "V", "N"]);
    assert!(record.comments[0].contains("SYNTHETIC"));
    let last = record.annotations.last().unwrap().sample as usize;
    assert_eq!(record.channels[0].samples.len(), last + 250);
    assert_eq!((record.name.as_str(), record.sampling_frequency_hz), ("syn001", RATE));
}

#[test]
fn the_guarded_part_of_each_beat_is_the_segment_itself() {
    let set = beats(2);
    for rhythm in RHYTHMS {
        let record = record(&set, rhythm, &AssemblyConfig { respiration: 0.0, ..AssemblyConfig::default() });
        for (c, channel) in record.channels.iter().enumerate() {
            for (i, mark) in record.annotations[1..].iter().enumerate() {
                let physical = set.physical(i);
                let shift = channel.samples[mark.sample as usize] - physical[[MARK, c]];
                for k in MARK - 19..MARK + 29 {
                    let made = channel.samples[mark.sample as usize + k - MARK];
                    assert!((made - physical[[k, c]] - shift).abs() < 1e-5, "beat {i}, sample {k}");
                }
            }
        }
    }
}

#[test]
fn seams_change_no_faster_than_beats() {
    let set = beats(2);
    for config in [AssemblyConfig::default(), AssemblyConfig { noise: false, ..AssemblyConfig::default() }] {
        for (rhythm, rr_s) in RHYTHMS.into_iter().chain([FLUTTER]).enumerate() {
            let record = record(&set, rr_s, &config);
            let marks: Vec<usize> = record.annotations[1..].iter().map(|a| a.sample as usize).collect();
            for (c, channel) in record.channels.iter().enumerate() {
                // P and T waves are the fastest there is outside the guards: compare with them, not with the QRS complex.
                let guarded = |at: usize| marks.iter().any(|&mark| at + 20 >= mark && at <= mark + 30);
                let slow = |i: usize| (0..TIME - 1).filter(move |k| !(MARK - 20..=MARK + 30).contains(k)).map(move |k| (i, k));
                let within = (0..set.len()).flat_map(slow).map(|(i, k)| {
                    let physical = 2.0 * (set.signals[[i, k + 1, c]] - set.signals[[i, k, c]]);
                    physical.abs()
                });
                let most = within.fold(0.0, f32::max);
                for at in 1..channel.samples.len() {
                    let step = (channel.samples[at] - channel.samples[at - 1]).abs();
                    assert!(guarded(at) || step <= most, "rhythm {rhythm}: step of {step} at {at}, {most} within beats");
                }
            }
        }
    }
}

#[test]
fn the_baseline_is_flat() {
    let set = beats(1);
    let record = record(&set, |_| 1.3, &AssemblyConfig::default());
    let samples = &record.channels[0].samples;
    let mut levels: Vec<f32> = record.annotations[1..].iter().map(|a| samples[a.sample as usize - 65]).collect();
    levels.sort_by(f32::total_cmp);
    assert!(levels[levels.len() - 1] - levels[0] < 0.03, "levels from {} to {}", levels[0], levels[levels.len() - 1]);
}

#[test]
fn gaps_have_noise_unless_it_is_turned_off() {
    let set = beats(1);
    let spread = |config: &AssemblyConfig| {
        let record = record(&set, |_| 2.0, config);
        let from = record.annotations[3].sample as usize + 200;
        let gap = &record.channels[0].samples[from..from + 160];
        (gap.windows(2).map(|pair| (pair[1] - pair[0]).powi(2)).sum::<f32>() / 159.0).sqrt()
    };
    // White noise of 0.00404 mV differs by 0.0057 mV from sample to sample.
    let (with, without) =
        (spread(&AssemblyConfig::default()), spread(&AssemblyConfig { noise: false, ..AssemblyConfig::default() }));
    assert!((0.0035..0.0075).contains(&with) && without < 0.001, "{with} and {without}");
}

#[test]
fn old_neighbours_in_a_window_do_not_appear_twice() {
    let mut set = beats(1);
    // The window's end shows the beat that followed 0.5 s later; the plan has the next beat after 1.5 s.
    for i in 0..set.len() {
        set.segments[i].rr_after_s = 0.5;
        for k in 0..25 {
            set.signals[[i, MARK + 125 + k, 0]] += if k < 12 { 0.5 } else { 0.0 };
        }
    }
    let record = record(&set, |_| 1.5, &AssemblyConfig { respiration: 0.0, ..AssemblyConfig::default() });
    for mark in &record.annotations[1..40] {
        let after = mark.sample as usize;
        let most = record.channels[0].samples[after + 100..after + 250].iter().fold(f32::MIN, |a, &b| a.max(b));
        assert!(most < 0.3, "a second beat of {most} mV");
    }
}

#[test]
fn windows_that_end_where_the_next_begins_meet() {
    let mut set = beats(1);
    // Half a millivolt below the baseline from the mark to the window's end.
    for i in (0..set.len()).step_by(2) {
        for k in MARK + 30..TIME {
            set.signals[[i, k, 0]] -= 0.25;
        }
    }
    let config = AssemblyConfig { respiration: 0.0, noise: false, ..AssemblyConfig::default() };
    // The earlier window's own part ends `lead_s` before the mark, the later one begins there, or up to a few samples later.
    for extra in [0, 1, 3, 8] {
        for segment in &mut set.segments {
            (segment.rr_before_s, segment.rr_after_s) = (0.667, 0.667);
        }
        let rr_s = 0.667 + extra as f32 / RATE as f32;
        let record = record(&set, |_| rr_s, &config);
        let samples = &record.channels[0].samples;
        for marks in record.annotations.windows(2) {
            let (from, to) = ((marks[0].sample as usize) + 60, (marks[1].sample as usize).saturating_sub(30));
            let steepest = samples[from..to].windows(2).map(|pair| (pair[1] - pair[0]).abs()).fold(0.0, f32::max);
            assert!(steepest < 0.15, "a step of {steepest} mV with {extra} samples between");
        }
    }
}

#[test]
fn weights_of_neighbours_add_up_to_one() {
    let set = beats(1);
    for rr_s in RHYTHMS.into_iter().chain([FLUTTER]) {
        let config = AssemblyConfig::default();
        let mut mark = 250;
        let placed = (0..set.len()).map(|i| {
            mark += if i == 0 { 0 } else { (rr_s(i) * RATE as f32) as usize };
            place((&set, i), mark, &config, |behind| behind)
        });
        let layout = Layout::new(placed.collect(), RATE, &config);
        let mut sum = vec![0.0; mark + TIME];
        for i in 0..layout.beats.len() {
            layout.used(i).for_each(|at| sum[at] += layout.weight(i, at));
        }
        for (_, gap) in layout.gaps() {
            gap.for_each(|at| sum[at] += 1.0);
        }
        let covered = layout.beats[0].valid.start..layout.beats[set.len() - 1].valid.end;
        assert!(sum[covered].iter().all(|&weight: &f32| (weight - 1.0).abs() < 1e-6));
    }
}

#[test]
fn pieces_make_the_record_that_the_whole_makes() {
    let mut set = beats(2);
    // Known intervals, so that T waves are moved too.
    for segment in &mut set.segments {
        segment.rr_before_s = 0.8;
    }
    let order: Vec<usize> = (0..set.len()).collect();
    // The baseline and the noise of gaps are those of the first piece: without either, pieces differ from the whole by a constant.
    let config = AssemblyConfig { noise: false, ..AssemblyConfig::default() };
    for rr_s in RHYTHMS {
        let mut plan = plan_of(&set, &order, rr_s);
        for beat in &mut plan[20..] {
            beat.rhythm = "(AFIB".into();
        }
        let whole = assemble("r", &set, &order, &plan, &config, Seed(1)).unwrap();
        let mut assembler = Assembler::new("r", &config, Seed(1)).unwrap();
        let (mut samples, mut marks) = (vec![Vec::new(); 2], Vec::new());
        let mut take = |piece: Piece| {
            samples.iter_mut().zip(piece.samples).for_each(|(all, new)| all.extend(new));
            marks.extend(piece.annotations);
        };
        for beats in order.chunks(7) {
            let plan = &plan[beats[0]..beats[0] + beats.len()];
            take(assembler.push(&set, beats, plan).unwrap());
        }
        take(assembler.finish());
        assert_eq!(marks, whole.annotations);
        let rhythms: Vec<&str> = marks.iter().filter(|mark| mark.code == "+").map(|mark| mark.aux.as_str()).collect();
        assert_eq!(rhythms, ["(N", "(AFIB"]);
        for (channel, samples) in whole.channels.iter().zip(&samples) {
            assert_eq!(channel.samples.len(), samples.len());
            let shift = channel.samples[0] - samples[0];
            let apart = channel.samples.iter().zip(samples).map(|(a, b)| (a - b - shift).abs()).fold(0.0, f32::max);
            assert!(apart < 1e-5, "{apart}");
        }
    }
}

#[test]
fn equal_seeds_give_equal_records_and_others_other_noise() {
    let set = beats(1);
    let order: Vec<usize> = (0..set.len()).collect();
    let plan = plan_of(&set, &order, |_| 1.3);
    let made = |name: &str, seed| assemble(name, &set, &order, &plan, &AssemblyConfig::default(), Seed(seed)).unwrap();
    assert_eq!(made("a", 1), made("a", 1));
    assert_ne!(made("a", 1).channels, made("a", 2).channels);
    assert_ne!(made("a", 1).channels, made("b", 1).channels);
}

#[test]
fn windows_and_settings_of_next_to_nothing_work() {
    let mut set = beats(1).select(&[0, 1]);
    let plan = plan_of(&set, &[0], |_| f32::NAN);
    assert!(assemble("one", &set, &[0], &plan, &AssemblyConfig::default(), Seed(1)).is_ok());
    // A window of one sample, and guards and fades of nothing.
    set.signals = set.signals.slice_axis(ndarray::Axis(1), ndarray::Slice::from(MARK..=MARK)).to_owned();
    set.mark_index = 0;
    let config = AssemblyConfig {
        fade_s: 0.0,
        lead_s: 0.0,
        guard_before_s: 0.0,
        guard_after_s: 0.0,
        edge_s: 0.0,
        ..AssemblyConfig::default()
    };
    for config in [config, AssemblyConfig::default()] {
        let record = record(&set, |_| 0.1, &config);
        assert!(record.channels[0].samples.iter().all(|value| value.is_finite()));
    }
}

#[test]
fn what_cannot_be_joined_is_named() {
    let set = beats(1);
    let config = AssemblyConfig::default();
    let failure = |set: &SegmentSet, order: &[usize], plan: &[PlannedBeat], config: &AssemblyConfig| {
        assemble("syn001", set, order, plan, config, Seed(1)).unwrap_err().to_string()
    };
    let plan = plan_of(&set, &[0, 4], |_| 0.8);
    for (order, expected) in [(&[0][..], "2 beats"), (&[0, 99], "segment 99"), (&[0, 1], "class N where V")] {
        let message = failure(&set, order, &plan, &config);
        assert!(message.contains("syn001") && message.contains(expected), "{message}");
    }
    for rr_s in [f32::NAN, 0.0, -1.0, f32::INFINITY] {
        let message = failure(&set, &[0, 4], &plan_of(&set, &[0, 4], |_| rr_s), &config);
        assert!(message.contains("RR interval") && message.contains("beat 1"), "{message}");
    }
    assert!(failure(&set, &[], &[], &config).contains("no beats"));
    assert!(failure(&set, &[0, 4], &plan, &AssemblyConfig { fade_s: f64::NAN, ..config.clone() }).contains("fade_s"));
    let mut broken = set.clone();
    broken.signals[[4, 7, 0]] = f32::NAN;
    assert!(failure(&broken, &[0, 4], &plan, &config).contains("segment 4"));
}

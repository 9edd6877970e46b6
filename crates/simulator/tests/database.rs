//! The demo database as its users see it, against its own ground truth.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use physiosynth_signal::{Record, RecordSource, Seed};
use physiosynth_simulator::{Fiducials, LEADS, SimulatedDatabase, SimulatedRecord, SimulatorConfig};

const SEED: Seed = Seed(1);

fn small() -> SimulatorConfig {
    SimulatorConfig { subjects: 6, duration_s: 60.0, ..SimulatorConfig::default() }
}

fn database(config: &SimulatorConfig, seed: Seed) -> SimulatedDatabase {
    SimulatedDatabase::new(config, seed).unwrap()
}

/// The default demo, made once.
static DEMO: LazyLock<Vec<SimulatedRecord>> = LazyLock::new(|| {
    let demo = database(&SimulatorConfig::default(), SEED);
    (0..demo.entries().len()).map(|i| demo.components(i).unwrap()).collect()
});

/// Root mean square.
fn rms(samples: &[f32]) -> f64 {
    (samples.iter().map(|&x| f64::from(x).powi(2)).sum::<f64>() / samples.len() as f64).sqrt()
}

/// Sample of the largest deflection from the value at the window's ends, within `reach` samples of the mark.
fn extremum(samples: &[f32], mark: i64, reach: i64) -> Option<i64> {
    let at = |i: i64| usize::try_from(i).ok().and_then(|i| samples.get(i)).copied();
    let level = 0.5 * (at(mark - 3 * reach)? + at(mark + 3 * reach)?);
    (mark - reach..=mark + reach).max_by(|&a, &b| {
        let height = |i| at(i).map_or(0.0, |v| (v - level).abs());
        height(a).total_cmp(&height(b))
    })
}

#[test]
fn same_seed_same_bytes_other_seed_others_whatever_the_threads() {
    let with_threads = |threads: usize, seed: Seed| -> Vec<Record> {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| database(&small(), seed).records().unwrap())
    };
    let one = with_threads(1, SEED);
    assert_eq!(one, with_threads(2, SEED));
    let other = with_threads(2, Seed(2));
    assert!(one.iter().zip(&other).all(|(a, b)| a.channels[0].samples != b.channels[0].samples));
    // A subject does not depend on how many others there are, nor on which lead is read, nor on its truth being asked for.
    let alone = database(&SimulatorConfig { subjects: 1, ..small() }, SEED);
    assert_eq!(alone.read(0, None).unwrap(), one[0]);
    assert_eq!(alone.components(0).unwrap().record, one[0]);
    assert_eq!(alone.read(0, Some("V1")).unwrap().channels, one[0].channels[1..]);
    assert!(alone.read(0, Some("V5")).unwrap().channels.is_empty());
}

#[test]
fn headers_say_what_it_is() {
    let database = database(&small(), SEED);
    assert_eq!(database.name(), "simulated ECG");
    let entry = &database.entries()[2];
    assert_eq!((entry.name.as_str(), entry.subject.as_str(), entry.subject_known), ("sim03", "sim03", true));
    let record = database.read(2, None).unwrap();
    assert_eq!(record.comments, ["SIMULATED ECG (McSharry et al. 2003), subject sim03, not a patient"]);
    assert_eq!(record.channels.iter().map(|c| c.label.as_str()).collect::<Vec<_>>(), LEADS);
    assert_eq!(record.duration_s(), 60.0);
    for channel in &record.channels {
        let d = channel.digitisation.as_ref().unwrap();
        assert_eq!((d.gain, d.baseline, d.adc_resolution), (200.0, 1024.0, 11));
        for &value in &channel.samples {
            let digital = (f64::from(value) * d.gain + d.baseline).round();
            assert!((0.0..2048.0).contains(&digital));
            assert_eq!(((digital - d.baseline) / d.gain) as f32, value);
        }
    }
    let error = database.components(6).unwrap_err().to_string();
    assert!(error.contains("no record 6") && error.contains("has 6"), "{error}");
}

#[test]
fn marks_are_on_the_peaks() {
    let (mut beats, mut exact, mut noisy_near) = (0, 0, 0);
    for simulated in DEMO.iter() {
        let (clean, noisy) = (&simulated.clean[0].samples, &simulated.record.channels[0].samples);
        for beat in &simulated.fiducials {
            let (Some(peak), Some(noisy_peak)) = (extremum(clean, beat.sample, 18), extremum(noisy, beat.sample, 18)) else {
                continue;
            };
            beats += 1;
            exact += usize::from(peak == beat.sample);
            noisy_near += usize::from((noisy_peak - beat.sample).abs() <= 1);
            assert!((peak - beat.sample).abs() <= 1, "{}: {beat:?}, peak at {peak}", simulated.record.name);
            assert!((noisy_peak - beat.sample).abs() <= 6, "{}: {beat:?}, peak at {noisy_peak}", simulated.record.name);
        }
    }
    assert!(beats > 5000, "{beats}");
    assert!(exact as f64 > 0.9 * f64::from(beats), "{exact} of {beats} exact");
    assert!(noisy_near as f64 > 0.98 * f64::from(beats), "{noisy_near} of {beats} within a sample under noise");
}

#[test]
fn annotations_are_the_truth_in_order() {
    for simulated in DEMO.iter() {
        let marks = &simulated.record.annotations;
        assert!(marks.windows(2).all(|w| w[0].sample <= w[1].sample));
        assert_eq!((marks[0].code.as_ref(), marks[0].aux.as_str()), ("+", "(N"));
        let beats: Vec<_> = marks.iter().filter(|a| a.code != "+").map(|a| (a.sample, a.code.as_ref())).collect();
        let code = |label| if label == "S" { "A" } else { label };
        let truth: Vec<_> = simulated.fiducials.iter().map(|f| (f.sample, code(f.label))).collect();
        assert_eq!(beats, truth);
        // Rhythm marks alternate, and bigeminy holds three V or more.
        let rhythms: Vec<_> = marks.iter().filter(|a| a.code == "+").collect();
        for pair in rhythms.windows(2) {
            assert_ne!(pair[0].aux, pair[1].aux);
            if pair[0].aux == "(B" {
                let inside = beats.iter().filter(|b| b.0 > pair[0].sample && b.0 < pair[1].sample);
                assert!(inside.filter(|b| b.1 == "V").count() >= 3);
            }
        }
    }
}

#[test]
fn every_class_is_there_for_every_split() {
    let demo = &*DEMO;
    let classes: Vec<BTreeSet<&str>> = demo.iter().map(|s| s.fiducials.iter().map(|f| f.label).collect()).collect();
    for class in ["S", "V"] {
        let without = classes.iter().filter(|c| !c.contains(class)).count();
        assert_eq!(without, 2, "subjects without {class}: so any three subjects have it");
    }
    assert!(classes.iter().all(|c| c.contains("N")));
    assert_eq!(classes.iter().filter(|c| c.len() == 1).count(), 1);
    let count = |class| demo.iter().flat_map(|s| &s.fiducials).filter(|f| f.label == class).count();
    let all: usize = ["N", "S", "V"].into_iter().map(count).sum();
    assert!((4500..7500).contains(&all), "{all} beats");
    assert!(count("S") * 100 > 3 * all && count("V") * 100 > 4 * all, "S {}, V {}, all {all}", count("S"), count("V"));
    for (simulated, classes) in demo.iter().zip(&classes) {
        let share =
            |class| simulated.fiducials.iter().filter(|f| f.label == class).count() as f64 / simulated.fiducials.len() as f64;
        let rhythm = &simulated.subject.rhythm;
        assert!((share("S") - rhythm.share_s).abs() < 0.06 && (share("V") - rhythm.share_v).abs() < 0.08, "{classes:?}");
    }
}

#[test]
fn rates_and_variability_are_the_subjects_own() {
    for simulated in DEMO.iter() {
        let beats: Vec<&Fiducials> = simulated.fiducials.iter().collect();
        let sinus = beats.windows(3).filter(|w| w.iter().all(|b| b.label == "N")).map(|w| w[2].r_peak_s - w[1].r_peak_s);
        let sinus: Vec<f64> = sinus.collect();
        let mean = sinus.iter().sum::<f64>() / sinus.len() as f64;
        let sdnn = (sinus.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / sinus.len() as f64).sqrt();
        let rhythm = &simulated.subject.rhythm;
        assert!((mean / rhythm.mean_rr_s() - 1.0).abs() < 0.03, "{} mean RR {mean}", simulated.record.name);
        assert!((sdnn / rhythm.sdnn_s - 1.0).abs() < 0.25, "{} SDNN {sdnn}, asked {}", simulated.record.name, rhythm.sdnn_s);
        for pair in beats.windows(2) {
            let rr = pair[1].r_peak_s - pair[0].r_peak_s;
            assert!(pair[1].label == "N" || rr < 0.85 * mean, "{}: {} after {rr}", simulated.record.name, pair[1].label);
        }
    }
}

/// Width of the deflection around the mark at half its height, in samples, in the first lead.
fn half_width(samples: &[f32], mark: i64) -> Option<usize> {
    let mark = usize::try_from(mark).ok()?;
    let level = *samples.get(mark.checked_sub(54)?)?;
    let half = 0.5 * (samples.get(mark)? - level).abs();
    let above = |i: usize| (samples[i] - level).abs() > half;
    let before = (0..mark).rev().take_while(|&i| above(i)).count();
    Some(before + (mark..samples.len()).take_while(|&i| above(i)).count())
}

#[test]
fn ventricular_beats_are_wide_and_without_p() {
    for simulated in DEMO.iter() {
        let median = |label: &str| -> Option<usize> {
            let beats = simulated.fiducials.iter().filter(|f| f.label == label);
            let mut widths: Vec<_> = beats.filter_map(|f| half_width(&simulated.clean[0].samples, f.sample)).collect();
            widths.sort_unstable();
            widths.get(widths.len() / 2).copied()
        };
        let name = &simulated.record.name;
        if let (Some(n), Some(v)) = (median("N"), median("V")) {
            assert!(v as f64 > 1.5 * n as f64, "{name}: N {n}, V {v} samples at half height");
        }
        for beat in &simulated.fiducials {
            let qrs = beat.qrs.unwrap();
            let duration = qrs.offset_s - qrs.onset_s;
            match beat.label {
                "V" => assert!(beat.p.is_none() && (0.115..0.22).contains(&duration), "{name}: {duration}"),
                _ => assert!(beat.p.is_some() && (0.065..0.115).contains(&duration), "{name}: {duration}"),
            }
        }
        let heights: Vec<f64> = simulated
            .fiducials
            .iter()
            .filter(|f| f.label == "N")
            .map(|f| f64::from(simulated.clean[0].samples[f.sample as usize]))
            .collect();
        let mean = heights.iter().sum::<f64>() / heights.len() as f64;
        assert!((0.6..1.7).contains(&mean), "{name}: R of {mean} mV");
    }
}

#[test]
fn record_is_clean_signal_and_noise_of_the_levels_asked() {
    let database = database(&small(), SEED);
    for index in 0..6 {
        let simulated = database.components(index).unwrap();
        let levels = &simulated.subject.noise;
        for (lead, noise) in simulated.noise.iter().enumerate() {
            for (part, asked) in [
                (&noise.baseline_wander, levels.baseline_wander_mv),
                (&noise.mains, levels.mains_mv),
                (&noise.muscle, levels.muscle_mv),
                (&noise.electrode, levels.electrode_mv),
            ] {
                assert!((rms(part) / asked - 1.0).abs() < 0.03, "{} for {asked}", rms(part));
            }
            for (i, &value) in simulated.record.channels[lead].samples.iter().enumerate() {
                let parts =
                    [&simulated.clean[lead].samples, &noise.baseline_wander, &noise.mains, &noise.muscle, &noise.electrode];
                let sum: f64 = parts.iter().map(|p| f64::from(p[i])).sum();
                assert!((sum - f64::from(value)).abs() < 0.5 / 200.0 + 1e-6, "sample {i}: {value} for {sum}");
            }
        }
    }
    let silent = SimulatorConfig { noise_scale: 0.0, ectopy_scale: 0.0, ..small() };
    let silent = SimulatedDatabase::new(&silent, SEED).unwrap().components(0).unwrap();
    assert_eq!(rms(&silent.noise[0].muscle), 0.0);
    assert!(silent.fiducials.iter().all(|f| f.label == "N"));
}

#[test]
fn other_rates_and_lengths_are_possible() {
    for fs in [100.0, 250.0, 500.0, 1000.0] {
        let config = SimulatorConfig { subjects: 1, duration_s: 7.5, sampling_frequency_hz: fs, ..SimulatorConfig::default() };
        let simulated = database(&config, SEED).components(0).unwrap();
        assert_eq!(simulated.record.channels[0].samples.len(), (7.5 * fs) as usize);
        assert!(simulated.fiducials.len() > 4);
        for beat in &simulated.fiducials {
            let Some(peak) = extremum(&simulated.clean[0].samples, beat.sample, (0.05 * fs) as i64) else { continue };
            assert!((peak - beat.sample).abs() as f64 <= (0.004 * fs).max(1.0), "{fs} Hz: {beat:?}, peak at {peak}");
        }
    }
}

//! A toy set of segments for tests.

use ndarray::{Array2, Array3};
use physiosynth_signal::{Group, Seed, Segment, SegmentSet, Split};
use rand::RngExt;

/// `count` segments of `time` samples: class `N` a bump, class `V` a wider, inverted one; amplitude and place vary a little. Subjects
/// `p0` and `p1` train (groups A and B by turns), every fourth segment is `p2`'s and validates.
pub(crate) fn segments(count: usize, time: usize, seed: u64) -> SegmentSet {
    let mut rng = Seed(seed).stream("toy", 0);
    let mark = time / 3;
    let mut set = SegmentSet::empty(time, 100.0, mark, vec!["MLII".into()], vec!["mV".into()]);
    let mut signals = Array3::zeros((count, time, 1));
    for i in 0..count {
        let ventricular = i % 2 == 1;
        let (height, width) = if ventricular { (-1.5, 0.2) } else { (2.0, 0.08) };
        let height = height * rng.random_range(0.9..1.1_f32);
        for t in 0..time {
            let x = (t as f32 - mark as f32) / time as f32 / width;
            signals[[i, t, 0]] = height * (-x * x).exp() + rng.random_range(-0.05..0.05);
        }
        let validation = i % 4 >= 2 && i % 8 >= 6;
        set.segments.push(Segment {
            record: format!("r{}", i % 3),
            group: if validation {
                Group::None
            } else if i / 4 % 2 == 0 {
                Group::A
            } else {
                Group::B
            },
            cluster: i32::from(ventricular),
            sample: 100 * i as i64,
            rr_before_s: 0.8,
            rr_after_s: 0.7 + 0.01 * i as f32,
            ..Segment::new(
                if ventricular { "V" } else { "N" },
                if validation { "p2".into() } else { format!("p{}", i / 8 % 2) },
                if validation { Split::Validation } else { Split::Train },
            )
        });
    }
    set.signals = signals;
    set.scale = Array2::from_shape_fn((count, 1), |(i, _)| 0.5 + i as f32);
    set.offset = Array2::from_shape_fn((count, 1), |(i, _)| -0.1 * i as f32);
    set
}

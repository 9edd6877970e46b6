//! The status channel of `BioSemi` systems: 24 bits, of which the lower 16 are the trigger inputs.

use physiosynth_signal::Annotation;

/// Bits of the trigger inputs.
const TRIGGERS: i32 = 0xFFFF;

/// Label of the channel, in files of 24 bits.
pub(crate) const LABEL: &str = "Status";

/// Events in a status channel of digital values: an annotation wherever the trigger inputs rise to a value, whose decimal
/// digits are its code, and which lasts until they change. A value that is there from the first sample is none, and neither is
/// a fall to a lower one, so that the marks are those of MNE's `find_events(raw, mask=0xFFFF, mask_type="and")`.
///
/// Positions count in the channel's samples.
pub(crate) fn events(samples: &[f32]) -> Vec<Annotation> {
    let mut events: Vec<Annotation> = Vec::new();
    let mut before: Option<i32> = None;
    let mut open = false;
    for (index, &sample) in samples.iter().enumerate() {
        // What is missing in a gap stays as it was.
        let value = if sample.is_nan() { before.unwrap_or(0) } else { sample as i32 & TRIGGERS };
        let last = *before.get_or_insert(value);
        if value != last {
            if open && let Some(event) = events.last_mut() {
                event.duration = index as i64 - event.sample;
            }
            open = value > last;
            if open {
                events.push(Annotation::beat(index as i64, value.to_string()));
            }
        }
        before = Some(value);
    }
    if open && let Some(event) = events.last_mut() {
        event.duration = samples.len() as i64 - event.sample;
    }
    events
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn triggers_rise_and_last() {
        // Bit 16 (start of an epoch) and above are not triggers; a rise from 5 to 7 is an event, a fall from 7 to 2 is none.
        let raw = [9, 9, 0, 0, 5 + 0x1_0000, 5, 7, 2, 0, -0x80_0000 + 3, 3];
        let samples: Vec<f32> = raw.iter().map(|&value| value as f32).collect();
        let found: Vec<_> = events(&samples).into_iter().map(|e| (e.sample, e.duration, e.code.into_owned())).collect();
        assert_eq!(found, [(4, 2, "5".to_owned()), (6, 1, "7".to_owned()), (9, 2, "3".to_owned())]);
        assert!(events(&[]).is_empty());
    }
}

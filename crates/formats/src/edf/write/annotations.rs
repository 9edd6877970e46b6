//! Annotations of a record as time-stamped lists in data records.

use std::collections::BTreeSet;
use std::ops::Range;

use physiosynth_signal::{Annotation, Record};

use super::plan::Plan;
use crate::edf::clock::SECOND_NS;
use crate::edf::missing::{MISSING, OF_CHANNEL, PADDING};
use crate::edf::tal::{self, Tal};
use crate::recording::{Recording, Survey};

/// C's `EDFlib` reads seven decimals.
const RESOLUTION_NS: i64 = 100;

/// Nanoseconds of a sample, to the resolution.
fn ns(sample: i64, rate: f64) -> i64 {
    (sample as f64 / rate * (SECOND_NS / RESOLUTION_NS) as f64).round() as i64 * RESOLUTION_NS
}

/// The list of an annotation; `None` where it has no text.
pub(super) fn list(annotation: &Annotation, rate: f64, start_ns: i64) -> Option<Tal> {
    let text = match (annotation.code.as_ref(), annotation.aux.as_str()) {
        ("", aux) => aux.to_owned(),
        (code, "") => code.to_owned(),
        (code, aux) => format!("{code} {aux}"),
    };
    let duration_ns = (annotation.duration > 0).then(|| ns(annotation.duration, rate));
    (!text.is_empty()).then(|| Tal { onset_ns: ns(annotation.sample, rate) + start_ns, duration_ns, texts: vec![text] })
}

/// The stretches of a gap that lie in data records which are `kept`.
fn stretches(gap: &Range<u64>, per_record: u64, kept: &[bool]) -> Vec<Range<u64>> {
    let mut stretches: Vec<Range<u64>> = Vec::new();
    if kept.iter().all(|kept| *kept) {
        return vec![gap.clone()];
    }
    let mut at = gap.start;
    while at < gap.end {
        let end = ((at / per_record + 1) * per_record).min(gap.end);
        if kept.get((at / per_record) as usize).is_none_or(|kept| *kept) {
            match stretches.last_mut() {
                Some(last) if last.end == at => last.end = end,
                _ => stretches.push(at..end),
            }
        }
        at = end;
    }
    stretches
}

/// The lists that tell of missing samples, but for those of data records that are not `kept`. `labels` are those that the
/// header has.
pub(super) fn gaps(
    (record, surveys): (&Record, &[Survey]),
    plan: &Plan,
    kept: &[bool],
    labels: &[String],
    start_ns: i64,
) -> Vec<Tal> {
    let gaps = record.channels.iter().zip(surveys).zip(&plan.per_record).map(|((channel, survey), &per_record)| {
        let rate = channel.sampling_frequency_hz;
        let kept = survey.missing.iter().flat_map(|gap| stretches(gap, per_record as u64, kept));
        kept.map(|gap| (ns(gap.start as i64, rate), ns(gap.end as i64, rate))).collect::<BTreeSet<_>>()
    });
    let mut gaps: Vec<BTreeSet<(i64, i64)>> = gaps.collect();
    let common: BTreeSet<(i64, i64)> = match gaps.split_first() {
        Some((first, others)) => first.iter().filter(|gap| others.iter().all(|other| other.contains(gap))).copied().collect(),
        None => BTreeSet::new(),
    };
    for own in &mut gaps {
        own.retain(|gap| !common.contains(gap));
    }
    let list =
        |(from, to): (i64, i64), text: String| Tal { onset_ns: from + start_ns, duration_ns: Some(to - from), texts: vec![text] };
    let mut lists: Vec<Tal> = common.into_iter().map(|gap| list(gap, MISSING.to_owned())).collect();
    for (index, own) in gaps.into_iter().enumerate() {
        let label = labels.get(index).map_or("", String::as_str);
        let unique = labels.iter().filter(|other| *other == label).count() == 1 && !label.is_empty();
        let text = if unique { format!("{MISSING}{OF_CHANNEL}{label}") } else { format!("{MISSING} #{index}") };
        lists.extend(own.into_iter().map(|gap| list(gap, text.clone())));
    }
    lists
}

/// The list that tells where the last data record is padding.
pub(super) fn padding(recording: &Recording, plan: &Plan, start_ns: i64) -> Option<Tal> {
    let channels = recording.record.channels.iter().zip(recording.lengths());
    let (fastest, &length) = channels.max_by(|(a, _), (b, _)| a.sampling_frequency_hz.total_cmp(&b.sampling_frequency_hz))?;
    let from_ns = ns(length as i64, fastest.sampling_frequency_hz);
    let end_ns = (plan.records as f64 * plan.duration_s * SECOND_NS as f64).round() as i64;
    let text = vec![PADDING.to_owned()];
    plan.padded.then(|| Tal { onset_ns: from_ns + start_ns, duration_ns: Some(end_ns - from_ns), texts: text })
}

/// The blocks of the annotation signal, for data records that start at `starts_ns`: a list that keeps the time, then lists in
/// order of onset, each in the data record it begins in or, where that is full, in a later one. Where too many begin at the end
/// they fill the data records from the first, as C's `EDFlib` has it. All blocks have one length, a multiple of `width`.
pub(super) fn blocks(mut lists: Vec<Tal>, starts_ns: &[i64], width: usize) -> Vec<Vec<u8>> {
    lists.sort_by_key(|list| list.onset_ns);
    let encoded = |list: &Tal| {
        let mut bytes = Vec::new();
        tal::encode(list, &mut bytes);
        bytes
    };
    let clock = |&onset_ns: &i64| encoded(&Tal { onset_ns, duration_ns: None, texts: vec![String::new()] });
    let clocks: Vec<Vec<u8>> = starts_ns.iter().map(clock).collect();
    let texts: Vec<(i64, Vec<u8>)> = lists.iter().map(|list| (list.onset_ns, encoded(list))).collect();
    let longest = texts.iter().map(|(_, text)| text.len()).max().unwrap_or(0);
    let average = texts.iter().map(|(_, text)| text.len()).sum::<usize>().div_ceil(starts_ns.len().max(1));
    let capacity = clocks.iter().map(Vec::len).max().unwrap_or(0) + longest + average;
    let capacity = capacity.next_multiple_of(width);
    let in_time = |index: usize| starts_ns.get(index + 1).copied().unwrap_or(i64::MAX);
    // In each data record less than the longest is left over, so that this fits.
    let from_the_first = |_| i64::MAX;
    fill(&clocks, &texts, capacity, in_time).or_else(|| fill(&clocks, &texts, capacity, from_the_first)).unwrap_or_default()
}

/// Fills blocks of `capacity` bytes, each with lists that begin before `end_ns` of its index; `None` where some are left over.
fn fill(clocks: &[Vec<u8>], texts: &[(i64, Vec<u8>)], capacity: usize, end_ns: impl Fn(usize) -> i64) -> Option<Vec<Vec<u8>>> {
    let mut left = texts.iter().peekable();
    let block = |(index, clock): (usize, &Vec<u8>)| {
        let mut block = clock.clone();
        while let Some((_, text)) =
            left.next_if(|(onset_ns, text)| *onset_ns < end_ns(index) && block.len() + text.len() <= capacity)
        {
            block.extend_from_slice(text);
        }
        block.resize(capacity, 0);
        block
    };
    let blocks = clocks.iter().enumerate().map(block).collect();
    left.next().is_none().then_some(blocks)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_lie_in_their_data_records_or_later() {
        let list = |second: i64| Tal { onset_ns: second * SECOND_NS, duration_ns: None, texts: vec![format!("event {second}")] };
        let starts: Vec<i64> = (0..10).map(|second| second * SECOND_NS).collect();
        // Many at once, some before the start and behind the end.
        let lists: Vec<Tal> = [-3, 0, 5, 5, 5, 5, 5, 5, 9, 30].map(list).to_vec();
        let blocks = blocks(lists, &starts, 3);
        assert_eq!(blocks.len(), 10);
        assert!(blocks.iter().all(|block| block.len() == blocks[0].len() && block.len() % 3 == 0));
        let read: Vec<Vec<Tal>> = blocks.iter().map(|block| tal::parse(block).lists).collect();
        for (second, lists) in read.iter().enumerate() {
            assert_eq!((lists[0].onset_ns, lists[0].texts[0].as_str()), (second as i64 * SECOND_NS, ""));
        }
        assert_eq!((read[0].len(), read[9].len()), (3, 3));
        let texts: Vec<&Tal> = read.iter().flat_map(|lists| &lists[1..]).collect();
        assert_eq!(texts.len(), 10);
        assert!(texts.is_sorted_by_key(|list| list.onset_ns));

        // All in the last data record: no block grows beyond twice the average and the longest.
        let blocks = super::blocks((0..1_000).map(|n| list(9 + n)).collect(), &starts, 2);
        let read: usize = blocks.iter().map(|block| tal::parse(block).lists.len()).sum();
        assert_eq!(read, 1_010);
        assert!(blocks[0].len() < 2_200, "{}", blocks[0].len());
    }
}

//! How well scores put one group above another.

/// Area under the ROC curve: the probability that a random member of the group marked `true` has a higher score than one of the
/// other, ties counted half (Mann–Whitney). None where a group is empty.
pub fn area_under_curve(scores: &[f32], positive: &[bool]) -> Option<f64> {
    let mut order: Vec<usize> = (0..scores.len().min(positive.len())).collect();
    order.sort_by(|&a, &b| scores[a].total_cmp(&scores[b]));
    let positives = order.iter().filter(|&&i| positive[i]).count();
    let negatives = order.len() - positives;
    if positives == 0 || negatives == 0 {
        return None;
    }
    let (mut rank_sum, mut at) = (0.0, 0);
    while at < order.len() {
        let tied = order[at..].iter().take_while(|&&i| scores[i] == scores[order[at]]).count().max(1);
        // Ranks from 1; tied scores share the mean of theirs.
        let rank = at as f64 + f64::midpoint(tied as f64, 1.0);
        rank_sum += rank * order[at..at + tied].iter().filter(|&&i| positive[i]).count() as f64;
        at += tied;
    }
    let (p, n) = (positives as f64, negatives as f64);
    Some((rank_sum - p * (p + 1.0) / 2.0) / (p * n))
}

/// Share of scores on the right side of one half; a score of exactly one half counts half.
pub fn accuracy(scores: &[f32], positive: &[bool]) -> Option<f64> {
    let right = |(&score, &positive): (&f32, &bool)| match score.total_cmp(&0.5) {
        std::cmp::Ordering::Equal => 0.5,
        side => f64::from(u8::from(positive == side.is_gt())),
    };
    (!scores.is_empty()).then(|| scores.iter().zip(positive).map(right).sum::<f64>() / scores.len() as f64)
}

#[cfg(test)]
mod tests {
    use super::{accuracy, area_under_curve};

    #[test]
    fn known_areas() {
        let positive = [false, false, true, true];
        assert_eq!(area_under_curve(&[0.1, 0.2, 0.3, 0.4], &positive), Some(1.0));
        assert_eq!(area_under_curve(&[0.4, 0.3, 0.2, 0.1], &positive), Some(0.0));
        assert_eq!(area_under_curve(&[0.5; 4], &positive), Some(0.5));
        assert_eq!(area_under_curve(&[0.1, 0.4, 0.35, 0.8], &positive), Some(0.75)); // scikit-learn's example
        assert_eq!(area_under_curve(&[0.1, 0.4], &[true, true]), None);
    }

    #[test]
    fn accuracy_counts_the_undecided_half() {
        assert_eq!(accuracy(&[0.9, 0.1, 0.5, 0.4], &[true, false, true, true]), Some(0.625));
        assert_eq!(accuracy(&[], &[]), None);
    }
}

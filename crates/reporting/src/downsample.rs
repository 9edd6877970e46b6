//! Fewer points for the same picture: a line of many samples per pixel is drawn by its extremes.

/// Samples as `(index, value)`, at most two per bucket of `buckets`: the least and the greatest, in their order, so that no
/// peak is lost. A bucket without a finite sample leaves a NaN, which shows as a gap.
pub(crate) fn extremes(samples: &[f32], buckets: usize) -> Vec<(f32, f32)> {
    let size = samples.len().div_ceil(buckets.max(1)).max(1);
    if size <= 2 {
        return samples.iter().enumerate().map(|(k, &v)| (k as f32, v)).collect();
    }
    let mut points = Vec::with_capacity(2 * buckets);
    for (bucket, part) in samples.chunks(size).enumerate() {
        let finite = || part.iter().copied().enumerate().filter(|(_, v)| v.is_finite());
        let low = finite().min_by(|a, b| a.1.total_cmp(&b.1));
        let high = finite().max_by(|a, b| a.1.total_cmp(&b.1));
        let at = |k: usize| (bucket * size + k) as f32;
        match (low, high) {
            (Some(a), Some(b)) => {
                let (first, second) = if a.0 <= b.0 { (a, b) } else { (b, a) };
                points.push((at(first.0), first.1));
                if second.0 != first.0 {
                    points.push((at(second.0), second.1));
                }
            }
            _ => points.push((at(0), f32::NAN)),
        }
    }
    points
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn peaks_survive_and_order_is_kept() {
        let mut samples = vec![0.0_f32; 10_000];
        samples[4321] = 5.0;
        samples[4322] = -5.0;
        let points = extremes(&samples, 100);
        assert!(points.len() <= 200);
        assert!(points.contains(&(4321.0, 5.0)) && points.contains(&(4322.0, -5.0)));
        assert!(points.windows(2).all(|p| p[0].0 < p[1].0));
    }

    #[test]
    fn short_lines_and_gaps_pass_through() {
        assert_eq!(extremes(&[1.0, 2.0], 100), vec![(0.0, 1.0), (1.0, 2.0)]);
        assert!(extremes(&[], 10).is_empty());
        assert!(extremes(&[f32::NAN; 90], 10).iter().all(|p| p.1.is_nan()));
    }
}

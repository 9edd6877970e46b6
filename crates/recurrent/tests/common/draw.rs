//! Values drawn as in `goldens/make_torch.py`, and how far results are apart.

use burn::tensor::{Tensor, TensorData};

/// Value i is `(i + 1) × 2654435761 + seed × 40503`, hashed, spread over `[-scale, scale)`; exact in `f32`.
pub fn draw<const D: usize>(shape: [usize; D], seed: u64, scale: f32) -> TensorData {
    let values: Vec<f32> = (1..=shape.iter().product::<usize>() as u64)
        .map(|i| {
            let hash = i.wrapping_mul(2_654_435_761).wrapping_add(seed * 40_503).wrapping_mul(2_246_822_519);
            (((hash & 0xffff_ffff) >> 16) as f32 / 32_768.0 - 1.0) * scale
        })
        .collect();
    TensorData::new(values, shape)
}

pub fn values<const D: usize>(tensor: &Tensor<D>) -> Vec<f32> {
    tensor.to_data().try_to_vec().expect("float32 values")
}

/// Largest absolute difference over largest reference value.
pub fn difference(found: &[f32], expected: &[f64]) -> f64 {
    assert_eq!(found.len(), expected.len());
    let largest = expected.iter().fold(0.0_f64, |largest, value| largest.max(value.abs()));
    let apart = found.iter().zip(expected).map(|(a, b)| (f64::from(*a) - b).abs());
    // `max` alone would pass over what is no number.
    let apart = apart.fold(0.0_f64, |largest, apart| if apart.is_nan() { f64::INFINITY } else { largest.max(apart) });
    apart / largest.max(f64::MIN_POSITIVE)
}

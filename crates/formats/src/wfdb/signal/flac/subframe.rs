//! Subframes: the samples of one channel in one frame (RFC 9639, 9.2).

use super::bits::Bits;
use super::frame::Fault;

/// Decodes one subframe of samples of `width` bits.
pub(super) fn decode(bits: &mut Bits, width: u32, samples: &mut [i32]) -> Result<(), Fault> {
    if bits.unsigned(1)? != 0 {
        return Err(Fault::Broken("a subframe begins with a one"));
    }
    let kind = bits.unsigned(6)?;
    let wasted = if bits.unsigned(1)? == 1 { bits.zeros(31)? + 1 } else { 0 };
    let width =
        width.checked_sub(wasted).filter(|&width| width > 0).ok_or(Fault::Broken("more bits are unused than there are"))?;
    match kind {
        0 => samples.fill(bits.signed(width)?),
        1 => {
            for sample in &mut *samples {
                *sample = bits.signed(width)?;
            }
        }
        8..=12 => fixed(bits, width, kind as usize - 8, samples)?,
        32..=63 => linear(bits, width, kind as usize - 31, samples)?,
        _ => return Err(Fault::Broken("a subframe is of a reserved kind")),
    }
    if wasted > 0 {
        for sample in samples {
            *sample <<= wasted;
        }
    }
    Ok(())
}

/// The first samples of a predicted subframe, as they are.
fn warm_up<'a>(bits: &mut Bits, width: u32, order: usize, samples: &'a mut [i32]) -> Result<&'a mut [i32], Fault> {
    let Some(first) = samples.get_mut(..order) else { return Err(Fault::Broken("a subframe is shorter than its predictor")) };
    for sample in first {
        *sample = bits.signed(width)?;
    }
    Ok(samples)
}

/// Predicted by one of the five polynomials.
fn fixed(bits: &mut Bits, width: u32, order: usize, samples: &mut [i32]) -> Result<(), Fault> {
    let samples = warm_up(bits, width, order, samples)?;
    residual(bits, order, samples)?;
    // Sums of a damaged frame may be beyond 32 bits; its check sum tells.
    match order {
        1 => restore([1], 0, samples),
        2 => restore([2, -1], 0, samples),
        3 => restore([3, -3, 1], 0, samples),
        4 => restore([4, -6, 4, -1], 0, samples),
        _ => {}
    }
    Ok(())
}

/// Predicted by coefficients of its own.
fn linear(bits: &mut Bits, width: u32, order: usize, samples: &mut [i32]) -> Result<(), Fault> {
    let samples = warm_up(bits, width, order, samples)?;
    let precision = bits.unsigned(4)? + 1;
    let shift = bits.signed(5)?;
    let Ok(shift) = u32::try_from(shift) else { return Err(Fault::Broken("a predictor has a negative shift")) };
    if precision == 16 {
        return Err(Fault::Broken("a predictor has a reserved precision"));
    }
    let mut coefficients = [0; 32];
    for coefficient in coefficients.iter_mut().take(order) {
        *coefficient = bits.signed(precision)?;
    }
    residual(bits, order, samples)?;
    let coefficients = coefficients.get(..order).unwrap_or(&coefficients);
    // Products and their sum fit in 32 bits where widths and precision add up to no more.
    if width + precision + order.ilog2() <= 32 {
        restore_narrow(coefficients, shift, samples);
    } else {
        restore_wide(coefficients, shift, samples);
    }
    Ok(())
}

/// Adds to each residual what the samples before it predict. The newest sample is held apart: what the others contribute is
/// summed while it is still being computed.
#[inline]
fn restore<const ORDER: usize>(coefficients: [i32; ORDER], shift: u32, samples: &mut [i32]) {
    let Some(mut last) = ORDER.checked_sub(1).and_then(|at| samples.get(at)).copied() else { return };
    for at in ORDER..samples.len() {
        let Some(window) = samples.get_mut(at - ORDER..=at) else { break };
        let mut sum = 0_i32;
        for k in 1..ORDER {
            sum = sum.wrapping_add(coefficients[k].wrapping_mul(window[ORDER - 1 - k]));
        }
        sum = sum.wrapping_add(coefficients[0].wrapping_mul(last));
        last = window[ORDER].wrapping_add(sum >> shift);
        window[ORDER] = last;
    }
}

fn restore_narrow(coefficients: &[i32], shift: u32, samples: &mut [i32]) {
    macro_rules! of_order {
        ($($order:literal)*) => {
            match coefficients.len() {
                $($order => if let Some(coefficients) = coefficients.first_chunk::<$order>() {
                    restore(*coefficients, shift, samples);
                },)*
                _ => restore_wide(coefficients, shift, samples),
            }
        };
    }
    of_order!(1 2 3 4 5 6 7 8 9 10 11 12);
}

fn restore_wide(coefficients: &[i32], shift: u32, samples: &mut [i32]) {
    let order = coefficients.len();
    for at in order..samples.len() {
        let Some((past, rest)) = samples.split_at_mut_checked(at) else { break };
        let newest_first = past.iter().rev();
        let sum = coefficients.iter().zip(newest_first).fold(0_i64, |sum, (&c, &s)| sum + i64::from(c) * i64::from(s));
        if let Some(sample) = rest.first_mut() {
            *sample = sample.wrapping_add((sum >> shift) as i32);
        }
    }
}

/// The differences between prediction and signal, in partitions with a Rice parameter each.
fn residual(bits: &mut Bits, order: usize, samples: &mut [i32]) -> Result<(), Fault> {
    let parameter_width = match bits.unsigned(2)? {
        0 => 4,
        1 => 5,
        _ => return Err(Fault::Broken("residuals are of a reserved coding")),
    };
    let partitions = 1_usize << bits.unsigned(4)?;
    let length = samples.len() / partitions;
    if length * partitions != samples.len() || length < order {
        return Err(Fault::Broken("residuals are in partitions that do not fit the frame"));
    }
    let escape = (1 << parameter_width) - 1;
    let mut from = order;
    for partition in 1..=partitions {
        let to = partition * length;
        let Some(values) = samples.get_mut(from..to) else { return Err(Fault::Broken("a partition is out of place")) };
        let parameter = bits.unsigned(parameter_width)?;
        if parameter < escape {
            bits.rice(parameter, values)?;
        } else {
            let width = bits.unsigned(5)?;
            for value in values {
                *value = if width == 0 { 0 } else { bits.signed(width)? };
            }
        }
        from = to;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn narrow_and_wide_prediction_agree() {
        let coefficients: [i32; 12] = [300, -200, 100, -50, 25, -12, 6, -3, 2, -1, 5, 7];
        for order in 1..=12 {
            let residuals: Vec<i32> = (0..200).map(|i| (i * 7919) % 101 - 50).collect();
            let (mut narrow, mut wide) = (residuals.clone(), residuals);
            restore_narrow(&coefficients[..order], 10, &mut narrow);
            restore_wide(&coefficients[..order], 10, &mut wide);
            assert_eq!(narrow, wide, "order {order}");
        }
    }
}

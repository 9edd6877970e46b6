//! How channels go together: matrices of correlation, real beside synthetic.

use physiosynth_evaluation::clinical::connectivity::{Pairs, mean_absolute_difference};
use plotters::style::RGBColor;

use crate::canvas::{Align, Area, Canvas, Type};
use crate::context::Context;
use crate::figures::eeg::sample::{Both, Sample, classes};
use crate::figures::{Drawing, Figure, SIZE, sheet};
use crate::palette::{FAINT, FRAME, INK, REAL, SYNTHETIC, WHITE};

/// Classes drawn at most.
const CLASSES: usize = 5;
/// Pixels across a matrix.
const SIDE: i32 = 420;

pub(crate) const FIGURE: Figure = Figure {
    name: "channel_correlation",
    title: "Correlation of the channels",
    caption: |_| {
        "Pearson's correlation of each pair of channels, the mean over up to 200 epochs of a class: real on the left, synthetic in the middle, \
         synthetic minus real on the right. Blue is positive, orange negative, white none; the scale runs from −1 to 1 on all three. A right \
         side that is white throughout means that channels go together as they should."
            .into()
    },
    draw,
};

fn draw(context: &Context<'_>) -> Drawing {
    let names = &context.report.real.channel_names;
    if names.len() < 2 {
        return Drawing::Nothing("there is one channel only");
    }
    let classes = classes(context);
    let rows: Vec<&Both> = classes.iter().filter(|c| c.real.is_some() || c.synthetic.is_some()).take(CLASSES).collect();
    if rows.is_empty() {
        return Drawing::Nothing("there are no segments");
    }
    let height = SIDE + 76;
    let (mut canvas, area) = sheet(110 + rows.len() as i32 * height, "Correlation of the channels: real, synthetic, difference");
    for (row, class) in rows.iter().enumerate() {
        let [real, synthetic] = class.sides().map(|(_, sample)| sample.as_ref().map(Sample::correlations));
        let difference = real.as_ref().zip(synthetic.as_ref()).map(|(r, s)| minus(s, r));
        let error = real.as_ref().zip(synthetic.as_ref()).and_then(|(r, s)| mean_absolute_difference(r, s));
        let third = error.map_or_else(|| "difference".to_string(), |e| format!("difference, {e:.2} in absolute mean"));
        let parts = [
            (format!("{} real", class.label), real, REAL),
            (format!("{} synthetic", class.label), synthetic, SYNTHETIC),
            (third, difference, INK),
        ];
        for (column, (title, pairs, colour)) in parts.into_iter().enumerate() {
            let corner = (area.left + column as i32 * (SIDE + 90), area.top + row as i32 * height);
            one(&mut canvas, corner, names, (&title, colour), pairs.as_ref());
        }
    }
    Drawing::Picture(canvas)
}

fn minus(a: &Pairs, b: &Pairs) -> Pairs {
    a.iter().zip(b).map(|(a, b)| Some((*a)? - (*b)?)).collect()
}

/// One matrix with its title and the names of its channels.
fn one(canvas: &mut Canvas, corner: (i32, i32), names: &[String], (title, colour): (&str, RGBColor), pairs: Option<&Pairs>) {
    let n = names.len();
    let matrix = Area::new(corner.0 + 50, corner.1 + 34, corner.0 + 50 + SIDE, corner.1 + 34 + SIDE);
    let kind = Type::bold(SIZE, colour);
    let title = crate::font::fit(title, kind.size, kind.weight, (SIDE + 30) as f32);
    canvas.text(&title, (matrix.left as f32, corner.1 as f32 + 14.0), Align::Left, kind);
    let edge = |i: usize| (i as i32) * SIDE / n as i32;
    let small = Type::regular((SIDE as f32 / n as f32 * 0.8).clamp(9.0, SIZE * 0.85), FAINT);
    // Where there are many channels every second or third is named.
    let named = n.div_ceil(40);
    for (i, name) in names.iter().enumerate().take(n) {
        for j in 0..n {
            let value = if i == j { None } else { pairs.and_then(|p| p.get(place(i.min(j), i.max(j), n)).copied().flatten()) };
            let cell =
                Area::new(matrix.left + edge(j), matrix.top + edge(i), matrix.left + edge(j + 1), matrix.top + edge(i + 1));
            canvas.fill(cell, value.map_or(WHITE, shade));
        }
        if i % named == 0 {
            let y = (matrix.top + i32::midpoint(edge(i), edge(i + 1))) as f32;
            canvas.text(name, (matrix.left as f32 - 6.0, y), Align::Right, small);
        }
    }
    canvas.outline(Area::new(matrix.left - 1, matrix.top - 1, matrix.right + 1, matrix.bottom + 1), 1, FRAME);
    if pairs.is_none() {
        let at = (i32::midpoint(matrix.left, matrix.right) as f32, i32::midpoint(matrix.top, matrix.bottom) as f32);
        canvas.text("no segments", at, Align::Centre, Type::regular(SIZE, FAINT));
    }
}

/// Where the pair `i < j` of `n` channels stands among the pairs.
fn place(i: usize, j: usize, n: usize) -> usize {
    i * (2 * n - i - 1) / 2 + j - i - 1
}

/// Blue for 1, white for 0, orange for −1.
fn shade(value: f64) -> RGBColor {
    let towards = if value < 0.0 { SYNTHETIC } else { REAL };
    let share = value.abs().min(1.0);
    let mix = |from: u8, to: u8| (f64::from(from) + share * (f64::from(to) - f64::from(from))).round() as u8;
    RGBColor(mix(WHITE.0, towards.0), mix(WHITE.1, towards.1), mix(WHITE.2, towards.2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_stand_row_by_row_of_the_upper_triangle() {
        let order: Vec<usize> = (0..4).flat_map(|i| (i + 1..4).map(move |j| place(i, j, 4))).collect();
        assert_eq!(order, [0, 1, 2, 3, 4, 5]);
    }

    #[test]
    fn shades_run_from_orange_over_white_to_blue() {
        assert_eq!((shade(-1.0), shade(0.0), shade(1.0), shade(5.0)), (SYNTHETIC, WHITE, REAL, REAL));
    }
}

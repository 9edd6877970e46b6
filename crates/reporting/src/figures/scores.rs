//! Where each measure stands between a perfect sampler and the worst simple generator: a figure per family.

use physiosynth_evaluation::{Better, Family, Measure};

use crate::canvas::{Align, Area, Canvas, Pen, Type};
use crate::context::Context;
use crate::figures::{Drawing, Figure, SIZE, sheet};
use crate::font::fit;
use crate::page::measures::lead;
use crate::palette::{FAINT, FRAME, GRID, HELD_OUT, INK, RAW, REFERENCE, SYNTHETIC};
use crate::panel::{Sign, legend, ring};
use crate::ticks::significant;
use crate::words::{measure_in_words, set_in_words};

/// Rows drawn at most; the table holds all.
const ROWS: usize = 60;
/// Pixels per row.
const ROW: i32 = 31;
/// Pixels left of the plot, for names, and right of it, for numbers.
const NAMES: i32 = 645;
const NUMBERS: i32 = 310;
/// What the plot spans, in shares of the way from `same` to the worst.
const SPAN: (f64, f64) = (-0.5, 1.25);

pub(super) const FIDELITY: Figure =
    Figure { name: "fidelity", title: "Measures of fidelity", caption, draw: |context| draw(context, Family::Fidelity) };
pub(super) const DIVERSITY: Figure =
    Figure { name: "diversity", title: "Measures of diversity", caption, draw: |context| draw(context, Family::Diversity) };
pub(super) const UTILITY: Figure =
    Figure { name: "utility", title: "Measures of utility", caption, draw: |context| draw(context, Family::Utility) };
pub(super) const PRIVACY: Figure =
    Figure { name: "privacy", title: "Measures of privacy", caption, draw: |context| draw(context, Family::Privacy) };
pub(super) const CLINICAL: Figure =
    Figure { name: "clinical", title: "Clinical measures", caption, draw: |context| draw(context, Family::Clinical) };

fn caption(_: &Context<'_>) -> String {
    "A line per measure, all on one scale: the left rule is `same`, real against real (what a perfect sampler gets), the right rule the \
     worst of the simple generators. The orange dot is the synthetic set (its bar the 95% interval, its small ticks the single classes), the \
     light blue ring held-out subjects, letters the simple generators. An orange dot near the left rule, and left of the letters P and S, is \
     what to look for; left of the rule, towards C, may be copying. Numbers on the right are in the measure's own unit."
        .into()
}

/// Simple generators with the letters that stand for them.
const LETTERS: [(&str, &str); 7] = [
    ("training_copy", "C"),
    ("jittered_copy", "J"),
    ("mean_plus_noise", "N"),
    ("pca_gaussian", "P"),
    ("mcsharry", "S"),
    ("vector_autoregressive", "A"),
    ("other_segments_of_training_subjects", "O"),
];

/// A measure with what puts it on the common scale.
struct Row<'a> {
    name: String,
    lead: &'a Measure,
    classes: Vec<&'a Measure>,
    scale: Scale,
}

/// Whether a measure stands in the table alone: p-values are no scores, and a class's F1 says what its two parts say.
fn in_table_alone(name: &str) -> bool {
    name.ends_with("_p") || ["_sensitivity_", "_predictivity_", "_without_largest_"].iter().any(|part| name.contains(part))
}

/// Differences smaller than this share of `same` are not blown up to the width of the plot.
const LEAST: f64 = 0.01;

/// The common scale of one measure of one class.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Scale {
    same: f64,
    /// From `same` to the worst: negative where worse is lower.
    way: f64,
}

impl Scale {
    /// None where there is no `same`, or nothing that differs from it.
    fn of(m: &Measure) -> Option<Self> {
        let same = m.same.filter(|v| v.is_finite())?;
        let others = || m.baselines.values().copied().chain(m.held_out).filter(|v| v.is_finite()).map(move |v| v - same);
        let farthest = |a: f64, b: f64| if b.abs() > a.abs() { b } else { a };
        let worse = match m.better {
            Better::Higher => others().fold(0.0, f64::min),
            Better::Lower => others().fold(0.0, f64::max),
            // Copies are as far on the other side as can be: worst is what errs on the side of the generators.
            Better::NearSame => m
                .baselines
                .iter()
                .filter(|(name, v)| *name != "training_copy" && v.is_finite())
                .map(|(_, v)| v - same)
                .fold(0.0, farthest),
        };
        // Beside nothing, any scale would be made up.
        others().next()?;
        let way = [worse, others().fold(0.0, farthest), m.value.map_or(0.0, |v| v - same)]
            .into_iter()
            .find(|way| way.abs() > 1e-12 * same.abs().max(1e-300))?;
        let way = way.signum() * way.abs().max(LEAST * same.abs());
        way.is_finite().then_some(Self { same, way })
    }

    fn share(self, value: f64) -> Option<f64> {
        Some((value - self.same) / self.way).filter(|x| x.is_finite())
    }
}

fn draw(context: &Context<'_>, family: Family) -> Drawing {
    let measures: Vec<&Measure> =
        context.report.scores.measures.iter().filter(|m| m.family == family && !in_table_alone(&m.name)).collect();
    let all = rows(&measures);
    if all.is_empty() {
        return Drawing::Nothing("no measure of this kind stands beside a reference");
    }
    let shown = &all[..all.len().min(ROWS)];
    let (mut canvas, area) = sheet(224 + shown.len() as i32 * ROW, title(family));
    let letters: Vec<(&str, &str)> =
        LETTERS.into_iter().filter(|(b, _)| shown.iter().any(|row| row.lead.baselines.contains_key(*b))).collect();
    key(&mut canvas, area, &letters);
    let plot = Area::new(area.left + NAMES, area.top + 122, area.right - NUMBERS, area.top + 122 + shown.len() as i32 * ROW);
    ground(&mut canvas, plot, shown.len());
    for (k, row) in shown.iter().enumerate() {
        let y = (plot.top + k as i32 * ROW) as f32 + ROW as f32 / 2.0;
        words(&mut canvas, (area, plot), row, y);
        marks(&mut canvas, plot, row, y);
    }
    if all.len() > shown.len() {
        let text = format!("{} more in the table", all.len() - shown.len());
        canvas.text(&text, (area.left as f32, plot.bottom as f32 + 20.0), Align::Left, Type::regular(SIZE * 0.9, FAINT));
    }
    Drawing::Picture(canvas)
}

fn title(family: Family) -> &'static str {
    match family {
        Family::Fidelity => "Fidelity: does a synthetic segment look like a real one?",
        Family::Diversity => "Diversity: is all there that real segments hold?",
        Family::Utility => "Utility: does it serve in place of real data?",
        Family::Privacy => "Privacy: does it keep its training subjects' secrets?",
        Family::Clinical => "Clinical: does it make medical sense?",
    }
}

/// A row per measure by its value for `all`, or per class where there is none.
fn rows<'a>(measures: &[&'a Measure]) -> Vec<Row<'a>> {
    let mut names: Vec<&str> = Vec::new();
    for m in measures {
        if !names.contains(&m.name.as_str()) {
            names.push(&m.name);
        }
    }
    let mut rows = Vec::new();
    for name in names {
        let of_name: Vec<&Measure> = measures.iter().filter(|m| m.name == name).copied().collect();
        let (lead, classes) = lead(&of_name);
        let words = measure_in_words(name);
        if lead.is_some_and(|m| m.class == "all") {
            rows.extend(lead.and_then(|lead| Some(Row { name: words, lead, classes, scale: scaled(lead)? })));
        } else {
            rows.extend(lead.into_iter().chain(classes).filter_map(|m| {
                Some(Row { name: format!("{}: {words}", m.class), lead: m, classes: Vec::new(), scale: scaled(m)? })
            }));
        }
    }
    rows
}

fn scaled(m: &Measure) -> Option<Scale> {
    m.value.filter(|v| v.is_finite())?;
    Scale::of(m)
}

fn key(canvas: &mut Canvas, area: Area, letters: &[(&str, &str)]) {
    let entries = [("synthetic, 95% interval", Sign::Dot(15.0, SYNTHETIC)), ("held-out subjects", Sign::Ring(15.0, HELD_OUT))];
    let y = area.top as f32 + 8.0;
    let x = legend(canvas, (area.left as f32, y), SIZE * 0.95, &entries);
    canvas.stroke(&[(x, y - 8.0), (x, y + 8.0)], Pen::new(2.5, SYNTHETIC), area);
    let kind = Type::regular(SIZE * 0.95, INK);
    canvas.text("its classes", (x + 12.0, y), Align::Left, kind);
    let mut x = area.left as f32;
    let y = y + 32.0;
    for (baseline, letter) in letters {
        let name = set_in_words(baseline);
        let bold = Type::bold(SIZE * 0.95, RAW);
        canvas.text(letter, (x, y), Align::Left, bold);
        canvas.text(&name, (x + 22.0, y), Align::Left, kind);
        x += 22.0 + kind.width(&name) + 26.0;
    }
}

/// Position across of a share of the way.
fn at(plot: Area, share: f64) -> f32 {
    let part = (share.clamp(SPAN.0, SPAN.1) - SPAN.0) / (SPAN.1 - SPAN.0);
    plot.left as f32 + part as f32 * plot.width() as f32
}

fn ground(canvas: &mut Canvas, plot: Area, rows: usize) {
    for k in 0..rows {
        let top = plot.top + k as i32 * ROW;
        canvas.fill(Area::new(plot.left, top + ROW / 2, plot.right, top + ROW / 2 + 1), GRID);
    }
    let small = Type::regular(SIZE * 0.85, FAINT);
    for (share, name) in [(0.0, "same"), (1.0, "worst")] {
        let x = at(plot, share);
        canvas
            .fill(Area::new(x as i32 - 1, plot.top - 6, x as i32 + 2, plot.bottom), if share == 0.0 { FRAME } else { REFERENCE });
        canvas.text(name, (x, plot.top as f32 - 20.0), Align::Centre, small);
    }
    let numbers = plot.right as f32 + NUMBERS as f32;
    canvas.text("synthetic", (numbers - 190.0, plot.top as f32 - 20.0), Align::Right, small);
    canvas.text("same", (numbers - 88.0, plot.top as f32 - 20.0), Align::Right, small);
    canvas.text("unit", (numbers - 74.0, plot.top as f32 - 20.0), Align::Left, small);
    canvas.outline(plot, 1, FRAME);
}

/// The measure's name on the left, its numbers on the right.
fn words(canvas: &mut Canvas, (area, plot): (Area, Area), row: &Row<'_>, y: f32) {
    let name = Type::regular(SIZE * 0.95, INK);
    let aim = match row.lead.better {
        Better::Higher => Some(1.0),
        Better::Lower => Some(-1.0),
        Better::NearSame => None,
    };
    let room = NAMES as f32 - 40.0;
    canvas.text(&fit(&row.name, name.size, name.weight, room), (plot.left as f32 - 38.0, y), Align::Right, name);
    direction(canvas, (plot.left as f32 - 19.0, y), aim);
    let right = area.right as f32;
    canvas.text(
        &row.lead.value.map_or_else(String::new, significant),
        (right - 190.0, y),
        Align::Right,
        Type::bold(SIZE * 0.95, INK),
    );
    canvas.text(
        &row.lead.same.map_or_else(String::new, significant),
        (right - 88.0, y),
        Align::Right,
        Type::regular(SIZE * 0.95, FAINT),
    );
    let unit = fit(&row.lead.unit, SIZE * 0.95, crate::font::Weight::Regular, 74.0);
    canvas.text(&unit, (right - 74.0, y), Align::Left, Type::regular(SIZE * 0.95, FAINT));
}

/// An arrow up or down, or two waves: which values are good. The font has no arrows.
fn direction(canvas: &mut Canvas, (x, y): (f32, f32), aim: Option<f32>) {
    let (all, pen) = (canvas.area(), Pen::new(2.2, FAINT));
    match aim {
        Some(up) => {
            canvas.stroke(&[(x, y + 8.0), (x, y - 8.0)], pen, all);
            let tip = y - 8.0 * up;
            canvas.stroke(&[(x - 5.0, tip + 6.0 * up), (x, tip), (x + 5.0, tip + 6.0 * up)], pen, all);
        }
        None => canvas.text("≈", (x, y), Align::Centre, Type::bold(SIZE, FAINT)),
    }
}

fn marks(canvas: &mut Canvas, plot: Area, row: &Row<'_>, y: f32) {
    let (m, scale) = (row.lead, row.scale);
    let share = |v: Option<f64>| v.filter(|v| v.is_finite()).and_then(|v| scale.share(v));
    if let (Some(low), Some(high)) = (share(m.low), share(m.high)) {
        canvas.stroke(&[(at(plot, low), y), (at(plot, high), y)], Pen::faded(7.0, SYNTHETIC, 0.4), plot);
    }
    for (baseline, value) in &m.baselines {
        let letter = LETTERS.iter().find(|(name, _)| name == baseline).map(|(_, letter)| *letter);
        if let (Some(letter), Some(x)) = (letter, share(Some(*value))) {
            haloed(canvas, (at(plot, x), y), letter);
        }
    }
    if let Some(x) = share(m.held_out) {
        ring(canvas, (at(plot, x), y), 15.0, HELD_OUT);
    }
    let several = row.classes.len() > 1;
    for class in row.classes.iter().filter(|_| several) {
        let x = class.value.filter(|v| v.is_finite()).and_then(|v| Scale::of(class)?.share(v));
        if let Some(x) = x {
            canvas.stroke(&[(at(plot, x), y - 10.0), (at(plot, x), y + 10.0)], Pen::faded(2.5, SYNTHETIC, 0.8), plot.inset(-2));
        }
    }
    if let Some(x) = share(m.value) {
        let (centre, all) = ((at(plot, x), y), canvas.area());
        canvas.disc(centre, 17.0, crate::palette::WHITE);
        canvas.disc(centre, 14.0, SYNTHETIC);
        // Beyond the plot: an arrowhead says that the value lies farther out.
        let out = if x > SPAN.1 { 1.0 } else { -1.0 };
        if !(SPAN.0..=SPAN.1).contains(&x) {
            let tip = centre.0 + 16.0 * out;
            canvas.stroke(&[(tip - 6.0 * out, y - 7.0), (tip, y), (tip - 6.0 * out, y + 7.0)], Pen::new(3.0, SYNTHETIC), all);
        }
    }
}

/// A letter that stands out from what lies below it.
fn haloed(canvas: &mut Canvas, (x, y): (f32, f32), letter: &str) {
    let kind = Type::bold(SIZE * 0.85, crate::palette::WHITE);
    for (dx, dy) in [(-2.0, 0.0), (2.0, 0.0), (0.0, -2.0), (0.0, 2.0)] {
        canvas.text(letter, (x + dx, y + dy), Align::Centre, kind);
    }
    canvas.text(letter, (x, y), Align::Centre, Type { colour: RAW, ..kind });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figures::tests::measure;

    #[test]
    fn the_scale_goes_from_same_to_the_worst() {
        let mut m = measure("recall", "all");
        m.same = Some(0.9);
        m.held_out = Some(0.8);
        m.baselines = [("training_copy".to_string(), 1.0), ("mcsharry".to_string(), 0.4)].into();
        m.better = Better::Higher;
        let scale = Scale::of(&m).unwrap();
        assert!((scale.share(0.65).unwrap() - 0.5).abs() < 1e-12);
        assert!(scale.share(1.0).unwrap() < 0.0, "copies lie on the other side");
        m.better = Better::Lower;
        assert!((Scale::of(&m).unwrap().share(1.0).unwrap() - 1.0).abs() < 1e-12);
        m.better = Better::NearSame;
        assert!((Scale::of(&m).unwrap().share(0.4).unwrap() - 1.0).abs() < 1e-12);
    }

    #[test]
    fn what_has_no_reference_or_no_width_has_no_scale() {
        let mut m = measure("recall", "all");
        m.same = None;
        assert_eq!(Scale::of(&m), None);
        m.same = Some(0.0);
        m.held_out = Some(0.0);
        m.value = Some(0.0);
        m.baselines = [("mcsharry".to_string(), f64::NAN)].into();
        assert_eq!(Scale::of(&m), None);
        m.value = Some(0.3);
        assert_eq!(Scale::of(&m).unwrap().share(0.3), Some(1.0), "alone away from all others");
        m.held_out = None;
        assert_eq!(Scale::of(&m), None);
    }
}

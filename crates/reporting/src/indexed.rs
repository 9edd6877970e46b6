//! A picture in at most 256 colours: a third of the bytes, which the page carries all over again in base64.

use std::collections::BTreeMap;

/// Most colours of an indexed PNG.
const COLOURS: usize = 256;

/// The picture's colours, and for each pixel which one it has.
pub(crate) struct Indexed {
    /// `R G B` of each colour.
    pub palette: Vec<u8>,
    /// One per pixel.
    pub pixels: Vec<u8>,
}

type Colour = [u8; 3];

/// Of `R G B` pixels. A picture of few colours stays as it is; of one with more, colours are taken one after another, each the one that
/// is worst off (its pixels times its squared distance from the nearest taken so far), and the others become the nearest of those.
pub(crate) fn indexed(rgb: &[u8]) -> Indexed {
    let (pixels, _) = rgb.as_chunks::<3>();
    let mut counts: BTreeMap<Colour, u64> = BTreeMap::new();
    // Most pixels are as the one before: the map is asked once a run.
    for run in pixels.chunk_by(|a, b| a == b) {
        *counts.entry(run[0]).or_default() += run.len() as u64;
    }
    let colours: Vec<(Colour, u64)> = counts.into_iter().collect();
    // How far each colour is from the nearest one taken, and which that is.
    let mut nearest: Vec<(u64, u8)> = vec![(u64::from(u32::MAX), 0); colours.len()];
    let mut taken: Vec<Colour> = Vec::new();
    while taken.len() < COLOURS {
        let cost = |k: usize| colours[k].1.saturating_mul(nearest[k].0);
        let worst = (0..colours.len()).reduce(|best, k| if cost(k) > cost(best) { k } else { best });
        let Some(worst) = worst.filter(|&k| nearest[k].0 > 0) else { break };
        let (new, index) = (colours[worst].0, taken.len() as u8);
        taken.push(new);
        for (found, (colour, _)) in nearest.iter_mut().zip(&colours) {
            let distance = squared_distance(*colour, new);
            if distance < found.0 {
                *found = (distance, index);
            }
        }
    }
    let index_of: BTreeMap<Colour, u8> =
        colours.iter().zip(&nearest).map(|((colour, _), (_, index))| (*colour, *index)).collect();
    // Neighbours are mostly of one colour: the last answer is asked first.
    let mut last = ([0; 3], index_of.get(&[0; 3]).copied().unwrap_or(0));
    let pixels = pixels
        .iter()
        .map(|&colour| {
            if colour != last.0 {
                last = (colour, index_of.get(&colour).copied().unwrap_or(0));
            }
            last.1
        })
        .collect();
    Indexed { palette: taken.concat(), pixels }
}

fn squared_distance(a: Colour, b: Colour) -> u64 {
    a.iter().zip(b).map(|(&x, y)| u64::from(x.abs_diff(y)).pow(2)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn back(indexed: &Indexed) -> Vec<u8> {
        indexed.pixels.iter().flat_map(|&i| indexed.palette[usize::from(i) * 3..][..3].to_vec()).collect()
    }

    #[test]
    fn few_colours_stay_as_they_are() {
        let rgb: Vec<u8> = (0..=255).flat_map(|k| [k, 255 - k, 7]).chain([0, 0, 0, 255, 255, 7]).take(255 * 3).collect();
        let found = indexed(&rgb);
        assert_eq!(back(&found), rgb);
        assert_eq!(found.palette.len(), 255 * 3);
        assert!(indexed(&[]).pixels.is_empty());
    }

    #[test]
    fn many_colours_change_little() {
        // 4,096 shades, one of which fills most of the picture.
        let mut rgb: Vec<u8> =
            (0..4096_u32).flat_map(|k| [(k % 16 * 17) as u8, (k / 16 % 16 * 17) as u8, (k / 256 * 17) as u8]).collect();
        rgb.extend([3_u8, 114, 178].repeat(50_000));
        let found = indexed(&rgb);
        assert_eq!(found.palette.len(), COLOURS * 3);
        let shown = back(&found);
        assert_eq!(shown[shown.len() - 3..], [3, 114, 178]);
        let farthest =
            rgb.chunks(3).zip(shown.chunks(3)).map(|(a, b)| squared_distance([a[0], a[1], a[2]], [b[0], b[1], b[2]])).max();
        assert!(farthest.is_some_and(|d| d < 50 * 50), "{farthest:?}");
    }
}

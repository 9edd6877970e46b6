//! Eigenvalues and eigenvectors of a real symmetric matrix, by Householder's reduction to tridiagonal form and implicit QL steps
//! (`tred2` and `tql2` of EISPACK, after Bowdler, Martin, Reinsch & Wilkinson 1968).

/// Eigenvalues in descending order, with their vectors.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Symmetric {
    pub values: Vec<f64>,
    /// One unit vector for each value.
    pub vectors: Vec<Vec<f64>>,
}

/// Of the `n × n` matrix `a`, row-major; only its lower triangle is read. None where it holds what is no number.
pub(crate) fn symmetric(a: &[f64], n: usize) -> Option<Symmetric> {
    if a.len() != n * n || a.iter().any(|x| !x.is_finite()) {
        return None;
    }
    // Columns of the reduction, as rows: what is updated lies side by side.
    let mut matrix: Vec<Vec<f64>> = a.chunks_exact(n.max(1)).map(<[f64]>::to_vec).collect();
    let (mut diagonal, mut beside, basis) = tridiagonal(&mut matrix);
    let mut vectors = basis;
    ql(&mut diagonal, &mut beside, &mut vectors)?;
    let mut order: Vec<usize> = (0..n).collect();
    order.sort_by(|&i, &j| diagonal[j].total_cmp(&diagonal[i]));
    Some(Symmetric {
        values: order.iter().map(|&i| diagonal[i]).collect(),
        vectors: order.iter().map(|&i| std::mem::take(&mut vectors[i])).collect(),
    })
}

/// Reduces a symmetric matrix by reflections `I − vvᵀ·2/|v|²`; returns the diagonal, what is beside it (entry `i` between `i` and
/// `i + 1`), and the product of the reflections: row `i` is the basis vector of the tridiagonal form's coordinate `i`.
fn tridiagonal(a: &mut [Vec<f64>]) -> (Vec<f64>, Vec<f64>, Vec<Vec<f64>>) {
    let n = a.len();
    let mut basis: Vec<Vec<f64>> = (0..n).map(|i| (0..n).map(|j| if i == j { 1.0 } else { 0.0 }).collect()).collect();
    // The whole matrix from its lower triangle.
    for i in 0..n {
        let (above, own) = a.split_at_mut(i);
        for (row, x) in above.iter_mut().zip(own.first().into_iter().flatten()) {
            row[i] = *x;
        }
    }
    let largest = a.iter().flatten().map(|x| x.abs()).fold(0.0, f64::max);
    for k in 0..n.saturating_sub(2) {
        let mut v: Vec<f64> = a[k].clone();
        v[..=k].fill(0.0);
        let norm = v.iter().map(|x| x * x).sum::<f64>().sqrt();
        let rest = v[k + 2..].iter().map(|x| x.abs()).fold(0.0, f64::max);
        // Far below rounding, and its square would underflow.
        if rest <= f64::EPSILON * f64::EPSILON * largest {
            continue;
        }
        v[k + 1] += if v[k + 1] < 0.0 { -norm } else { norm };
        let scale = 2.0 / v.iter().map(|x| x * x).sum::<f64>();
        // A ← A − v wᵀ − w vᵀ with w = p − (scale/2)(pᵀv) v and p = scale·A v.
        let mut w: Vec<f64> = a.iter().map(|row| scale * dot(&row[k + 1..], &v[k + 1..])).collect();
        let half = 0.5 * scale * dot(&w[k + 1..], &v[k + 1..]);
        for (w, v) in w.iter_mut().zip(&v) {
            *w -= half * v;
        }
        for (i, row) in a.iter_mut().enumerate().skip(k) {
            let (vi, wi) = (v[i], w[i]);
            for ((x, v), w) in row[k..].iter_mut().zip(&v[k..]).zip(&w[k..]) {
                *x -= vi * w + wi * v;
            }
        }
        // The basis' columns are reflected: B ← H B with rows as coordinates.
        let mut projection = vec![0.0; n];
        for (row, &vi) in basis.iter().zip(&v).skip(k + 1) {
            for (p, x) in projection.iter_mut().zip(row) {
                *p += vi * x;
            }
        }
        for (row, &vi) in basis.iter_mut().zip(&v).skip(k + 1) {
            for (x, p) in row.iter_mut().zip(&projection) {
                *x -= scale * vi * p;
            }
        }
    }
    let diagonal = (0..n).map(|i| a[i][i]).collect();
    let beside = (0..n).map(|i| if i + 1 < n { a[i + 1][i] } else { 0.0 }).collect();
    (diagonal, beside, basis)
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    let mut sums = [0.0; 4];
    let ((x, x_rest), (y, y_rest)) = (a.as_chunks::<4>(), b.as_chunks::<4>());
    for (x, y) in x.iter().zip(y) {
        for ((sum, x), y) in sums.iter_mut().zip(x).zip(y) {
            *sum += x * y;
        }
    }
    (sums[0] + sums[2]) + (sums[1] + sums[3]) + x_rest.iter().zip(y_rest).map(|(x, y)| x * y).sum::<f64>()
}

/// Steps of the QL iteration for one eigenvalue; three are usual.
const STEPS: usize = 60;

/// Diagonalises a tridiagonal matrix by implicitly shifted QL steps, and turns `vectors` (rows) with it.
fn ql(d: &mut [f64], e: &mut [f64], vectors: &mut [Vec<f64>]) -> Option<()> {
    let n = d.len();
    // What is nothing beside the largest entries is nothing: of a matrix without full rank, rounding alone is left elsewhere.
    let scale = d.iter().zip(e.iter()).map(|(d, e)| d.abs() + e.abs()).fold(0.0, f64::max);
    for l in 0..n {
        for step in 0.. {
            // The first place from l on where the matrix falls apart.
            let m = (l..n.saturating_sub(1)).find(|&m| e[m].abs() <= f64::EPSILON * scale).unwrap_or(n - 1);
            if m == l {
                break;
            }
            if step == STEPS {
                return None;
            }
            let mut g = (d[l + 1] - d[l]) / (2.0 * e[l]);
            let mut r = g.hypot(1.0);
            g = d[m] - d[l] + e[l] / (g + r.copysign(g));
            let (mut s, mut c, mut p) = (1.0, 1.0, 0.0);
            let mut split = false;
            for i in (l..m).rev() {
                let (f, b) = (s * e[i], c * e[i]);
                r = f.hypot(g);
                e[i + 1] = r;
                if r == 0.0 {
                    d[i + 1] -= p;
                    e[m] = 0.0;
                    split = true;
                    break;
                }
                (s, c) = (f / r, g / r);
                g = d[i + 1] - p;
                r = (d[i] - g) * s + 2.0 * c * b;
                p = s * r;
                d[i + 1] = g + p;
                g = c * r - b;
                rotate(vectors, i, s, c);
            }
            if split {
                continue;
            }
            d[l] -= p;
            e[l] = g;
            e[m] = 0.0;
        }
    }
    Some(())
}

fn rotate(vectors: &mut [Vec<f64>], i: usize, s: f64, c: f64) {
    let (head, tail) = vectors.split_at_mut(i + 1);
    if let (Some(x), Some(y)) = (head.last_mut(), tail.first_mut()) {
        for (x, y) in x.iter_mut().zip(y) {
            (*x, *y) = (c * *x - s * *y, s * *x + c * *y);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_matrices_apart_and_puts_them_together() {
        for n in [1, 2, 3, 10, 61] {
            let value = |i: usize, j: usize| ((i * 7 + j * 7 + i * j * 3) % 13) as f64 - 6.0 + if i == j { 5.0 } else { 0.0 };
            let a: Vec<f64> = (0..n * n).map(|at| value(at / n, at % n)).collect();
            let found = symmetric(&a, n).unwrap();
            assert!(found.values.windows(2).all(|w| w[0] >= w[1]));
            for i in 0..n {
                for j in 0..n {
                    let again: f64 = (0..n).map(|k| found.values[k] * found.vectors[k][i] * found.vectors[k][j]).sum();
                    assert!((again - a[i * n + j]).abs() < 1e-10, "{n}: {i} {j}: {again} {}", a[i * n + j]);
                    let product = dot(&found.vectors[i], &found.vectors[j]);
                    assert!((product - f64::from(u8::from(i == j))).abs() < 1e-12);
                }
            }
        }
    }

    #[test]
    fn known_and_degenerate() {
        assert_eq!(symmetric(&[2.0, 0.0, 0.0, 3.0], 2).unwrap().values, [3.0, 2.0]);
        assert_eq!(symmetric(&[0.0; 9], 3).unwrap().values, [0.0; 3]);
        let ones = symmetric(&[1.0; 16], 4).unwrap();
        assert!((ones.values[0] - 4.0).abs() < 1e-12 && ones.values[1].abs() < 1e-12);
        assert_eq!(symmetric(&[f64::NAN], 1), None);
        assert_eq!(symmetric(&[], 0).unwrap().values, [0.0; 0]);
    }
}

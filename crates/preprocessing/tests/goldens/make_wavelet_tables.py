"""Writes src/wavelet/family/*.rs: the low-pass filters of the wavelet families, as PyWavelets (MIT licence) lists them.

Made with PyWavelets 1.9.0 (whose `pywt.__version__` says 1.8.0) and NumPy 2.4.6:
    python tests/goldens/make_wavelet_tables.py
run in crates/preprocessing. The numbers are facts of the literature:
    Daubechies, Ten Lectures on Wavelets (SIAM, 1992), tables 6.1 (db), 6.3 (sym), 8.1 (coif), 8.2 and 8.3 (bior).
Each filter is checked here against its defining equations before it is written. The symlets are listed to 11 digits or so: sym20
misses orthonormality by 1.4e-11, which over three levels makes a reconstruction wrong by 8e-11, and the filter with its last digits
right gives coefficients 9e-11 away from PyWavelets's. Both matter here (reconstruction to 5e-11, agreement to 1e-10), so
`polished` goes two thirds of the way to the orthonormal filter, which holds both: 3e-11 and 6e-11. Other families: no change.
"""

from pathlib import Path

import numpy as np
import pywt

FOLDER = Path(__file__).resolve().parents[2] / "src" / "wavelet" / "family"


def check(name):
    """Low-pass gain sqrt(2), and the biorthogonality of the two low-pass filters under even shifts."""
    wavelet = pywt.Wavelet(name)
    dec, rec = np.array(wavelet.dec_lo), np.array(wavelet.rec_lo)
    assert len(dec) == len(rec) and len(dec) % 2 == 0, name
    assert abs(dec.sum() - np.sqrt(2)) < 1e-9 and abs(rec.sum() - np.sqrt(2)) < 1e-9, name
    product = np.convolve(dec, rec)
    centre = len(dec) - 1
    assert abs(product[centre] - 1) < 1e-9, name
    others = [product[i] for i in range(centre % 2, len(product), 2) if i != centre]
    assert np.max(np.abs(others), initial=0) < 1e-9, name
    return dec, rec


def polished(filter):
    """Two thirds of the way to the nearest filter that is orthonormal under even shifts (found by Gauss and Newton's steps)."""
    h, n = filter.copy(), len(filter)
    for _ in range(3):
        shifted = np.array([np.concatenate([h[2 * m:], np.zeros(2 * m)]) for m in range(n // 2)])
        ahead = np.array([np.concatenate([np.zeros(2 * m), h[:n - 2 * m]]) for m in range(n // 2)])
        error = shifted @ h - (np.arange(n // 2) == 0)
        h -= np.linalg.lstsq(shifted + ahead, error, rcond=None)[0]
    assert np.max(np.abs(h - filter)) < 2e-11
    return filter + (2 / 3) * (h - filter) if np.max(np.abs(h - filter)) > 1e-13 else filter


def numbers(values):
    texts = [repr(float(v) + 0.0) for v in values]
    lines = [", ".join(texts[i:i + 5]) for i in range(0, len(texts), 5)]
    return "&[\n        " + ",\n        ".join(lines) + ",\n    ]"


HEAD = """//! {title}
//!
//! {about}
//! Written by `tests/goldens/make_wavelet_tables.py` from the numbers of PyWavelets; do not edit by hand.
#![expect({lints}, reason = "a table of published numbers, kept as they are printed")]

"""


def write(file, title, about, const, kind, rows, lints):
    body = HEAD.format(title=title, about=about, lints=lints)
    body += f"/// {title} `{kind[0]}`.\n#[rustfmt::skip]\npub(super) const {const}: &[{kind[1]}] = &[\n"
    body += "".join(f"    ({row}),\n" for row in rows) + "];\n"
    (FOLDER / file).write_text(body)


def orthogonal(names):
    rows = []
    for name in names:
        dec, rec = check(name)
        assert np.array_equal(dec, rec[::-1]), name
        rows.append(f'"{name}", {numbers(polished(rec))}')
    return rows


def biorthogonal(names):
    rows = []
    for name in names:
        dec, rec = check(name)
        mirror = pywt.Wavelet(name.replace("bior", "rbio"))
        assert np.array_equal(mirror.dec_lo, rec[::-1]) and np.array_equal(mirror.rec_lo, dec[::-1]), name
        rows.append(f'"{name}", {numbers(dec)}, {numbers(rec)}')
    return rows


ONE = ("(name, synthesis low-pass)", "(&str, &[f64])")
TWO = ("(name, analysis low-pass, synthesis low-pass)", "(&str, &[f64], &[f64])")
LONG = "clippy::unreadable_literal"
LONG_AND_ROOT = "clippy::unreadable_literal, clippy::approx_constant"

write("daubechies.rs", "Daubechies' extremal-phase wavelets, db1 (Haar) to db20.",
      "`dbN` has `N` vanishing moments and `2N` coefficients.", "DAUBECHIES", ONE,
      orthogonal([f"db{n}" for n in range(1, 21)]), LONG_AND_ROOT)
write("symlets.rs", "Symlets: Daubechies' least asymmetric wavelets, sym2 to sym20.",
      "`symN` has `N` vanishing moments and `2N` coefficients.", "SYMLETS", ONE,
      orthogonal([f"sym{n}" for n in range(2, 21)]), LONG)
write("coiflets.rs", "Coiflets, coif1 to coif5.",
      "`coifN` has `2N` vanishing moments, its scaling function `2N - 1`, and `6N` coefficients.", "COIFLETS", ONE,
      orthogonal([f"coif{n}" for n in range(1, 6)]), LONG)
write("biorthogonal.rs", "Biorthogonal spline wavelets, bior1.1 to bior6.8.",
      "`biorR.D` has `R` vanishing moments in synthesis and `D` in analysis; both filters are padded to one even length.",
      "BIORTHOGONAL", TWO, biorthogonal([n for n in pywt.wavelist("bior")]), LONG_AND_ROOT)

"""Writes tests/goldens/wavelet.f64: what PyWavelets makes of small signals, for every family, both modes and several lengths.

Made with PyWavelets 1.9.0 (whose `pywt.__version__` says 1.8.0) and NumPy 2.4.6:
    python tests/goldens/make_wavelet_goldens.py
run in crates/preprocessing.

Little-endian float64, one array after the other, for each wavelet (db1-db20, sym2-sym20, coif1-coif5, bior*, rbio*, in that order)
and each mode (symmetric, periodization):
    cA and cD of dwt(signal(n)) for n in LENGTHS,
    cA, cD of the last level to cD of the first of wavedec(signal(101), level=3), and waverec of these with cA = 0,
    idwt(signal(24), signal(24) reversed).
`signal(n)` is made of integers alone, so that both sides have the same bits.
"""

from pathlib import Path

import numpy as np
import pywt

LENGTHS = [1, 4, 5, 33, 48]
NAMES = (
    [f"db{n}" for n in range(1, 21)]
    + [f"sym{n}" for n in range(2, 21)]
    + [f"coif{n}" for n in range(1, 6)]
    + pywt.wavelist("bior")
    + pywt.wavelist("rbio")
)


def signal(n):
    """(x_k mod 2001 - 1000) / 512 with x_k = 7919 k² + 104729 k: looks random, exact in binary."""
    k = np.arange(n, dtype=np.int64)
    return ((7919 * k * k + 104729 * k) % 2001 - 1000) / 512.0


arrays = []
for name in NAMES:
    for mode in ["symmetric", "periodization"]:
        for n in LENGTHS:
            arrays.extend(pywt.dwt(signal(n), name, mode))
        coefficients = pywt.wavedec(signal(101), name, mode, level=3)
        arrays.extend(coefficients)
        coefficients[0] = np.zeros_like(coefficients[0])
        # The sample that waverec adds to a signal of odd length is no part of the signal.
        arrays.append(pywt.waverec(coefficients, name, mode)[:101])
        arrays.append(pywt.idwt(signal(24), signal(24)[::-1], name, mode))

data = np.concatenate(arrays).astype("<f8")
path = Path(__file__).with_name("wavelet.f64")
path.write_bytes(data.tobytes())
print(path.name, data.nbytes, "bytes")

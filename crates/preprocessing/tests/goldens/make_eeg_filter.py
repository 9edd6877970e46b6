"""Makes eeg_filter.json: what SciPy's zero-phase filters make of a signal that the tests build themselves.

Made with Python 3.11+, numpy and SciPy of the versions written into the file:
    python make_eeg_filter.py > eeg_filter.json
"""

import json
import math

import numpy as np
import scipy
from scipy.signal import butter, iirnotch, sosfiltfilt, tf2sos

FS = 160.0


def lcg(state):
    """The generator that the tests use too: 64-bit linear congruential, upper 24 bits as a value in [0, 1)."""
    while True:
        state = (state * 6364136223846793005 + 1442695040888963407) % 2**64
        yield (state >> 40) / 2**24


def signal(n):
    noise = lcg(7)
    return np.array([math.sin(i * 0.05) + 0.5 * math.sin(i * 0.31) + next(noise) - 0.2 for i in range(n)], dtype=np.float32)


sos = np.vstack(
    [
        tf2sos(*iirnotch(50.0, 30.0, fs=FS)),
        butter(4, 0.5, "highpass", fs=FS, output="sos"),
        butter(4, 55.0, "lowpass", fs=FS, output="sos"),
    ]
)
y = sosfiltfilt(sos, signal(1200).astype(np.float64), padtype="odd", padlen=480)
values = {"numpy": np.__version__, "scipy": scipy.__version__, "values": [round(v, 9) for v in y[::5].tolist()]}
print(json.dumps(values))

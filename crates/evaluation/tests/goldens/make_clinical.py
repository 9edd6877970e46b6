"""Makes clinical.json: what SciPy, NumPy and NeuroKit2 compute on the inputs that the tests build themselves.

Made with Python 3.11+ and numpy, SciPy and neurokit2 of the versions written into the file:
    python make_clinical.py > clinical.json
"""

import json
import math

import neurokit2
import numpy as np
import scipy
from scipy.signal import coherence, welch
from scipy.stats import wasserstein_distance

RATE = 160.0
BANDS = [(1, 4), (4, 8), (8, 13), (13, 30), (30, 45)]


def lcg(state):
    """The generator that the tests use too: 64-bit linear congruential, upper 24 bits as a value in [0, 1)."""
    while True:
        state = (state * 6364136223846793005 + 1442695040888963407) % 2**64
        yield (state >> 40) / 2**24


def channels(n):
    """Three channels, the first two of which share an alpha rhythm."""
    noise = [lcg(7), lcg(8), lcg(9)]
    rows = [[], [], []]
    for i in range(n):
        t = i / RATE
        alpha = 20.0 * math.sin(2 * math.pi * 10.0 * t)
        rows[0].append(alpha + 30.0 * (next(noise[0]) - 0.5))
        rows[1].append(0.6 * alpha + 5.0 * math.sin(2 * math.pi * 2.5 * t) + 30.0 * (next(noise[1]) - 0.5))
        rows[2].append(4.0 * math.sin(2 * math.pi * 21.0 * t) + 30.0 * (next(noise[2]) - 0.5))
    return np.array(rows)


def of_channel(x):
    f, p = welch(x, RATE, window="hann", nperseg=min(len(x), 320), detrend="constant")
    df = f[1]
    powers = [float(p[(f >= lo) & (f < hi)].sum() * df) for lo, hi in BANDS]
    whole = p[(f >= 1) & (f < 45)]
    share = whole / whole.sum()
    below = np.concatenate([[0.0], np.cumsum(share)])
    # Power within a bin counts evenly: straight lines between the sums below the bins' lower edges.
    edge = float(np.interp(0.95, below, f[f >= 1][0] + df * np.arange(len(below))))
    d1, d2 = np.diff(x) * RATE, np.diff(x, n=2) * RATE**2
    mobility = math.sqrt(d1.var() / x.var())
    return {
        "powers": powers,
        "edge_hz": edge,
        "entropy": float(scipy.stats.entropy(share) / math.log(len(share))),
        "activity": float(x.var()),
        "mobility_per_s": mobility,
        "complexity": math.sqrt(d2.var() / d1.var()) / mobility,
        "line_length_per_s": float(np.abs(np.diff(x)).sum() * RATE / (len(x) - 1)),
    }


def pairs(x):
    correlations = np.corrcoef(x)
    found = []
    for i, j in [(0, 1), (0, 2), (1, 2)]:
        f, c = coherence(x[i], x[j], RATE, window="hann", nperseg=320, detrend="constant")
        found.append({"correlation": float(correlations[i, j]), "coherence": float(c[(f >= 1) & (f < 45)].mean())})
    return found


def values(n, seed, scale):
    noise = lcg(seed)
    return [scale * next(noise) + next(noise) for _ in range(n)]


def intervals(n):
    noise = lcg(21)
    return [round(800 + 60 * math.sin(i / 4.0) + 120 * (next(noise) - 0.5)) for i in range(n)]


def variability():
    rr = intervals(360)
    peaks = np.concatenate([[0], np.cumsum(rr)])  # in milliseconds: samples at 1,000 Hz
    found = neurokit2.hrv_time(peaks, sampling_rate=1000)
    differences = np.diff(rr)
    return {
        "mean_nn_ms": float(found["HRV_MeanNN"].iloc[0]),
        "sdnn_ms": float(found["HRV_SDNN"].iloc[0]),
        "rmssd_ms": float(found["HRV_RMSSD"].iloc[0]),
        "neurokit_pnn50": float(found["HRV_pNN50"].iloc[0]),
        # NeuroKit2 may count pairs as one more than there are; this is the share of pairs.
        "pnn50_percent": float(100.0 * (np.abs(differences) > 50).mean()),
    }


def main():
    long, short = channels(1600), channels(100)
    a, b = values(200, 5, 1.0), values(137, 6, 1.6)
    print(json.dumps({
        "versions": {"numpy": np.__version__, "scipy": scipy.__version__, "neurokit2": neurokit2.__version__},
        "long": [of_channel(x) for x in long],
        "short": [of_channel(x) for x in short],
        "pairs": pairs(long),
        "wasserstein": float(wasserstein_distance(a, b)),
        "variability": variability(),
    }, indent=1))


if __name__ == "__main__":
    main()

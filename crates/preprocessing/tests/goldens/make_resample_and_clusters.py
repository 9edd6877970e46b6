"""Makes resample_and_clusters.json: what SciPy and scikit-learn compute on the inputs that the tests build themselves.

Made with Python 3.11+, numpy, SciPy and scikit-learn of the versions written into the file:
    python make_resample_and_clusters.py > resample_and_clusters.json
"""

import json
import math

import numpy as np
import scipy
import sklearn
from scipy.signal import firwin, resample_poly
from sklearn.cluster import KMeans
from sklearn.metrics import silhouette_score


def lcg(state):
    """The generator that the tests use too: 64-bit linear congruential, upper 24 bits as a value in [0, 1)."""
    while True:
        state = (state * 6364136223846793005 + 1442695040888963407) % 2**64
        yield (state >> 40) / 2**24


def signal(n):
    noise = lcg(7)
    return np.array([math.sin(i * 0.05) + 0.5 * math.sin(i * 0.31) + next(noise) - 0.2 for i in range(n)], dtype=np.float32)


def resampled(up, down):
    """resample_poly with its own filter, each phase scaled to gain 1, edges continued by their values."""
    half = 10 * max(up, down)
    taps = firwin(2 * half + 1, 1 / max(up, down), window=("kaiser", 5.0))
    for phase in range(up):
        taps[phase::up] /= taps[phase::up].sum() * up
    y = resample_poly(signal(300).astype(np.float64), up, down, window=taps, padtype="edge")
    return {"up": up, "down": down, "values": [round(v, 9) for v in y.tolist()]}


def blobs(count, dimensions, centres, spread):
    noise = lcg(11)
    middle = [[4 * next(noise) for _ in range(dimensions)] for _ in range(centres)]
    rows = [[middle[i % centres][d] + spread * (next(noise) + next(noise) + next(noise) - 1.5) for d in range(dimensions)]
            for i in range(count)]
    return np.array(rows, dtype=np.float32)


def clusters(count, dimensions, centres, spread, k):
    x = blobs(count, dimensions, centres, spread).astype(np.float64)
    fit = KMeans(k, n_init=20, random_state=0).fit(x)
    labels = [(i * 7 % 5) % k if i % 3 else i % k for i in range(count)]
    return {"count": count, "dimensions": dimensions, "centres": centres, "spread": spread, "k": k, "inertia": fit.inertia_,
            "silhouette_of_fit": silhouette_score(x, fit.labels_), "silhouette_of_given": silhouette_score(x, labels)}


print(json.dumps({
    "versions": {"numpy": np.__version__, "scipy": scipy.__version__, "scikit-learn": sklearn.__version__},
    "resampled": [resampled(*factors) for factors in [(1, 2), (18, 25), (45, 32), (3, 1), (7, 5)]],
    "clusters": [clusters(*case) for case in [(600, 10, 4, 1.0, 4), (500, 33, 5, 3.0, 3), (300, 126, 6, 4.0, 6)]],
}, separators=(",", ":")))

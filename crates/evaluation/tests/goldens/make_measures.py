"""Makes measures.json: what public implementations say of the two sets that the tests build themselves.

    python make_measures.py > measures.json

prdc (precision, recall, density, coverage), scikit-learn (neighbours, kernels), SciPy (skew, kurtosis, wasserstein_distance, welch,
sqrtm) and dtaidistance (warping) are called; versions are written into the file. TSGBench (github.com/YihaoAng/TSGBench, commit 3d090e5,
src/feature_based_measures.py) and the metrics of Alaa et al. (2022) need PyTorch and trained nets, so their formulas are written here in
NumPy.
"""

import contextlib
import json
import sys

import dtaidistance
import numpy as np
import prdc
import scipy
import sklearn
from dtaidistance import dtw, dtw_ndim
from scipy.linalg import sqrtm
from scipy.signal import welch
from scipy.stats import kurtosis, skew, wasserstein_distance
from sklearn.metrics.pairwise import rbf_kernel
from sklearn.neighbors import NearestNeighbors

SEGMENTS, TIME, CHANNELS, K, RATE = 120, 40, 2, 5, 100.0


def lcg(state):
    """The generator that the tests use too: 64-bit linear congruential, upper 24 bits as a value in [0, 1)."""
    while True:
        state = (state * 6364136223846793005 + 1442695040888963407) % 2**64
        yield (state >> 40) / 2**24


def beats(seed, gain):
    """[segment, time, channel]: a triangle that moves and grows, a saw, noise. No function that libraries round differently."""
    noise, x = lcg(seed), np.empty((SEGMENTS, TIME, CHANNELS), dtype=np.float32)
    for i in range(SEGMENTS):
        place, height = 15.0 + 8.0 * next(noise), gain * (0.7 + 0.6 * next(noise))
        for t in range(TIME):
            for c in range(CHANNELS):
                triangle = height * max(0.0, 1.0 - abs(t - place) / 6.0)
                x[i, t, c] = (1.0 - 1.5 * c) * triangle + 0.1 * ((t * 7) % 11) + 0.2 * (next(noise) - 0.5)
    return x


def unlike(a, b):
    """TSGBench's feature-based measures, on data scaled by the real set's range."""
    low, high = a.min((0, 1)), a.max((0, 1))
    x, y = (a - low) / (high - low), (b - low) / (high - low)
    marginal = []
    for c in range(CHANNELS):
        for t in range(1, TIME):
            edges = np.linspace(x[:, t, c].min(), x[:, t, c].max(), 51)
            width = edges[1] - edges[0]
            real = np.histogram(x[:, t, c], bins=edges)[0] / SEGMENTS / width
            near = np.abs(y[:, t, c][:, None] - 0.5 * (edges[1:] + edges[:-1])[None]) < width / 2
            marginal.append(np.mean(np.abs(near.mean(0) / width - real)))

    def correlation(z):
        z = z - z.mean((0, 1))
        variance = z.var((0, 1))
        return np.stack([(z[:, lag:] * z[:, : TIME - lag]).mean((0, 1)) / variance for lag in range(min(64, TIME))])

    def skewness(z):
        z = z - z.mean((0, 1))
        return (z**3).mean((0, 1)) / z.std((0, 1), ddof=1) ** 3

    def peakedness(z):
        z = z - z.mean((0, 1))
        return (z**4).mean((0, 1)) / z.var((0, 1)) ** 2 - 3

    flat = x.reshape(-1, CHANNELS)
    n = len(flat)
    assert np.allclose(skewness(x) * (n / (n - 1)) ** 1.5, skew(flat)) and np.allclose(peakedness(x), kurtosis(flat))
    return {
        "marginal_distribution_difference": np.mean(marginal),
        "autocorrelation_difference": np.sqrt(((correlation(x) - correlation(y)) ** 2).sum(0)).mean(),
        "skewness_difference": np.abs(skewness(x) - skewness(y)).mean(),
        "kurtosis_difference": np.abs(peakedness(x) - peakedness(y)).mean(),
    }


def manifold(a, b):
    """prdc's four, and the metrics of Alaa et al. in signal space."""
    a, b = a.reshape(SEGMENTS, -1), b.reshape(SEGMENTS, -1)
    with contextlib.redirect_stdout(sys.stderr):  # It talks.
        values = prdc.compute_prdc(a, b, K)
    alphas = np.linspace(0, 1, 30)
    radii = np.quantile(np.linalg.norm(a - a.mean(0), axis=1), alphas)
    inside = [np.mean(np.linalg.norm(b - a.mean(0), axis=1) <= r) for r in radii]
    real = NearestNeighbors(n_neighbors=2).fit(a)
    next_real = real.kneighbors(a)[0][:, 1]
    to_made, which = (v[:, 0] for v in NearestNeighbors(n_neighbors=1).fit(b).kneighbors(a))
    from_middle = np.linalg.norm(b[which] - b.mean(0), axis=1)
    reached = [np.mean((to_made <= next_real) & (from_middle <= r)) for r in np.quantile(from_middle, alphas)]
    to_real, whose = (v[:, 0] for v in real.kneighbors(b, n_neighbors=1))
    gap = lambda curve: 1 - 2 * np.sum(np.abs(np.array(curve) - alphas)) * (alphas[1] - alphas[0])
    values |= {"alpha_precision": gap(inside), "beta_recall": gap(reached), "authenticity": np.mean(next_real[whose] < to_real)}
    return values, whose.tolist(), to_real.tolist(), np.sort(real.kneighbors(a, n_neighbors=K + 1)[0], axis=1)[:, K].tolist()


def discrepancy(a, b):
    a, b = (x.reshape(SEGMENTS, -1).astype(np.float64) for x in (a, b))
    distances = np.array([((a[i] - a[j]) ** 2).sum() for i in range(SEGMENTS) for j in range(i)])
    median = np.sort(distances)[len(distances) // 2]
    kernel = lambda x, y: np.mean([rbf_kernel(x, y, gamma=1 / (2 * w * w * median)) for w in (0.25, 0.5, 1, 2, 4)], axis=0)
    within = lambda x: (kernel(x, x).sum() - len(x)) / (len(x) * (len(x) - 1))
    return within(a) + within(b) - 2 * kernel(a, b).mean()


def frechet(a, b):
    a, b = (x.reshape(SEGMENTS, -1).astype(np.float64) for x in (a, b))
    axes = np.linalg.eigh(np.cov(a.T))[1][:, ::-1][:, :16]
    p, q = (a - a.mean(0)) @ axes, (b - a.mean(0)) @ axes
    s, t = np.cov(p.T), np.cov(q.T)
    return ((p.mean(0) - q.mean(0)) ** 2).sum() + np.trace(s + t - 2 * np.real(sqrtm(s @ t)))


def spectra(x):
    return welch(x, fs=RATE, nperseg=TIME, axis=1)[1].mean(0).T


def decibels(p, q, chosen):
    floor = 1e-6 * p[:, 1:].max(1, keepdims=True)
    apart = 10 * np.log10(np.maximum(q, floor) / np.maximum(p, floor))[:, chosen]
    return np.sqrt((apart**2).mean(1)).mean()


def warped(a, b):
    """dtaidistance's window counts the diagonal: band + 1."""
    one = lambda i, w: dtw.distance(a[i, :, 0].astype(np.float64), b[i, :, 0].astype(np.float64), window=w + 1)
    both = lambda i, w: dtw_ndim.distance(a[i].astype(np.float64), b[i].astype(np.float64), window=w + 1)
    return [{"pair": i, "band": w, "one": one(i, w), "both": both(i, w)} for i in range(6) for w in (0, 2, 4, 40)]


a, b = beats(7, 1.0), beats(8, 1.15)
real, made = a.astype(np.float64), b.astype(np.float64)
values, nearest, nearest_distances, radii = manifold(real, made)
values |= unlike(real, made)
values["amplitude_wasserstein"] = np.mean([wasserstein_distance(real[:, :, c].ravel(), made[:, :, c].ravel()) for c in range(CHANNELS)])
values["mmd_squared"] = discrepancy(a, b)
frequencies = np.arange(TIME // 2 + 1) * RATE / TIME
p, q = spectra(real), spectra(made)
values["log_spectral_distance"] = decibels(p, q, frequencies > 0)
values["log_spectral_distance_beta"] = decibels(p, q, (frequencies >= 13) & (frequencies < 30))
values["gaussian_frechet"] = np.sqrt(frechet(a, b) / (TIME * CHANNELS))
versions = {m.__name__: m.__version__ for m in (np, scipy, sklearn, dtaidistance)} | {"prdc": "0.2", "TSGBench": "3d090e5"}
print(json.dumps({
    "versions": versions,
    "values": {name: float(v) for name, v in values.items()},
    "nearest": nearest,
    "nearest_distances": [round(d, 9) for d in nearest_distances],
    "radii": [round(r, 9) for r in radii],
    "welch": p.tolist(),
    "warped": warped(a, b),
}))

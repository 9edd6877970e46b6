"""Fits the rational approximation of tanh in src/kernel/activation.rs: tanh(x) = x P(x^2) / Q(x^2) on [-LIMIT, LIMIT].

Linearised least squares, reweighted until the largest relative error is level (Lawson), in float64 with NumPy 2; then the
error is measured in float32 arithmetic with the fused multiply-adds of the vector path left out (a little worse than those).
"""

import numpy as np

LIMIT, P, Q = 9.0, 4, 4


def fit():
    x = LIMIT * (1 - np.cos(np.linspace(0, np.pi / 2, 8001)[1:]))
    z, y = x * x, np.tanh(x) / x
    s = z / LIMIT**2  # conditioned
    weight, q, best = np.ones_like(x), np.ones_like(x), None
    for _ in range(400):
        # P(s) - y Q(s) = 0 with Q = 1 + ..., relative error, divided by the last Q.
        scale = np.sqrt(weight) / (y * q)
        a = np.concatenate([s[:, None] ** np.arange(P + 1), -y[:, None] * s[:, None] ** np.arange(1, Q + 1)], axis=1)
        c, *_ = np.linalg.lstsq(a * scale[:, None], y * scale, rcond=None)
        p = np.polynomial.polynomial.polyval(s, c[: P + 1])
        q = np.polynomial.polynomial.polyval(s, np.concatenate([[1.0], c[P + 1 :]]))
        error = np.abs(p / q / y - 1)
        if best is None or error.max() < best[0]:
            best = (error.max(), c.copy())
        weight = weight * (error / error.max() + 1e-3)
        weight /= weight.mean()
    error, c = best
    powers = LIMIT ** (2.0 * np.arange(max(P, Q) + 1))
    return error, c[: P + 1] / powers[: P + 1], np.concatenate([[1.0], c[P + 1 :] / powers[1 : Q + 1]])


error, p, q = fit()
print("largest relative error of the fit", error)
print("P", ", ".join(f"{v:.9e}" for v in p))
print("Q", ", ".join(f"{v:.9e}" for v in q))
x = np.linspace(-12, 12, 2_000_001).astype(np.float32)
c = np.clip(x, -LIMIT, LIMIT).astype(np.float32)
z = c * c
top = np.float32(p[-1])
for v in p[-2::-1]:
    top = top * z + np.float32(v)
low = np.float32(q[-1])
for v in q[-2::-1]:
    low = low * z + np.float32(v)
value = c * top / low
print("float32: largest absolute error", np.abs(value.astype(np.float64) - np.tanh(x.astype(np.float64))).max(), "largest value", value.max())

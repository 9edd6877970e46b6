"""Holds the rhythm of synthetic records against that of DS1 of the MIT-BIH Arrhythmia Database.

    pip install wfdb numpy scipy
    python3 benches/quality/records.py --database path/to/mitdb --records path/to/synthetic

For each quantity: the Wasserstein distance between its distribution in the synthetic records and in DS1's 22 (RR intervals: over all
of them; all else: one value for each record), beside the 95th percentile of the distances between 200 random halves of DS1. SDNN and
RMSSD are means over windows of five minutes. NN: between two beats of class N that nothing interrupted.
"""

import argparse
import pathlib

import numpy as np
import wfdb
from scipy.stats import wasserstein_distance

# De Chazal et al. 2004.
DS1 = "101 106 108 109 112 114 115 116 118 119 122 124 201 203 205 207 208 209 215 220 223 230".split()
CLASSES = {"N": "NLRej", "S": "AaJS", "V": "VE", "F": "F", "Q": "/fQ"}
CLASS_OF = {code: label for label, codes in CLASSES.items() for code in codes}
INTERRUPTIONS = "[]!~"
LONGEST_MS = 6000.0
HALVES = 200
WINDOW_S = 300.0
FEWEST_IN_WINDOW = 30
FEWEST_PAUSES = 6


def beats(path):
    """Times in seconds, classes, rhythms in force, and whether something interrupted the interval before."""
    annotation = wfdb.rdann(str(path), "atr")
    frequency = wfdb.rdheader(str(path)).fs
    times, classes, rhythms, interrupted = [], [], [], []
    rhythm, since = "", True
    for sample, code, text in zip(annotation.sample, annotation.symbol, annotation.aux_note):
        if code == "+" and text.startswith("("):
            rhythm = text.strip("\0")
        since = since or code in INTERRUPTIONS
        if code in CLASS_OF:
            times.append(sample / frequency)
            classes.append(CLASS_OF[code])
            rhythms.append(rhythm)
            interrupted.append(since)
            since = False
    return np.array(times), np.array(classes), np.array(rhythms), np.array(interrupted)


def lag_one(rr, chosen):
    """Correlation of neighbouring intervals, where both are chosen."""
    places = np.flatnonzero(chosen)
    second = places[1:][np.diff(places) == 1]
    return np.corrcoef(rr[second], rr[second - 1])[0, 1] if len(second) > 50 else np.nan


def described(path):
    """Quantities of one record; NaN where it has none."""
    times, classes, rhythms, interrupted = beats(path)
    rr = np.diff(times) * 1000.0
    sound = ~interrupted[1:] & (rr > 0) & (rr < LONGEST_MS)
    nn = sound & (classes[1:] == "N") & (classes[:-1] == "N")
    fibrillation = nn & (rhythms[1:] == "(AFIB")
    sdnn, rmssd = [], []
    for window in range(int(times[-1] // WINDOW_S) + 1):
        inside = nn & (times[1:] >= WINDOW_S * window) & (times[1:] < WINDOW_S * (window + 1))
        if inside.sum() < FEWEST_IN_WINDOW:
            continue
        sdnn.append(rr[inside].std(ddof=1))
        places = np.flatnonzero(inside)
        second = places[1:][np.diff(places) == 1]
        if len(second) > 20:
            rmssd.append(np.sqrt(((rr[second] - rr[second - 1]) ** 2).mean()))
    ectopic = "".join("e" if label in "VS" else "n" for label in classes)
    per_thousand = 1000.0 / len(classes)
    before, after = [], []
    for i in range(2, len(classes) - 1):
        alone = classes[i] == "V" and classes[i - 1] == "N" and classes[i + 1] == "N"
        if alone and sound[i - 2 : i + 1].all():
            usual = np.median(rr[max(0, i - 12) : i - 1])
            before.append(rr[i - 1] / usual)
            after.append(rr[i] / usual)
    enough = len(before) >= FEWEST_PAUSES
    quantities = {
        "mean NN, ms": rr[nn].mean() if nn.any() else np.nan,
        "SDNN, ms": np.mean(sdnn) if sdnn else np.nan,
        "RMSSD, ms": np.mean(rmssd) if rmssd else np.nan,
        **{f"share of {label}": (classes == label).mean() for label in CLASSES},
        "couplets per 1,000 beats": ectopic.count("neen") * per_thousand,
        "runs of three and more": sum(len(run) >= 3 for run in ectopic.split("n")) * per_thousand,
        "bigeminy": sum(ectopic[i : i + 6] == "nenene" for i in range(len(ectopic))) * per_thousand,
        "interval before an isolated V, over the usual": np.median(before) if enough else np.nan,
        "interval after it": np.median(after) if enough else np.nan,
        "correlation of neighbouring NN": lag_one(rr, nn & ~fibrillation),
        "the same in fibrillation": lag_one(rr, fibrillation),
        "variation of RR in fibrillation": rr[fibrillation].std() / rr[fibrillation].mean() if fibrillation.sum() > 50 else np.nan,
    }
    return rr[sound], quantities


def of(records, name):
    if name == "RR, ms":
        return np.concatenate([rr for rr, _ in records])
    values = np.array([quantities[name] for _, quantities in records])
    return values[~np.isnan(values)]


def distance(one, other):
    return wasserstein_distance(one, other) if len(one) and len(other) else np.nan


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--database", required=True, type=pathlib.Path)
    parser.add_argument("--records", required=True, type=pathlib.Path)
    arguments = parser.parse_args()
    real = [described(arguments.database / name) for name in DS1]
    synthetic = [described(header.with_suffix("")) for header in sorted(arguments.records.glob("*.hea"))]
    rng = np.random.default_rng(0)
    halves = [rng.permutation(len(real)) for _ in range(HALVES)]
    half = len(real) // 2
    print(f"{len(synthetic)} synthetic records\n\n| | synthetic to real | 95% of halves | within | real mean | synthetic mean |")
    print("|---|---|---|---|---|---|")
    for name in ["RR, ms", *real[0][1]]:
        between = [
            distance(of([real[i] for i in order[:half]], name), of([real[i] for i in order[half:]], name)) for order in halves
        ]
        one, other = of(real, name), of(synthetic, name)
        found, limit = distance(one, other), np.nanpercentile(between, 95)
        within = "–" if np.isnan(found) else "yes" if found <= limit else "NO"
        means = [f"{values.mean():.4g}" if len(values) else "–" for values in (one, other)]
        print(f"| {name} | {found:.3g} | {limit:.3g} | {within} | {means[0]} | {means[1]} |")


if __name__ == "__main__":
    main()

"""Holds the synthetic epochs of a run on an EEG against its real ones.

    pip install h5py numpy scipy
    python3 benches/quality/eeg.py reports/demo-eeg-standard

Of each class, over all its epochs (the evaluation stage has one half of the training epochs to compare with, and a limit on how many it
takes): *bands*, the relative difference of the share of power from 1 to 45 Hz in the bands δ θ α β γ, mean over epochs, for each channel
(mean and largest over channels and bands, and the part of them within 10%); *correlation*, the mean absolute difference of the channels'
correlation matrices, means over epochs; *spread*, the root mean square distance of epochs from their mean, over that of the training epochs.
Beside them the same of random halves of the training epochs (mean of 20), and of the epochs of held-out subjects (or runs).
"""

import argparse
import pathlib

import h5py
import numpy as np
from scipy.signal import welch

BANDS = [(1, 4), (4, 8), (8, 13), (13, 30), (30, 45)]
HALVES = 20


def read(path):
    """Signals `[epoch, time, channel]` in normalised units, labels, splits and the sampling frequency."""
    with h5py.File(path) as file:
        text = lambda name: file[name][:].astype(str)
        signals = file["signals"]
        return signals[:].astype(float), text("label"), text("split"), float(signals.attrs["sampling_frequency_hz"])


def shares(epochs, rate):
    """Mean over epochs of the share of each band, `[band, channel]`."""
    at, power = welch(epochs, rate, "hann", min(epochs.shape[1], round(2 * rate)), axis=1)
    bands = np.stack([power[:, (at >= low) & (at < high)].sum(1) for low, high in BANDS], 1)
    return (bands / bands.sum(1, keepdims=True)).mean(0)


def correlation(epochs):
    return np.mean([np.corrcoef(epoch.T) for epoch in epochs], 0)


def spread(epochs):
    return np.sqrt(((epochs - epochs.mean(0)) ** 2).sum((1, 2)).mean())


def compare(real, other, rate):
    """Bands' mean, largest and part within 10%, correlation, spread of `other` held against `real`."""
    off = np.abs(shares(other, rate) / shares(real, rate) - 1)
    return [
        off.mean(),
        off.max(),
        (off <= 0.1).mean(),
        np.abs(correlation(other) - correlation(real)).mean(),
        spread(other) / spread(real),
    ]


def row(what, values):
    return f"| {what} | " + " | ".join(f"{value:.{2 if place in (1, 2, 4) else 3}f}" for place, value in enumerate(values)) + " |"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=pathlib.Path, nargs="+")
    for run in parser.parse_args().run:
        signals, labels, splits, rate = read(run / "segments.h5")
        made, made_labels, _, _ = read(run / "synthetic.h5")
        random = np.random.default_rng(0)
        print(f"\n{run}\n\n| | bands, mean | largest | within 10% | correlation | spread |\n|---|---|---|---|---|---|")
        for label in np.unique(made_labels):
            of = lambda split: signals[(labels == label) & (splits == split)]
            train, synthetic = of("train"), made[made_labels == label]
            print(row(f"**{label}**: {len(synthetic)} synthetic to {len(train)} training", compare(train, synthetic, rate)))
            halves = []
            for _ in range(HALVES):
                order = random.permutation(len(train))
                halves.append(compare(train[order[::2]], train[order[1::2]], rate))
            print(row("a half of these to the other", np.mean(halves, 0)))
            for split in ("validation", "test"):
                held = of(split)
                if len(held) > 1:
                    print(row(f"{len(held)} {split} to training", compare(train, held, rate)))
                    print(row(f"synthetic to {split}", compare(held, synthetic, rate)))


if __name__ == "__main__":
    main()

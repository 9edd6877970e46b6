"""Makes edf.tsv: what edfio 0.4.18 and, for triggers, MNE 1.13.2 read from the recordings (numpy 2.4.6).

    python3 make_edf.py PATH/TO/DATA > edf.tsv

Samples are compared as a hash (FNV-1a, 64 bits) of their little-endian float32: edfio's digital values on the specification's line
through two points, in exact fractions, rounded at the end; they agree with the physical values that edfio gives. Each file
gives all of its facts, but only its first, fourth, … signals, so that the table stays short.
"""

import sys
from datetime import datetime
from fractions import Fraction
from pathlib import Path

import edfio
import mne
import numpy as np

EVERY = 3


def fnv1a(data):
    value = 0xCBF29CE484222325
    for byte in data:
        value = ((value ^ byte) * 0x100000001B3) & 0xFFFFFFFFFFFFFFFF
    return f"{value:016x}"


def physical(signal):
    (pmin, pmax), (dmin, dmax) = signal.physical_range, signal.digital_range
    low, scale = Fraction(repr(float(pmin))), (Fraction(repr(float(pmax))) - Fraction(repr(float(pmin)))) / (dmax - dmin)
    digital, back = np.unique(signal.digital, return_inverse=True)
    values = np.array([float((int(value) - dmin) * scale + low) for value in digital])[back]
    assert np.allclose(values, signal.data, rtol=1e-6, atol=abs(float(scale)) * 1e-3)
    return values.astype("<f4")


def main(data):
    mne.set_log_level("ERROR")
    print("# signal: file, index, label, unit, hertz, samples, hash; file: start, signals, annotations; triggers")
    files = sorted(data.glob("edf-formats/*/*.[eb]df")) + [data / "eegmmidb/S001R03.edf"]
    for path in files:
        name = path.relative_to(data).as_posix()
        file = (edfio.read_bdf if path.suffix == ".bdf" else edfio.read_edf)(path)
        start = datetime.combine(file.startdate, file.starttime).strftime("%H:%M:%S.%f %d/%m/%Y")
        annotations = sorted(f"{a.onset:.6f} {a.duration or 0:.6f} {a.text}" for a in file.annotations)
        print("file", name, start, file.num_signals, "|".join(annotations), sep="\t")
        for index in range(0, file.num_signals, EVERY if file.num_signals < 20 else 30):
            signal = file.signals[index]
            # The bits of a status channel are no physical values.
            bits = path.suffix == ".bdf" and signal.label == "Status"
            samples = signal.digital.astype("<f4") if bits else physical(signal)
            label, unit, rate = signal.label, signal.physical_dimension, float(signal.sampling_frequency)
            print("signal", name, index, label, unit, rate, len(samples), fnv1a(samples.tobytes()), sep="\t")
        if path.suffix == ".bdf" and any(signal.label == "Status" for signal in file.signals):
            raw = mne.io.read_raw_bdf(path)
            events = mne.find_events(raw, stim_channel="Status", mask=0xFFFF, mask_type="and", shortest_event=1)
            print("triggers", name, " ".join(f"{sample}:{value}" for sample, _, value in events), sep="\t")


if __name__ == "__main__":
    main(Path(sys.argv[1]))

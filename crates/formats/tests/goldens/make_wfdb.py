"""Goldens for tests/recordings.rs: what wfdb-python reads from the real recordings.

Made with wfdb 4.3.1, numpy 2.4.6, Python 3.11.7:  python make_wfdb.py DATA_FOLDER
Writes signals.tsv (SHA-256 of p_signal as little-endian float32, NaN as the one pattern 0x7fc00000) and annotations.tsv
(SHA-256 of "sample symbol subtype chan num aux" lines, NUL bytes at the end of aux removed) beside this script.
"""

import hashlib
import pathlib
import sys

import numpy as np
import wfdb

DATA = pathlib.Path(sys.argv[1])
HERE = pathlib.Path(__file__).parent
SIGNALS = [("mitdb", name) for name in (DATA / "mitdb/RECORDS").read_text().split()] + [
    ("nstdb", "118e06"),
    ("nstdb", "118e24"),
    *(
        ("wfdb-formats", name)
        for name in "100 100-no-len 100_3chan 100skew 03700181 v102s a103l a103l-no-len s0010_re test01_00s test01_00s_frame "
        "test01_00s_skew test01_00s_skewframe test_generator_2 binformats flacformats mixedsignals flac_3_constant p10143 "
        "310derive 310derive_2 310derive_3 311derive 311derive_2 311derive_3 311derive_4 3000003_0003 "
        "multi-segment/041s/041s multi-segment/fixed1/v102s multi-segment/s25047/s25047-2704-05-04-10-44 "
        "multi-segment/s00001/s00001-2896-10-10-00-31n multi-segment/p000878/3269321_0002".split()
    ),
]
ANNOTATIONS = [(folder, name, "atr") for folder, name in SIGNALS if folder != "wfdb-formats"] + [
    ("wfdb-formats", "100", "atr"),
    ("wfdb-formats", "100", "qrs"),
    ("wfdb-formats", "1003", "atr"),
    ("wfdb-formats", "12726", "anI"),
    ("wfdb-formats", "12726", "wabp"),
    ("wfdb-formats", "03700181", "sqrs"),
    ("wfdb-formats", "huge", "qrs"),
]


def digest(data):
    return hashlib.sha256(data).hexdigest()


with open(HERE / "signals.tsv", "w") as out:
    out.write(f"# wfdb {wfdb.__version__}: folder, record, signal, label, unit, samples, SHA-256\n")
    for folder, name in SIGNALS:
        path = DATA / folder / name
        if not path.with_suffix(".hea").exists():
            continue
        try:
            record = wfdb.rdrecord(str(path), smooth_frames=False, ignore_skew=False)
        except FileNotFoundError:
            print("without signal file:", name)
            continue
        for i, signal in enumerate(record.e_p_signal):
            signal = signal.astype("<f4")
            signal[np.isnan(signal)] = np.frombuffer(b"\x00\x00\xc0\x7f", "<f4")[0]
            # Other bytes than ASCII are dropped by wfdb, and a unit with them.
            unit = record.units[i] if path.with_suffix(".hea").read_bytes().isascii() else "-"
            columns = [folder, name, i, record.sig_name[i], unit, len(signal), digest(signal.tobytes())]
            out.write("\t".join(map(str, columns)) + "\n")

with open(HERE / "annotations.tsv", "w") as out:
    out.write(f"# wfdb {wfdb.__version__}: folder, record, extension, annotations, SHA-256\n")
    for folder, name, extension in ANNOTATIONS:
        a = wfdb.rdann(str(DATA / folder / name), extension, return_label_elements=["symbol", "label_store"])
        # A code without a symbol is NaN here; it is named by its number there.
        symbols = [s if isinstance(s, str) else f"[{n}]" for s, n in zip(a.symbol, a.label_store)]
        rows = zip(a.sample, symbols, a.subtype, a.chan, a.num, a.aux_note)
        text = "".join(f"{s} {c} {sub} {chan} {num} {aux.rstrip(chr(0))}\n" for s, c, sub, chan, num, aux in rows)
        out.write("\t".join(map(str, [folder, name, extension, len(a.sample), digest(text.encode())])) + "\n")

"""Seeds for the fuzz targets from recordings, one folder for each target: python3 fuzz/seeds.py fuzz/corpus FOLDER...

The folders are searched for WFDB, EDF, BDF, CSV, NumPy and HDF5 files. Of each its start is taken, so that inputs stay small.
"""

import sys
from pathlib import Path

FORMATS = (0, 8, 16, 24, 32, 61, 80, 160, 212, 310, 311, 508, 516, 524)
# Layouts of a record: decoded alone; read as one; the same and written; of two signals, of which one is skewed.
LAYOUTS = (0x00, 0x80, 0xC0, 0xD9)
AHA = bytes.fromhex("004e000000640001000100000000000000560000012c000200050000000000000052000003e80003000e284e53520000ff")
TEXTS = {
    "csv": "time_s,I,II\n0,0.5,NaN\n0.01,1e-3,2\n0.02,3,-4\n|t;a;b\ns;mV;mV\n0,0;1,5;-\n0,01;2;x\n|# a\n1\t2\n3\t4\n",
    "csv_annotations": "sample,code,aux,subtype,channel,number\n5,N,,0,0,0\n9,+,\"(AFIB\",1,2,3\n|onset\tduration\ttrial_type\n0.5\t1\tT1\n",
    "edf_tal": "+0\x14\x14\0+1.5\x152\x14Sleep stage W\x14\0+3\x14a\x14b\x14\0\0\0|-0.065\x14\x14\0+123456.7890123\x150.5\x14\u00e9@@C3\x14\0",
    "wfdb_header": "r 2 360/720(5) 40 10:20:30.5 01/02/2003\nr.dat 212x2:1+5 200(-3)/mV 12 1024 995 -22131 0 MLII\nr.dat 212 0\n# age: 30\n"
    "|m/3 2 360 0\nm_l 0\n~ 100\nm_1 200\n",
}


def signal_files(header):
    """The signal files that a header names, with their formats."""
    lines = [line.split() for line in header.read_text("latin-1").splitlines() if line.strip() and not line.startswith("#")]
    for fields in lines[1:] if lines and "/" not in lines[0][0] else []:
        number = "".join(c if c.isdigit() else " " for c in fields[1]).split() if len(fields) > 1 else []
        if number and int(number[0]) in FORMATS:
            yield int(number[0]), header.parent / fields[0]


def seeds(folders):
    """Pairs of a target and an input for it, from these folders."""
    for number in FORMATS:
        for layout in LAYOUTS:
            yield f"wfdb_format_{number}", bytes([layout, 4]) + bytes(range(0, 240, 3))
    for target, texts in TEXTS.items():
        for text in texts.split("|"):
            for name in (target, "csv_rewritten") if target == "csv" else (target,):
                yield name, text.encode("utf-8")
    yield "wfdb_annotations_aha", AHA
    taken = set()
    for path in sorted(path for folder in folders for path in folder.rglob("*") if path.is_file()):
        kind = path.suffix.lower()
        if kind == ".hea":
            yield "wfdb_header", path.read_bytes()[:4096]
            for number, signals in signal_files(path):
                if (number, signals) not in taken and signals.is_file():
                    taken.add((number, signals))
                    # Streams of FLAC begin with what describes them; theirs are short enough to be taken whole.
                    content = signals.read_bytes()[: 24_000 if number > 500 else 600]
                    for layout in LAYOUTS:
                        yield f"wfdb_format_{number}", bytes([layout, 4]) + content
        elif kind in (".atr", ".qrs", ".wabp", ".wqrs", ".ani", ".gqrsh", ".gqrsl", ".sqrs"):
            content = path.read_bytes()
            yield "wfdb_annotations_mit", content[:1200]
            yield "wfdb_annotations_mit", content[-600:]
        elif kind in (".edf", ".bdf"):
            content = path.read_bytes()
            signals = int(content[252:256] or b"0")
            samples = content[256 + 216 * signals : 256 + 224 * signals].split()
            record = (3 if kind == ".bdf" else 2) * sum(map(int, samples))
            for target in ("edf_file", "edf_rewritten"):
                yield target, content[: min(256 * (signals + 1) + 2 * record, 16_000)]
        elif kind in (".npy", ".h5", ".hdf5", ".mat", ".csv", ".tsv"):
            target = {".npy": "npy", ".csv": "csv", ".tsv": "csv"}.get(kind, "hdf5")
            if path.stat().st_size < 64_000:
                yield target, path.read_bytes()


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    corpus, *folders = map(Path, sys.argv[1:])
    for index, (target, content) in enumerate(seeds(folders)):
        folder = corpus / target
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"seed-{index}").write_bytes(content)


main()

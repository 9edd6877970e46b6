"""WFDB files read here, held against WFDB's own tools and wfdb-python, file by file.

    cargo build --release -p physiosynth-formats --example wfdb_dump
    python benches/peers/conformance_wfdb.py DATA [--dump target/release/examples/wfdb_dump] [--tools FOLDER]

DATA holds `wfdb-formats` (the sample records of wfdb-python) and `wfdb-formats-targets` (what the C tools `rdsamp` and `rdann`
print for many of them). With `--tools`, rdsamp and rdann in that folder are run on every file too. Prints a table; exits 1 where
something differs that is not among the differences explained in docs/formats.md.

Made for wfdb 4.3.1, numpy 2.4.6.
"""

import argparse
import gzip
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
import wfdb

# Differences that docs/formats.md explains, by file: what differs, and who is right by the specification.
EXPLAINED = {
    "test_generator_2": {"units"},
    "s00001-2896-10-09-01-56": {"units"},
    "041s": {"smooth"},
    "041s02": {"smooth"},
    "12726.wabp": {"python"},
    "100.qrs": {"rdann"},
    "03700181.gqrsl": {"rdann"},
}
# Records that lack files of theirs.
ABSENT = {
    "1003": "1003.dat",
    "12726": "12726.dat",
    "drive02": "drive02.dat",
    "drive02-no-len": "drive02.dat",
    "n16": "n16.dat",
    "n8_evoked_raw_95_F1_R9": "n8_evoked_raw_95_F1_R9.dat",
    "wave_4": "wave_4.dat",
    "3975656_0009": "3975656_0009.dat",
    "3975656_0010": "3975656_0010.dat",
    "3975656_0011": "3975656_0011.dat",
    "s00001-2896-10-10-00-31": "3975656_0009.dat",
    "p000878-2137-10-26-16-57": "3269321_0003.hea",
}
# Targets made with a file that is absent.
ABSENT_TARGETS = {"record-multi-variable-b": "3975656_0011.dat"}
# Target file: record, first and last frame, signals, how rdsamp was asked (digital, physical, high resolution).
TARGETS = {
    "record-1a": ("test01_00s", 0, None, None, "digital"),
    "record-1b": ("a103l", 12500, 40000, [2, 0], "physical"),
    "record-1c": ("a103l", 20000, None, [0, 1], "digital"),
    "record-1d": ("3000003_0003", 125, 1000, [1], "physical"),
    "record-1f.gz": ("binformats", 0, None, None, "digital"),
    "record-flac.gz": ("flacformats", 0, None, None, "digital"),
    "record-2b": ("100", 1, 10800, [1], "digital"),
    "record-2c": ("100_3chan", 0, None, None, "physical"),
    "record-2d": ("310derive", 2, None, None, "digital"),
    "record-2e": ("311derive", 1, 978, None, "physical"),
    "record-3b": ("s0010_re", 5000, 38000, [13, 0, 4, 8, 3], "physical"),
    "record-4a": ("test01_00s_skewframe", 0, None, None, "digital smooth"),
    "record-4b": ("03700181", 0, None, None, "digital smooth"),
    "record-4c": ("03700181", 1000, 16000, [0, 2], "physical smooth"),
    "record-4d": ("test01_00s_skewframe", 0, None, None, "physical high"),
    "record-multi-fixed-c": ("multi-segment/fixed1/v102s", 70000, 80000, [1, 0, 3], "physical"),
    "record-multi-fixed-d.gz": ("multi-segment/041s/041s", 0, None, [3, 2, 1], "digital high"),
    "record-multi-variable-a": ("multi-segment/s00001/s00001-2896-10-10-00-31", 14428365, 14428375, None, "physical"),
    "record-multi-variable-b": ("multi-segment/s00001/s00001-2896-10-10-00-31", 14428364, 14428375, None, "physical"),
    "record-multi-variable-d": ("multi-segment/p000878/p000878-2137-10-26-16-57", 3550, 7500, [0, 1], "digital"),
}
ANNOTATION_TARGETS = {"ann-1": ("100", "atr"), "ann-2": ("12726", "anI"), "ann-3": ("1003", "atr")}


class Ours:
    """What our reader makes of a record, or the error it gives."""

    def __init__(self, dump, path, *options):
        with tempfile.NamedTemporaryFile() as out:
            run = subprocess.run([dump, "record", path, *map(str, options), "--out", out.name], capture_output=True, text=True)
            lines = [line.split("\t") for line in run.stdout.splitlines()]
            self.error = lines[0][1] if lines and lines[0][0] == "error" else (run.stderr if run.returncode else "")
            if self.error:
                return
            self.rate, self.start = float(lines[0][2]), lines[0][3]
            channels = [line[1:] for line in lines[1:]]
            self.names, self.units = [c[0] for c in channels], [c[1] for c in channels]
            self.rates = [float(c[2]) for c in channels]
            self.gains, self.baselines = [float(c[4]) for c in channels], [int(c[5]) for c in channels]
            lengths = [int(c[3]) for c in channels]
            samples = np.fromfile(out.name, "<f4")
            self.signals = np.split(samples, np.cumsum(lengths)[:-1]) if channels else []


def same(a, b):
    """Equal, NaN for NaN."""
    return len(a) == len(b) and np.array_equal(np.asarray(a), np.asarray(b), equal_nan=True)


def close(a, b, absolute=0.0):
    """Equal but for the rounding of float32 and of printing."""
    a, b = np.asarray(a, "f8"), np.asarray(b, "f8")
    if a.shape != b.shape or not np.array_equal(np.isnan(a), np.isnan(b)):
        return False
    bound = absolute + np.spacing(np.abs(b).astype("f4"))
    return bool(np.all((np.abs(a - b) <= bound) | np.isnan(b)))


def start_of(record):
    time = record.base_time
    if time is None:
        return ""
    text = time.strftime("%H:%M:%S") + (f".{time.microsecond:06}".rstrip("0") if time.microsecond else "")
    return text + (record.base_date.strftime(" %d/%m/%Y") if record.base_date else "")


def clock(text):
    """A start time in one form, whatever zeros it is written with."""
    if not text:
        return text
    time, _, date = text.partition(" ")
    parts = [float(part) for part in time.split(":")]
    seconds = 0.0
    for part in parts:
        seconds = seconds * 60 + part
    return (round(seconds, 3), date)


def read_python(path, **options):
    try:
        return wfdb.rdrecord(str(path), return_res=64, ignore_skew=False, m2s=True, **options)
    except Exception as error:  # Whatever it is, it is wfdb-python's answer.
        return error


def compare_record(dump, path):
    """Columns of the table for one record: what is compared with wfdb-python."""
    name, row = path.name, {}
    ours = Ours(dump, str(path))
    if name in ABSENT:
        named = ABSENT[name] in ours.error and "no such file" in ours.error
        return {"samples": "absent" if named else f"DIFFERS: {ours.error or 'read'}"}
    theirs = read_python(path, smooth_frames=False)
    if ours.error:
        return {"samples": f"DIFFERS: {ours.error}"}
    if isinstance(theirs, Exception):
        return {"samples": "read", "note": f"wfdb-python: {type(theirs).__name__}"}
    pairs = list(zip(ours.signals, theirs.e_p_signal))
    equal = all(same(a, b.astype("f4")) for a, b in pairs) and len(ours.signals) == len(theirs.e_p_signal)
    row["samples"] = "equal" if equal else "DIFFERS"
    row["names"] = "equal" if ours.names == theirs.sig_name else "DIFFERS"
    row["units"] = "equal" if ours.units == theirs.units else "DIFFERS"
    row["start"] = "equal" if clock(ours.start) == clock(start_of(theirs)) else "DIFFERS"
    if any(rate != ours.rate for rate in ours.rates):
        smooth, mean = Ours(dump, str(path), "--smooth"), read_python(path)
        if isinstance(mean, Exception):
            row["smooth"] = f"wfdb-python: {type(mean).__name__}"
        else:
            # wfdb-python cuts the mean of digital values to a whole number; ours is the mean.
            triples = zip(smooth.signals, mean.p_signal.T, smooth.gains)
            close_all = all(close(a, b, 1.000001 / abs(gain)) for a, b, gain in triples)
            row["smooth"] = "within 1 unit" if close_all and not smooth.error else "DIFFERS"
    row["parts"] = "equal" if parts_equal(dump, path, ours) else "DIFFERS"
    return row


def parts_equal(dump, path, whole):
    """Whether parts of the record are what the whole has there."""
    frames = round(len(whole.signals[0]) / whole.rates[0] * whole.rate) if whole.signals else 0
    draw = np.random.default_rng(7)
    windows = [(0, min(1, frames)), (frames, frames)] + [sorted(draw.integers(0, frames + 1, 2)) for _ in range(6)]
    for first, last in windows:
        part = Ours(dump, str(path), "--from", int(first), "--to", int(last))
        if part.error:
            print(path, first, last, part.error)
            return False
        for a, b, rate in zip(part.signals, whole.signals, whole.rates):
            per_frame = round(rate / whole.rate)
            if not same(a, b[int(first) * per_frame : int(last) * per_frame]):
                print(path, first, last)
                return False
    return True


def compare_target(dump, data, target, rows=None):
    """Our samples beside what rdsamp printed."""
    name, first, last, signals, how = TARGETS[target]
    text = rows if rows is not None else read_text(data / "wfdb-formats-targets" / target)
    table = np.array([[np.nan if cell == "-" else float(cell) for cell in line.split()] for line in text.splitlines()])
    options = ["--from", first] + (["--to", last] if last else []) + (["--smooth"] if "smooth" in how else [])
    ours = Ours(dump, str(data / "wfdb-formats" / name), *options)
    if ours.error:
        absent = ABSENT_TARGETS.get(target)
        return "absent" if absent and absent in ours.error and "no such file" in ours.error else f"DIFFERS: {ours.error}"
    signals = signals or range(len(ours.signals))
    highest = max(ours.rates)
    for column, index in zip(table.T, signals):
        samples = ours.signals[index].astype("f8")
        if "high" in how:
            samples = np.repeat(samples, round(highest / ours.rates[index]))
        gain, baseline = ours.gains[index], ours.baselines[index]
        absolute = 0.5e-8
        if "digital" in how:
            # rdsamp prints missing samples as the code of the format, or as that of format 16.
            missing = {"record-multi-variable-d": -128, "record-multi-fixed-d.gz": -2048}.get(target, -32768)
            column = (np.where(column == missing, np.nan, column) - baseline) / gain
            absolute = 1e-9
        if "smooth" in how:
            # The rdsamp of that time cut means to whole units.
            absolute = 1.000001 / abs(gain)
        # rdsamp ends with the last frame of which it has every signal.
        if len(column) > len(samples) or len(samples) - len(column) > 12:
            return f"DIFFERS: {len(samples)} samples, not {len(column)}"
        if not close(samples[: len(column)], column, absolute):
            return f"DIFFERS: signal {index}"
    return "equal"


def read_text(path):
    return gzip.decompress(path.read_bytes()).decode() if path.suffix == ".gz" else path.read_text()


def our_annotations(dump, path, *rate):
    run = subprocess.run([dump, "annotations", path, *map(str, rate)], capture_output=True)
    lines = [line.split("\t") for line in run.stdout.decode().split("\n") if line]
    if run.returncode:
        return lines[0][1], []
    # A text with line ends of its own goes on in what follows.
    return "", [(int(a[1]), a[2], int(a[3]), int(a[4]), int(a[5]), a[6]) for a in lines if a[0] == "annotation"]


def rdann_rows(text):
    """Sample, code, subtype, channel, number and text of each line that rdann prints."""
    rows = []
    for line in text.splitlines():
        fields, _, aux = line.partition("\t")
        *_, sample, code, subtype, channel, number = fields.split()
        rows.append((int(sample), code, int(subtype), int(channel), int(number), aux))
    return rows


def compare_annotations(dump, path, tools):
    error, ours = our_annotations(dump, path)
    if error:
        return {"samples": f"DIFFERS: {error}"}
    row = {}
    try:
        theirs = wfdb.rdann(str(path.with_suffix("")), path.suffix[1:], return_label_elements=["symbol", "label_store"])
        symbols = [s if isinstance(s, str) else f"[{n}]" for s, n in zip(theirs.symbol, theirs.label_store)]
        texts = [(text or "").rstrip("\0") for text in theirs.aux_note]
        rows = list(zip(theirs.sample.tolist(), symbols, theirs.subtype.tolist(), theirs.chan.tolist(), theirs.num.tolist(), texts))
        # wfdb-python drops every comment at sample 0 as a description of the file; rdann and we keep those that are none.
        kept = [a for a in ours if a[:2] == (0, '"')]
        row["python"] = "DIFFERS" if rows != [a for a in ours if a not in kept] else f"equal but for {len(kept)} comment" if kept else "equal"
    except Exception as error:
        row["python"] = f"wfdb-python: {type(error).__name__}"
    if tools:
        run = [tools / "rdann", "-r", path.stem, "-a", path.suffix[1:]]
        text = subprocess.run(run, capture_output=True, cwd=path.parent).stdout.decode("latin-1")
        # rdann prints positions at the record's rate.
        header = path.with_suffix(".hea")
        scaled = our_annotations(dump, path, wfdb.rdheader(str(path.with_suffix(""))).fs)[1] if header.exists() else ours
        row["rdann"] = "equal" if rows_equal(rdann_rows(text), scaled) else "DIFFERS"
    return row


def rows_equal(rdann, ours):
    """rdann prints blanks of a text as they are, and the terminal eats those at the end."""
    return [(*r[:5], r[5].rstrip()) for r in rdann] == [(*o[:5], o[5].rstrip()) for o in ours]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("data", type=pathlib.Path)
    parser.add_argument("--dump", default="target/release/examples/wfdb_dump")
    parser.add_argument("--tools", type=pathlib.Path)
    arguments = parser.parse_args()
    dump, data = arguments.dump, arguments.data
    records = sorted((data / "wfdb-formats").rglob("*.hea"))
    annotators = sorted(p for s in ("atr", "qrs", "gqrsh", "gqrsl", "sqrs", "anI", "wabp", "wqrs") for p in (data / "wfdb-formats").glob(f"*.{s}"))
    bad = 0
    print("| file | samples | names | units | start | frame means | parts | other |\n|---|---|---|---|---|---|---|---|")
    for path in records:
        if path.stem.endswith("_layout"):
            continue
        row = compare_record(dump, path.with_suffix(""))
        bad += sum(str(v).startswith("DIFFERS") and k not in EXPLAINED.get(path.stem, ()) for k, v in row.items())
        cells = [row.get(k, "") for k in ("samples", "names", "units", "start", "smooth", "parts", "note")]
        print(f"| {path.relative_to(data / 'wfdb-formats').with_suffix('')} | " + " | ".join(cells) + " |")
    print("\n| target | rdsamp, rdann |\n|---|---|")
    for target in TARGETS:
        found = compare_target(dump, data, target)
        bad += found.startswith("DIFFERS")
        print(f"| {target} ({TARGETS[target][0]}) | {found} |")
    for target, (name, extension) in ANNOTATION_TARGETS.items():
        _, ours = our_annotations(dump, data / "wfdb-formats" / f"{name}.{extension}")
        found = "equal" if rows_equal(rdann_rows(read_text(data / "wfdb-formats-targets" / target)), ours) else "DIFFERS"
        bad += found == "DIFFERS"
        print(f"| {target} ({name}.{extension}) | {found} |")
    print("\n| annotations | wfdb-python | rdann |\n|---|---|---|")
    for path in annotators:
        row = compare_annotations(dump, path, arguments.tools)
        bad += sum(str(v).startswith("DIFFERS") and k not in EXPLAINED.get(path.name, ()) for k, v in row.items())
        print(f"| {path.name} | {row.get('python', row.get('samples'))} | {row.get('rdann', '')} |")
    print(f"\n{bad} unexplained differences")
    sys.exit(bad > 0)


main()

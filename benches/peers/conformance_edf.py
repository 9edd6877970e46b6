"""What physiosynth reads from EDF and BDF files, beside what pyEDFlib, MNE and edfio read.

For every file of the folders named, and for every tool that opens it: sample values (largest difference in units in the last place
of float32, so that 1 is rounding), labels, units, sampling frequencies, start time, annotations. A table is printed, with a note
wherever something differs; docs/formats.md says why, and who is right.

    cargo build --release -p physiosynth-formats --example dump_edf
    python3 benches/peers/conformance_edf.py --binary target/release/examples/dump_edf FOLDER…

With `--rewritten edf` (or `bdf`) each file is first written anew by physiosynth, as EDF+ (or BDF+), and what the tools read from
that is compared with what physiosynth reads from it, and this with the original, in steps of the new file's quantisation.

Versions: requirements_edf.txt.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from datetime import datetime
from pathlib import Path

import numpy as np

# Seconds. EDFlib keeps seven decimals, MNE six.
TIME_TOLERANCE = 1e-6


def ours(binary, path):
    """What physiosynth reads: header facts, and one array per channel."""
    with tempfile.NamedTemporaryFile(suffix=".f32") as file:
        done = subprocess.run([binary, path, file.name], capture_output=True, text=True)
        if done.returncode != 0:
            return None, done.stderr.strip()
        facts = json.loads(done.stdout)
        samples = np.fromfile(file.name, "<f4")
    ends = np.cumsum([channel["samples"] for channel in facts["channels"]])
    facts["arrays"] = np.split(samples, ends[:-1]) if len(ends) else []
    facts["times"] = sorted((onset / 1e9, (duration or 0) / 1e9, text) for onset, duration, text in facts["annotations"])
    return facts, None


def rewritten(binary, path, extension, folder):
    """The file written anew, and how far its samples are from the original's, in steps of its own quantisation."""
    import edfio

    target = folder / f"{path.stem}.{extension}"
    before, error = ours(binary, path)
    if before is None:
        return None, error
    done = subprocess.run([binary, path, "/dev/null", target], capture_output=True, text=True)
    if done.returncode != 0:
        return None, done.stderr.strip()
    after, error = ours(binary, target)
    if after is None:
        return None, error
    steps = [
        abs(signal.physical_max - signal.physical_min) / (signal.digital_max - signal.digital_min)
        for signal in (edfio.read_bdf if extension == "bdf" else edfio.read_edf)(target).signals
    ]
    worst = 0.0
    for old, new, step in zip(before["arrays"], after["arrays"], steps):
        if len(old) != len(new):
            return target, f"{len(old)} samples became {len(new)}"
        if len(old):
            # What float32 rounds of either is not the quantisation's.
            spacing = np.spacing(np.maximum(np.abs(old), np.abs(new)))
            worst = max(worst, float(np.nanmax((np.abs(old.astype("f8") - new) - spacing) / step)))
    return target, f"{worst:.2f} steps from the original"


def start_of(text):
    """`HH:MM:SS.f DD/MM/YYYY` as a datetime and nanoseconds."""
    if text is None:
        return None
    time, _, date = text.partition(" ")
    whole, _, fraction = time.partition(".")
    start = datetime.strptime(f"{whole} {date or '01/01/1985'}", "%H:%M:%S %d/%m/%Y")
    return start, int(fraction.ljust(9, "0")) if fraction else 0


# ------------------------------------------------------------------------------------------------------------- the other tools


def by_pyedflib(path):
    import pyedflib

    file = pyedflib.EdfReader(str(path))
    try:
        count = file.signals_in_file
        onsets, durations, texts = file.readAnnotations()
        return {
            "labels": file.getSignalLabels(),
            "units": [file.getPhysicalDimension(i).strip() for i in range(count)],
            "rates": [float(file.getSampleFrequency(i)) for i in range(count)],
            "arrays": [file.readSignal(i) for i in range(count)],
            # Hundreds of nanoseconds.
            "start": (file.getStartdatetime().replace(microsecond=0), file.starttime_subsecond * 100),
            "annotations": sorted((float(o), max(float(d), 0.0), str(t)) for o, d, t in zip(onsets, durations, texts)),
        }
    finally:
        file.close()


def by_edfio(path):
    import edfio

    file = (edfio.read_bdf if path.suffix == ".bdf" else edfio.read_edf)(path)
    start = datetime.combine(file.startdate, file.starttime)
    return {
        "labels": [signal.label for signal in file.signals],
        "units": [signal.physical_dimension for signal in file.signals],
        "rates": [float(signal.sampling_frequency) for signal in file.signals],
        "arrays": [signal.data for signal in file.signals],
        "start": (start.replace(microsecond=0), start.microsecond * 1000),
        "annotations": sorted((a.onset, a.duration or 0.0, a.text) for a in file.annotations),
    }


def by_mne(path):
    """MNE gives volts, all signals at the highest rate, trigger channels in digital values: those that it changes are left out."""
    import mne

    mne.set_log_level("ERROR")
    read = mne.io.read_raw_bdf if path.suffix == ".bdf" else mne.io.read_raw_edf
    raw = read(path, preload=False)
    kinds, units = raw.get_channel_types(), raw._orig_units
    scale = {"nV": 1e-9, "µV": 1e-6, "mV": 1e-3}
    data, counts = raw.get_data(), raw._raw_extras[0]["n_samps"]
    counts = [counts[i] for i in raw._raw_extras[0]["sel"]]
    arrays = []
    for index, (name, kind) in enumerate(zip(raw.ch_names, kinds)):
        usable = kind != "stim" and counts[index] == max(counts)
        arrays.append(data[index] / scale.get(units.get(name), 1.0) if usable else None)
    start = raw.info["meas_date"]
    facts = {
        "labels": raw.ch_names,
        "units": None,
        "rates": None,
        "arrays": arrays,
        "start": (start.replace(tzinfo=None, microsecond=0), start.microsecond * 1000) if start else None,
        "annotations": sorted((a["onset"], a["duration"], a["description"]) for a in raw.annotations),
    }
    stim = [name for name, kind in zip(raw.ch_names, kinds) if kind == "stim" and name.lower() == "status"]
    if path.suffix == ".bdf" and stim:
        events = mne.find_events(raw, stim_channel=stim[0], mask=0xFFFF, mask_type="and", shortest_event=1)
        facts["events"] = [(int(sample), int(value)) for sample, _, value in events]
    return facts


TOOLS = {"pyEDFlib": by_pyedflib, "edfio": by_edfio, "MNE": by_mne}

# ---------------------------------------------------------------------------------------------------------------- comparisons


def values(own, other):
    """Largest difference of samples in float32 steps of the larger of value and 2⁻¹⁶ of the channel's range; what was compared."""
    worst, compared = 0.0, 0
    for mine, theirs in zip(own, other):
        if theirs is None:
            continue
        if len(mine) != len(theirs):
            return None, f"{len(mine)} samples, theirs {len(theirs)}"
        compared += 1
        if len(mine) == 0:
            continue
        # A value near 0 is a difference of larger ones: its rounding is that of the range.
        floor = np.float32(np.nanmax(np.abs(theirs)) / 65536 or 1e-30)
        step = np.spacing(np.maximum(np.abs(theirs).astype(np.float32), floor))
        worst = max(worst, float(np.nanmax(np.abs(mine.astype(np.float64) - theirs) / step)))
    return worst, f"{compared} of {len(own)}"


def compare(facts, other):
    """One cell per column, and notes."""
    cells, notes = [], []
    worst, what = values(facts["arrays"], other["arrays"])
    if len(facts["arrays"]) != len(other["arrays"]):
        cells.append(f"{len(facts['arrays'])}/{len(other['arrays'])}")
        notes.append(f"{len(facts['arrays'])} signals here, {len(other['arrays'])} there")
    elif worst is None:
        cells.append("DIFFER")
        notes.append(what)
    else:
        cells.append(f"{worst:.2f} ({what})")
        if worst > 1.0:
            notes.append(f"samples differ by {worst:.3g} steps of float32")
    for key, mine in [
        ("labels", [c["label"] for c in facts["channels"]]),
        ("units", [c["unit"] for c in facts["channels"]]),
        ("rates", [c["rate"] for c in facts["channels"]]),
    ]:
        if other[key] is None:
            cells.append("-")
        elif key == "rates":
            same = len(mine) == len(other[key]) and np.allclose(mine, other[key], rtol=1e-12)
            cells.append("same" if same else "DIFFER")
        else:
            cells.append("same" if mine == list(other[key]) else "DIFFER")
        if cells[-1] == "DIFFER":
            pairs = [f"{a!r} there {b!r}" for a, b in zip(mine, other[key]) if a != b] or ["their number"]
            notes.append(f"{key}: {pairs[0]}")
    mine = start_of(facts["start"])
    same = mine is not None and other["start"] is not None and mine[0] == other["start"][0] and abs(mine[1] - other["start"][1]) < 1000
    cells.append("same" if same else "DIFFER")
    if not same:
        notes.append(f"start: {facts['start']}, there {other['start']}")
    theirs = other["annotations"]
    same = len(theirs) == len(facts["times"]) and all(
        abs(a[0] - b[0]) <= TIME_TOLERANCE and abs(a[1] - b[1]) <= TIME_TOLERANCE and a[2] == b[2]
        for a, b in zip(facts["times"], theirs)
    )
    cells.append(f"{len(theirs)} same" if same else "DIFFER")
    if not same:
        notes.append(f"annotations: {len(facts['times'])} here, {len(theirs)} there: {facts['times'][:2]} {theirs[:2]}")
    if "events" in other:
        marks = [(sample, int(code)) for sample, _, code in facts["marks"] if code.isdigit()]
        same = marks == other["events"]
        cells[-1] += f", {len(marks)} triggers same" if same else ", triggers DIFFER"
        if not same:
            notes.append(f"triggers: {marks[:4]} there {other['events'][:4]}")
    return cells, notes


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", required=True, help="the example dump_edf")
    parser.add_argument("--rewritten", choices=["edf", "bdf"], help="write each file anew first")
    parser.add_argument("folders", nargs="+", type=Path)
    arguments = parser.parse_args()
    files = sorted(p for folder in arguments.folders for p in folder.rglob("*") if p.suffix in (".edf", ".bdf", ".rec"))
    columns = ["file", "tool", "samples", "labels", "units", "rates", "start", "annotations"]
    print("| " + " | ".join(columns) + " |\n|" + "---|" * len(columns))
    notes, differing = [], 0
    scratch = tempfile.TemporaryDirectory()
    for path in files:
        name = f"{path.parent.name}/{path.name}"
        if arguments.rewritten:
            path, what = rewritten(arguments.binary, path, arguments.rewritten, Path(scratch.name))
            notes.append(f"{name}: written anew: {what}")
            if path is None:
                differing += 1
                continue
        facts, error = ours(arguments.binary, path)
        if facts is None:
            print(f"| {name} | physiosynth | {error} |")
            differing += 1
            continue
        notes += [f"{name}: physiosynth says: {problem.split(': ', 1)[-1]}" for problem in facts["problems"]]
        for tool, read in TOOLS.items():
            try:
                other = read(path)
            except Exception as error:  # whatever a tool cannot read is told, and is no disagreement
                print(f"| {name} | {tool} | cannot read it |")
                notes.append(f"{name}: {tool} says: {error}")
                continue
            cells, found = compare(facts, other)
            differing += bool(found)
            notes += [f"{name}, {tool}: {note}" for note in found]
            print(f"| {name} | {tool} | " + " | ".join(cells) + " |")
    print(f"\n{len(files)} files, {differing} comparisons with a difference")
    print("\n".join(f"- {note}" for note in notes))


if __name__ == "__main__":
    sys.exit(main())

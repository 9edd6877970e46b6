"""Reading EDF and BDF files whole into float32: physiosynth, pyEDFlib and MNE, one thread each, in turns.

    cargo build --release -p physiosynth-formats --example dump_edf
    python3 benches/peers/formats_edf.py --binary target/release/examples/dump_edf --runs 7 FILE…

Every pass reads all files, signals and annotations, from the file cache. The tools take turns, `--runs` times after one turn that
only warms the cache; medians are printed, with bytes of file per second, beside reading the files' bytes alone and copying as many
bytes in memory. physiosynth's passes are timed inside its process, as Python's are inside this one, so that neither counts its start.
On a machine that is busy with other things, `--cpu` counts processor seconds (user and system) instead; physiosynth's are then those
of its whole process over five passes, its start included.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "RAYON_NUM_THREADS"):
    os.environ[name] = "1"

import mne
import numpy as np
import pyedflib

mne.set_log_level("ERROR")


def by_pyedflib(path):
    file = pyedflib.EdfReader(str(path))
    try:
        signals = [file.readSignal(index).astype(np.float32) for index in range(file.signals_in_file)]
        return signals, file.readAnnotations()
    finally:
        file.close()


def by_mne(path):
    read = mne.io.read_raw_bdf if path.suffix == ".bdf" else mne.io.read_raw_edf
    raw = read(path, preload=True)
    return raw.get_data().astype(np.float32), raw.annotations


def by_bytes(path):
    return path.read_bytes()


def timed(read, files, clock):
    start = clock()
    for path in files:
        read(path)
    return clock() - start


def children_seconds():
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", required=True, help="the example dump_edf")
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--cpu", action="store_true", help="processor seconds instead of those on the clock")
    parser.add_argument("files", nargs="+", type=Path)
    arguments = parser.parse_args()
    files, size = arguments.files, sum(path.stat().st_size for path in arguments.files)

    def ours(_):
        # Two passes: the first warms the process' memory as Python's is warm.
        passes, before = 5 if arguments.cpu else 2, children_seconds()
        command = [arguments.binary, "--time", str(passes), *files]
        out = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        return (children_seconds() - before) / passes if arguments.cpu else json.loads(out)[-1]

    clock = time.process_time if arguments.cpu else time.perf_counter

    block = np.ones(size, np.uint8)
    tools = {
        "physiosynth": ours,
        "pyEDFlib": lambda files: timed(by_pyedflib, files, clock),
        "MNE": lambda files: timed(by_mne, files, clock),
        "bytes of the files": lambda files: timed(by_bytes, files, clock),
        "copy in memory": lambda _: timed(lambda _: block.copy(), [None], clock),
    }
    seconds = {name: [] for name in tools}
    for turn in range(arguments.runs + 1):
        for name, run in tools.items():
            took = run(files)
            if turn > 0:
                seconds[name].append(took)
    base = median(seconds["physiosynth"])
    kind = "processor time" if arguments.cpu else "time on the clock"
    print(f"{len(files)} files, {size / 1e6:.1f} MB, {kind}, median of {arguments.runs}, {os.cpu_count()} cores, 1 used\n")
    print("| | milliseconds | range | MB/s of file | times physiosynth's |\n|---|---|---|---|---|")
    for name, own in seconds.items():
        middle = median(own)
        spread = f"{min(own) * 1e3:.1f}–{max(own) * 1e3:.1f}"
        print(f"| {name} | {middle * 1e3:.1f} | {spread} | {size / 1e6 / middle:.0f} | {middle / base:.2f} |")


if __name__ == "__main__":
    sys.exit(main())

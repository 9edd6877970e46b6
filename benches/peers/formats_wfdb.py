"""Reading WFDB files here and in the tools users have: processor seconds, one thread each, in turns.

    cargo build --release -p physiosynth-formats --example wfdb_dump
    python benches/peers/formats_wfdb.py MITDB [--dump target/release/examples/wfdb_dump] [--turns 5] [--records 48]

MITDB is the folder of the MIT-BIH Arrhythmia Database. What is compared:

- format 212: all records, every signal as float32; wfdb-python `rdrecord(return_res=32)`, and `rdsamp` where `--tools` names a
  folder with it;
- annotations: all `.atr` files; wfdb-python `rdann`;
- FLAC: the same records in format 516, compressed by the `flac` program at its default level; wfdb-python, and libFLAC through
  soundfile (samples as int16, neither scaled nor held against the header);
- a part: a tenth of each record, from its middle, as 212 and as FLAC, beside the whole;
- what the machine gives: the files' bytes copied in memory (`numpy.array` of them), and read (`cat`) from the cache of the system.

The example that reads has the allocator of the program itself (mimalloc): memory that is given back is kept, where the system's allocator has the
kernel clear it anew for each record.

Each run is a process of its own that does the work once or several times; its seconds are the difference, so that starting up
counts on neither side. Seconds are user and system time, which other work on the machine changes little. Figures are medians.

Made for wfdb 4.3.1, soundfile 0.14.0, numpy 2.4.6, flac 1.4.2.
"""

import argparse
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile

# A part: a tenth of the 650,000 samples of each record.
PART = (300_000, 365_000)


def worker(side, times, paths):
    """The work of a side, several times."""
    import numpy as np
    import soundfile
    import wfdb

    for _ in range(times):
        for path in paths:
            if side == "wfdb":
                wfdb.rdrecord(path, return_res=32)
            elif side == "wfdb-part":
                wfdb.rdrecord(path, return_res=32, sampfrom=PART[0], sampto=PART[1])
            elif side == "rdann":
                wfdb.rdann(path, "atr")
            elif side == "libflac":
                soundfile.read(path + ".dat", dtype="int16")
            elif side == "memcpy":
                np.array(np.fromfile(path + ".dat", "u1"))


def seconds(command, few, many):
    """Processor seconds of one time."""

    def run(times):
        environment = os.environ | {name: "1" for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "RAYON_NUM_THREADS")}
        process = subprocess.Popen([str(part) for part in command(times)], stdout=subprocess.DEVNULL, env=environment)
        _, status, usage = os.wait4(process.pid, 0)
        if status:
            sys.exit(f"{command(times)[:4]} failed")
        return usage.ru_utime + usage.ru_stime

    return (run(many) - run(few)) / (many - few)


def compressed(dump, mitdb, names, folder):
    """The records in format 516, compressed by the flac program."""
    for name in names:
        subprocess.run([dump, "write", mitdb / name, folder, "16"], check=True)
        raw, flac = folder / f"{name}.dat", folder / f"{name}.flac"
        options = "-s -f -5 --force-raw-format --endian=little --sign=signed --channels=2 --bps=16 --sample-rate=96000"
        subprocess.run(["flac", *options.split(), "-o", flac, raw], check=True)
        flac.replace(raw)
        header = folder / f"{name}.hea"
        header.write_text(header.read_text().replace(".dat 16 ", ".dat 516 "))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("mitdb", type=pathlib.Path)
    parser.add_argument("--dump", type=pathlib.Path, default=pathlib.Path("target/release/examples/wfdb_dump"))
    parser.add_argument("--tools", type=pathlib.Path)
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--records", type=int, default=48)
    arguments = parser.parse_args()
    names = (arguments.mitdb / "RECORDS").read_text().split()[: arguments.records]
    dump = arguments.dump.resolve()
    part = f"--from {PART[0]} --to {PART[1]}"

    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        if not shutil.which("flac"):
            sys.exit("the flac program is needed: apt install flac")
        compressed(dump, arguments.mitdb, names, folder)
        raw, flac = [arguments.mitdb / name for name in names], [folder / name for name in names]
        atr = [arguments.mitdb / f"{name}.atr" for name in names]
        ours = lambda what, paths: lambda times: [dump, "time", what, times, *paths]
        python = lambda side, paths: lambda times: [sys.executable, __file__, "--side", side, times, *paths]
        dats = [path.with_suffix(".dat") for path in raw]
        cat = lambda times: ["sh", "-c", 'n=$1; shift; for i in $(seq "$n"); do cat "$@" >/dev/null; done', "sh", times, *dats]
        # Label: command, times of few and of many.
        sides = {
            "212, physiosynth": (ours("record", raw), 1, 6),
            "212, wfdb-python": (python("wfdb", raw), 1, 2),
            "212, bytes read and copied (NumPy)": (python("memcpy", raw), 1, 21),
            "212, bytes read (cat)": (cat, 1, 21),
            "annotations, physiosynth": (ours("annotations", atr), 1, 51),
            "annotations, wfdb-python": (python("rdann", raw), 1, 2),
            "FLAC, physiosynth": (ours("record", flac), 1, 6),
            "FLAC, libFLAC": (python("libflac", flac), 1, 4),
            "FLAC, wfdb-python": (python("wfdb", flac), 1, 2),
            "part of 212, physiosynth": (ours(part, raw), 1, 21),
            "part of 212, wfdb-python": (python("wfdb-part", raw), 1, 4),
            "part of FLAC, physiosynth": (ours(part, flac), 1, 21),
            "part of FLAC, wfdb-python": (python("wfdb-part", flac), 1, 4),
        }
        if arguments.tools:
            script = "for r in $2; do $1/rdsamp -r $r -p >/dev/null; done"
            whole = lambda times: ["sh", "-c", f"for i in $(seq {times}); do {script}; done", "sh", arguments.tools, " ".join(map(str, raw))]
            sides["212, rdsamp (as text)"] = (whole, 1, 2)
        found = {label: [] for label in sides}
        for turn in range(arguments.turns):
            for label, side in sides.items():
                found[label].append(seconds(*side))
            print(f"turn {turn + 1} of {arguments.turns}", file=sys.stderr)
        flac_megabytes = sum(path.with_suffix(".dat").stat().st_size for path in flac) / 1e6
    megabytes = sum(path.with_suffix(".dat").stat().st_size for path in raw) / 1e6
    samples = len(names) * 2 * 650_000
    print(f"{len(names)} records, {megabytes:.1f} MB as 212, {samples / 1e6:.1f} million samples; {os.cpu_count()} processors\n")
    print("| | processor seconds | million samples per second | megabytes of the files per second | times ours |\n|---|---|---|---|---|")
    for label, runs in found.items():
        median = max(statistics.median(runs), 1e-9)
        own = statistics.median(found[label.partition(",")[0] + ", physiosynth"])
        share = 0.1 if label.startswith("part") else 1
        rate = bytes_ = ""
        if not label.startswith("annotations"):
            rate = f"{samples * share / median / 1e6:.0f}"
            size = flac_megabytes if "FLAC" in label else megabytes
            bytes_ = f"{size * share / median:.0f}"
        print(f"| {label} | {median:.4f} | {rate} | {bytes_} | {median / max(own, 1e-9):.1f} |")


if sys.argv[1:2] == ["--side"]:
    worker(sys.argv[2], int(sys.argv[3]), sys.argv[4:])
else:
    main()

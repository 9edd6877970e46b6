"""Preprocessing of the MIT-BIH Arrhythmia Database, in physiosynth and in the Python libraries that users have today.

Both sides go from the 48 records on disk to an HDF5 file of clustered segments, with the settings that physiosynth leaves in
config.toml: wfdb reads, PyWavelets denoises, SciPy resamples, NumPy cuts, scikit-learn clusters, h5py writes. The sides take turns on the
same cores, `--runs` times after one turn that only warms the file cache; medians are printed, then how far the results agree.

    python3 benches/peers/preprocessing.py --database PATH/TO/mitdb --binary target/release/physiosynth --runs 5

See README.md in this folder for what is not the same on both sides.
"""

import argparse
import hashlib
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
import tomllib
from pathlib import Path
from statistics import median

# What physiosynth has no setting for.
CLASSES = {"N": "NLRBejn", "S": "AaJS", "V": "rVE", "F": "F", "Q": "/fQ?"}
ITERATIONS, TOLERANCE = 100, 1e-4
CHUNK_BYTES = 64 * 1024

# Step of the Python side → the same work among physiosynth's steps.
STEPS = {
    "read signals": "read",
    "read annotations": "read",
    "denoise": "denoise",
    "resample": "resample",
    "z-score": "normalise",
    "segment": "segment",
    "cluster": "cluster",
    "write HDF5": "write segments.h5",
}


class Stopwatch:
    """Seconds per step, in the order of first use."""

    def __init__(self):
        self.seconds = {}
        self.started = time.perf_counter()

    def __call__(self, step):
        """Ends a step that began when the last one ended."""
        now = time.perf_counter()
        self.seconds[step] = self.seconds.get(step, 0.0) + now - self.started
        self.started = now


# ---------------------------------------------------------------------------------------------------------- the Python side


def levels(settings, rate_hz):
    """Levels of the transform, the one the noise is measured on, and how many are thresholded. Level j ends at rate / 2^j."""
    lower = {level: rate_hz / 2 ** (level + 1) for level in range(1, 25)}
    deepest = min(level for level in lower if lower[level] <= settings["baseline_cut_hz"])
    noise = min(level for level in lower if 2 * lower[level] <= (settings["band_hz"] or rate_hz / 2))
    return deepest, noise, sum(edge >= settings["threshold_above_hz"] for edge in lower.values())


def denoised(signal, settings, rate_hz):
    """Wavelet denoising as `[preprocessing.denoise]` describes it, and the baseline dropped with the approximation."""
    import numpy as np
    import pywt

    deepest, noise, thresholded = levels(settings, rate_hz)
    coefficients = pywt.wavedec(signal, settings["wavelet"], mode=settings["mode"], level=deepest)
    # coefficients[0] is the approximation, coefficients[-j] the detail of level j.
    sigma = float(np.median(np.abs(coefficients[-noise])) / 0.6744897501960817)
    for level in range(1, thresholded + 1):
        detail = coefficients[-level]
        if settings["threshold"] == "universal":
            threshold = sigma * np.sqrt(2 * np.log(len(detail)))
        else:
            variance = float(np.dot(detail, detail)) / len(detail) - sigma**2
            threshold = sigma**2 / np.sqrt(variance) if variance > 0 else np.inf
        if np.isfinite(threshold):
            # A Python number, so that float32 stays float32.
            coefficients[-level] = pywt.threshold(detail, float(threshold), mode=settings["shrink"])
        else:
            coefficients[-level] = np.zeros_like(detail)
    coefficients[0] = np.zeros_like(coefficients[0])
    return pywt.waverec(coefficients, settings["wavelet"], mode=settings["mode"])[: len(signal)]


def beats(samples, symbols, rate_hz, class_of, maximum_gap_s):
    """Positions, codes, classes and RR intervals of the beats; an interval across flutter, noise or a gap is NaN."""
    import numpy as np

    order = np.argsort(samples, kind="stable")
    samples, symbols = samples[order], symbols[order]
    classes = class_of[symbols]
    flutter = np.cumsum((symbols == ord("[")).astype(np.int8) - (symbols == ord("]"))) > 0
    broken = flutter | np.isin(symbols, [ord(c) for c in "[]!~"])
    before = np.concatenate([[0], np.cumsum(broken)])
    at = np.flatnonzero(classes >= 0)
    rr = np.diff(samples[at]) / rate_hz
    # Marks from the one beat up to the next one; that a beat lies in flutter itself counts too.
    interrupted = before[at[1:] + 1] - before[at[:-1]] > 0
    rr = np.where(interrupted | (rr <= 0) | (rr > maximum_gap_s), np.nan, rr).astype(np.float32)
    edge = np.array([np.nan], dtype=np.float32)
    return samples[at], symbols[at], classes[at], np.concatenate([edge, rr]), np.concatenate([rr, edge])


def shapes(points, settings, rng):
    """Centres of the shapes of one group: k-means, the number by silhouette on a subsample, refined on all points."""
    import numpy as np
    from sklearn.cluster import KMeans
    from sklearn.metrics import pairwise_distances, silhouette_score

    whole = points.mean(axis=0, keepdims=True)
    if len(points) < max(4, settings["smallest_group"]):
        return whole
    sample = points[rng.permutation(len(points))[: settings["sample"]]]
    judged = min(len(sample), settings["silhouette_sample"])
    distances = pairwise_distances(sample[:judged])
    np.fill_diagonal(distances, 0.0)
    smallest = max(2, np.ceil(settings["smallest_share"] * len(sample)))
    best = (settings["lowest_silhouette"], None)
    for k in range(2, settings["largest_number"] + 1):
        seed = int(rng.integers(2**31))
        fit = KMeans(k, n_init=settings["restarts"], max_iter=ITERATIONS, tol=TOLERANCE, random_state=seed).fit(sample)
        labels = fit.labels_[:judged]
        if np.bincount(fit.labels_, minlength=k).min() < smallest or len(np.unique(labels)) < 2:
            continue
        score = silhouette_score(distances, labels, metric="precomputed")
        if score >= best[0]:
            best = (score, fit.cluster_centers_)
    if best[1] is None:
        return whole
    return KMeans(len(best[1]), init=best[1], n_init=1, max_iter=ITERATIONS, tol=TOLERANCE).fit(points).cluster_centers_


def clusters(signals, labels, subjects, splits, settings, rng):
    """Cluster of every segment, fitted on training segments group by group, and the halves A and B of each cluster."""
    import numpy as np
    from sklearn.metrics import pairwise_distances_argmin

    cluster = np.full(len(labels), -1, dtype=np.int32)
    train, count = splits == b"train", 0
    for label in range(len(CLASSES)):
        members = np.flatnonzero(labels == label)
        fitted, held_out = members[train[members]], members[~train[members]]
        of_class = []
        for subject in np.unique(subjects[fitted]) if settings["by"] == "subject-class" else [None]:
            group = fitted if subject is None else fitted[subjects[fitted] == subject]
            if len(group) == 0:
                continue
            centres = shapes(signals[group], settings, rng)
            cluster[group] = count + sum(map(len, of_class)) + pairwise_distances_argmin(signals[group], centres)
            of_class.append(centres)
        if of_class and len(held_out):
            cluster[held_out] = count + pairwise_distances_argmin(signals[held_out], np.concatenate(of_class))
        count += sum(map(len, of_class))
    group = np.full(len(labels), b"", dtype="S1")
    for c in range(count):
        members = rng.permutation(np.flatnonzero((cluster == c) & train))
        half = (len(members) + 1) // 2
        group[members[:half]], group[members[half:]] = b"A", b"B"
    return cluster, group


def write(path, table, signals, settings, mark_index):
    """The same datasets, types, chunks and filters as physiosynth's segments.h5."""
    import h5py

    rows = max(1, CHUNK_BYTES // (4 * signals.shape[1]))
    partial = path.with_suffix(".partial")
    with h5py.File(partial, "w") as file:
        chunks = (min(rows, len(signals)), signals.shape[1], 1)
        packed = {"chunks": chunks, "compression": "gzip", "compression_opts": 1, "shuffle": True}
        data = file.create_dataset("signals", data=signals[:, :, None], **packed)
        data.attrs["sampling_frequency_hz"] = settings["sampling_frequency_hz"]
        data.attrs["mark_index"] = mark_index
        data.attrs["channel_names"] = [settings["lead"]]
        data.attrs["channel_units"] = ["mV"]
        for name, column in table.items():
            if column.dtype.kind == "S":
                column = column.astype(h5py.string_dtype("utf-8", max(1, column.dtype.itemsize)))
            file.create_dataset(name, data=column)
    with open(partial, "rb") as file:
        os.fsync(file.fileno())
    os.replace(partial, path)


def python_side(database, used, settings, output, double, both):
    """All steps, with physiosynth's table `[preprocessing]` as settings. `used` maps the records to take segments from to
    (subject, split). Returns seconds per step."""
    import h5py  # noqa: F401
    import numpy as np
    import pywt  # noqa: F401
    import wfdb
    from scipy.signal import resample_poly
    from sklearn.cluster import KMeans  # noqa: F401
    from sklearn.metrics import silhouette_score  # noqa: F401

    class_of = np.full(128, -1, dtype=np.int8)
    for index, codes in enumerate(CLASSES.values()):
        class_of[[ord(code) for code in codes]] = index
    lead, rate_hz = settings["lead"], settings["sampling_frequency_hz"]
    before, after = (round(settings[f"window_{side}_ms"] * rate_hz / 1000) for side in ("before", "after"))
    window = np.arange(-before, after)
    rng = np.random.default_rng(0)
    cut, columns = [], []
    names = (database / "RECORDS").read_text().split()
    wanted = None if both else [lead]
    watch = Stopwatch()
    for name in names:
        record = wfdb.rdrecord(str(database / name), channel_names=wanted, return_res=64 if double else 32)
        watch("read signals")
        marks = wfdb.rdann(str(database / name), "atr")
        watch("read annotations")
        if name not in used or record.p_signal is None or lead not in record.sig_name:
            continue
        signal = np.ascontiguousarray(record.p_signal[:, record.sig_name.index(lead)])
        signal = denoised(signal, settings["denoise"], record.fs)
        watch("denoise")
        signal = resample_poly(signal, 1, round(record.fs / rate_hz), padtype="edge")
        watch("resample")
        offset, scale = signal.mean(), signal.std()
        signal = ((signal - offset) / scale).astype(np.float32, copy=False)
        watch("z-score")
        symbols = np.frombuffer("".join(marks.symbol).encode("ascii"), dtype=np.uint8)
        position, code, label, rr_before, rr_after = beats(marks.sample, symbols, record.fs, class_of, settings["maximum_gap_s"])
        # The nearest sample at the working rate; the rates are in the ratio 1 : 2.
        start = (position + 1) // 2
        inside = (start >= before) & (start + after <= len(signal))
        cut.append(signal[start[inside, None] + window])
        n = int(inside.sum())
        subject, split = used[name]
        columns.append(
            {
                "scale": np.full((n, 1), scale, np.float32),
                "offset": np.full((n, 1), offset, np.float32),
                "label": label[inside],
                "code": code[inside].view("S1"),
                "subject": np.full(n, subject.encode()),
                "record": np.full(n, name.encode()),
                "split": np.full(n, split.encode()),
                "derived_from": np.full(n, b"", "S1"),
                "sample": position[inside],
                "rr_before_s": rr_before[inside],
                "rr_after_s": rr_after[inside],
            }
        )
        watch("segment")
    signals = np.concatenate(cut)
    table = {key: np.concatenate([column[key] for column in columns]) for key in columns[0]}
    watch("segment")
    labels = table["label"]
    table["cluster"], table["group"] = clusters(signals, labels, table["subject"], table["split"], settings["clustering"], rng)
    table["label"] = np.array([name.encode() for name in CLASSES])[labels]
    watch("cluster")
    write(output, table, signals, settings, before)
    watch("write HDF5")
    return watch.seconds


def worker(arguments):
    """The Python side in a process of its own, as a user's script would run."""
    task = json.loads(Path(arguments.task).read_text())
    output, database = Path(arguments.worker), Path(arguments.database)
    seconds = python_side(database, task["used"], task["settings"], output, arguments.double, arguments.both)
    print(json.dumps(seconds))


# ------------------------------------------------------------------------------------------------------------- both sides


def timed_process(command, threads):
    """Wall time and standard output of a process; `threads` 0 leaves each library its own choice."""
    environment = dict(os.environ)
    variables = ["RAYON_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"]
    for variable in variables:
        environment.pop(variable, None)
        if threads:
            environment[variable] = str(threads)
    started = time.perf_counter()
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    seconds = time.perf_counter() - started
    if done.returncode != 0:
        sys.exit(f"failed with {done.returncode}: {' '.join(map(str, command))}\n{done.stderr}")
    return seconds, done.stdout


def run_physiosynth(arguments, folder, threads):
    """One run into a new folder: seconds per step, of the stage and of the process."""
    command = [arguments.binary, "preprocess", "--database", arguments.database, "--output", folder, "--seed", "0"]
    for setting in ["preprocessing.split.strategy=random", *arguments.set]:
        command += ["--set", setting]
    wall, _ = timed_process([str(word) for word in command], threads)
    stage = json.loads((folder / "manifest.json").read_text())["stages"]["preprocess"]
    steps = {step: seconds for step, seconds in stage["parts"] if step in STEPS.values()}
    return {"steps": steps, "stage": stage["seconds"], "process": wall}


def run_python(arguments, output, task, threads):
    """One run in a new process: seconds per step, their sum and the process' wall time."""
    command = [sys.executable, __file__, "--worker", output, "--task", task, "--database", arguments.database]
    command += [f"--{option}" for option in ("double", "both") if getattr(arguments, option)]
    wall, out = timed_process([str(word) for word in command], threads)
    steps = json.loads(out)
    return {"steps": steps, "stage": sum(steps.values()), "process": wall}


def task_of(folder):
    """What physiosynth did: its settings, and record → (subject, split), so that both sides fit clusters on the same segments."""
    import h5py

    settings = tomllib.loads((folder / "config.toml").read_text())["preprocessing"]
    known = {"class_map": "dechazal", "normalise": "record"}
    assert all(settings[key] == value for key, value in known.items()), f"the Python side knows {known} only"
    denoise, by = settings["denoise"], settings["clustering"]["by"]
    assert denoise["enabled"] and denoise["noise"] == "band" and denoise["threshold"] in ("universal", "bayes"), denoise
    assert by in ("class", "subject-class"), by
    with h5py.File(folder / "segments.h5") as file:
        columns = [file[name].asstr()[:] for name in ("record", "subject", "split")]
    return {"settings": settings, "used": {record: (subject, split) for record, subject, split in zip(*columns)}}


def medians(runs):
    """The median of each figure over runs."""
    steps = {step: median(run["steps"][step] for run in runs) for step in runs[0]["steps"]}
    return {"steps": steps, "stage": median(run["stage"] for run in runs), "process": median(run["process"] for run in runs)}


def print_steps(theirs, ours):
    """Step by step, one thread on each side. Python's two reads are one step of physiosynth."""
    print(f"\n{'step, one thread each':<24}{'Python s':>10}{'physiosynth s':>15}{'ratio':>8}")
    for step in dict.fromkeys(STEPS.values()):
        parts = [name for name, same in STEPS.items() if same == step]
        python, own = sum(theirs["steps"][name] for name in parts), ours["steps"][step]
        print(f"{parts[0] if len(parts) == 1 else step:<24}{python:>10.3f}{own:>15.4f}{python / own:>8.1f}")
        for name in parts if len(parts) > 1 else []:
            print(f"  {name:<22}{theirs['steps'][name]:>10.3f}")
    print(f"{'sum of the steps':<24}{theirs['stage']:>10.3f}{sum(ours['steps'].values()):>15.4f}", end="")
    print(f"{theirs['stage'] / sum(ours['steps'].values()):>8.1f}")


def print_totals(results):
    """Whole jobs, with one thread and with all."""
    print(f"\n{'whole job':<52}{'Python s':>10}{'physiosynth s':>15}{'ratio':>8}")
    for threads, words in [(1, "one thread"), (0, "all cores")]:
        theirs, ours = results["python", threads], results["physiosynth", threads]
        for key, what in [("stage", "steps summed / stage, wall"), ("process", "process, start to end")]:
            print(f"{words + ': ' + what:<52}{theirs[key]:>10.3f}{ours[key]:>15.3f}{theirs[key] / ours[key]:>8.1f}")


def compare_results(ours, theirs):
    """How far both files hold the same."""
    import h5py
    import numpy as np

    def read(path):
        with h5py.File(path) as file:
            table = {name: data[:] if data.dtype.kind != "S" else data.asstr()[:] for name, data in file.items()}
        return table, list(zip(table["record"], table["sample"].tolist(), table["code"]))

    (own, own_keys), (other, other_keys) = read(ours), read(theirs)
    print(f"\n{'segments':<24}{'Python':>10}{'physiosynth':>15}")
    for name in CLASSES:
        print(f"  class {name:<16}{(other['label'] == name).sum():>10}{(own['label'] == name).sum():>15}")
        counts = [len(np.unique(t["cluster"][t["label"] == name])) for t in (other, own)]
        print(f"{'    clusters':<24}{counts[0]:>10}{counts[1]:>15}")
    place = {key: i for i, key in enumerate(other_keys)}
    pairs = np.array([(i, place[key]) for i, key in enumerate(own_keys) if key in place])
    print(f"  the same record, sample and code: {len(pairs)} of {len(own_keys)}")
    a, b = pairs[:, 0], pairs[:, 1]
    largest = np.abs(own["signals"][a, :, 0] - other["signals"][b, :, 0]).max(axis=1)
    print(f"  largest absolute difference in a segment (z-scores): median {np.median(largest):.1e}, largest {largest.max():.1e}")
    for name in ("label", "split", "rr_before_s", "rr_after_s", "scale", "offset"):
        x, y = own[name][a], other[name][b]
        if x.dtype.kind == "f":
            unknown = int((np.isnan(x) != np.isnan(y)).sum())
            print(f"  {name}: largest difference {np.nanmax(np.abs(x - y)):.1e}, known on one side only {unknown}")
        else:
            print(f"  {name}: {int((x != y).sum())} differ")


def describe(arguments):
    """Machine and versions."""
    from importlib.metadata import version

    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    model = next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), platform.processor())
    digest = hashlib.sha256(Path(arguments.binary).read_bytes()).hexdigest()[:12]
    print(f"{cores} cores, {model}, {platform.system()} {platform.release()}")
    libraries = ["wfdb", "PyWavelets", "scipy", "scikit-learn", "h5py", "numpy"]
    print(f"Python {platform.python_version()}: " + ", ".join(f"{name} {version(name)}" for name in libraries))
    signals = "both signals converted" if arguments.both else "one signal converted"
    print(f"physiosynth: binary with SHA-256 {digest}… {' '.join(arguments.set)}")
    print(f"Python side: float{64 if arguments.double else 32}, {signals}; {arguments.runs} runs each, medians")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--database", required=True, help="folder of the MIT-BIH Arrhythmia Database")
    parser.add_argument("--binary", default="target/release/physiosynth", help="physiosynth, built with --release")
    parser.add_argument("--runs", type=int, default=5, help="timed runs of each kind, after one that is not counted")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="another setting, for both sides")
    parser.add_argument("--double", action="store_true", help="float64 in Python, wfdb's default, instead of float32")
    parser.add_argument("--both", action="store_true", help="convert both signals in Python, as wfdb.rdrecord does unless told not to")
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    parser.add_argument("--task", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.worker:
        return worker(arguments)
    describe(arguments)
    results = {}
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        task, theirs = folder / "task.json", folder / "python.h5"
        for turn in range(arguments.runs + 1):
            for threads in (1, 0):
                ours = folder / f"physiosynth-{turn}-{threads}"
                own = run_physiosynth(arguments, ours, threads)
                if turn == 0:
                    task.write_text(json.dumps(task_of(ours)))
                other = run_python(arguments, theirs, task, threads)
                if turn > 0:
                    results.setdefault(("physiosynth", threads), []).append(own)
                    results.setdefault(("python", threads), []).append(other)
        results = {key: medians(runs) for key, runs in results.items()}
        print_steps(results["python", 1], results["physiosynth", 1])
        print_totals(results)
        compare_results(ours / "segments.h5", theirs)


if __name__ == "__main__":
    main()

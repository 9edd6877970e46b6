"""Measures on beats of 256 samples, in physiosynth and in the Python libraries that users have today.

dtaidistance's C path warps pairs of beats, scikit-learn finds nearest neighbours by brute force, prdc works out precision, recall, density
and coverage; ecgen-eval works out the measures that both have. The sides take turns, `--runs` times after one turn of each that is not counted; medians are printed.

    cargo build --release --benches -p physiosynth-evaluation
    python3 benches/peers/evaluation.py --worker target/release/deps/worker-… --threads 1

Python draws beats by the same rules from another generator: times do not depend on more of them than their sizes. prdc holds five matrices
of all distances, so it gets `--prdc` segments (by default 4,000), physiosynth as many. ecgen-eval takes a part of each set by default
(500 or 1,000 segments); it is told to take all of `--common` segments (by default 1,000, since two of its measures hold all differences
of all pairs, sample by sample), and to leave no samples out of its warping.
"""

import argparse
import os
import platform
import subprocess
import time
from importlib.metadata import version
from statistics import median


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--worker", required=True, help="the bench 'worker' of crates/evaluation, as cargo built it")
    parser.add_argument("--segments", type=int, default=10_000)
    parser.add_argument("--prdc", type=int, default=4_000)
    parser.add_argument("--common", type=int, default=1_000)
    parser.add_argument("--pairs", type=int, default=1_000)
    parser.add_argument("--length", type=int, default=256)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--runs", type=int, default=7)
    return parser.parse_args()


class Worker:
    """physiosynth's side: a process that answers each line with milliseconds."""

    def __init__(self, path, segments, length, threads):
        environment = os.environ | {"RAYON_NUM_THREADS": str(threads)}
        self.process = subprocess.Popen(
            [path, str(segments), str(length)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
        )
        assert self.process.stdout.readline().strip() == "ready"

    def __call__(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return float(self.process.stdout.readline())

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def beats(np, count, length, seed):
    rng = np.random.default_rng(seed)
    at = np.arange(length)[None] / length + rng.uniform(-0.01, 0.01, (count, 1))
    bump = lambda centre, width, height: height * np.exp(-0.5 * ((at - centre) / width) ** 2)
    subject = rng.uniform(0.7, 1.3, (40, 3))[np.arange(count) % 40]
    beat = bump(0.2, 0.03, 0.15 * subject[:, :1]) + bump(0.4, 0.012, subject[:, 1:2]) + bump(0.7, 0.05 * subject[:, 2:], 0.3)
    gain = rng.uniform(0.85, 1.15, (count, 1))
    return (gain * beat + rng.uniform(-0.02, 0.02, (count, length))).astype(np.float32)


def milliseconds(work):
    start = time.perf_counter()
    work()
    return 1e3 * (time.perf_counter() - start)


def compare(name, ours, theirs, runs):
    pairs = [(ours(), theirs()) for _ in range(runs + 1)][1:]
    a, b = (median(side) for side in zip(*pairs))
    print(f"| {name} | {a:.1f} | {b:.1f} | {b / a:.2f} |", flush=True)


def main():
    options = arguments()
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[variable] = str(options.threads)
    import numpy as np
    import prdc
    import sklearn
    from dtaidistance import __version__ as dtaidistance_version
    from dtaidistance import dtw
    from sklearn.neighbors import NearestNeighbors

    worker = Worker(options.worker, options.segments, options.length, options.threads)
    real, made = (beats(np, options.segments, options.length, seed) for seed in (1, 2))
    doubles = real[: options.pairs].astype(np.float64), made[: options.pairs].astype(np.float64)
    band = options.length // 10

    def warp():
        for a, b in zip(*doubles):
            dtw.distance_fast(a, b, window=band + 1, use_pruning=False)

    print(f"{platform.machine()}, threads: {options.threads}; NumPy {np.__version__}, scikit-learn {sklearn.__version__}, "
          f"dtaidistance {dtaidistance_version}, prdc {version('prdc')}, ecgen-eval {version('ecgen-eval')}; medians of {options.runs} runs in turns, milliseconds\n")
    print("| work | physiosynth | peer | peer / physiosynth |\n|---|---|---|---|")
    if options.threads == 1:
        compare(f"{options.pairs} warping distances, band {band} (dtaidistance, C)", lambda: worker(f"dtw {options.pairs}"),
                lambda: milliseconds(warp), options.runs)
    brute = dict(algorithm="brute", n_jobs=options.threads)
    compare(f"nearest of {options.segments} for each of as many (scikit-learn, brute)", lambda: worker("nearest"),
            lambda: milliseconds(lambda: NearestNeighbors(n_neighbors=1, **brute).fit(real).kneighbors(made)), options.runs)
    compare(f"five nearest within {options.segments} (scikit-learn, brute)", lambda: worker("neighbours"),
            lambda: milliseconds(lambda: NearestNeighbors(n_neighbors=5, **brute).fit(real).kneighbors()), options.runs)
    worker.close()

    worker = Worker(options.worker, options.prdc, options.length, options.threads)
    few = real[: options.prdc], made[: options.prdc]
    with open(os.devnull, "w") as nowhere:
        from contextlib import redirect_stdout

        def manifold():
            with redirect_stdout(nowhere):
                prdc.compute_prdc(*few, nearest_k=5)

        compare(f"precision to coverage, {options.prdc} a side (prdc)", lambda: worker("manifold"), lambda: milliseconds(manifold),
                options.runs)
    worker.close()
    common(options, real, made)


def common(options, real, made):
    """The measures that ecgen-eval and physiosynth both have; the line `together` is of all of them."""
    from ecgen_eval.metrics import AVAILABLE_METRICS

    count = options.common
    few = [side[:count, None, :] for side in (real, made)]
    worker = Worker(options.worker, count, options.length, options.threads)
    measures = [
        ("percent RMS difference to the nearest", "paired prd", "prd", dict(n_subsample=count)),
        ("absolute error to the nearest", "paired mae", "mae", dict(n_subsample=count)),
        (f"warping distances of {count} pairs", f"dtw {count}", "dtw", dict(n_pairs=count, downsample=1)),
        ("Welch spectra", "sets log_spectral_distance", "psd", dict(fs=360.0, n_subsample=count)),
        ("maximum mean discrepancy", "sets mmd_squared", "mmd", dict(n_subsample=count)),
        ("Gaussian Fréchet distance", "sets gaussian_frechet", "fd", dict(n_subsample=count)),
        ("precision and recall", "manifold", "pr_dist", dict(k=5, n_subsample=count)),
    ]
    peers = [AVAILABLE_METRICS[key](**keywords) for _, _, key, keywords in measures]
    for (name, line, _, _), peer in zip(measures, peers):
        compare(f"{name}, {count} a side (ecgen-eval)", lambda: worker(line), lambda: milliseconds(lambda: peer.compute(*few)),
                options.runs)
    compare(f"together, {count} a side (ecgen-eval)", lambda: sum(worker(line) for _, line, _, _ in measures),
            lambda: sum(milliseconds(lambda: peer.compute(*few)) for peer in peers), options.runs)
    worker.close()


if __name__ == "__main__":
    main()

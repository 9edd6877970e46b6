"""Beats a second out of the denoising model: physiosynth beside PyTorch, with a network of the same size and the same sampler.

The work: segments of 126 samples from noise alone, two bidirectional LSTM layers of 64 units, Heun's method with 20 steps (39 passes
through the network), batches of 128. Weights do not matter for the time: one training step is taken on the embedded demo. `frame 1` is
the network at PyTorch's terms, a time step for each sample; `frame 3` is physiosynth's own default, and `fast` its sampler of 4 passes.

Each side runs twice with different numbers of segments; what is compared is the difference, so that starting costs nothing. Sides take
turns, the table holds medians.

    cargo build --release
    python3 benches/peers/sampling.py [--rounds 5] [--binary target/release/physiosynth]

Needs torch (requirements_recurrent.txt).
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

SAMPLES, UNITS, LAYERS, BATCH, STEPS = 126, 64, 2, 128, 20
# Conditions and positions beside the noisy sample, as many as physiosynth tells for the demo.
FACTS = 76
FEW, MANY = 128, 1408
ROOT = Path(__file__).resolve().parents[2]


def torch_side(segments):
    """Samples `segments` beats in PyTorch; prints wall and processor seconds."""
    import torch

    class Denoiser(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.layers = torch.nn.LSTM(1 + FACTS, UNITS, LAYERS, bidirectional=True, batch_first=True)
            self.head = torch.nn.Linear(2 * UNITS, 1)

        def forward(self, noisy, sigma, told):
            total = (sigma**2 + 1.0) ** 0.5
            seen = (noisy / total)[..., None]
            hidden, _ = self.layers(torch.cat([seen, told[:, None].expand(-1, SAMPLES, -1)], 2))
            return noisy / total**2 + sigma / total * self.head(hidden)[..., 0]

    torch.manual_seed(0)
    net = Denoiser().eval()
    levels = [(20 ** (1 / 7) + i / (STEPS - 1) * (0.01 ** (1 / 7) - 20 ** (1 / 7))) ** 7 for i in range(STEPS)] + [0.0]
    told = torch.zeros(BATCH, FACTS)
    begun, used = time.perf_counter(), time.process_time()
    with torch.inference_mode():
        for _ in range(segments // BATCH):
            x = torch.randn(BATCH, SAMPLES) * levels[0]
            for here, there in zip(levels, levels[1:]):
                slope = (x - net(x, here, told)) / here
                ahead = x + (there - here) * slope
                if there > 0:
                    ahead = x + (there - here) * (slope + (ahead - net(ahead, there, told)) / there) / 2
                x = ahead
    print(json.dumps([time.perf_counter() - begun, time.process_time() - used]))


def timed(command, environment=None):
    """Wall and processor seconds of a command, and what it printed."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    begun = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    wall = time.perf_counter() - begun
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))}\n{done.stderr[-2000:]}")
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, done.stdout


def model(binary, folder, frame):
    """A run folder whose network has the size above; barely trained."""
    sizes = [f"units={UNITS}", f"layers={LAYERS}", f"frame={frame}", "epochs=1", "steps_per_epoch=1", f"generation_batch={BATCH}"]
    settings = [part for size in sizes for part in ("--set", f"generator.{size}")] + ["--set", "rhythm.enabled=false"]
    timed([binary, "preprocess", "--preset", "quick", "--database", "demo", "--device", "cpu", "--output", folder, *settings])
    timed([binary, "train", "--config", folder / "config.toml", "--output", folder])


def ours(binary, folder, method, steps, segments):
    settings = [f"sampler.method={method}", f"sampler.steps={steps}", "patients=0", 'classes=["N"]', f"segments_per_class={segments}"]
    flags = [part for setting in settings for part in ("--set", f"generation.{setting}")]
    return timed([binary, "generate", "--config", folder / "config.toml", "--output", folder, *flags])[:2]


def theirs(segments):
    text = timed([sys.executable, __file__, "--torch", str(segments)])[2]
    return tuple(json.loads(text))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", type=Path, default=ROOT / "target/release/physiosynth")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--torch", type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.torch:
        return torch_side(arguments.torch)
    with tempfile.TemporaryDirectory() as temporary:
        folders = {frame: Path(temporary) / f"frame{frame}" for frame in (1, 3)}
        for frame, folder in folders.items():
            model(arguments.binary, folder, frame)
        run = arguments.binary
        sides = {
            "PyTorch, Heun": (theirs, FEW, MANY),
            "frame 1, Heun": (lambda n: ours(run, folders[1], "heun", STEPS, n), FEW, MANY),
            "frame 3, Heun": (lambda n: ours(run, folders[3], "heun", STEPS, n), FEW, MANY),
            "frame 1, fast": (lambda n: ours(run, folders[1], "fast", 4, n), FEW, 8 * MANY),
            "frame 3, fast": (lambda n: ours(run, folders[3], "fast", 4, n), FEW, 8 * MANY),
        }
        rates = {name: [] for name in sides}
        for _ in range(arguments.rounds):
            for name, (side, few, many) in sides.items():
                less, more = side(few), side(many)
                rates[name].append([(many - few) / max(b - a, 1e-9) for a, b in zip(less, more)])
        print(f"{os.cpu_count()} cores, medians of {arguments.rounds} rounds\n")
        print("| | beats a second | beats a processor second | over PyTorch |\n|---|---|---|---|")
        base = None
        for name, found in rates.items():
            wall, used = (median(column) for column in zip(*found))
            base = base or used
            print(f"| {name} | {wall:,.0f} | {used:,.0f} | {used / base:.1f} |")


if __name__ == "__main__":
    main()

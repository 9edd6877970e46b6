"""Trains simple, LSTM and GRU networks, uni- and bidirectional, with both objectives, for equal processor time, and compares them.

    python3 benches/cells/cells.py --program target/release/physiosynth --database path/to/mitdb --output reports/cells

Python 3.9 or later on Linux or macOS, nothing else. One thread throughout (RAYON_NUM_THREADS=1), one run after another. For each of the
twelve configurations it

1. times a training step alone: processor time (user and system) of a training of 270 steps less that of one of 70, over 200; the median of
   three, taken in turns with the other configurations;
2. sets the steps so that training takes `--seconds` of processor time (120 by default), in 30 epochs;
3. preprocesses, trains, generates and evaluates, and keeps the processor time of each stage in `OUTPUT/times.json`.

What is done is not done again, so the same command goes on where it was stopped. It ends with what each run
cost, and the commands that set the runs side by side.
"""

import argparse
import itertools
import json
import os
import pathlib
import statistics
import subprocess
import sys

EPOCHS = 30
FEW, MANY = 70, 270
ROUNDS = 3
# What all runs share: preset `standard`, judged by forests on 300 segments of each class, generated as the training subjects (and not
# as new ones), so that what is compared is how well a network learned what it was shown. No rhythm model and no patients' records.
SHARED = {
    "generator.units": "64",
    "generator.layers": "2",
    "generator.epochs": str(EPOCHS),
    "rhythm.enabled": "false",
    "generation.segments_per_class": "300",
    "generation.patients": "0",
    "generation.sampler.novelty": "0.0",
    "evaluation.segments_per_class": "300",
    "evaluation.network_steps": "0",
    "evaluation.forest_trees": "60",
    "evaluation.utility_draws": "3",
}
CELLS = ["lstm", "gru", "simple"]
STAGES = ["preprocess", "train", "generate", "evaluate"]


def configurations():
    """Name and settings of each run: the default first, then those that differ from it in one thing, in two, in three."""
    every = itertools.product(["denoising", "paired"], [True, False], CELLS)
    for objective, bidirectional, cell in sorted(every, key=lambda run: (run[0] == "paired") + (not run[1]) + (run[2] != CELLS[0])):
        name = f"{objective}-{'bi' if bidirectional else 'uni'}-{cell}"
        yield name, {
            "generator.objective": objective,
            "generator.cell": cell,
            "generator.bidirectional": str(bidirectional).lower(),
        }


def processor_seconds(command, log):
    """User and system time of a command and its threads; ends the program where it fails."""
    environment = {**os.environ, "RAYON_NUM_THREADS": "1"}
    with open(log, "a", encoding="utf-8") as errors:
        child = subprocess.Popen(command, env=environment, stdout=errors, stderr=errors)
        _, status, usage = os.wait4(child.pid, 0)
    if status != 0:
        sys.exit(f"{' '.join(command)} failed; its messages are in {log}")
    return usage.ru_utime + usage.ru_stime


def sets(settings):
    return [part for key, value in settings.items() for part in ("--set", f"{key}={value}")]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", required=True)
    parser.add_argument("--database", required=True)
    parser.add_argument("--output", required=True, type=pathlib.Path)
    parser.add_argument("--seconds", type=float, default=120.0, help="processor time of each training")
    parser.add_argument("--seed", default="0")
    arguments = parser.parse_args()
    arguments.output.mkdir(parents=True, exist_ok=True)
    times_file = arguments.output / "times.json"
    times = json.loads(times_file.read_text()) if times_file.exists() else {}

    def keep():
        part = times_file.with_suffix(".part")
        part.write_text(json.dumps(times, indent=2) + "\n")
        part.replace(times_file)

    def start(name, settings):
        """A run folder with its settings and segments."""
        folder = arguments.output / name
        shared = ["--preset", "standard", "--device", "cpu", "--seed", arguments.seed, "--database", arguments.database]
        command = [arguments.program, "preprocess", "--output", str(folder), *shared, *sets({**SHARED, **settings})]
        return folder, processor_seconds(command, arguments.output / "log.txt")

    def stage(folder, name, settings):
        command = [arguments.program, name, "--output", str(folder), *sets(settings)]
        return processor_seconds(command, arguments.output / "log.txt")

    for turn in range(ROUNDS):
        for name, settings in configurations():
            rounds = times.setdefault(name, {"rounds": []})["rounds"]
            if len(rounds) > turn:
                continue
            timing, _ = start("timing", settings)
            spent = [stage(timing, "train", {"generator.epochs": "1", "generator.steps_per_epoch": str(n)}) for n in (FEW, MANY)]
            rounds.append((spent[1] - spent[0]) / (MANY - FEW))
            keep()
    for name, _ in configurations():
        times[name]["seconds_per_step"] = statistics.median(times[name]["rounds"])
        print(f"{name}: {1000 * times[name]['seconds_per_step']:.2f} ms a step", flush=True)

    for name, settings in configurations():
        entry = times[name]
        per_epoch = max(1, round(arguments.seconds / entry["seconds_per_step"] / EPOCHS))
        entry["steps"] = per_epoch * EPOCHS
        spent = entry.setdefault("stages", {})
        if all(stage_name in spent for stage_name in STAGES):
            continue
        folder, spent["preprocess"] = start(name, {**settings, "generator.steps_per_epoch": str(per_epoch)})
        for stage_name in STAGES[1:]:
            if stage_name not in spent:
                spent[stage_name] = stage(folder, stage_name, {})
                keep()
        print(f"{name}: {entry['steps']} steps, " + ", ".join(f"{k} {v:.0f} s" for k, v in spent.items()), flush=True)

    print("\n" + costs(arguments.output, times))
    for objective in ("denoising", "paired"):
        runs = " ".join(str(arguments.output / name) for name, _ in configurations() if name.startswith(objective))
        print(f"{arguments.program} compare {runs} --output {arguments.output / objective}")


def costs(output, times):
    """What each run cost, as a Markdown table."""
    lines = [
        "| | parameters | ms a step | steps | training, s | generation, s |",
        "|---|---|---|---|---|---|",
    ]
    for name, _ in configurations():
        entry = times[name]
        parameters = json.loads((output / name / "model" / "config.json").read_text())["parameters"]
        stages = entry["stages"]
        lines.append(
            f"| {name} | {parameters:,} | {1000 * entry['seconds_per_step']:.1f} | {entry['steps']:,} "
            f"| {stages['train']:.0f} | {stages['generate']:.1f} |"
        )
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()

"""Which guidance suits a trained model, by its validation subjects: nobody's beats that anything was trained on, and no test subject's.

    python3 benches/quality/guidance.py --program target/release/physiosynth --run reports/mitdb-thorough-1 --output reports/guidance

Python 3.9 or later, nothing else. For each `--values` (`generation.sampler.guidance`) it generates new patients with the run's
model and evaluates them with `evaluation.held_out = "validation"`, each in a folder of its own; then prints a Markdown table. The run
itself is left as it is. What is done is not done again.
"""

import argparse
import json
import pathlib
import shutil
import subprocess
import sys

KEPT = ["config.toml", "manifest.json", "preprocessing.json", "rhythms.json", "segments.h5"]
MEASURES = {
    "precision": "precision",
    "coverage": "coverage",
    "spread_ratio": "spread over real",
    "discriminator_auc_forest": "told from the training subjects, AUC",
    "tstr_macro_f1_forest": "macro-F1 on validation subjects, taught on synthetic",
}


def generated_and_evaluated(arguments, value):
    folder = arguments.output / f"{arguments.run.name}-guidance-{value}"
    if not (folder / "scores.json").exists():
        folder.mkdir(parents=True, exist_ok=True)
        for name in KEPT:
            shutil.copy2(arguments.run / name, folder / name)
        shutil.copytree(arguments.run / "model", folder / "model", dirs_exist_ok=True)
        settings = {
            "generation.sampler.guidance": value,
            "generation.patients": "0",
            "generation.segments_per_class": str(arguments.segments),
            "evaluation.segments_per_class": str(arguments.segments),
            "evaluation.held_out": "validation",
            "evaluation.network_steps": "0",
        }
        sets = [part for key, text in settings.items() for part in ("--set", f"{key}={text}")]
        for stage in ("generate", "evaluate"):
            command = [str(arguments.program), stage, "--output", str(folder), *sets]
            done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
            if done.returncode != 0:
                sys.exit(f"{' '.join(command)} failed:\n{done.stderr[-2000:]}")
    return json.loads((folder / "scores.json").read_text())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", required=True)
    parser.add_argument("--run", required=True, type=pathlib.Path, help="folder of a run that has been trained")
    parser.add_argument("--output", required=True, type=pathlib.Path)
    parser.add_argument("--values", default="0.8,1,1.25,1.5,2")
    parser.add_argument("--segments", type=int, default=300, help="segments of each class that are made and judged")
    arguments = parser.parse_args()
    values = arguments.values.split(",")

    def cell(scores, name):
        found = [m for m in scores["measures"] if m["name"] == name and m["class"] == "all"]
        if not found or found[0]["value"] is None:
            return "–"
        low, high = found[0]["low"], found[0]["high"]
        text = f"{found[0]['value']:.3f}"
        return text if low is None else f"{text} ({low:.3f} to {high:.3f})"

    scores = [generated_and_evaluated(arguments, value) for value in values]
    print("| guidance | " + " | ".join(values) + " |\n|---|" + "---|" * len(values))
    for name, words in MEASURES.items():
        print(f"| {words} | " + " | ".join(cell(one, name) for one in scores) + " |")


if __name__ == "__main__":
    main()

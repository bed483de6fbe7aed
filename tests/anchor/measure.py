"""Runs `pregrad ablate` on the networks of tests/fixtures/anchor and prints the tables of docs/importance.md.

A ° marks what does not differ from random by the 95% intervals of the tool.

    python3 tests/anchor/measure.py [--out DIR]

Runs that are in DIR already (target/anchor) are not repeated. Needs nothing but Python 3 and the built command.
"""

import argparse
import collections
import json
import statistics
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FIXTURES = ROOT / "tests/fixtures/anchor"
METHODS = ["gradient", "gradient-x-preactivation", "gradient-x-activation", "gradient-x-centred-activation",
           "preactivation", "activation"]
RELU = ["relu-0", "relu-1", "relu-2"]
TANH = ["tanh-0", "tanh-1"]
ROWS = [("gradient", "mean"), ("gradient", "mean_abs"), ("gradient-x-activation", "mean"),
        ("gradient-x-activation", "mean_abs"), ("gradient-x-centred-activation", "mean"), ("preactivation", "mean"),
        ("activation", "mean"), ("ablation", "mean"), ("random", "mean")]


def run(out, model, clusters, removal):
    """The summary of one run: scored on the training samples, tested on the others."""
    folder = out / f"{model}-{clusters}-{removal}"
    if not (folder / "summary.json").exists():
        subprocess.run([ROOT / "pregrad", "ablate", "--model", FIXTURES / f"{model}.pt", "--data", FIXTURES / "test.npz",
                        "--score-data", FIXTURES / "train.npz", "--layer", "act1", "act2", "--clusters", clusters,
                        "--method", ",".join(METHODS), "--removal", removal, "--out", folder, "--quiet"], check=True)
    return json.loads((folder / "summary.json").read_text())


def mean_areas(summary, layer):
    """Area by method and aggregate, averaged over the clusters; the spread of random likewise."""
    areas = collections.defaultdict(list)
    for curve in summary["curves"]:
        if curve["layer"] == layer:
            areas[curve["method"], curve["aggregate"]].append(curve["area"])
            if curve["method"] == "random":
                areas["spread"].append(curve["random_area_std"])
    return {key: statistics.mean(values) for key, values in areas.items()}


def are_different(summary, layer):
    """By method and aggregate whether the mean area of the clusters differs from random by the tool's own intervals.

    Clusters have samples and random orders of their own, so that errors add up in squares; the widest of their bounds of
    Student's t serves for the mean.
    """
    found = collections.defaultdict(list)
    for curve in summary["curves"]:
        if curve["layer"] == layer and curve["from_random"] is not None:
            found[curve["method"], curve["aggregate"]].append(curve["from_random"])
    different = {}
    for key, each in found.items():
        difference = statistics.mean(one["difference"] for one in each)
        error = sum(one["error"] ** 2 for one in each) ** 0.5 / len(each)
        bound = max((one["high"] - one["low"]) / 2 / one["error"] for one in each if one["error"] > 0)
        different[key] = abs(difference) > bound * error
    return different


def measured(summary, layer):
    return mean_areas(summary, layer), are_different(summary, layer)


def median_cancellation(summary, layer):
    shares = [score["median_cancellation"] for score in summary["scores"]
              if score["layer"] == layer and score["method"] == "gradient"]
    return statistics.median(share for share in shares if share is not None)


def table(title, columns):
    print(f"\n{title}\n")
    print("| order of removal | " + " | ".join(name for name, _ in columns) + " |")
    print("| --- |" + " --- |" * len(columns))
    best = {name: min(value for key, value in areas.items() if key in ROWS and key[0] not in ("ablation", "random"))
            for name, (areas, _) in columns}
    for method, aggregate in ROWS:
        cells = []
        for name, (areas, different) in columns:
            value = areas[method, aggregate]
            cell = f"{value:.3f}" + ("" if different.get((method, aggregate), True) else "°")
            if method == "random":
                cell += f" ± {areas['spread']:.3f}"
            cells.append(f"**{cell}**" if value == best[name] and method not in ("ablation", "random") else cell)
        shown = {"ablation": "`ablation` (the oracle)", "random": "`random`"}.get(method, f"`{method}` {aggregate}")
        print(f"| {shown} | " + " | ".join(cells) + " |")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=ROOT / "target/anchor")
    out = parser.parse_args().out
    for layer in ("act2", "act1"):
        table(f"All classes mixed, `{layer}`, a := 0", [(m, measured(run(out, m, "all", "zero"), layer))
                                                       for m in RELU + TANH])
        table(f"One class per cluster, `{layer}`, a := 0", [(m, measured(run(out, m, "y", "zero"), layer))
                                                           for m in RELU + TANH])
        table(f"One class per cluster, `{layer}`, a := its mean", [(m, measured(run(out, m, "y", "mean"), layer))
                                                                  for m in RELU + TANH])
    print("\nMedian cancellation of `gradient`\n")
    for clusters in ("all", "cluster", "y"):
        print(f"| {clusters} | " + " | ".join(f"{median_cancellation(run(out, m, clusters, 'zero'), 'act2'):.2f}"
                                             for m in RELU + TANH) + " |")


if __name__ == "__main__":
    main()

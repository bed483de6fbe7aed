"""A command that answers as PreGrad should, from the truth beside the data: what compare.py is tested with.

ECHO_BEND=FACTOR multiplies every gradient, ECHO_REFUSE=1 refuses everything, ECHO_FORGET=1 leaves out the last layer.
"""

import argparse
import csv
import json
import os
import sys
from pathlib import Path


def parse():
    parser = argparse.ArgumentParser()
    parser.add_argument("command", choices=("layers", "attribute", "ablate"))
    for option in ("--model", "--data", "--out"):
        parser.add_argument(option, type=Path)
    parser.add_argument("--layer", nargs="+", default=[])
    for option in ("--method", "--aggregate", "--format", "--target", "--at", "--output-name", "--class-axis", "--mask",
                   "--inputs", "--shared"):
        parser.add_argument(option)
    parser.add_argument("--multi-label", action="store_true")
    return parser.parse_args()


def layers(truth):
    writer = csv.writer(sys.stdout)
    writer.writerow(["name", "call", "neurons"])
    last = -1 if os.environ.get("ECHO_FORGET") else None
    writer.writerows([layer["layer"], layer["call"], layer["neurons"]] for layer in truth["layers"][:last])


def attribute(truth, wanted, methods, out):
    bend = float(os.environ.get("ECHO_BEND", "1"))
    out.mkdir(parents=True)
    with open(out / "scores.csv", "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["layer", "call", "cluster", "method", "neuron", "count", "mean"])
        for row in truth["scores"] + truth["single"]["scores"]:
            if row["method"] not in methods or not {row["layer"], f"{row['layer']}@{row['call']}"} & set(wanted):
                continue
            factor = bend if row["method"] == "gradient" else 1.0
            for neuron, mean in enumerate(row["mean"]):
                writer.writerow([row["layer"], row["call"], row["cluster"], row["method"], neuron, row["count"],
                                 repr(mean * factor)])


def ablate(truth, out):
    out.mkdir(parents=True)
    with open(out / "curves.csv", "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["cluster", "method", "aggregate", "removed", "mean_output"])
        for point in truth["single"]["curve"]:
            writer.writerow([point["cluster"], "gradient-x-activation", "mean", point["removed"], repr(point["mean_output"])])


def main():
    arguments = parse()
    if os.environ.get("ECHO_REFUSE"):
        print("pregrad: the echo refuses", file=sys.stderr)
        return 2
    truth = json.loads(arguments.data.with_suffix(".truth.json").read_text())
    if arguments.command == "layers":
        layers(truth)
    elif arguments.command == "attribute":
        attribute(truth, arguments.layer, arguments.method.split(","), arguments.out)
    else:
        ablate(truth, arguments.out)
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Holds the command against the truth that generate.py wrote.

    python tests/models/compare.py OUT --pregrad ./pregrad [--jobs 2] [--steps scores] [--forms exported] [NAME ...]

Steps: `layers` (names, calls, neurons), `scores` (gradient, gradient-x-activation and activation of all layers),
`single` (ablation, and a path method, of one layer), `curve` (the mean output as neurons go). Each is one call of the command.
"""

import argparse
import csv
import json
import shlex
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

STEPS = ("layers", "scores", "single", "curve")
FIRST_ORDER = "gradient,gradient-x-activation,activation"
# What `layers` wants to know of the options.
OF_INPUTS = ("--inputs", "--shared")
# Of a mean that cancels almost wholly only rounding is left: it counts as this share of its samples' size.
LEAST_SHARE = 1e-3


class Refused(Exception):
    pass


@dataclass
class Row:
    model: str
    form: str
    layers: int
    tolerance: float
    # {step: (worst relative error, where)}
    errors: dict = field(default_factory=dict)
    wrong: list = field(default_factory=list)
    refused: list = field(default_factory=list)
    notes: list = field(default_factory=list)

    def verdict(self):
        return "refused" if self.refused else "differs" if self.wrong else "right"


class Command:
    def __init__(self, words, timeout):
        self.words, self.timeout = words, timeout

    def run(self, *arguments):
        try:
            done = subprocess.run([*self.words, *map(str, arguments)], capture_output=True, text=True, timeout=self.timeout)
        except subprocess.TimeoutExpired:
            raise Refused(f"{arguments[0]}: no answer within {self.timeout} s") from None
        if done.returncode != 0:
            lines = done.stderr.strip().splitlines() or ["nothing on stderr"]
            line = next((line for line in lines if line.startswith("pregrad:")), lines[-1])
            raise Refused(f"{arguments[0]}, exit {done.returncode}: {line}")
        return done.stdout


def only_of_inputs(options):
    kept = []
    for i, word in enumerate(options):
        if word in OF_INPUTS:
            kept += options[i:i + 2]
    return kept


def key(row, *columns):
    return tuple(int(row[c]) if c in ("call", "cluster", "neuron", "removed") else row[c] for c in columns)


def read(path):
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def relative(got, truth, scale):
    got, truth = np.asarray(got, dtype=float), np.asarray(truth, dtype=float)
    if got.shape != truth.shape:
        return float("inf")
    difference = np.linalg.norm(got - truth)
    least = max(np.linalg.norm(truth), LEAST_SHARE * scale)
    return float(difference / least) if least > 0 else (0.0 if difference == 0 else float("inf"))


def note_error(row, step, error, where):
    if not error <= row.errors.get(step, (-1.0, ""))[0]:
        row.errors[step] = error, where
    if not error <= row.tolerance:
        row.wrong.append(f"{where}: {error:.2g}")


def compare_scores(row, step, path, truth):
    got = {}
    for line in read(path):
        got.setdefault(key(line, "layer", "call", "cluster", "method"), []).append(line)
    for expected in truth:
        name = key(expected, "layer", "call", "cluster", "method")
        where = "{}@{} cluster {} {}".format(*name)
        lines = sorted(got.get(name, []), key=lambda line: int(line["neuron"]))
        if not lines:
            row.wrong.append(f"{where}: missing")
            continue
        if int(lines[0]["count"]) != expected["count"]:
            row.wrong.append(f"{where}: count {lines[0]['count']} is not {expected['count']}")
        note_error(row, step, relative([float(line["mean"]) for line in lines], expected["mean"], expected["scale"]), where)


def compare_layers(row, text, truth):
    lines = list(csv.DictReader(text.splitlines()))
    got = {key(line, "name", "call"): int(line["neurons"]) for line in lines}
    for layer in truth["layers"]:
        name = layer["layer"], layer["call"]
        if name not in got:
            row.wrong.append(f"layer {name[0]}@{name[1]} is missing")
        elif got[name] != layer["neurons"]:
            row.wrong.append(f"layer {name[0]}@{name[1]} has {got[name]} neurons, not {layer['neurons']}")
    more = set(got) - {(layer["layer"], layer["call"]) for layer in truth["layers"]}
    if more:
        row.notes.append("also " + ", ".join(f"{name}@{call}" for name, call in sorted(more)))


def compare_curve(row, path, single):
    got = {}
    for line in read(path):
        if line["method"] == "gradient-x-activation" and line["aggregate"] == "mean":
            got[key(line, "cluster", "removed")] = float(line["mean_output"])
    expected = {(point["cluster"], point["removed"]): point["mean_output"] for point in single["curve"]}
    missing = sorted(set(expected) - set(got))
    if missing:
        row.wrong.append("curve: no point at cluster {}, {} removed".format(*missing[0]))
        return
    points = sorted(expected)
    note_error(row, "curve", relative([got[p] for p in points], [expected[p] for p in points], 0.0), "curve")


def compare(command, folder, case, form, steps):
    truth = json.loads((folder / case["truth"]).read_text())
    row = Row(case["name"], form, len(truth["layers"]), case["tolerance"])
    common = ["--model", folder / case["forms"][form]["file"], "--data", folder / case["data"]]
    single = truth["single"]
    layer = f"{single['layer']}@{single['call']}"
    names = list(dict.fromkeys(each["layer"] for each in truth["layers"] if each["reaches"]))
    with tempfile.TemporaryDirectory() as out:
        out = Path(out)

        def layers():
            compare_layers(row, command.run("layers", *common, *only_of_inputs(case["options"]), "--format", "csv"), truth)

        def scores():
            command.run("attribute", *common, *case["options"], "--layer", *names, "--method", FIRST_ORDER, "--out",
                        out / "scores")
            reached = [each for each in truth["scores"] if each["layer"] in names]
            compare_scores(row, "scores", out / "scores" / "scores.csv", reached)

        def one():
            command.run("attribute", *common, *case["options"], "--layer", layer, "--method", ",".join(single["methods"]),
                        "--out", out / "single")
            compare_scores(row, "single", out / "single" / "scores.csv", single["scores"])

        def curve():
            command.run("ablate", *common, *case["options"], "--layer", layer, "--method", "gradient-x-activation",
                        "--aggregate", "mean", "--repeats", "1", "--out", out / "curve")
            compare_curve(row, out / "curve" / "curves.csv", single)

        for step, work in zip(STEPS, (layers, scores, one, curve)):
            if step not in steps:
                continue
            try:
                work()
            except Refused as refusal:
                row.refused.append(str(refusal))
            except Exception as error:  # E.g. a file that is missing; the other models go on.
                row.wrong.append(f"{step}: {type(error).__name__}: {error}")
    return row


def number(row, step):
    return f"{row.errors[step][0]:.1e}" if step in row.errors else ""


def what(row):
    return "; ".join(row.refused[:1] + row.wrong[:1] + row.notes)


def table(rows):
    lines = ["| model | form | layers | scores | one layer | curve | |", "| --- | --- | --- | --- | --- | --- | --- |"]
    for row in rows:
        text = what(row).replace("|", "\\|")
        lines.append(f"| `{row.model}` | {row.form} | {row.layers} | {number(row, 'scores')} | {number(row, 'single')} |"
                     f" {number(row, 'curve')} | {row.verdict()}{': ' + text if text else ''} |")
    return "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, metavar="OUT")
    parser.add_argument("names", nargs="*", metavar="NAME", help="only these models")
    parser.add_argument("--pregrad", required=True, metavar="COMMAND", help="words that start the command")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--steps", default=",".join(STEPS))
    parser.add_argument("--forms", default="exported,traced,scripted")
    parser.add_argument("--timeout", type=float, default=120.0, help="seconds for one call of the command")
    parser.add_argument("--refusals-pass", action="store_true", help="exit 0 although the command refused models")
    parser.add_argument("--table", type=Path, help="the Markdown table (default: OUT/comparison.md)")
    arguments = parser.parse_intermixed_args()

    steps, forms = arguments.steps.split(","), arguments.forms.split(",")
    unknown = set(steps) - set(STEPS)
    if unknown:
        parser.error(f"no steps are called {', '.join(sorted(unknown))}: there are {', '.join(STEPS)}")
    command = Command(shlex.split(arguments.pregrad), arguments.timeout)
    names = arguments.names or sorted(p.stem for p in arguments.folder.glob("*.json") if not p.stem.endswith(".truth"))
    cases = [json.loads((arguments.folder / f"{name}.json").read_text()) for name in names]
    work = [(case, form) for case in cases for form in case["forms"] if form in forms]
    rows = []
    with ThreadPoolExecutor(arguments.jobs) as pool:
        for row in pool.map(lambda item: compare(command, arguments.folder, *item, steps), work):
            rows.append(row)
            worst = max((error for error, _ in row.errors.values()), default=float("nan"))
            print(f"{row.verdict():8} {row.model:26} {row.form:9} {row.layers:3} {worst:8.1e}  {what(row)}", flush=True)
    (arguments.table or arguments.folder / "comparison.md").write_text(table(rows))
    count = {verdict: sum(row.verdict() == verdict for row in rows) for verdict in ("right", "differs", "refused")}
    print(", ".join(f"{number} {verdict}" for verdict, number in count.items()))
    return 1 if count["differs"] or (count["refused"] and not arguments.refusals_pass) or not rows else 0


if __name__ == "__main__":
    sys.exit(main())

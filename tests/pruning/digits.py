"""Prunes the digits CNN with the command, and holds the written file against eager PyTorch.

    python tests/pruning/digits.py [--pregrad ./pregrad]

Half the channels of both ReLU calls go, by gradient-x-centred-activation and ten times at random. Printed are the accuracies.
Each pruned.pt2 must open in PyTorch and give, within 1e-5 of the largest output, what the original archive gives there with
the activations of plan.json's neurons at zero; and the state dict of pruned.safetensors must be the archive's.
"""

import argparse
import json
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch

ROOT = Path(__file__).resolve().parents[2]
FIXTURES = ROOT / "tests" / "fixtures"
MODEL = FIXTURES / "digits-cnn.exported.pt2"
DATA = FIXTURES / "digits-images.npz"
TOLERANCE = 1e-5


class Zeroing(torch.fx.Interpreter):
    """Runs a program with the neurons of each ReLU call at zero that a plan takes away."""

    def __init__(self, module, plan):
        super().__init__(module)
        self.pruned = [layer["pruned"] for layer in sorted(plan["layers"], key=lambda layer: layer["call"])]

    def run_node(self, node):
        result = super().run_node(node)
        if node.op == "call_function" and "relu" in str(node.target):
            result.index_fill_(1, torch.tensor(self.pruned.pop(0)), 0.0)
        return result


def safetensors(file):
    content = file.read_bytes()
    (length,) = struct.unpack("<Q", content[:8])
    start = 8 + length
    types = {"F32": np.float32, "I64": np.int64}
    return {name: torch.from_numpy(np.frombuffer(content[start + entry["data_offsets"][0]:start + entry["data_offsets"][1]],
                                                 types[entry["dtype"]]).reshape(entry["shape"]).copy())
            for name, entry in json.loads(content[8:start]).items()}


def prune(pregrad, out, *options):
    subprocess.run([pregrad, "prune", "--model", MODEL, "--data", DATA, "--layer", "all", "--share", "0.5", "--quiet",
                    "--out", out, *options], check=True)
    return json.loads((out / "plan.json").read_text())


def difference(out, plan):
    x = torch.from_numpy(np.load(DATA)["x"])
    program = torch.export.load(out / "pruned.pt2")
    with torch.no_grad():
        seen = program.module()(x)
        expected = Zeroing(torch.export.load(MODEL).module(), plan).run(x)
    weights = safetensors(out / "pruned.safetensors")
    for name, tensor in program.state_dict.items():
        if not torch.equal(weights[name], tensor):
            sys.exit(f"{out}: {name} differs between pruned.safetensors and pruned.pt2")
    return ((seen - expected).abs().max() / expected.abs().max()).item()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pregrad", default=str(ROOT / "pregrad"))
    pregrad = parser.parse_args().pregrad
    worst = 0.0
    with tempfile.TemporaryDirectory() as folder:
        random = []
        for name, options in [("scores", ["--method", "gradient-x-centred-activation"])] + [
                (f"random {seed}", ["--method", "random", "--seed", str(seed)]) for seed in range(10)]:
            out = Path(folder) / name.replace(" ", "-")
            plan = prune(pregrad, out, *options)
            worst = max(worst, difference(out, plan))
            figures = plan["figures"]
            print(f"{name:10} accuracy {figures['accuracy']:.4f} to {figures['pruned_accuracy']:.4f}, multiply_adds "
                  f"{figures['multiply_adds']} to {figures['pruned_multiply_adds']}")
            if name != "scores":
                random.append(figures["pruned_accuracy"])
    print(f"random mean {np.mean(random):.4f} ± {np.std(random):.4f}; largest difference from eager PyTorch {worst:.2g}")
    sys.exit(worst > TOLERANCE)


if __name__ == "__main__":
    main()

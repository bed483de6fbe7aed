"""Compares PreGrad on torch.export archives with eager PyTorch, on architectures of torchvision and two of sequences.

    python tests/torchvision/compare.py [--library FILE] [--models NAME...] [--torchscript] [--time]

Writes docs/exported-models.md. Ends with 1 if any bound is missed. Needs torch, torchvision and numpy in the versions
that PreGrad was built with, for it runs on the LibTorch of this very process.
"""

import argparse
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

import architectures
import eager
import forms
import pregrad_c
import report
import timing

ROOT = Path(__file__).resolve().parents[2]
SAMPLES = 3
OUTPUT_BOUND = 1e-6
GRADIENT_BOUND = 1e-5


@dataclass
class Row:
    """What was found of one model; `failure` says what is wrong, if anything."""

    name: str
    operators: int = 0
    nodes: int = 0
    layers: int = 0
    output: float = float("nan")
    # Relative errors of the first, the middle and the last layer.
    gradients: tuple = ()
    seconds: float = float("nan")
    failure: str = ""


def relative(actual, expected):
    return np.linalg.norm(actual - expected) / np.linalg.norm(expected)


def three(layers):
    return [layers[0], layers[len(layers) // 2], layers[-1]]


def run(library, path, x, y):
    """PreGrad's layers, output, and gradients per sample and neuron of three layers."""
    model = pregrad_c.Model(library, path)
    layers = model.layers(x.shape)
    output = model.forward(x)
    chosen = three(layers)
    attribution = model.attribution(list(dict.fromkeys(str(layer) for layer in chosen)))
    # A cluster of its own for every sample: its mean is the sample's value.
    clusters = np.arange(len(x), dtype=np.int64)
    attribution.add(x, y, clusters)
    gradients = [attribution.means(str(layer), clusters) for layer in chosen]
    attribution.close()
    model.close()
    return layers, output, gradients


def compare(library, name, maker, shape, torchscript, folder):
    row = Row(name)
    model = architectures.build(maker)
    generator = torch.Generator().manual_seed(1)
    x = torch.randn((SAMPLES, *shape), generator=generator)
    y = torch.randint(0, architectures.OUTPUTS, (SAMPLES,), generator=generator)
    path = Path(folder) / ("model.pt" if torchscript else "model.pt2")
    try:
        row.operators, row.nodes = (forms.trace if torchscript else forms.export)(model, x, path)
        expected = eager.output(model, x)
        truth = eager.gradients(model, x, y)
        start = time.perf_counter()
        layers, output, gradients = run(library, path, x.numpy(), y.numpy())
        row.seconds = time.perf_counter() - start
    except Exception as error:  # Whatever it is, the other models are compared all the same.
        row.failure = f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"
        return row
    row.layers = len(layers)
    row.output = np.abs(output - expected).max() / np.abs(expected).max()
    differing = {(l.name, l.call, l.op) for l in layers} ^ {(*key, op) for key, (op, _) in truth.items()}
    if differing:
        row.failure = f"layers that only one side has: {sorted(differing)[:4]}"
        return row
    row.gradients = tuple(relative(actual, truth[layer.name, layer.call][1])
                          for layer, actual in zip(three(layers), gradients))
    # Written so that NaN misses the bound.
    if not row.output <= OUTPUT_BOUND or not all(error <= GRADIENT_BOUND for error in row.gradients):
        row.failure = "misses the bound"
    return row


def require_one_libtorch():
    """Two copies of LibTorch in one process would not know each other's operators."""
    maps = Path("/proc/self/maps").read_text().splitlines()
    copies = {line.split()[-1] for line in maps if "libtorch_cpu" in line}
    if len(copies) > 1:
        raise SystemExit(f"the library is bound to another LibTorch than Python's: {sorted(copies)}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--library", type=Path, default=ROOT / "native/target/install/lib/libpregrad.so",
                        help="PreGrad's shared library, built on this PyTorch's LibTorch")
    parser.add_argument("--models", nargs="+", help="only these; the page is left as it is")
    parser.add_argument("--torchscript", action="store_true",
                        help="compare traced TorchScript files instead; the page is left as it is")
    parser.add_argument("--time", action="store_true", help="measure how long both forms take, and nothing else")
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()

    torch.set_num_threads(arguments.threads)
    library = pregrad_c.Library(arguments.library)
    require_one_libtorch()
    models, torchvision_version, _declared = architectures.torchvision_models()
    with tempfile.TemporaryDirectory() as folder:
        if arguments.time:
            timing.measure(library, models, folder)
            return 0
        rows = []
        for name, (maker, shape) in architectures.architectures(models).items():
            if arguments.models and name not in arguments.models:
                continue
            rows.append(compare(library, name, maker, shape, arguments.torchscript, folder))
            print(report.row(rows[-1]), rows[-1].failure, flush=True)
    if not arguments.models and not arguments.torchscript:
        page = report.page(rows, library.version(), torch.__version__, torchvision_version, SAMPLES, OUTPUT_BOUND,
                           GRADIENT_BOUND)
        (ROOT / "docs/exported-models.md").write_text(page)
    failed = [row.name for row in rows if row.failure]
    print(f"{len(rows) - len(failed)} of {len(rows)} within the bounds", *failed)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

"""How long PreGrad takes for a batch of a torch.export archive and of the scripted twin."""

import statistics
import time
from pathlib import Path

import numpy as np
import torch
from torch import nn

import architectures
import forms
import pregrad_c

ROUNDS = 60
# Small models are added so often that one measurement takes about this long.
_SECONDS = 0.2


def mlp():
    return nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 64), nn.ReLU(), nn.Linear(64, 10))


def cases(models):
    """name, model maker, shape of the batch."""
    return (
        ("MLP 64-128-64-10", mlp, (1, 64)),
        ("ResNet-18", lambda: models.resnet18(weights=None, num_classes=10), (32, 3, 64, 64)),
    )


class Case:
    """One file with the gradients of all its layers asked for."""

    def __init__(self, library, path, x):
        self.model = pregrad_c.Model(library, path)
        layers = [str(layer) for layer in self.model.layers(x.shape)]
        self.attribution = self.model.attribution(layers)
        self.batch = x, np.arange(len(x), dtype=np.int64) % 10, np.zeros(len(x), np.int64)
        self.attribution.add(*self.batch)
        self.repeats = max(1, round(_SECONDS / self._once(1)))

    def _once(self, repeats):
        start = time.perf_counter()
        for _ in range(repeats):
            self.attribution.add(*self.batch)
        return (time.perf_counter() - start) / repeats

    def seconds(self):
        return self._once(self.repeats)

    def close(self):
        self.attribution.close()
        self.model.close()


def _interleaved(first, second):
    """Seconds of both, measured in turn; who comes first changes with every round."""
    times = []
    for round_ in range(ROUNDS):
        order = (first, second) if round_ % 2 == 0 else (second, first)
        seconds = {case: case.seconds() for case in order}
        times.append((seconds[first], seconds[second]))
    return zip(*times)


def measure(library, models, folder):
    """Prints the medians of both, and of their ratio."""
    print("| model | samples | .pt2 | scripted | ratio |\n| --- | --- | --- | --- | --- |")
    for name, maker, shape in cases(models):
        model = architectures.build(maker)
        x = torch.randn(shape, generator=torch.Generator().manual_seed(0))
        forms.export(model, torch.cat([x, x])[: max(2, len(x))], Path(folder) / "timed.pt2")
        forms.script(model, Path(folder) / "timed.pt")
        both = [Case(library, Path(folder) / file, x.numpy()) for file in ("timed.pt2", "timed.pt")]
        exported, scripted = _interleaved(*both)
        ratio = statistics.median(a / b for a, b in zip(exported, scripted))
        print(f"| {name} | {len(x)} | {statistics.median(exported) * 1e3:.3f} ms "
              f"| {statistics.median(scripted) * 1e3:.3f} ms | {ratio:.3f} |")
        for case in both:
            case.close()

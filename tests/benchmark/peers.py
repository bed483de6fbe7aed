"""Times what Python users do today, for the same cases: prints one line of JSON per way and case.

Ways: `loop`, a full backward hook and one backward per sample; `hook`, a forward hook and one backward of the summed
outputs for the batch; `captum`, LayerGradientXActivation with multiply_by_inputs=False, where Captum can be imported. None
of them takes several targets of a sample, which therefore stands in the batch once for each. Removal is no gradient: a
`hook` sets one neuron after the other to 0, with a forward for each. Besides, `products`: the matrix products of a case
alone, which nobody can leave out.

The first three differentiate by the output of the activation's module, as such code does (docs: README), so they do the
work but not the right work: where the activation is in place, a hook on it is what runs.

Usage: peers.py FOLDER SECONDS [CASE...]
"""

import json
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy
import torch
from torch import nn

import models
from cases import Case, read_cases

try:
    from captum.attr import LayerGradientXActivation
except ImportError:
    LayerGradientXActivation = None

CLUSTERS = 10
PRODUCTS_CASE = "mlp-1797"
Call = tuple[nn.Module, int]  # the module of an activation, and which of its calls
Sums = list[torch.Tensor]  # of each layer, [clusters, neurons]


def load(case: Case, folder: Path) -> nn.Module:
    """The eager twin of the file: hooks need one."""
    module = models.BUILDERS[case.model]()
    module.load_state_dict(torch.jit.load(str(folder / case.model)).state_dict())
    return module.eval()


def out_of_place(module: nn.Module) -> nn.Module:
    """Hooks on an activation in place raise or lie; who uses them sets it off first."""
    for child in module.modules():
        if isinstance(child, nn.ReLU):
            child.inplace = False
    return module


def runs(layers: Iterable[nn.Module], module: nn.Module, x: torch.Tensor) -> list[nn.Module]:
    """The layers in the order in which one forward runs them, some several times."""
    ran: list[nn.Module] = []
    handles = [layer.register_forward_hook(lambda layer, inputs, output: ran.append(layer)) for layer in layers]
    module(x[:1])
    for handle in handles:
        handle.remove()
    return ran


def calls(case: Case, module: nn.Module, x: torch.Tensor) -> list[Call]:
    """What the case's layer names stand for."""
    if case.layers != ("*",):
        pairs = [layer.split("@") for layer in case.layers]
        return [(module.get_submodule(name), int(call)) for name, call in pairs]
    ran = runs([child for child in module.modules() if isinstance(child, nn.ReLU)], module, x)
    return [(layer, ran[:index].count(layer)) for index, layer in enumerate(ran)]


def run_once(case: Case, module: nn.Module, x: torch.Tensor) -> bool:
    layers = {layer for layer, _ in calls(case, module, x)}
    return len(runs(layers, module, x)) == len(layers)


def per_cluster(values: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    if values.dim() == 4:
        values = values.sum((2, 3))
    elif values.dim() == 3:
        values = values.sum(1)
    return torch.zeros(CLUSTERS, values.shape[1], dtype=torch.float64).index_add_(0, y % CLUSTERS, values.double())


def loop(case: Case, module: nn.Module, x: torch.Tensor, y: torch.Tensor) -> Callable[[], Sums]:
    wanted = calls(case, module, x)
    seen: dict[nn.Module, list[torch.Tensor]] = {layer: [] for layer, _ in wanted}
    for layer in seen:
        layer.register_full_backward_hook(lambda module, inputs, outputs: seen[module].append(outputs[0].detach()))

    def work() -> Sums:
        rows: list[list[torch.Tensor]] = [[] for _ in wanted]
        for index in range(len(x)):
            module.zero_grad()
            module(x[index : index + 1])[0, y[index]].backward()
            for row, (layer, call) in zip(rows, wanted, strict=True):
                # The hooks run from the last call to the first.
                row.append(seen[layer][-1 - call])
            for gradients in seen.values():
                gradients.clear()
        return [per_cluster(torch.cat(row), y) for row in rows]

    return work


def hook(case: Case, module: nn.Module, x: torch.Tensor, y: torch.Tensor) -> Callable[[], Sums]:
    wanted = calls(case, module, x)
    seen: dict[nn.Module, list[torch.Tensor]] = {layer: [] for layer, _ in wanted}
    for layer in seen:
        layer.register_forward_hook(lambda module, inputs, output: seen[module].append(output))

    def work() -> Sums:
        total = module(x).gather(1, y[:, None]).sum()
        gradients = torch.autograd.grad(total, [seen[layer][call] for layer, call in wanted])
        for outputs in seen.values():
            outputs.clear()
        return [per_cluster(gradient, y) for gradient in gradients]

    return work


def captum(case: Case, module: nn.Module, x: torch.Tensor, y: torch.Tensor) -> Callable[[], Sums]:
    layers = list(dict.fromkeys(layer for layer, _ in calls(case, module, x)))
    attribution = LayerGradientXActivation(module, layers, multiply_by_inputs=False)
    return lambda: [per_cluster(values, y) for values in attribution.attribute(x, target=y)]


def removal(case: Case, module: nn.Module, x: torch.Tensor, y: torch.Tensor) -> Callable[[], Sums]:
    ((layer, _),) = calls(case, module, x)
    removed: list[int] = []  # one neuron, or none

    def remove(module: nn.Module, inputs: tuple, output: torch.Tensor) -> None:
        for neuron in removed:
            output[:, neuron] = 0

    def without(*neuron: int) -> torch.Tensor:
        removed[:] = neuron
        return module(x).gather(1, y[:, None])

    layer.register_forward_hook(remove)

    @torch.no_grad()
    def work() -> Sums:
        whole = without()
        falls = [whole - without(neuron) for neuron in range(module.fc1.out_features)]
        return [per_cluster(torch.cat(falls, 1), y)]

    return work


def products(module: models.Mlp, x: torch.Tensor) -> Callable[[], object]:
    """What takes inputs to outputs, and the gradient of the outputs to the first hidden layer, without anything between."""
    weights = [layer.weight.detach() for layer in module.modules() if isinstance(layer, nn.Linear)]
    forward = [(torch.randn(len(x), weight.shape[1]), weight.T.contiguous()) for weight in weights]
    backward = [(torch.randn(len(x), weight.shape[0]), weight) for weight in weights[1:]]
    return lambda: [left @ right for left, right in forward + backward]


def measure(work: Callable[[], object], seconds: float) -> float:
    """Microseconds of one call, the median of those that fit into the time; at least one."""
    times = []
    end = time.perf_counter() + seconds
    while not times or time.perf_counter() < end:
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return sorted(times)[len(times) // 2] * 1e6


def report(way: str, case: Case, microseconds: float) -> None:
    print(json.dumps({"way": way, "case": case.name, "us": microseconds}), flush=True)


def require_equal(case: Case, name: str, sums: Sums, first: Sums) -> None:
    """All ways do the same work, or their times say nothing."""
    for here, there in zip(sums, first, strict=True):
        if not torch.allclose(here, there, rtol=1e-3, atol=1e-4 * there.abs().max().item()):
            raise SystemExit(f"peers.py: case {case.name}: {name} and the first way differ")


def ways_of(case: Case) -> dict[str, Callable]:
    if case.floor == "removal":
        return {"hook": removal}
    ways = {"loop": loop, "hook": hook}
    return ways if LayerGradientXActivation is None else ways | {"captum": captum}


def main() -> None:
    folder, seconds, wanted = Path(sys.argv[1]), float(sys.argv[2]), sys.argv[3:]
    if LayerGradientXActivation is None:
        print("peers.py: captum cannot be imported and is left out", file=sys.stderr)
    for case in read_cases():
        if wanted and case.name not in wanted:
            continue
        x = torch.from_numpy(numpy.fromfile(folder / f"{case.name}.x", numpy.float32).reshape(case.samples, *case.shape))
        x = x.repeat_interleave(case.targets, 0)
        y = torch.from_numpy(numpy.fromfile(folder / f"{case.name}.y", numpy.int64))
        first = None
        for name, way in ways_of(case).items():
            work = way(case, out_of_place(load(case, folder)), x, y)
            sums = work()
            first = sums if first is None else first
            # Of a module that runs several times Captum mixes the calls.
            if name != "captum" or run_once(case, load(case, folder), x):
                require_equal(case, name, sums, first)
            report(name, case, measure(work, seconds))
        if case.name == PRODUCTS_CASE:
            report("products", case, measure(products(load(case, folder), x), seconds))


if __name__ == "__main__":
    main()

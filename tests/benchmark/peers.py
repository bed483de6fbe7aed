"""Times what Python users do today, for the same cases: prints one line of JSON per way and case.

Ways: `loop`, a full backward hook and one backward per sample; `hook`, a forward hook and one backward of the summed
outputs for the batch; `captum`, LayerGradientXActivation with multiply_by_inputs=False, where Captum can be imported.
Besides, `products`: the matrix products of a case alone, which nobody can leave out.

The first three differentiate by the output of the activation's module, as such code does (docs: README), so they do the
work but not the right work: where the activation is in place, a hook on it is what runs.

Usage: peers.py FOLDER SECONDS [CASE...]
"""

import json
import sys
import time
from collections.abc import Callable
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

BUILDERS = {
    "mlp.pt": lambda: models.Mlp(64, 128, 64),
    "resnet18.pt": models.resnet18,
    "vit.pt": models.VisionTransformer,
}
# A loop over all samples of a large model takes seconds and says nothing new.
LOOP_CASES = ("mlp-1", "mlp-32", "mlp-1797", "resnet-late-32")
PRODUCTS_CASE = "mlp-1797"


def load(case: Case, folder: Path) -> nn.Module:
    """The eager twin of the file: hooks need one."""
    module = BUILDERS[case.model]()
    module.load_state_dict(torch.jit.load(str(folder / case.model)).state_dict())
    return module.eval()


def out_of_place(module: nn.Module) -> nn.Module:
    """Hooks on an activation in place raise or lie; who uses them sets it off first."""
    for child in module.modules():
        if isinstance(child, nn.ReLU):
            child.inplace = False
    return module


def target(case: Case, module: nn.Module) -> tuple[nn.Module, int]:
    """The module behind a layer name, and which of its calls."""
    name, call = case.layers[0].split("@")
    return module.get_submodule(name), int(call)


def per_cluster(values: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    if values.dim() == 4:
        values = values.sum((2, 3))
    elif values.dim() == 3:
        values = values.sum(1)
    return torch.zeros(20, values.shape[1], dtype=torch.float64).index_add_(0, y % 10, values.double())


def loop(case: Case, module: nn.Module, x: torch.Tensor, y: torch.Tensor) -> Callable[[], object]:
    layer, call = target(case, module)
    seen: list[torch.Tensor] = []
    layer.register_full_backward_hook(lambda module, inputs, outputs: seen.append(outputs[0].detach()))

    def work() -> torch.Tensor:
        rows = []
        for index in range(len(x)):
            module.zero_grad()
            module(x[index : index + 1])[0, y[index]].backward()
            # The hooks run from the last call to the first.
            rows.append(seen[-1 - call])
            seen.clear()
        return per_cluster(torch.cat(rows), y)

    return work


def hook(case: Case, module: nn.Module, x: torch.Tensor, y: torch.Tensor) -> Callable[[], object]:
    layer, call = target(case, module)
    seen: list[torch.Tensor] = []
    layer.register_forward_hook(lambda module, inputs, output: seen.append(output))

    def work() -> torch.Tensor:
        outputs = module(x)
        (gradient,) = torch.autograd.grad(outputs.gather(1, y[:, None]).sum(), seen[call])
        seen.clear()
        return per_cluster(gradient, y)

    return work


def captum(case: Case, module: nn.Module, x: torch.Tensor, y: torch.Tensor) -> Callable[[], object]:
    layer, _ = target(case, module)
    attribution = LayerGradientXActivation(module, layer, multiply_by_inputs=False)
    return lambda: per_cluster(attribution.attribute(x, target=y), y)


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


def runs_once(case: Case, module: nn.Module, x: torch.Tensor) -> bool:
    layer, _ = target(case, module)
    calls = []
    handle = layer.register_forward_hook(lambda module, inputs, output: calls.append(1))
    module(x[:1])
    handle.remove()
    return len(calls) == 1


def require_equal(case: Case, name: str, sums: torch.Tensor, first: torch.Tensor) -> None:
    """All ways do the same work, or their times say nothing."""
    if not torch.allclose(sums, first, rtol=1e-3, atol=1e-4 * first.abs().max().item()):
        raise SystemExit(f"peers.py: case {case.name}: {name} and the first way differ")


def main() -> None:
    folder, seconds, wanted = Path(sys.argv[1]), float(sys.argv[2]), sys.argv[3:]
    ways = {"loop": loop, "hook": hook}
    if LayerGradientXActivation is not None:
        ways["captum"] = captum
    else:
        print("peers.py: captum cannot be imported and is left out", file=sys.stderr)
    for case in read_cases():
        if case.model not in BUILDERS or not case.names_one_layer or case.name.startswith("target"):
            continue
        if wanted and case.name not in wanted:
            continue
        x = torch.from_numpy(numpy.fromfile(folder / f"{case.name}.x", numpy.float32).reshape(case.samples, *case.shape))
        y = torch.from_numpy(numpy.fromfile(folder / f"{case.name}.y", numpy.int64))
        first = None
        for name, way in ways.items():
            if name == "loop" and case.name not in LOOP_CASES:
                continue
            work = way(case, out_of_place(load(case, folder)), x, y)
            sums = work()
            first = sums if first is None else first
            # Of a module that runs several times Captum mixes the calls.
            if name != "captum" or runs_once(case, load(case, folder), x):
                require_equal(case, name, sums, first)
            report(name, case, measure(work, seconds))
        if case.name == PRODUCTS_CASE:
            report("products", case, measure(products(load(case, folder), x), seconds))


if __name__ == "__main__":
    main()

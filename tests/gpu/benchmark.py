"""Times PreGrad's C++ interface on a GPU beside LibTorch written by hand and Python's hooks, and writes DIR/benchmark.md and
DIR/benchmark.json. tests/gpu/run calls it.

The C++ interface is timed with CUDA graphs and without.

All ways take the inputs on the device and wait for it after each batch; a number is the median of the repetitions.

Usage: benchmark.py --program pregrad_benchmarks --out DIR [--device cuda:0] [--quick]
"""

import argparse
import csv
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy
import torch
from torch import nn

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "benchmark"))
from models import ResNet, shortcut  # noqa: E402

REPETITIONS = 7
# A ReLU whose z rounding takes to the other side of 0 changes all gradients before it, as a few of the 77 million of eight
# images in ResNet-50 do: in float32 PyTorch differs from its own float64 by as much.
TOLERANCE = 1e-2


class Bottleneck(nn.Module):
    """torchvision's, in place as there."""

    def __init__(self, channels_in: int, width: int, stride: int) -> None:
        super().__init__()
        channels = 4 * width
        self.conv1 = nn.Conv2d(channels_in, width, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, stride, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = nn.Conv2d(width, channels, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(channels)
        self.relu = nn.ReLU(inplace=True)
        self.downsample = shortcut(channels_in, channels, stride)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        out = self.relu(self.bn1(self.conv1(x)))
        out = self.relu(self.bn2(self.conv2(out)))
        out = self.bn3(self.conv3(out))
        out += self.downsample(x)
        return self.relu(out)


def resnet50() -> ResNet:
    channels = 64
    layers = []
    for layer, (width, depth) in enumerate(((64, 3), (128, 4), (256, 6), (512, 3)), 1):
        blocks = []
        for index in range(depth):
            blocks.append(Bottleneck(channels, width, 2 if layer > 1 and index == 0 else 1))
            channels = 4 * width
        layers.append(blocks)
    return ResNet(*layers, channels=channels)


def write_inputs(cases: list[dict[str, str]], folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(1)
    model = resnet50().eval()
    # Without trained weights the outputs of so deep a network overflow, but for small last factors of its blocks.
    for module in model.modules():
        if isinstance(module, Bottleneck):
            nn.init.constant_(module.bn3.weight, 0.2)
    torch.jit.script(model).save(str(folder / "resnet50.pt"))
    random = numpy.random.default_rng(2)
    for case in cases:
        shape = (int(case["samples"]), *map(int, case["shape"].split(",")))
        random.standard_normal(shape, dtype=numpy.float32).tofile(folder / f"{case['case']}.x")
        random.integers(0, int(case["classes"]), (shape[0], 1)).astype("<i8").tofile(folder / f"{case['case']}.y")


def program_times(program: Path, cases: Path, folder: Path, device: str, seconds: float) -> dict[str, float]:
    """Seconds per batch, by way/case."""
    output = subprocess.run(
        [program, f"--cases={cases}", f"--folder={folder}", f"--device={device}", f"--tolerance={TOLERANCE}",
         f"--benchmark_min_time={seconds}", f"--benchmark_repetitions={REPETITIONS}", "--benchmark_format=json",
         "--benchmark_enable_random_interleaving=true"],
        check=True, stdout=subprocess.PIPE, text=True,
    ).stdout
    times: dict[str, list[float]] = {}
    for row in json.loads(output)["benchmarks"]:
        if row["run_type"] == "iteration":
            name = row["run_name"].removesuffix("/real_time")
            times.setdefault(name, []).append(row["real_time"] * 1e-6)
    return {name: statistics.median(values) for name, values in times.items()}


def program_peak(program: Path, cases: Path, folder: Path, device: str, name: str) -> int:
    output = subprocess.run(
        [program, f"--cases={cases}", f"--folder={folder}", f"--device={device}", f"--peak={name}"],
        check=True, stdout=subprocess.PIPE, text=True,
    ).stdout
    return json.loads(output)["peak"]


def hooks(case: dict[str, str], folder: Path, device: str) -> Callable[[], None]:
    """What Python users do today: a forward hook, one backward of the summed outputs, parameters as they are. The
    activation is set out of place, without which the hook raises or lies."""
    model = resnet50()
    model.load_state_dict(torch.jit.load(str(folder / case["model"])).state_dict())
    model = model.eval().to(device)
    for module in model.modules():
        if isinstance(module, nn.ReLU):
            module.inplace = False
    name, call = case["layers"].split("@")
    seen: list[torch.Tensor] = []
    model.get_submodule(name).register_forward_hook(lambda module, inputs, output: seen.append(output))
    shape = (int(case["samples"]), *map(int, case["shape"].split(",")))
    x = torch.from_numpy(numpy.fromfile(folder / f"{case['case']}.x", numpy.float32).reshape(shape)).to(device)
    y = torch.from_numpy(numpy.fromfile(folder / f"{case['case']}.y", "<i8"))
    sums = torch.zeros(10, 1, dtype=torch.float64, device=device)

    def work() -> None:
        nonlocal sums
        seen.clear()
        labels = y.to(device)
        selected = model(x).gather(1, labels[:, None]).sum()
        (gradient,) = torch.autograd.grad(selected, [seen[int(call)]])
        values = gradient.sum((2, 3)).double()
        sums = sums.expand(-1, values.shape[1]).contiguous().index_add_(0, labels % 10, values)
        if device.startswith("cuda"):
            torch.cuda.synchronize()

    return work


def measured(work: Callable[[], None], seconds: float) -> float:
    work()
    repetitions = []
    for _ in range(REPETITIONS):
        count = 0
        start = time.perf_counter()
        while time.perf_counter() - start < seconds:
            work()
            count += 1
        repetitions.append((time.perf_counter() - start) / count)
    return statistics.median(repetitions)


def peak_of(work: Callable[[], None], device: str) -> int | None:
    if not device.startswith("cuda"):
        return None
    work()
    torch.cuda.reset_peak_memory_stats()
    work()
    return torch.cuda.max_memory_allocated()


def machine(device: str) -> dict[str, str]:
    facts = {"torch": torch.__version__, "cuda": str(torch.version.cuda)}
    if device.startswith("cuda"):
        facts["device"] = torch.cuda.get_device_name(device)
        facts["cudnn"] = str(torch.backends.cudnn.version())
        facts["driver"] = subprocess.run(
            ["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"],
            check=True, stdout=subprocess.PIPE, text=True,
        ).stdout.split("\n")[0]
    return facts


def mebibytes(value: int | None) -> str:
    return "" if value is None else f"{value / 2**20:.0f}"


def milliseconds(seconds: float | None) -> str:
    return "" if seconds is None else f"{seconds * 1e3:.2f}"


def report(facts: dict[str, str], rows: list[dict], command: str) -> str:
    lines = [
        ", ".join(f"{name} {value}" for name, value in facts.items()) + "; `" + command + "`",
        "",
        "| case | C++ ms | without graphs ms | by hand ms | ÷ by hand | hooks ms | ÷ hooks | C++ MiB | without graphs MiB |"
        " by hand MiB | hooks MiB |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for row in rows:
        ours, floor, python = row["cpp"], row["floor"], row["hooks"]
        lines.append(
            f"| {row['case']} | {ours * 1e3:.2f} | {milliseconds(row['eager'])} | {floor * 1e3:.2f} | {ours / floor:.3f} |"
            f" {python * 1e3:.2f} | {ours / python:.3f} | {mebibytes(row['cpp_peak'])} | {mebibytes(row['eager_peak'])} |"
            f" {mebibytes(row['floor_peak'])} | {mebibytes(row['hooks_peak'])} |"
        )
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--program", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--device", default="cuda:0")
    parser.add_argument("--quick", action="store_true", help="small batches, short; the numbers mean little")
    options = parser.parse_args()
    seconds = 0.05 if options.quick else 0.5
    with (HERE / "cases.tsv").open(newline="") as file:
        cases = list(csv.DictReader(file, delimiter="\t"))
    if options.quick:
        cases = [{**case, "shape": "3,64,64", "samples": str(min(4, int(case["samples"])))} for case in cases]
    folder = options.out / "benchmark-inputs"
    write_inputs(cases, folder)
    listed = folder / "cases.tsv"
    with listed.open("w", newline="") as file:
        writer = csv.DictWriter(file, cases[0].keys(), delimiter="\t", lineterminator="\n")
        writer.writeheader()
        writer.writerows(cases)

    times = program_times(options.program, listed, folder, options.device, seconds)
    on_gpu = options.device.startswith("cuda")
    rows = []
    for case in cases:
        name = case["case"]
        work = hooks(case, folder, options.device)
        row = {"case": name, "cpp": times[f"cpp/{name}"], "eager": times.get(f"eager/{name}"),
               "floor": times[f"floor/{name}"],
               "hooks": measured(work, seconds), "hooks_peak": peak_of(work, options.device)}
        del work
        for way in ("cpp", "eager", "floor"):
            row[f"{way}_peak"] = (
                program_peak(options.program, listed, folder, options.device, f"{way}/{name}") if on_gpu else None
            )
        rows.append(row)
    facts = machine(options.device)
    command = "tests/gpu/run" + (" --quick" if options.quick else "")
    (options.out / "benchmark.json").write_text(json.dumps({"machine": facts, "rows": rows}, indent=1) + "\n")
    (options.out / "benchmark.md").write_text(report(facts, rows, command))


if __name__ == "__main__":
    sys.exit(main())

"""What is required of the times, and whether it is met."""

from collections.abc import Callable
from dataclasses import dataclass

Times = dict[tuple[str, str], float]  # microseconds by way and case; also ("bytes", ...) of the memory held
BATCHES = ("mlp-32", "mlp-1797", "cnn-256", "resnet-early-32", "resnet-middle-32", "resnet-late-32", "vit-32")
RESNET = ("resnet-early-32", "resnet-middle-32", "resnet-late-32")


@dataclass(frozen=True)
class Requirement:
    name: str
    at_most: float
    measure: Callable[[Times], float]
    unit: str = ""


def ratio(above: tuple[str, str], below: tuple[str, str]) -> Callable[[Times], float]:
    return lambda times: times[above] / times[below]


REQUIREMENTS = [
    *(Requirement(f"Java / C++, {case}", 1.03, ratio(("java-same", case), ("cpp", case))) for case in BATCHES),
    Requirement("Java − C++, mlp-1", 2.0, lambda times: times["java-same", "mlp-1"] - times["cpp", "mlp-1"], "µs"),
    *(Requirement(f"C++ / floor, {case}", 1.05, ratio(("cpp", case), ("floor", case))) for case in BATCHES),
    Requirement("C++ / floor, mlp-1", 1.25, ratio(("cpp", "mlp-1"), ("floor", "mlp-1"))),
    Requirement("Java / the origin's loop, mlp-1797", 1 / 1000, ratio(("java", "mlp-1797"), ("loop", "mlp-1797"))),
    Requirement("Java / Captum, mlp-1797", 1 / 30, ratio(("java", "mlp-1797"), ("captum", "mlp-1797"))),
    Requirement("Java / Python hook, mlp-1", 0.5, ratio(("java", "mlp-1"), ("hook", "mlp-1"))),
    Requirement("Java / Python hook, resnet-late-32", 0.9, ratio(("java", "resnet-late-32"), ("hook", "resnet-late-32"))),
    *(Requirement(f"Java / plain JavaCPP, {case}", 0.5, ratio(("java", case), ("javacpp", case))) for case in RESNET),
    Requirement("all layers / the earliest, ResNet-18", 1.15, ratio(("cpp", "resnet-all-32"), ("cpp", "resnet-early-32"))),
    Requirement("all layers / the earliest, MLP", 1.15, ratio(("cpp", "mlp-all-1797"), ("cpp", "mlp-1797"))),
    Requirement("20 targets / one target, MLP", 4.0, ratio(("cpp", "targets-20-mlp"), ("cpp", "mlp-1"))),
    Requirement("20 targets / one target, ResNet-18 late", 4.0, ratio(("cpp", "targets-20"), ("cpp", "target-1"))),
    Requirement(
        "20 targets / one target, ResNet-18 middle", 4.0, ratio(("cpp", "targets-20-middle"), ("cpp", "target-1-middle"))
    ),
    Requirement("bytes held for backward, ResNet-18 middle / whole", 0.5, ratio(("bytes", "middle"), ("bytes", "whole"))),
    Requirement("npz reader / copy of the same bytes", 1.5, ratio(("npz", ""), ("copy", ""))),
    # Microseconds per sample: the more the slower.
    Requirement("16 threads, C++ / floor", 1 / 0.9, ratio(("cpp-threads", ""), ("floor-threads", ""))),
    Requirement("16 threads, Java / floor", 1 / 0.9, ratio(("java-threads", "mlp-1"), ("floor-threads", ""))),
    Requirement("start-up of `pregrad layers`", 1.5, lambda times: times["layers", ""] / 1e6, "s"),
]

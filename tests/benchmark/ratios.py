"""What is required of the times, and whether it is met."""

from collections.abc import Callable
from dataclasses import dataclass

Times = dict[tuple[str, str], float]  # microseconds by way and case; also ("bytes", ...) of the memory held
BATCHES = ("mlp-32", "mlp-1797", "cnn-256", "resnet-early-32", "resnet-middle-32", "resnet-late-32", "vit-32")
# Cases that are held to another one: two processes, minutes apart, would meet two machines.
BESIDE = {
    "resnet-all-32": "resnet-early-32",
    "mlp-all-1797": "mlp-1797",
    "targets-20-mlp": "mlp-1",
    "targets-20": "target-1",
    "targets-20-middle": "target-1-middle",
}
RESNET = ("resnet-early-32", "resnet-middle-32", "resnet-late-32")


@dataclass(frozen=True)
class Requirement:
    name: str
    at_most: float
    measure: Callable[[Times], float]
    unit: str = ""


def ratio(above: tuple[str, str], below: tuple[str, str]) -> Callable[[Times], float]:
    return lambda times: times[above] / times[below]


def to_beside(case: str) -> Callable[[Times], float]:
    return ratio(("cpp", case), ("cpp-beside", case))


REQUIREMENTS = [
    *(Requirement(f"Java / C++, {case}", 1.03, ratio(("jvm-java", case), ("jvm-cpp", case))) for case in BATCHES),
    Requirement(
        "Java − C++, mlp-1", 2.0, lambda times: times["jvm-java", "mlp-1"] - times["jvm-cpp", "mlp-1"], "µs"
    ),
    *(Requirement(f"C++ / floor, {case}", 1.05, ratio(("cpp", case), ("floor", case))) for case in BATCHES),
    Requirement("C++ / floor, mlp-1", 1.25, ratio(("cpp", "mlp-1"), ("floor", "mlp-1"))),
    Requirement("Java / the origin's loop, mlp-1797", 1 / 1000, ratio(("java", "mlp-1797"), ("loop", "mlp-1797"))),
    Requirement("Java / Captum, mlp-1797", 1 / 30, ratio(("java", "mlp-1797"), ("captum", "mlp-1797"))),
    Requirement("Java / Python hook, mlp-1", 0.5, ratio(("java", "mlp-1"), ("hook", "mlp-1"))),
    Requirement("Java / Python hook, resnet-late-32", 0.9, ratio(("java", "resnet-late-32"), ("hook", "resnet-late-32"))),
    *(Requirement(f"Java / plain JavaCPP, {case}", 0.5, ratio(("java", case), ("javacpp", case))) for case in RESNET),
    Requirement("all layers / the earliest, ResNet-18", 1.15, to_beside("resnet-all-32")),
    Requirement("all layers / the earliest, MLP", 1.15, to_beside("mlp-all-1797")),
    Requirement("20 targets / one target, MLP", 4.0, to_beside("targets-20-mlp")),
    Requirement("20 targets / one target, ResNet-18 late", 4.0, to_beside("targets-20")),
    Requirement("20 targets / one target, ResNet-18 middle", 4.0, to_beside("targets-20-middle")),
    Requirement("bytes held for backward, ResNet-18 middle / whole", 0.5, ratio(("bytes", "middle"), ("bytes", "whole"))),
    Requirement("npz reader / copy of the same bytes", 1.5, ratio(("npz", ""), ("copy", ""))),
    # Microseconds per sample: the more the slower.
    Requirement("16 threads, C++ / floor", 1 / 0.9, ratio(("cpp-threads", ""), ("floor-threads", ""))),
    Requirement("16 threads, Java / floor", 1 / 0.9, ratio(("java-threads", "mlp-1"), ("floor-threads", ""))),
    Requirement("start-up of `pregrad layers`", 1.5, lambda times: times["layers", "digits"] / 1e6, "s"),
]

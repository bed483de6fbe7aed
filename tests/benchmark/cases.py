"""Reads cases.tsv, the one list of what is measured; the programs in C++ and Java read the same file."""

import csv
from dataclasses import dataclass
from pathlib import Path

FILE = Path(__file__).resolve().parent / "cases.tsv"


@dataclass(frozen=True)
class Case:
    name: str
    model: str
    floor: str  # which hand-written twin it has
    samples: int
    shape: tuple[int, ...]  # of one sample
    targets: int  # of each sample
    classes: int
    layers: tuple[str, ...]  # `*`: all of them


def read_cases() -> list[Case]:
    with FILE.open(newline="") as file:
        return [
            Case(
                row["case"],
                row["model"],
                row["floor"],
                int(row["samples"]),
                tuple(int(size) for size in row["shape"].split(",")),
                int(row["targets"]),
                int(row["classes"]),
                tuple(row["layers"].split(",")),
            )
            for row in csv.DictReader(file, delimiter="\t")
        ]

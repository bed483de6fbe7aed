"""Writes resnet18.pt and mlp.pt, TorchScript with random weights: speed does not depend on what a network has learnt.

Usage: write_models.py FOLDER
"""

import sys
from pathlib import Path

import torch
from torch import nn

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from models import resnet18  # noqa: E402


def main() -> None:
    torch.manual_seed(0)
    mlp = nn.Sequential(nn.Linear(1024, 1024), nn.ReLU(), nn.Linear(1024, 1024))
    for name, model in (("resnet18", resnet18()), ("mlp", mlp)):
        torch.jit.script(model.eval()).save(str(Path(sys.argv[1], f"{name}.pt")))


if __name__ == "__main__":
    main()

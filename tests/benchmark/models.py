"""Writes the models of the benchmark as TorchScript with seeded random weights, and for each case its inputs (float32)
and labels (int64) as raw little-endian numbers, which every language reads alike.

Speed does not depend on what a network has learnt.

Usage: models.py FOLDER
"""

import shutil
import sys
from pathlib import Path

import numpy
import torch
from torch import nn

from cases import Case, read_cases

FIXTURES = Path(__file__).resolve().parents[1] / "fixtures"
sys.path.append(str(FIXTURES / "generator"))
from digits import CNN  # noqa: E402


class Mlp(nn.Module):
    def __init__(self, *widths: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(widths[0], widths[1])
        self.act1 = nn.ReLU()
        self.fc2 = nn.Linear(widths[1], widths[2])
        self.act2 = nn.ReLU()
        self.fc3 = nn.Linear(widths[2], 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.fc3(self.act2(self.fc2(self.act1(self.fc1(x)))))


def shortcut(channels_in: int, channels: int, stride: int) -> nn.Sequential:
    """What a residual block adds; a module either way, so that the block can be scripted."""
    if stride == 1 and channels_in == channels:
        return nn.Sequential()
    return nn.Sequential(nn.Conv2d(channels_in, channels, 1, stride, bias=False), nn.BatchNorm2d(channels))


class Block(nn.Module):
    """torchvision's BasicBlock, in place as there."""

    def __init__(self, channels_in: int, channels: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels_in, channels, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.relu = nn.ReLU(inplace=True)
        self.conv2 = nn.Conv2d(channels, channels, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)
        self.downsample = shortcut(channels_in, channels, stride)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        out = self.relu(self.bn1(self.conv1(x)))
        out = self.bn2(self.conv2(out))
        out += self.downsample(x)
        return self.relu(out)


class ResNet(nn.Module):
    """torchvision's ResNet of the given four layers of blocks."""

    def __init__(self, *layers: list[nn.Module], channels: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(3, 2, 1)
        self.layer1, self.layer2, self.layer3, self.layer4 = (nn.Sequential(*blocks) for blocks in layers)
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(channels, 1000)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.fc(torch.flatten(self.avgpool(x), 1))


def resnet18() -> ResNet:
    return ResNet(
        [Block(64, 64, 1), Block(64, 64, 1)],
        [Block(64, 128, 2), Block(128, 128, 1)],
        [Block(128, 256, 2), Block(256, 256, 1)],
        [Block(256, 512, 2), Block(512, 512, 1)],
        channels=512,
    )


class EncoderBlock(nn.Module):
    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm1 = nn.LayerNorm(width)
        self.qkv = nn.Linear(width, 3 * width)
        self.projection = nn.Linear(width, width)
        self.norm2 = nn.LayerNorm(width)
        self.fc1 = nn.Linear(width, 4 * width)
        self.act = nn.GELU()
        self.fc2 = nn.Linear(4 * width, width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        samples, tokens, width = x.shape
        parts = self.qkv(self.norm1(x)).view(samples, tokens, 3, self.heads, width // self.heads)
        q, k, v = parts.permute(2, 0, 3, 1, 4).unbind(0)
        mixed = nn.functional.scaled_dot_product_attention(q, k, v)
        x = x + self.projection(mixed.transpose(1, 2).reshape(samples, tokens, width))
        return x + self.fc2(self.act(self.fc1(self.norm2(x))))


class VisionTransformer(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, 64, 4, 4)
        self.position = nn.Parameter(torch.randn(1, 64, 64) * 0.02)
        self.blocks = nn.Sequential(EncoderBlock(64, 4), EncoderBlock(64, 4))
        self.norm = nn.LayerNorm(64)
        self.head = nn.Linear(64, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.patches(x).flatten(2).transpose(1, 2) + self.position
        return self.head(self.norm(self.blocks(x)).mean(1))


# What builds the eager module of each file.
BUILDERS = {
    "mlp.pt": lambda: Mlp(64, 128, 64),
    "mlp512.pt": lambda: Mlp(64, 512, 64),
    "resnet18.pt": resnet18,
    "vit.pt": VisionTransformer,
    "digits-cnn.pt": CNN,
}
TRAINED = {"digits-cnn.pt": FIXTURES / "digits-cnn.scripted.pt"}


def write_inputs(folder: Path, case: Case) -> None:
    generator = numpy.random.default_rng(0)
    x = generator.standard_normal((case.samples, *case.shape), numpy.float32)
    y = numpy.arange(case.samples * case.targets, dtype=numpy.int64) % case.classes
    x.tofile(folder / f"{case.name}.x")
    y.tofile(folder / f"{case.name}.y")


def main() -> None:
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(0)
    for file, build in BUILDERS.items():
        if file in TRAINED:
            shutil.copy(TRAINED[file], folder / file)
        else:
            torch.jit.script(build().eval()).save(str(folder / file))
    cases = read_cases()
    for case in cases:
        write_inputs(folder, case)
    # For the reader of npz files against a copy of the same bytes: 64 MiB, stored.
    numpy.savez(folder / "large.npz", x=numpy.random.default_rng(0).standard_normal((65536, 256), numpy.float32))
    write_many_digits(folder)


def write_many_digits(folder: Path) -> None:
    """The digits 2,400 times, 1 GiB: for the whole command, whose memory must not grow with its data."""
    digits = numpy.load(FIXTURES / "digits.npz")
    many = {name: numpy.tile(array, (2400, *(1,) * (array.ndim - 1))) for name, array in digits.items()}
    numpy.savez(folder / "digits-2400.npz", **many)


if __name__ == "__main__":
    main()

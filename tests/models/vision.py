"""Hand-written models of pictures and volumes."""

import torch
import torch.nn.functional as F
from torch import nn

from case import SAMPLES, Case, labels, registry

N = SAMPLES
CASES, case = registry()


def block(inputs, outputs):
    return nn.Sequential(nn.Conv2d(inputs, outputs, 3, padding=1), nn.BatchNorm2d(outputs), nn.ReLU(inplace=True))


class UNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.down1, self.down2, self.middle = block(1, 5), block(5, 8), block(8, 10)
        self.up2, self.up1 = nn.ConvTranspose2d(10, 8, 2, stride=2), nn.ConvTranspose2d(8, 5, 2, stride=2)
        self.join2, self.join1 = block(16, 8), block(10, 5)
        self.out = nn.Conv2d(5, 3, 1)

    def forward(self, image):
        a = self.down1(image)
        b = self.down2(F.max_pool2d(a, 2))
        c = self.middle(F.max_pool2d(b, 2))
        b = self.join2(torch.cat([self.up2(c), b], dim=1))
        return self.out(self.join1(torch.cat([self.up1(b), a], dim=1)))


@case
def unet():
    return Case("", UNet(), {"image": torch.randn(N, 1, 8, 8)}, labels(3), at="mean", path="conductance")


@case
def unet_pixels():
    """A class for each pixel, some of them void."""
    return Case("", UNet(), {"image": torch.randn(N, 1, 8, 8)},
                torch.where(torch.rand(N, 8, 8) < 0.8, labels(3, N, 8, 8), -100))


class Residual(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(channels, channels, 3, padding=1), nn.BatchNorm2d(channels)
        self.conv2, self.bn2 = nn.Conv2d(channels, channels, 3, padding=1), nn.BatchNorm2d(channels)
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x):
        out = self.relu(self.bn1(self.conv1(x)))
        return self.relu(self.bn2(self.conv2(out)) + x)


class ResNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = block(3, 9)
        self.layer1, self.layer2 = Residual(9), Residual(9)
        self.pool, self.fc = nn.AdaptiveAvgPool2d(1), nn.Linear(9, 5)

    def forward(self, image):
        return self.fc(self.pool(self.layer2(self.layer1(self.stem(image)))).flatten(1))


@case
def resnet():
    return Case("", ResNet(), {"image": torch.randn(N, 3, 8, 8)}, labels(5), single="stem.2",
                dynamic={"image": {0: "batch", 2: "height", 3: "width"}})


class Squeeze(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.fc1, self.fc2 = nn.Conv2d(channels, 4, 1), nn.Conv2d(4, channels, 1)

    def forward(self, x):
        weights = torch.sigmoid(self.fc2(F.relu(self.fc1(F.adaptive_avg_pool2d(x, 1)))))
        return x * weights


class MobileNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 8, 3, stride=2, padding=1), nn.BatchNorm2d(8), nn.Hardswish(inplace=True))
        self.depthwise = nn.Sequential(nn.Conv2d(8, 8, 3, padding=1, groups=8), nn.BatchNorm2d(8), nn.ReLU6(inplace=True))
        self.squeeze = Squeeze(8)
        self.head = nn.Sequential(nn.Linear(8, 10), nn.Hardswish(inplace=True), nn.Dropout(0.2), nn.Linear(10, 4))

    def forward(self, image):
        return self.head(self.squeeze(self.depthwise(self.stem(image))).mean((2, 3)))


@case
def mobilenet():
    return Case("", MobileNet(), {"image": torch.randn(N, 3, 8, 8)}, labels(4), axes={"squeeze": 1}, single="depthwise.2",
                path="conductance")


class Volume(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Conv3d(2, 5, 3, padding=1), nn.ReLU(), nn.MaxPool3d(2), nn.Conv3d(5, 8, 3, padding=1),
                                 nn.ELU(), nn.AdaptiveAvgPool3d(1), nn.Flatten(), nn.Linear(8, 3))

    def forward(self, volume):
        return self.net(volume)


@case
def volume():
    return Case("", Volume(), {"volume": torch.randn(N, 2, 4, 8, 8)}, labels(3))


class MixerBlock(nn.Module):
    def __init__(self, patches, channels):
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(channels), nn.LayerNorm(channels)
        self.tokens = nn.Sequential(nn.Linear(patches, 9), nn.GELU(), nn.Linear(9, patches))
        self.channels = nn.Sequential(nn.Linear(channels, 14), nn.GELU(), nn.Linear(14, channels))

    def forward(self, x):
        x = x + self.tokens(self.norm1(x).transpose(1, 2)).transpose(1, 2)
        return x + self.channels(self.norm2(x))


class Mixer(nn.Module):
    def __init__(self):
        super().__init__()
        self.patches = nn.Conv2d(3, 8, 4, stride=4)
        self.blocks = nn.ModuleList([MixerBlock(16, 8) for _ in range(2)])
        self.norm, self.out = nn.LayerNorm(8), nn.Linear(8, 4)

    def forward(self, image):
        x = self.patches(image).flatten(2).transpose(1, 2)
        for block in self.blocks:
            x = block(x)
        return self.out(self.norm(x).mean(1))


@case
def mixer():
    return Case("", Mixer(), {"image": torch.randn(N, 3, 16, 16)}, labels(4))


class AutoEncoder(nn.Module):
    """Returns a picture and a class."""

    def __init__(self):
        super().__init__()
        self.encoder = nn.Sequential(nn.Conv2d(1, 6, 3, stride=2, padding=1), nn.LeakyReLU(0.2),
                                     nn.Conv2d(6, 8, 3, stride=2, padding=1), nn.LeakyReLU(0.2))
        self.decoder = nn.Sequential(nn.ConvTranspose2d(8, 6, 2, stride=2), nn.ReLU(), nn.ConvTranspose2d(6, 1, 2, stride=2),
                                     nn.Sigmoid())
        self.classes = nn.Linear(8, 4)

    def forward(self, image):
        h = self.encoder(image)
        return {"picture": self.decoder(h), "logits": self.classes(h.mean((2, 3)))}


@case
def autoencoder():
    return Case("", AutoEncoder(), {"image": torch.randn(N, 1, 8, 8)}, labels(4), forms=("exported",),
                single="encoder.1")

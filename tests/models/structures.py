"""Models whose inputs or outputs are containers, or that return several things."""

from dataclasses import dataclass
from typing import Dict, List, NamedTuple, Tuple

import torch
import torch.nn.functional as F
from torch import nn

from case import SAMPLES, Case, labels, registry

N = SAMPLES
CASES, case = registry()


class Trunk(nn.Module):
    def __init__(self, inputs=8, hidden=14):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(inputs, hidden), nn.Tanh(), nn.Linear(hidden, hidden), nn.ReLU())

    def forward(self, x):
        return self.body(x)


class PolicyValue(nn.Module):
    def __init__(self):
        super().__init__()
        self.trunk = Trunk()
        self.policy = nn.Linear(14, 5)
        self.value = nn.Sequential(nn.Linear(14, 9), nn.ELU(), nn.Linear(9, 1))

    def forward(self, observation):
        h = self.trunk(observation)
        return self.policy(h), self.value(h)


@case
def policy():
    return Case("", PolicyValue(), {"observation": torch.randn(N, 8)}, labels(5), single="trunk.body.3")


@case
def value():
    return Case("", PolicyValue(), {"observation": torch.randn(N, 8)}, output_name="1", target="0", path="conductance")


@dataclass
class Answer:
    features: torch.Tensor
    logits: torch.Tensor


torch.export.register_dataclass(Answer, serialized_type_name="pregrad.tests.Answer")


class DataclassOutput(nn.Module):
    def __init__(self):
        super().__init__()
        self.trunk, self.head = Trunk(), nn.Linear(14, 4)

    def forward(self, x):
        h = self.trunk(x)
        return Answer(features=h, logits=self.head(h))


@case
def dataclass_output():
    return Case("", DataclassOutput(), {"x": torch.randn(N, 8)}, labels(4), forms=("exported",))


class Pair(NamedTuple):
    logits: torch.Tensor
    norm: torch.Tensor


class NamedTupleOutput(nn.Module):
    def __init__(self):
        super().__init__()
        self.trunk, self.head = Trunk(), nn.Linear(14, 4)

    def forward(self, x):
        h = self.trunk(x)
        return Pair(self.head(h), h.square().sum(1))


@case
def named_tuple_output():
    return Case("", NamedTupleOutput(), {"x": torch.randn(N, 8)}, labels(4), forms=("exported", "scripted"))


class DictOutput(nn.Module):
    def __init__(self):
        super().__init__()
        self.trunk, self.age, self.group = Trunk(), nn.Linear(14, 1), nn.Linear(14, 6)

    def forward(self, x):
        h = self.trunk(x)
        return {"age": self.age(h), "group": self.group(h)}


@case
def dict_output():
    return Case("", DictOutput(), {"x": torch.randn(N, 8)}, labels(6), output_name="group", path="conductance")


class ListOutput(nn.Module):
    def __init__(self):
        super().__init__()
        self.trunk, self.heads = Trunk(), nn.ModuleList([nn.Linear(14, 3) for _ in range(3)])

    def forward(self, x):
        h = self.trunk(x)
        return [head(h) for head in self.heads]


@case
def list_output():
    return Case("", ListOutput(), {"x": torch.randn(N, 8)}, labels(3), output_name="2")


class Detector(nn.Module):
    """Boxes and class scores for each of the places of a grid."""

    def __init__(self, classes=4):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 8, 3, stride=2, padding=1), nn.BatchNorm2d(8), nn.ReLU(inplace=True),
                                  nn.Conv2d(8, 12, 3, stride=2, padding=1), nn.BatchNorm2d(12), nn.SiLU(inplace=True))
        self.scores, self.boxes = nn.Conv2d(12, classes, 1), nn.Conv2d(12, 4, 1)

    def forward(self, image):
        h = self.stem(image)
        return {"detections": {"boxes": torch.sigmoid(self.boxes(h)).flatten(2).transpose(1, 2),
                               "scores": self.scores(h).flatten(2).transpose(1, 2)}}


@case
def detector():
    return Case("", Detector(), {"image": torch.randn(N, 3, 16, 16)}, labels(4), output_name="detections.scores",
                at="each", axes={"forward": 1}, single="stem.2", forms=("exported",))


@case
def detector_labelled():
    """A label for each place, most of them background that does not count."""
    made = detector()
    made.at = None
    made.labels = torch.where(torch.rand(N, 16) < 0.4, labels(4, N, 16), -100)
    made.labels[:, 3] = 1
    return made


class StateList(nn.Module):
    def __init__(self):
        super().__init__()
        self.cells = nn.ModuleList([nn.Linear(5 + 8, 8), nn.Linear(8 + 8, 8)])
        self.act = nn.Tanh()
        self.out = nn.Linear(8, 3)

    def forward(self, x, states: List[torch.Tensor]):
        h = x
        for i, cell in enumerate(self.cells):
            h = self.act(cell(torch.cat([h, states[i]], dim=1)))
        return self.out(h)


@case
def state_list():
    return Case("", StateList(), {"x": torch.randn(N, 5), "states": [torch.randn(N, 8), torch.randn(N, 8)]}, labels(3),
                path="conductance")


class StateTuple(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(5, 8, batch_first=True)
        self.head = nn.Sequential(nn.Linear(8, 10), nn.ReLU(), nn.Linear(10, 3))

    def forward(self, x, state: Tuple[torch.Tensor, torch.Tensor]):
        # Samples first at the border, layers first inside.
        h, _ = self.lstm(x, (state[0].transpose(0, 1).contiguous(), state[1].transpose(0, 1).contiguous()))
        return self.head(h[:, -1])


@case
def state_tuple():
    return Case("", StateTuple(), {"x": torch.randn(N, 7, 5), "state": (torch.randn(N, 1, 8), torch.randn(N, 1, 8))},
                labels(3))


class NestedBatch(nn.Module):
    def __init__(self):
        super().__init__()
        self.words, self.text = nn.Embedding(20, 8), nn.Linear(8, 10)
        self.picture = nn.Conv2d(3, 10, 3, padding=1)
        self.out = nn.Linear(10, 4)

    def forward(self, batch: Dict[str, Dict[str, torch.Tensor]]):
        text = F.relu(self.text(self.words(batch["text"]["ids"]).mean(1)))
        return self.out(text + F.gelu(self.picture(batch["image"]["pixels"])).mean((2, 3)))


@case
def nested_batch():
    batch = {"text": {"ids": torch.randint(0, 20, (N, 5))}, "image": {"pixels": torch.randn(N, 3, 8, 8)}}
    return Case("", NestedBatch(), {"batch": batch}, labels(4))


class AdjacencyGraph(nn.Module):
    def __init__(self, per_node):
        super().__init__()
        self.first, self.second, self.out = nn.Linear(5, 12), nn.Linear(12, 10), nn.Linear(10, 4)
        self.act = nn.ReLU()
        self.per_node = per_node

    def forward(self, nodes, adjacency):
        h = self.act(adjacency @ self.first(nodes))
        h = self.act(adjacency @ self.second(h))
        return self.out(h if self.per_node else h.mean(1))


def _adjacency(nodes=9):
    a = (torch.rand(nodes, nodes) < 0.4).float()
    a = ((a + a.T + torch.eye(nodes)) > 0).float()
    return a / a.sum(1, keepdim=True)


@case
def graph():
    return Case("", AdjacencyGraph(False), {"nodes": torch.randn(N, 9, 5), "adjacency": _adjacency()}, labels(4),
                shared=("adjacency",), axes={"act": 2})


@case
def graph_nodes():
    return Case("", AdjacencyGraph(True), {"nodes": torch.randn(N, 9, 5), "adjacency": _adjacency()},
                torch.where(torch.rand(N, 9) < 0.7, labels(4, N, 9), -100), shared=("adjacency",), axes={"act": 2})


class PointSet(nn.Module):
    def __init__(self):
        super().__init__()
        self.point = nn.Sequential(nn.Conv1d(3, 10, 1), nn.BatchNorm1d(10), nn.ReLU(), nn.Conv1d(10, 16, 1),
                                   nn.BatchNorm1d(16), nn.ReLU())
        self.head = nn.Sequential(nn.Linear(16, 12), nn.ReLU(), nn.Dropout(0.3), nn.Linear(12, 5))

    def forward(self, points):
        return self.head(self.point(points.transpose(1, 2)).amax(2))


@case
def point_set():
    return Case("", PointSet(), {"points": torch.randn(N, 11, 3)}, labels(5),
                dynamic={"points": {0: "batch", 1: "length"}})

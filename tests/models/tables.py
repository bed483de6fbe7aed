"""Models of tables, users and items, and plain networks in unusual types."""

from typing import Dict, Optional

import torch
from torch import nn

from case import SAMPLES, Case, labels, registry

N = SAMPLES
CASES, case = registry()


class Mlp(nn.Module):
    def __init__(self, inputs, hidden, outputs, act=nn.ReLU):
        super().__init__()
        self.fc1, self.act1 = nn.Linear(inputs, hidden), act()
        self.fc2, self.act2 = nn.Linear(hidden, hidden), act()
        self.out = nn.Linear(hidden, outputs)

    def forward(self, x):
        return self.out(self.act2(self.fc2(self.act1(self.fc1(x)))))


class WideAndDeep(nn.Module):
    def __init__(self):
        super().__init__()
        self.wide = nn.Linear(8, 1)
        self.embeddings = nn.ModuleList([nn.Embedding(size, 4) for size in (5, 7, 9)])
        self.deep = nn.Sequential(nn.Linear(12 + 8, 16), nn.ReLU(), nn.Linear(16, 10), nn.ReLU(), nn.Linear(10, 1))

    def forward(self, numbers, categories):
        parts = [numbers]
        for i, embedding in enumerate(self.embeddings):
            parts.append(embedding(categories[:, i]))
        return self.wide(numbers) + self.deep(torch.cat(parts, dim=1))


@case
def wide_and_deep():
    return Case("", WideAndDeep(), {"numbers": torch.randn(N, 8), "categories": torch.randint(0, 5, (N, 3))}, labels(2))


class Dlrm(nn.Module):
    def __init__(self):
        super().__init__()
        self.bottom = nn.Sequential(nn.Linear(5, 12), nn.ReLU(), nn.Linear(12, 8), nn.ReLU())
        self.tables = nn.ModuleList([nn.Embedding(10, 8) for _ in range(3)])
        self.top = nn.Sequential(nn.Linear(8 + 6, 16), nn.ReLU(), nn.Linear(16, 1))

    def forward(self, dense, sparse):
        x = self.bottom(dense)
        rows = [x]
        for i, table in enumerate(self.tables):
            rows.append(table(sparse[:, i]))
        stacked = torch.stack(rows, dim=1)
        products = torch.bmm(stacked, stacked.transpose(1, 2))
        upper = torch.triu_indices(4, 4, 1)
        return self.top(torch.cat([x, products[:, upper[0], upper[1]]], dim=1)).squeeze(1)


@case
def dlrm():
    return Case("", Dlrm(), {"dense": torch.randn(N, 5), "sparse": torch.randint(0, 10, (N, 3))}, labels(2))


class Towers(nn.Module):
    def __init__(self):
        super().__init__()
        self.users, self.items = nn.Embedding(20, 8), nn.Embedding(30, 8)
        self.user_tower = nn.Sequential(nn.Linear(9, 16), nn.ReLU(), nn.Linear(16, 6))
        self.item_tower = nn.Sequential(nn.Linear(8, 12), nn.Tanh(), nn.Linear(12, 6))

    def forward(self, batch: Dict[str, torch.Tensor]):
        user = self.user_tower(torch.cat([self.users(batch["user"]), batch["age"].unsqueeze(1)], dim=1))
        return (user * self.item_tower(self.items(batch["item"]))).sum(1)


@case
def two_tower():
    batch = {"user": torch.randint(0, 20, (N,)), "item": torch.randint(0, 30, (N,)), "age": torch.rand(N)}
    return Case("", Towers(), {"batch": batch}, target="0")


class Siamese(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(7, 14), nn.ReLU(), nn.Linear(14, 9), nn.Tanh())
        self.out = nn.Linear(9, 1)

    def forward(self, left, right):
        return self.out((self.encoder(left) - self.encoder(right)).abs())


@case
def siamese():
    return Case("", Siamese(), {"left": torch.randn(N, 7), "right": torch.randn(N, 7)}, target="0", path="conductance")


@case
def siamese_renamed():
    made = siamese()
    made.renamed = {"left": "first", "right": "second"}
    made.forms = ("exported",)
    return made


class NeuralFactors(nn.Module):
    def __init__(self):
        super().__init__()
        self.user_gmf, self.item_gmf = nn.Embedding(12, 6), nn.Embedding(15, 6)
        self.user_mlp, self.item_mlp = nn.Embedding(12, 6), nn.Embedding(15, 6)
        self.mlp = nn.Sequential(nn.Linear(12, 10), nn.ReLU(inplace=True), nn.Linear(10, 8), nn.ReLU(inplace=True))
        self.out = nn.Linear(14, 1)

    def forward(self, user, item):
        deep = self.mlp(torch.cat([self.user_mlp(user), self.item_mlp(item)], dim=-1))
        return self.out(torch.cat([self.user_gmf(user) * self.item_gmf(item), deep], dim=-1))


@case
def neural_factors():
    return Case("", NeuralFactors(), {"user": torch.randint(0, 12, (N,)), "item": torch.randint(0, 15, (N,))}, labels(2))


class DenseExperts(nn.Module):
    def __init__(self, experts=3):
        super().__init__()
        self.gate = nn.Linear(10, experts)
        self.experts = nn.ModuleList([nn.Sequential(nn.Linear(10, 12), nn.GELU(), nn.Linear(12, 8))
                                      for _ in range(experts)])
        self.head = nn.Sequential(nn.ReLU(), nn.Linear(8, 4))

    def forward(self, x):
        weights = torch.softmax(self.gate(x), dim=-1)
        outs = torch.stack([expert(x) for expert in self.experts], dim=1)
        return self.head((outs * weights.unsqueeze(-1)).sum(dim=1))


@case
def dense_experts():
    return Case("", DenseExperts(), {"x": torch.randn(N, 10)}, labels(4), single="experts.1.1")


class OptionalContext(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc, self.context = nn.Linear(6, 11), nn.Linear(3, 11)
        self.act, self.out = nn.SiLU(), nn.Linear(11, 4)

    def forward(self, x, context: Optional[torch.Tensor] = None):
        z = self.fc(x)
        if context is not None:
            z = z + self.context(context)
        return self.out(self.act(z))


@case
def optional_left_out():
    return Case("", OptionalContext(), {"x": torch.randn(N, 6)}, labels(4))


@case
def optional_given():
    return Case("", OptionalContext(), {"x": torch.randn(N, 6), "context": torch.randn(N, 3)}, labels(4),
                path="conductance")


@case
def multi_label():
    return Case("", Mlp(9, 12, 5, nn.GELU), {"x": torch.randn(N, 9)}, torch.randint(0, 2, (N, 5)).float(),
                target="weights", multi_label=True)


@case
def one_logit():
    return Case("", Mlp(9, 12, 1), {"x": torch.randn(N, 9)}, labels(2), path="conductance")


@case
def output_difference():
    return Case("", Mlp(9, 12, 5, nn.Softplus), {"x": torch.randn(N, 9)}, target="2-0", path="conductance")


@case
def predicted_class():
    return Case("", Mlp(9, 12, 5, nn.Tanh), {"x": torch.randn(N, 9)}, target="predicted")


@case
def bfloat16():
    return Case("", Mlp(16, 24, 5).to(torch.bfloat16), {"x": torch.randn(N, 16).to(torch.bfloat16)}, labels(5),
                path=None, tolerance=0.03)


@case
def float16():
    return Case("", Mlp(16, 24, 5, nn.GELU).half(), {"x": torch.randn(N, 16).half()}, labels(5), path=None, tolerance=0.03)


@case
def float64():
    return Case("", Mlp(16, 24, 5, nn.ELU).double(), {"x": torch.randn(N, 16).double()}, labels(5), path="conductance")


class FeatureTokens(nn.Module):
    """A table whose columns are tokens of a transformer."""

    def __init__(self):
        super().__init__()
        self.scales = nn.Parameter(torch.randn(7, 12))
        self.first = nn.Parameter(torch.randn(1, 1, 12))
        layer = nn.TransformerEncoderLayer(12, 2, 20, dropout=0.1, activation="gelu", batch_first=True, norm_first=True)
        self.encoder = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.head = nn.Sequential(nn.LayerNorm(12), nn.ReLU(), nn.Linear(12, 3))

    def forward(self, numbers):
        tokens = numbers.unsqueeze(-1) * self.scales
        tokens = torch.cat([self.first.expand(numbers.size(0), -1, -1), tokens], dim=1)
        return self.head(self.encoder(tokens)[:, 0])


@case
def feature_tokens():
    return Case("", FeatureTokens(), {"numbers": torch.randn(N, 7)}, labels(3), forms=("exported", "traced"))

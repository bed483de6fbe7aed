"""What eager PyTorch says about a case: scores per layer call, cluster and method, and a removal curve."""

import contextlib

import numpy as np
import torch

import taps
from case import call, flatten, map_tensors, rows_of

STEPS = 50


class Reading:
    """y per sample of what a model returns, as the case's options say."""

    def __init__(self, case, samples):
        self.case = case
        self.samples = samples
        self.mask = case.tensors()[case.mask] != 0 if case.mask else None
        self.chosen = None  # What `predicted` takes: the classes of the model as it is.

    def outputs(self, returned):
        """[N, positions, classes], and which positions count [N, positions]."""
        named = flatten(returned)
        if self.case.output_name is not None:
            values = named[self.case.output_name]
        else:
            values = named["logits"] if "logits" in named else next(iter(named.values()))
        if values.dim() == 1:
            values = values[:, None]
        axis = self.case.class_axis
        if axis is None:
            axis = 1 if values.dim() in (2, 4) else values.dim() - 1
        values = values.movedim(axis, -1)
        counts = torch.ones(values.shape[:-1], dtype=torch.bool)
        if self.mask is not None and self.mask.shape == counts.shape and counts.dim() > 1:
            counts = self.mask
        return values.reshape(self.samples, -1, values.shape[-1]), counts.reshape(self.samples, -1)

    def y(self, returned):
        values, counts = self.outputs(returned)
        labels = self.case.labels
        per_position, counts = self._class_of(values, counts, labels)
        at = self.case.at
        if values.shape[1] == 1 or at in (None, "each"):
            return (per_position * counts).sum(1)
        if at == "mean":
            return (per_position * counts).sum(1) / counts.sum(1)
        rows = torch.arange(self.samples)
        numbers = torch.arange(values.shape[1]).expand(self.samples, -1)
        if at == "last":
            return per_position[rows, torch.where(counts, numbers, -1).amax(1)]
        if at == "first":
            return per_position[rows, torch.where(counts, numbers, values.shape[1]).amin(1)]
        return per_position[:, int(at)]

    def _class_of(self, values, counts, labels):
        """One output for each position [N, positions], and which count."""
        target = self.case.target
        if target == "weights":
            return (values * labels[:, None, :].to(values.dtype)).sum(-1), counts
        if target == "predicted":
            if self.chosen is None:
                self.chosen = values.detach().argmax(-1)
            return values.gather(2, self.chosen[..., None])[..., 0], counts
        if target != "label":
            plus, _, minus = target.partition("-")
            return (values[..., int(plus)] - values[..., int(minus)] if minus else values[..., int(plus)]), counts
        labels = labels.reshape(self.samples, -1) if labels.dim() > 1 else labels[:, None].expand(-1, values.shape[1])
        counts = counts & (labels != -100)
        if values.shape[-1] == 1:
            return values[..., 0] * (2 * labels - 1), counts
        return values.gather(2, labels.clamp(min=0)[..., None])[..., 0], counts


class Truth:
    def __init__(self, case, samples):
        self.case, self.samples = case, samples
        self.model = taps.out_of_place(case.model)
        self.reading = Reading(case, samples)

    def run(self, inputs=None, replace=None):
        with taps.Recorder(self.model, replace) as recorder:
            returned = call(self.model, self.case, self.case.inputs if inputs is None else inputs)
        return self.reading.y(returned), recorder.taps

    def grads(self, y, tensors):
        found = torch.autograd.grad(y.sum(), tensors, allow_unused=True)
        return [torch.zeros_like(t) if g is None else g for t, g in zip(tensors, found)], [g is not None for g in found]

    def positions(self, tap, tensor):
        """float64 [N, neurons, positions]."""
        values = taps.by_neuron(self.case, tap, tensor.detach().double(), self.samples)
        return values.reshape(*values.shape[:2], -1).numpy()

    def _positions_of(self, tap):
        return tuple(taps.by_neuron(self.case, tap, tap.z, self.samples).shape[2:])

    def is_masked(self, tap):
        """Whether the mask is one of z's positions."""
        positions = self._positions_of(tap)
        return self.reading.mask is not None and bool(positions) and tuple(self.reading.mask.shape[1:]) == positions

    def counts(self, tap):
        """[N, 1, positions]: which of z's positions count."""
        if self.is_masked(tap):
            return self.reading.mask.reshape(self.samples, 1, -1).numpy().astype(float)
        return np.ones((self.samples, 1, int(np.prod(self._positions_of(tap)))))

    def first_order(self):
        """{(name, call): {method: [N, neurons]}}, and the calls from which no gradient leads to y."""
        y, found = self.run()
        slopes, reached = self.grads(y, [tensor for tap in found for tensor in (tap.z, tap.a)])
        scores, unreached = {}, []
        self.masked = [tap.key for tap in found if self.is_masked(tap)]
        for tap, by_z, by_a, is_reached in zip(found, slopes[::2], slopes[1::2], reached[::2]):
            counts = self.counts(tap)
            a = self.positions(tap, tap.a)
            scores[tap.key] = {
                "gradient": (self.positions(tap, by_z) * counts).sum(2),
                "gradient-x-activation": (a * self.positions(tap, by_a) * counts).sum(2),
                "activation": (a * counts).sum(2) / counts.sum(2),
            }
            if not is_reached:
                unreached.append(tap.key)
        return scores, unreached

    def require_own_rows(self):
        """Other inputs for the last sample must leave z of the others as it is."""
        _, as_is = self.run()
        _, changed = self.run(rows_of(self.case, [*range(self.samples - 1), 0]))
        for before, after in zip(as_is, changed):
            one, two = (self.positions(tap, tap.z) for tap in (before, after))
            if not np.allclose(one[:-1], two[:-1], rtol=1e-3, atol=1e-4):
                raise RuntimeError(f"{before.name}: its rows are not those of the samples")
            if not np.allclose(one[0], two[-1], rtol=1e-3, atol=1e-4):
                raise RuntimeError(f"{before.name}: its last row is not that of the last sample")

    def _tap(self, key, found):
        return next(tap for tap in found if tap.key == key)

    def removed(self, key, neurons):
        """y per sample with some neurons' activations at 0 where positions count."""

        def remove(a):
            tap = taps.Tap(*key, a, a, self.channels_first[key])
            values = taps.by_neuron(self.case, tap, a, self.samples)
            keep = torch.ones(values.shape, dtype=a.dtype)
            counts = torch.from_numpy(self.counts(tap)).reshape(self.samples, *values.shape[2:])
            for neuron in neurons:
                keep[:, neuron] = (1 - counts).to(a.dtype)
            return a * taps.back(self.case, tap, keep, a, self.samples)

        return self.run(replace={key: remove})[0].detach().double().numpy()

    def ablation(self, key):
        y, found = self.run()
        self.channels_first = {tap.key: tap.channels_first for tap in found}
        tap = self._tap(key, found)
        neurons = taps.by_neuron(self.case, tap, tap.z, self.samples).shape[1]
        y = y.detach().double().numpy()
        return np.stack([y - self.removed(key, [neuron]) for neuron in range(neurons)], axis=1)

    def integrated_gradients(self, key):
        nodes, weights = np.polynomial.legendre.leggauss(STEPS)
        _, found = self.run()
        tap = self._tap(key, found)
        total = 0
        for node, weight in zip((nodes + 1) / 2, weights / 2):
            held = []

            def scaled(a, node=node):
                held.append((tap.a.detach() * node).requires_grad_())
                return held[0]

            y, _ = self.run(replace={key: scaled})
            total = total + weight * self.positions(tap, self.grads(y, held)[0][0])
        return (self.positions(tap, tap.a) * total * self.counts(tap)).sum(2)

    @contextlib.contextmanager
    def _embeddings_at(self, node):
        """The vectors of ids that far on their way from 0; those of places and kinds of tokens stay what they are."""
        stay = ("position", "token_type", "segment")
        tables = [module for name, module in self.model.named_modules()
                  if isinstance(module, (torch.nn.Embedding, torch.nn.EmbeddingBag)) and not any(w in name for w in stay)]
        hooks = [table.register_forward_hook(lambda module, ids, vectors: vectors * node) for table in tables]
        try:
            yield
        finally:
            for hook in hooks:
                hook.remove()

    def conductance(self, key):
        nodes, _ = np.polynomial.legendre.leggauss(STEPS)
        values, slopes = [], []
        for node in [0.0, *((nodes + 1) / 2), 1.0]:
            with self._embeddings_at(node):
                y, found = self.run(map_tensors(lambda t: t * node if t.is_floating_point() else t, self.case.inputs))
            tap = self._tap(key, found)
            values.append(self.positions(tap, tap.a))
            slopes.append(self.positions(tap, self.grads(y, [tap.a])[0][0]))
        total = sum((slopes[k] + slopes[k + 1]) / 2 * (values[k + 1] - values[k]) for k in range(len(values) - 1))
        return (total * self.counts(tap)).sum(2)


def aggregate(values, cluster):
    """(cluster, samples, mean per neuron, norm of the root mean squares) of each cluster."""
    parts = [(group, values[cluster == group]) for group in np.unique(cluster)]
    return [(int(group), len(part), part.mean(0), float(np.linalg.norm(np.sqrt(np.square(part).mean(0)))))
            for group, part in parts]


def curve(truth, key, values, cluster, most=4):
    """Mean y of each cluster's samples with its first k neurons by mean `values` removed, for those k at which the order
    does not hang on rounding."""
    rows = []
    for group, _, mean, _ in aggregate(values, cluster):
        order = np.argsort(-mean, kind="stable")
        falling = mean[order]
        for removed in range(0, min(most, len(order) - 1) + 1):
            if removed > 0 and falling[removed - 1] - falling[removed] < 1e-3 * np.abs(mean).max():
                continue
            y = truth.removed(key, order[:removed].tolist())
            rows.append({"cluster": group, "removed": removed, "mean_output": float(y[cluster == group].mean())})
    return rows

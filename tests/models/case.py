"""A model as its user has it, with inputs by the names of its forward's arguments, and how it is to be run."""

from dataclasses import dataclass, field

import torch

SAMPLES = 6


def registry():
    """The cases of a module, and the decorator that adds one to them."""
    cases = []

    def case(maker):
        cases.append(maker)
        return maker

    return cases, case


def labels(classes, *shape):
    return torch.randint(0, classes, shape or (SAMPLES,))


@dataclass
class Case:
    name: str
    model: torch.nn.Module
    # By argument of forward; a value is a tensor, or a dict, list or tuple of them.
    inputs: dict
    # [N], or [N, positions] with -100 for positions that do not count, or weights [N, outputs]; None where none are read.
    labels: torch.Tensor | None = None
    target: str = "label"
    at: str | None = None
    output_name: str | None = None
    class_axis: int | None = None
    multi_label: bool = False
    # The array that says which positions count.
    mask: str | None = None
    # Arrays beside inputs and labels, e.g. a mask that is no input of the model.
    arrays: dict = field(default_factory=dict)
    shared: tuple = ()
    # Arrays that have other names in the data than the inputs: {input: array}.
    renamed: dict = field(default_factory=dict)
    # Neuron axes and batch axes of z where the defaults of `taps` do not hold, by pattern of the layer's name.
    axes: dict = field(default_factory=dict)
    batch_axes: dict = field(default_factory=dict)
    # Axes that may be of any size, by input: {"input_ids": {0: "batch", 1: "length"}}; axis 0 of all others.
    dynamic: dict = field(default_factory=dict)
    keywords: bool = False
    forms: tuple = ("exported", "traced", "scripted")
    # The layer whose neurons are removed one by one; None takes the smallest.
    single: str | None = None
    path: str = "integrated-gradients"
    tolerance: float = 1e-4

    def tensors(self):
        """Inputs and further arrays, flattened: {"batch.user": tensor}."""
        return flatten(self.inputs) | self.arrays

    def options(self):
        words = []
        for option, value in (("--target", None if self.target == "label" else self.target), ("--at", self.at),
                              ("--output-name", self.output_name), ("--class-axis", self.class_axis),
                              ("--mask", self.mask)):
            if value is not None:
                words += [option, str(value)]
        if self.multi_label:
            words.append("--multi-label")
        for name in self.shared:
            words += ["--shared", name]
        if self.renamed:
            words += ["--inputs", ",".join(f"{name}={self.renamed[name]}" if name in self.renamed else name
                                           for name in flatten(self.inputs))]
        return words


def flatten(value, name=""):
    """Tensors by name: dicts and dataclasses by their keys, tuples and lists by number; one alone is ''."""
    if isinstance(value, torch.Tensor):
        return {name: value}
    if value is None:
        return {}
    if hasattr(value, "__dataclass_fields__") and not isinstance(value, dict):
        value = {key: getattr(value, key) for key in value.__dataclass_fields__}
    pairs = value.items() if isinstance(value, dict) else enumerate(value)
    found = {}
    for key, part in pairs:
        found |= flatten(part, f"{name}.{key}" if name else str(key))
    return found


def map_tensors(function, value):
    """The same containers with every tensor replaced."""
    if isinstance(value, dict):
        return {key: map_tensors(function, part) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(map_tensors(function, part) for part in value)
    return function(value) if isinstance(value, torch.Tensor) else value


def call(model, case, inputs):
    return model(**inputs) if case.keywords else model(*inputs.values())


def rows_of(case, rows):
    """The inputs of some samples; shared ones stay whole."""
    return {name: value if name in case.shared else map_tensors(lambda t: t[rows], value)
            for name, value in case.inputs.items()}

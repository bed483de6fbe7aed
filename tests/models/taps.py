"""Activations of an eager model, out of place: z is what enters an activation, a what leaves it.

An activation is a module of PyTorch's or of transformers' activations (or one of the classes below), or a call of an
activation function elsewhere, named by the innermost module that runs.
"""

import copy
from dataclasses import dataclass
from fnmatch import fnmatch

import torch
import torch.nn.functional as F
from torch.overrides import TorchFunctionMode

# Modules whose whole forward is one activation, by class name.
COMPOSITE_MODULES = {"BloomGelu", "Swish", "SquaredReLU"}
NO_ACTIVATIONS = {"MultiheadAttention", "Softmax", "LogSoftmax", "Softmax2d", "Softmin"}
CHANNELS_FIRST = (torch.nn.Conv1d, torch.nn.Conv2d, torch.nn.Conv3d, torch.nn.ConvTranspose2d, torch.nn.BatchNorm1d,
                  torch.nn.BatchNorm2d, torch.nn.BatchNorm3d, torch.nn.GroupNorm, torch.nn.InstanceNorm2d)


def _functions():
    names = ("relu", "relu6", "gelu", "silu", "mish", "elu", "selu", "celu", "leaky_relu", "tanh", "sigmoid", "softplus",
             "softsign", "hardswish", "hardsigmoid", "hardtanh", "logsigmoid")
    owners = (torch, F, torch.Tensor, torch._C._nn)
    return {getattr(owner, name) for name in names for owner in owners if hasattr(owner, name)}


FUNCTIONS = _functions()


def is_activation(module):
    kind = type(module)
    if kind.__name__ in COMPOSITE_MODULES:
        return True
    home = kind.__module__
    return home in ("torch.nn.modules.activation", "transformers.activations") and kind.__name__ not in NO_ACTIVATIONS


def out_of_place(model):
    """A copy in which no activation runs in place."""
    twin = copy.deepcopy(model)
    for module in twin.modules():
        if getattr(module, "inplace", False):
            module.inplace = False
    return twin


@dataclass
class Tap:
    name: str
    call: int
    z: torch.Tensor
    a: torch.Tensor
    # Whether the module that put z out has its channels on axis 1; None where no module did.
    channels_first: bool | None

    @property
    def key(self):
        return self.name, self.call


class Recorder(TorchFunctionMode):
    """Runs of `model` inside `with` leave their activations in `taps`, in the order in which they run.

    @param replace {(name, call): function of a}: what stands in a's place from there on
    """

    def __init__(self, model, replace=None):
        super().__init__()
        self.taps = []
        self._replace = replace or {}
        self._stack = []
        self._inside = 0
        self._pending = []
        self._producers = {}
        self._handles = []
        for name, module in model.named_modules():
            self._handles.append(module.register_forward_pre_hook(self._enter(name, module)))
            self._handles.append(module.register_forward_hook(self._leave(module)))

    def __exit__(self, *error):
        for handle in self._handles:
            handle.remove()
        return super().__exit__(*error)

    def _enter(self, name, module):
        def hook(_, args):
            self._stack.append(name)
            if is_activation(module):
                if self._inside == 0:
                    self._pending.append(args[0])
                self._inside += 1

        return hook

    def _leave(self, module):
        def hook(_, args, output):
            if is_activation(module):
                self._inside -= 1
                if self._inside == 0:
                    output = self._add(self._pending.pop(), output)
            elif isinstance(output, torch.Tensor):
                self._producers.setdefault(id(output), (output, isinstance(module, CHANNELS_FIRST)))
            self._stack.pop()
            return output

        return hook

    def _add(self, z, a):
        name = self._stack[-1] or "forward"
        call = sum(tap.name == name for tap in self.taps)
        if a is z:
            raise RuntimeError(f"{name} runs in place")
        for tensor in (z, a):
            if not tensor.requires_grad:
                raise RuntimeError(f"no parameter leads to {name}")
            tensor.retain_grad()
        self.taps.append(Tap(name, call, z, a, self._producers.get(id(z), (None, None))[1]))
        return self._replace[name, call](a) if (name, call) in self._replace else a

    def __torch_function__(self, function, types, args=(), kwargs=None):
        kwargs = dict(kwargs or {})
        if function not in FUNCTIONS or self._inside > 0:
            return function(*args, **kwargs)
        kwargs.pop("inplace", None)
        self._inside += 1
        try:
            a = function(*args, **kwargs)
        finally:
            self._inside -= 1
        return self._add(args[0] if args else kwargs["input"], a)


def _of(patterns, name):
    return next((axis for pattern, axis in patterns.items() if fnmatch(name, pattern)), None)


def neuron_axis(case, tap):
    axis = _of(case.axes, tap.name)
    if axis is None:
        # A sum of feature maps is one.
        is_map = tap.channels_first is None and tap.z.dim() > 3
        axis = 1 if tap.channels_first or is_map else -1
    return axis % tap.z.dim()


def by_neuron(case, tap, tensor, samples):
    """[samples, neurons, positions...] of a tensor like the tap's z."""
    axis, batch = neuron_axis(case, tap), _of(case.batch_axes, tap.name) or 0
    if tensor.shape[batch] == samples:
        rest = [i for i in range(tensor.dim()) if i not in (axis, batch)]
        return tensor.permute(batch, axis, *rest)
    if tensor.shape[0] % samples == 0 and axis == tensor.dim() - 1:
        # Samples and positions in one axis, one sample after the other.
        return tensor.reshape(samples, -1, tensor.shape[-1]).movedim(2, 1)
    raise RuntimeError(f"{tap.name}: no axis of {tuple(tensor.shape)} is the batch of {samples}")


def back(case, tap, values, like, samples):
    """What by_neuron made of `like`, back in its shape."""
    axis, batch = neuron_axis(case, tap), _of(case.batch_axes, tap.name) or 0
    if like.shape[batch] == samples:
        rest = [i for i in range(like.dim()) if i not in (axis, batch)]
        order = [batch, axis, *rest]
        return values.permute(*[order.index(i) for i in range(like.dim())])
    return values.movedim(1, 2).reshape(like.shape)

"""PreGrad's C interface (native/include/pregrad/pregrad.h) for Python, as much of it as the comparison needs."""

import ctypes
from ctypes import POINTER, byref, c_char_p, c_double, c_int32, c_int64, c_size_t, c_uint64, c_void_p
from dataclasses import dataclass

import numpy as np

GRADIENT = 0
_TYPES = {"float32": 0, "float64": 1, "int64": 4}


class _Tensor(ctypes.Structure):
    _fields_ = [("struct_size", c_size_t), ("data", c_void_p), ("shape", POINTER(c_int64)), ("rank", c_size_t),
                ("dtype", c_int32), ("reserved", c_int32)]


class _Layer(ctypes.Structure):
    _fields_ = [("struct_size", c_size_t), ("name", c_char_p), ("op", c_char_p), ("pre_activation", c_char_p),
                ("shape", POINTER(c_int64)), ("rank", c_size_t), ("call", c_int64), ("neurons", c_int64),
                ("neuron_axis", c_int64), ("in_place", c_int32), ("reserved", c_int32)]


class _Options(ctypes.Structure):
    _fields_ = [("struct_size", c_size_t), ("layers", POINTER(c_char_p)), ("layer_count", c_size_t),
                ("methods", POINTER(c_int32)), ("method_count", c_size_t), ("target", c_int32), ("output", c_int32),
                ("target_index", c_int64), ("steps", c_int64), ("quadrature", c_int32), ("baseline", c_int32),
                ("removal", c_int32), ("reserved", c_int32), ("seed", c_uint64), ("means", c_void_p)]


class _Score(ctypes.Structure):
    _fields_ = [("struct_size", c_size_t), ("layer", c_char_p), ("call", c_int64), ("cluster", c_int64),
                ("count", c_int64), ("neurons", c_size_t), ("mean", POINTER(c_double)), ("mean_abs", POINTER(c_double)),
                ("rms", POINTER(c_double)), ("std", POINTER(c_double)), ("method", c_int32), ("reserved", c_int32),
                ("cancellation", POINTER(c_double)), ("completeness_error", c_double)]


def _new(structure, **fields):
    return structure(struct_size=ctypes.sizeof(structure), **fields)


@dataclass(frozen=True)
class Layer:
    name: str
    call: int
    op: str
    neurons: int
    axis: int

    def __str__(self):
        return f"{self.name}@{self.call}"


class Error(Exception):
    """What PreGrad says of a call that failed."""


class Library:
    """The shared library, bound to the LibTorch that this process has loaded already."""

    def __init__(self, path):
        self.binary = ctypes.CDLL(str(path))
        self.binary.pregrad_last_error.restype = c_char_p
        self.binary.pregrad_version.restype = c_char_p
        for name in ("model", "layers", "result", "attribution", "scores"):
            getattr(self.binary, f"pregrad_{name}_free").argtypes = [c_void_p]
            getattr(self.binary, f"pregrad_{name}_free").restype = None

    def version(self):
        return self.binary.pregrad_version().decode()

    def call(self, name, *arguments):
        if getattr(self.binary, f"pregrad_{name}")(*arguments) != 0:
            raise Error(self.binary.pregrad_last_error().decode())

    def handle(self, kind, name, *arguments):
        """A new handle, which the function returns through its last parameter."""
        pointer = c_void_p()
        self.call(name, *arguments, byref(pointer))
        return Handle(self, kind, pointer)


class Handle:
    def __init__(self, library, kind, pointer):
        self.library = library
        self.kind = kind
        self.pointer = pointer

    def __enter__(self):
        return self.pointer

    def __exit__(self, *error):
        getattr(self.library.binary, f"pregrad_{self.kind}_free")(self.pointer)


class Inputs:
    """A tensor, borrowed from a numpy array that must live as long."""

    def __init__(self, array):
        self.array = np.ascontiguousarray(array)
        self.shape = (c_int64 * array.ndim)(*array.shape)
        self.tensor = _new(_Tensor, data=self.array.ctypes.data, shape=self.shape, rank=array.ndim,
                           dtype=_TYPES[array.dtype.name])


class Model:
    def __init__(self, library, path):
        self.library = library
        self.handle = library.handle("model", "model_load", str(path).encode(), None)

    def close(self):
        self.handle.__exit__()

    def layers(self, shape):
        """The activation calls, in the order in which they run."""
        sizes = (c_int64 * len(shape))(*shape)
        arguments = self.handle.pointer, sizes, c_size_t(len(shape))
        with self.library.handle("layers", "model_layers_for", *arguments) as found:
            count = c_size_t()
            self.library.call("layers_count", found, byref(count))
            result = []
            for index in range(count.value):
                layer = _new(_Layer)
                self.library.call("layers_get", found, c_size_t(index), byref(layer))
                result.append(Layer(layer.name.decode(), layer.call, layer.op.decode(), layer.neurons,
                                    layer.neuron_axis))
            return result

    def forward(self, x):
        """The outputs [N, outputs]."""
        with self.library.handle("result", "model_forward", self.handle.pointer, byref(Inputs(x).tensor)) as result:
            tensor = _new(_Tensor)
            self.library.call("result_tensor", result, byref(tensor))
            shape = tensor.shape[: tensor.rank]
            data = ctypes.cast(tensor.data, POINTER(ctypes.c_float))
            return np.ctypeslib.as_array(data, shape).copy()

    def attribution(self, layers):
        """A computation of the gradient at layers, for Attribution."""
        names = (c_char_p * len(layers))(*(layer.encode() for layer in layers))
        methods = (c_int32 * 1)(GRADIENT)
        options = _new(_Options, layers=names, layer_count=len(layers), methods=methods, method_count=1)
        return Attribution(self.library, self.library.handle("attribution", "attribution_open", self.handle.pointer,
                                                             byref(options)))


class Attribution:
    def __init__(self, library, handle):
        self.library = library
        self.handle = handle

    def close(self):
        self.handle.__exit__()

    def add(self, x, y, clusters):
        """Adds a batch; the arrays must be int64 but for x, and contiguous."""
        labels, groups = (array.ctypes.data_as(POINTER(c_int64)) for array in (y, clusters))
        self.library.call("attribution_add", self.handle.pointer, byref(Inputs(x).tensor), labels, c_size_t(len(y)),
                          groups, c_size_t(len(clusters)))

    def means(self, layer, clusters):
        """[clusters, neurons]: the mean gradient of each cluster."""
        with self.library.handle("scores", "attribution_scores", self.handle.pointer) as scores:
            rows = []
            for cluster in clusters:
                score = _new(_Score)
                self.library.call("scores_of", scores, layer.encode(), c_int64(cluster), c_int32(GRADIENT),
                                  byref(score))
                rows.append(np.ctypeslib.as_array(score.mean, (score.neurons,)).copy())
            return np.stack(rows)

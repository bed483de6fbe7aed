"""What eager PyTorch says: outputs of the model as it is, and gradients of an out-of-place twin.

The recorder is that of the fixtures. A z that was changed in place before its activation (`out += identity`) is read
after the change.
"""

import copy
import sys
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "fixtures" / "generator"))

import aggregates  # noqa: E402
import truth  # noqa: E402
from twin import out_of_place  # noqa: E402


class Recorder(truth.Recorder):
    def __torch_function__(self, func, types, args=(), kwargs=None):
        # Functional activations choose for themselves whether to run in place.
        kwargs = {**(kwargs or {}), "inplace": False} if (kwargs or {}).get("inplace") else kwargs
        return super().__torch_function__(func, types, args, kwargs)

    def _axis(self, name, z, producer):
        try:
            return super()._axis(name, z, producer)
        except RuntimeError:
            # What PreGrad documents for a z of which the graph does not tell.
            return 2 if z.dim() == 3 else 1


def output(model, x):
    """With constants for weights, as they are for PreGrad: where a weight wants a gradient, LibTorch's matmul folds its
    operands and rounds otherwise (1.3e-6 in vit_b_32). The input wants one, or attention would run a fused operator.
    """
    frozen = copy.deepcopy(model).requires_grad_(False)
    return frozen(x.clone().requires_grad_()).detach().numpy()


def gradients(model, x, y):
    """{(layer, call): (op, [N, neurons])}: the gradient of every sample's label output, summed over positions."""
    twin = out_of_place(model)
    recorder = Recorder(twin, {}, retain=True)
    try:
        with recorder:
            result = twin(x.clone())
    finally:
        recorder.modules.remove()
    result.gather(1, y[:, None]).sum().backward()
    found = {}
    for call in recorder.calls:
        for tensor in (call.z, call.a):
            if tensor.grad is None:
                tensor.grad = torch.zeros_like(tensor)
        found[call.name, call.call] = call.op, aggregates.per_sample(call)["gradient"]
    return found

"""Writes models as users have them, with data and the truth of eager PyTorch.

    python tests/models/generate.py OUT [NAME ...]
"""

import argparse
import json
import logging
import sys
import time
import warnings
from pathlib import Path

import numpy as np
import torch

import forms
import structures
import tables
import sequences
import transformer_models
import vision
from truth import Truth, aggregate, curve


def makers():
    return {maker.__name__: maker for module in (tables, sequences, vision, structures, transformer_models)
            for maker in module.CASES}


def stir(model):
    """Biases and scales as after training, not all zeros and ones."""
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.dim() == 1 and parameter.is_floating_point():
                parameter.add_(0.1 * torch.randn(parameter.shape).to(parameter.dtype))


def as_array(tensor):
    tensor = tensor.detach()
    return (tensor.float() if tensor.dtype in (torch.bfloat16, torch.float16) else tensor).numpy()


def write_data(case, path, cluster):
    arrays = {case.renamed.get(name, name): as_array(tensor) for name, tensor in case.tensors().items()}
    # Where the target needs no labels, removal curves still count right answers.
    arrays["y"] = cluster if case.labels is None else as_array(case.labels)
    np.savez(path, cluster=cluster, **arrays)


def sample_count(case):
    return len(next(tensor for name, tensor in case.tensors().items() if name not in case.shared))


def single_layer(case, scores, unreached, truth):
    keys = [key for key in scores if key not in unreached]
    if case.single:
        return next(key for key in keys if key[0] == case.single)
    # With a mask, a layer on which it bears: for others alone the command refuses it.
    return min([key for key in keys if key in truth.masked] or keys, key=lambda key: scores[key]["gradient"].shape[1])


def rows(layer, methods, cluster):
    return [{"layer": layer[0], "call": layer[1], "cluster": group, "method": method, "count": count,
             "mean": mean.tolist(), "scale": scale}
            for method, values in methods.items() for group, count, mean, scale in aggregate(values, cluster)]


def measure(case, samples, cluster):
    truth = Truth(case, samples)
    truth.require_own_rows()
    scores, unreached = truth.first_order()
    single = single_layer(case, scores, unreached, truth)
    deep = {"ablation": truth.ablation(single)}
    if case.path:
        deep[case.path] = {"integrated-gradients": truth.integrated_gradients,
                           "conductance": truth.conductance}[case.path](single)
    table = [row for key, methods in scores.items()
             for row in rows(key, {m: v for m, v in methods.items() if m == "activation" or key not in unreached}, cluster)]
    return {
        "layers": [{"layer": name, "call": call, "neurons": scores[name, call]["gradient"].shape[1],
                    "reaches": (name, call) not in unreached} for name, call in scores],
        "scores": table,
        "single": {"layer": single[0], "call": single[1], "methods": list(deep), "scores": rows(single, deep, cluster),
                   "curve": curve(truth, single, scores[single]["gradient-x-activation"], cluster)},
    }


def generate(name, maker, folder):
    torch.manual_seed(sum(map(ord, name)))
    case = maker()
    case.name = name
    case.model.eval()
    if not any(parameter.dtype != torch.float32 for parameter in case.model.parameters()):
        stir(case.model)
    samples = sample_count(case)
    cluster = np.arange(samples) % 2
    truth = measure(case, samples, cluster)
    saved, failed = forms.save(case, folder)
    write_data(case, folder / f"{name}.npz", cluster)
    (folder / f"{name}.truth.json").write_text(json.dumps(truth))
    (folder / f"{name}.json").write_text(json.dumps({
        "name": name, "module": maker.__module__, "forms": saved, "failed": failed, "data": f"{name}.npz",
        "truth": f"{name}.truth.json", "options": case.options(), "layers": [x["layer"] for x in truth["layers"]],
        "tolerance": case.tolerance}, indent=1))
    return saved, failed, truth


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, metavar="OUT")
    parser.add_argument("names", nargs="*", metavar="NAME", help="only these models")
    arguments = parser.parse_intermixed_args()
    torch.set_num_threads(1)
    torch.backends.nnpack.set_flags(False)  # It would complain on every convolution.
    warnings.filterwarnings("ignore")
    logging.disable(logging.ERROR)
    arguments.folder.mkdir(parents=True, exist_ok=True)
    known = makers()
    failures = 0
    for name in arguments.names or known:
        start = time.perf_counter()
        try:
            saved, failed, truth = generate(name, known[name], arguments.folder)
        except Exception as error:
            failures += 1
            print(f"{name}: FAILED: {type(error).__name__}: {' '.join(str(error).split())[:300]}", flush=True)
            continue
        free = "+".join(saved["exported"]["free"]) or "nothing" if "exported" in saved else "-"
        print(f"{name}: {', '.join(saved) or 'no form'}; free: {free}; {len(truth['layers'])} layers;"
              f" {time.perf_counter() - start:.1f} s", flush=True)
        for form, why in failed.items():
            print(f"    not {form}: {why}", flush=True)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())

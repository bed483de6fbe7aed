"""Saves a case as users save models, and looks whether what was saved computes the same."""

import contextlib
import io
import warnings

import torch

from case import call, flatten, rows_of

SUFFIXES = {"exported": ".pt2", "traced": ".traced.pt", "scripted": ".scripted.pt"}


class Unlike(Exception):
    """What was saved gives other outputs than the model."""


def _axes(case, value, name, kinds):
    if isinstance(value, dict):
        return {key: _axes(case, part, f"{name}.{key}", kinds) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(_axes(case, part, f"{name}.{i}", kinds) for i, part in enumerate(value))
    if value is None or name in case.shared or not kinds:
        return None
    axes = case.dynamic.get(name, {0: "batch"})
    return {axis: kinds[kind] for axis, kind in axes.items() if kind in kinds}


def _dims(names):
    return {name: torch.export.Dim(name, min=1 if name == "batch" else 2, max=64 if name == "batch" else 16) for name in names}


def export(case, path):
    """Tries with all axes free that the case names, then with the batch alone, then as it is; returns which are free."""
    kinds = sorted({kind for axes in case.dynamic.values() for kind in axes.values()} | {"batch"})
    failure = None
    for names in dict.fromkeys((tuple(kinds), ("batch",), ())):
        shapes = {name: _axes(case, value, name, _dims(names)) for name, value in case.inputs.items()}
        args, kwargs = ((), case.inputs) if case.keywords else (tuple(case.inputs.values()), {})
        if not case.keywords:
            shapes = tuple(shapes.values())
        try:
            program = torch.export.export(case.model, args, kwargs, dynamic_shapes=shapes)
        except Exception as error:
            failure = failure or error
            continue
        torch.export.save(program, path)
        module = torch.export.load(path).module()
        _require_same(case, lambda inputs: module(**inputs) if case.keywords else module(*inputs.values()),
                      with_part="batch" in names)
        return list(names)
    raise failure


def trace(case, path):
    if case.keywords:
        module = torch.jit.trace(case.model, example_kwarg_inputs=case.inputs, strict=False, check_trace=False)
    else:
        module = torch.jit.trace(case.model, tuple(case.inputs.values()), strict=False, check_trace=False)
    module.save(path)
    return _script_of(case, path)


def script(case, path):
    torch.jit.script(case.model).save(path)
    return _script_of(case, path)


def _script_of(case, path):
    module = torch.jit.load(path)
    _require_same(case, lambda inputs: module(**inputs) if case.keywords else module(*inputs.values()), with_part=True)
    return ["batch"]


def _require_same(case, run, with_part):
    samples = len(next(t for name, t in case.tensors().items() if name not in case.shared))
    for rows in [list(range(samples)), [1, 3]][: 2 if with_part else 1]:
        inputs = rows_of(case, rows)
        with torch.no_grad():
            expected, got = flatten(call(case.model, case, inputs)), flatten(run(inputs))
        bound = 1e-5 if case.tolerance <= 1e-3 else 2e-2
        for one, other in zip(expected.values(), got.values(), strict=True):
            if one.shape != other.shape or (one - other).abs().max() > bound * one.abs().max():
                raise Unlike(f"other outputs for {len(rows)} samples")


WAYS = {"exported": export, "traced": trace, "scripted": script}


def save(case, folder):
    """({form: {file, free axes}}, {form: why not}) of the forms that the case asks for."""
    saved, failed = {}, {}
    for form in case.forms:
        path = folder / (case.name + SUFFIXES[form])
        try:
            # A failing export prints the whole graph.
            with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()), \
                    contextlib.redirect_stderr(io.StringIO()):
                warnings.simplefilter("ignore")
                saved[form] = {"file": path.name, "free": WAYS[form](case, path)}
        except Exception as error:  # What cannot be saved is part of the answer.
            path.unlink(missing_ok=True)
            text = " ".join(str(error).split())
            failed[form] = f"{type(error).__name__}: {text[:200]}"
    return saved, failed

"""The two files that a model is saved as."""

import json
import warnings
import zipfile

import torch


def export(model, x, path):
    """A torch.export archive for any batch size; returns its numbers of different operators and of nodes."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        program = torch.export.export(model, (x,), dynamic_shapes=({0: torch.export.Dim("batch")},))
        torch.export.save(program, path)
    with zipfile.ZipFile(path) as archive:
        graph = json.loads(archive.read(f"{path.stem}/models/model.json"))["graph_module"]["graph"]
    return len({node["target"] for node in graph["nodes"]}), len(graph["nodes"])


def trace(model, x, path):
    """A traced TorchScript file; returns its numbers of different operators and of nodes."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        module = torch.jit.trace(model, x, check_trace=False)
        module.save(path)
    nodes = [node for node in module.inlined_graph.nodes() if node.kind().startswith("aten::")]
    return len({node.kind() for node in nodes}), len(nodes)


def script(model, path):
    torch.jit.script(model).save(path)

"""The page that shows what was compared and how near PreGrad came."""

HEADER = ("model", "operators / nodes", "layers", "output", "first layer", "middle layer", "last layer", "seconds")

_PAGE = """\
# torch.export models

PreGrad on `.pt2` archives of torch.export, held against eager PyTorch: architectures of torchvision with random
weights, an LSTM and a TransformerEncoder, exported in evaluation mode for any batch size. This page is written by

```sh
python tests/torchvision/compare.py
```

with PreGrad {pregrad}, PyTorch {torch} and torchvision {torchvision}, in float32, on {samples} samples. The truth
is read from an out-of-place twin of each model: hooks on the model as it is give ∂y/∂a where an activation runs in
place.

- **operators / nodes**: different operators and nodes of the exported graph.
- **layers**: activation calls; names, calls and operators of all of them are those of eager PyTorch.
- **output**: largest difference of an output, by the largest output; at most {output_bound:g}. Eager PyTorch runs with
  weights that want no gradient, as PreGrad's do; those that do make its own matmul round otherwise.
- **first, middle, last layer**: ‖g − ∂y/∂z‖ / ‖∂y/∂z‖ over samples and neurons, y being the output of the sample's
  label, for three of the layers; at most {gradient_bound:g}.
- **seconds**: for PreGrad to load the file, list its layers, run it and compute the gradients, on one thread.

{table}
"""


def row(result):
    gradients = [f"{error:.1e}" if error else "0" for error in result.gradients] or ["-"] * 3
    cells = [f"`{result.name}`", f"{result.operators} / {result.nodes}", str(result.layers),
             f"{result.output:.1e}" if result.output else "0", *gradients, f"{result.seconds:.2f}"]
    return "| " + " | ".join(cells) + " |"


def page(rows, pregrad, torch, torchvision, samples, output_bound, gradient_bound):
    table = ["| " + " | ".join(HEADER) + " |", "| --- |" + " --- |" * (len(HEADER) - 1), *map(row, rows)]
    for failed in (result for result in rows if result.failure):
        table.append(f"\n`{failed.name}`: {failed.failure}")
    return _PAGE.format(pregrad=pregrad, torch=torch.split("+")[0], torchvision=torchvision.split("+")[0],
                        samples=samples, output_bound=output_bound, gradient_bound=gradient_bound,
                        table="\n".join(table))

#pragma once

#include <torch/script.h>

namespace pregrad::test {

/// ResNet-18 (He et al., arXiv:1512.03385) with random weights, scripted, for inputs [N, 3, H, W] and 1,000 classes.
/// Its activations, all in place, are `relu` and `block1.relu` to `block8.relu`, each of the latter called twice.
torch::jit::Module make_resnet18();

}  // namespace pregrad::test

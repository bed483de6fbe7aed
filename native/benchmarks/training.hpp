#pragma once

namespace pregrad::benchmarks {

/// Times steps of training with and without a probe that collects, in turns, and prints the medians and the median of
/// their ratios as one line of JSON per model.
void print_training(int rounds);

}  // namespace pregrad::benchmarks

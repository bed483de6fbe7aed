// Scores for a model that is not a file: a torch::nn module that passes its pre-activations through a probe.

#include <exception>
#include <iostream>

#include <torch/torch.h>

#include <pregrad/pregrad.hpp>

namespace {

struct NetImpl : torch::nn::Module {
  NetImpl() {
    register_module("fc1", fc1);
    register_module("fc2", fc2);
  }

  // `probe` is only there while scores are wanted.
  torch::Tensor forward(const torch::Tensor& x, pregrad::Probe* probe = nullptr) {
    torch::Tensor z = fc1(x);
    if (probe != nullptr) {
      z = probe->tap("fc1", z);
    }
    torch::Tensor a = z.relu_();  // in place: the probe keeps its z all the same
    if (probe != nullptr) {
      a = probe->activation("fc1", a);
    }
    return fc2(a);
  }

  torch::nn::Linear fc1{8, 16};
  torch::nn::Linear fc2{16, 3};
};
TORCH_MODULE(Net);

}  // namespace

int main() {
  try {
    torch::manual_seed(0);
    Net net;
    net->eval();

    pregrad::AttributionOptions options;
    options.methods = {pregrad::Method::gradient, pregrad::Method::gradient_x_activation};
    pregrad::Probe probe(options);
    for (int batch = 0; batch < 4; ++batch) {
      const torch::Tensor inputs = torch::randn({32, 8});
      const torch::Tensor labels = torch::randint(3, {32}, torch::kLong);
      // Each class is a cluster of its own.
      probe.add(net->forward(inputs, &probe), labels, labels);
    }

    const pregrad::Scores scores = probe.scores();
    for (const pregrad::Score& score : scores.entries()) {
      std::cout << score.layer << ", class " << score.cluster << ", " << pregrad::name_of(score.method) << ", "
                << score.statistics.count << " samples: neuron 0 has mean " << score.statistics.mean[0] << '\n';
    }
    return 0;
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return 1;
  }
}

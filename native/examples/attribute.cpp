// Which neurons of a layer matter most to the classes that a model predicts.
//
//   attribute MODEL.pt LAYER SHAPE [FLOATS]
//
// SHAPE is that of the inputs, batch axis first, e.g. 256,1,8,8. FLOATS is a file of raw float32 values in row-major
// order; without it the inputs are random.

#include <algorithm>
#include <cstdint>
#include <exception>
#include <fstream>
#include <iostream>
#include <numeric>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include <torch/torch.h>

#include <pregrad/pregrad.hpp>

namespace {

std::vector<std::int64_t> parse_shape(const std::string& text) {
  std::vector<std::int64_t> shape;
  std::istringstream parts(text);
  for (std::string part; std::getline(parts, part, ',');) {
    std::size_t used = 0;
    try {
      shape.push_back(std::stoll(part, &used));
    } catch (const std::exception&) {
      used = 0;
    }
    if (used == 0 || used != part.size() || shape.back() < 1) {
      throw std::invalid_argument("the shape '" + text + "' is none; write positive numbers like 256,1,8,8");
    }
  }
  return shape;
}

at::Tensor read_floats(const std::string& file, const std::vector<std::int64_t>& shape) {
  at::Tensor tensor = torch::empty(shape, torch::kFloat);
  std::ifstream stream(file, std::ios::binary);
  stream.read(static_cast<char*>(tensor.data_ptr()), static_cast<std::streamsize>(tensor.nbytes()));
  if (stream.gcount() != static_cast<std::streamsize>(tensor.nbytes()) || stream.peek() != EOF) {
    throw std::invalid_argument("'" + file + "' cannot be read or does not hold exactly " +
                                std::to_string(tensor.nbytes()) + " bytes; check the file and the shape");
  }
  return tensor;
}

void print_top_neurons(const pregrad::Score& score, std::size_t top) {
  const std::vector<double>& mean_abs = score.statistics.mean_abs;
  std::vector<std::size_t> order(mean_abs.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return mean_abs[a] > mean_abs[b]; });
  order.resize(std::min(top, order.size()));
  std::cout << score.layer << '@' << score.call << ", " << pregrad::name_of(score.method) << ", "
            << score.statistics.count << " samples, " << mean_abs.size() << " neurons\n";
  for (const std::size_t neuron : order) {
    std::cout << "  neuron " << neuron << ": mean " << score.statistics.mean[neuron] << ", mean_abs "
              << mean_abs[neuron] << '\n';
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 4 || argc > 5) {
    std::cerr << "usage: " << argv[0] << " MODEL.pt LAYER SHAPE [FLOATS]\n";
    return 2;
  }
  try {
    const std::vector<std::int64_t> shape = parse_shape(argv[3]);
    torch::manual_seed(0);
    const at::Tensor inputs = argc == 5 ? read_floats(argv[4], shape) : torch::rand(shape);

    const pregrad::Model model = pregrad::Model::load(argv[1]);
    pregrad::AttributionOptions options;
    options.layers = {argv[2]};
    options.methods = {pregrad::Method::gradient, pregrad::Method::gradient_x_activation};
    options.target = pregrad::Target::predicted();
    pregrad::Attribution attribution = model.attribution(options);
    attribution.add(inputs);  // call it again for more batches
    const pregrad::Scores scores = attribution.scores();
    for (const pregrad::Score& score : scores.entries()) {
      print_top_neurons(score, 5);
    }
    return 0;
  } catch (const pregrad::Error& error) {
    std::cerr << error.what() << '\n';
    return error.kind() == pregrad::ErrorKind::internal ? 1 : 2;
  } catch (const std::invalid_argument& error) {
    std::cerr << error.what() << '\n';
    return 2;
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return 1;
  }
}

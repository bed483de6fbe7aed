#include "floor.hpp"

#include <algorithm>
#include <functional>
#include <stdexcept>
#include <utility>

#include <torch/csrc/autograd/autograd.h>
#include <torch/script.h>

namespace pregrad::benchmarks {

namespace {

struct Convolution {
  at::Tensor weight, bias;
  std::int64_t stride, padding;
  at::Tensor operator()(const at::Tensor& x) const {
    return at::conv2d(x, weight, bias, {stride, stride}, {padding, padding});
  }
};

struct Normalisation {
  at::Tensor weight, bias, mean, variance;
  at::Tensor operator()(const at::Tensor& x) const {
    return at::batch_norm(x, weight, bias, mean, variance, false, 0.1, 1e-5, false);
  }
};

struct Linear {
  at::Tensor weight, bias;
  at::Tensor operator()(const at::Tensor& x) const { return at::linear(x, weight, bias); }
};

struct LayerNorm {
  at::Tensor weight, bias;
  at::Tensor operator()(const at::Tensor& x) const { return at::layer_norm(x, weight.sizes(), weight, bias); }
};

/// The weights of a file, by their full names.
class Weights {
 public:
  Weights(const std::filesystem::path& file, c10::Device device) : module_(torch::jit::load(file.string(), device)) {
    for (const auto& parameter : module_.named_parameters()) {
      tensors_.insert(parameter.name, parameter.value.detach());
    }
    for (const auto& buffer : module_.named_buffers()) {
      tensors_.insert(buffer.name, buffer.value);
    }
  }
  at::Tensor operator[](const std::string& name) const { return *find(name); }
  bool has(const std::string& name) const { return find(name) != nullptr; }

  Convolution convolution(const std::string& name, std::int64_t stride, std::int64_t padding) const {
    const bool biased = has(name + ".bias");
    return {(*this)[name + ".weight"], biased ? (*this)[name + ".bias"] : at::Tensor(), stride, padding};
  }
  Normalisation normalisation(const std::string& name) const {
    return {(*this)[name + ".weight"], (*this)[name + ".bias"], (*this)[name + ".running_mean"],
            (*this)[name + ".running_var"]};
  }
  Linear linear(const std::string& name) const { return {(*this)[name + ".weight"], (*this)[name + ".bias"]}; }
  LayerNorm layer_norm(const std::string& name) const { return {(*this)[name + ".weight"], (*this)[name + ".bias"]}; }

 private:
  const at::Tensor* find(const std::string& name) const { return tensors_.find(name); }

  torch::jit::Module module_;
  torch::OrderedDict<std::string, at::Tensor> tensors_;
};

/// Which activations of one forward are wanted, and what they got.
class Taps {
 public:
  explicit Taps(const std::vector<std::size_t>& wanted) : wanted_(wanted) {}

  /// Whether the next activation may change its argument: not where z is wanted.
  bool take(at::Tensor& z) {
    const std::size_t index = next_++;
    if (!wanted_.empty() && std::find(wanted_.begin(), wanted_.end(), index) == wanted_.end()) {
      return true;
    }
    if (captured_.empty()) {
      z = z.detach().requires_grad_();
      c10::GradMode::set_enabled(true);
    }
    captured_.push_back(z);
    return false;
  }
  at::Tensor relu(at::Tensor z, bool in_place) { return take(z) && in_place ? at::relu_(z) : at::relu(z); }
  at::Tensor gelu(at::Tensor z) {
    take(z);
    return at::gelu(z);
  }
  const std::vector<at::Tensor>& captured() const { return captured_; }

 private:
  const std::vector<std::size_t>& wanted_;
  std::size_t next_ = 0;
  std::vector<at::Tensor> captured_;
};

using Forward = std::function<at::Tensor(at::Tensor, Taps&)>;

Forward mlp(const Weights& weights) {
  return [fc1 = weights.linear("fc1"), fc2 = weights.linear("fc2"), fc3 = weights.linear("fc3")](
             const at::Tensor& x, Taps& taps) { return fc3(taps.relu(fc2(taps.relu(fc1(x), false)), false)); };
}

Forward cnn(const Weights& weights) {
  return [conv1 = weights.convolution("conv1", 1, 1), bn1 = weights.normalisation("bn1"),
          conv2 = weights.convolution("conv2", 1, 1), bn2 = weights.normalisation("bn2"),
          fc = weights.linear("fc")](at::Tensor x, Taps& taps) {
    x = taps.relu(bn1(conv1(x)), true);
    x = taps.relu(bn2(conv2(x)), true);
    return fc(at::flatten(at::max_pool2d(x, {2, 2}), 1));
  };
}

struct Block {
  Convolution conv1, conv2, shortcut;
  Normalisation bn1, bn2, shortcut_bn;

  at::Tensor operator()(const at::Tensor& x, Taps& taps) const {
    at::Tensor out = bn2(conv2(taps.relu(bn1(conv1(x)), true)));
    out += shortcut.weight.defined() ? shortcut_bn(shortcut(x)) : x;
    return taps.relu(out, true);
  }
};

/// A stem, the blocks, and a head.
template <typename Block>
Forward residual_network(const Weights& weights, const std::vector<Block>& blocks) {
  return [conv1 = weights.convolution("conv1", 2, 3), bn1 = weights.normalisation("bn1"), blocks,
          fc = weights.linear("fc")](at::Tensor x, Taps& taps) {
    x = at::max_pool2d(taps.relu(bn1(conv1(x)), true), {3, 3}, {2, 2}, {1, 1});
    for (const Block& block : blocks) {
      x = block(x, taps);
    }
    return fc(at::flatten(at::adaptive_avg_pool2d(x, {1, 1}), 1));
  };
}

Forward resnet(const Weights& weights) {
  std::vector<Block> blocks;
  for (int layer = 1; layer <= 4; ++layer) {
    for (int index = 0; index < 2; ++index) {
      const std::string name = "layer" + std::to_string(layer) + "." + std::to_string(index);
      const std::int64_t stride = layer > 1 && index == 0 ? 2 : 1;
      Block block{weights.convolution(name + ".conv1", stride, 1),
                  weights.convolution(name + ".conv2", 1, 1),
                  {},
                  weights.normalisation(name + ".bn1"),
                  weights.normalisation(name + ".bn2"),
                  {}};
      if (stride == 2) {
        block.shortcut = weights.convolution(name + ".downsample.0", 2, 0);
        block.shortcut_bn = weights.normalisation(name + ".downsample.1");
      }
      blocks.push_back(block);
    }
  }
  return residual_network(weights, blocks);
}

struct Bottleneck {
  Convolution conv1, conv2, conv3, shortcut;
  Normalisation bn1, bn2, bn3, shortcut_bn;

  at::Tensor operator()(const at::Tensor& x, Taps& taps) const {
    at::Tensor out = taps.relu(bn1(conv1(x)), true);
    out = bn3(conv3(taps.relu(bn2(conv2(out)), true)));
    out += shortcut.weight.defined() ? shortcut_bn(shortcut(x)) : x;
    return taps.relu(out, true);
  }
};

Forward resnet50(const Weights& weights) {
  std::vector<Bottleneck> blocks;
  const std::vector<int> depths = {3, 4, 6, 3};
  for (std::size_t layer = 0; layer < depths.size(); ++layer) {
    for (int index = 0; index < depths[layer]; ++index) {
      const std::string name = "layer" + std::to_string(layer + 1) + "." + std::to_string(index);
      const std::int64_t stride = layer > 0 && index == 0 ? 2 : 1;
      Bottleneck block{weights.convolution(name + ".conv1", 1, 0), weights.convolution(name + ".conv2", stride, 1),
                       weights.convolution(name + ".conv3", 1, 0), {},
                       weights.normalisation(name + ".bn1"),       weights.normalisation(name + ".bn2"),
                       weights.normalisation(name + ".bn3"),       {}};
      if (index == 0) {
        block.shortcut = weights.convolution(name + ".downsample.0", stride, 0);
        block.shortcut_bn = weights.normalisation(name + ".downsample.1");
      }
      blocks.push_back(block);
    }
  }
  return residual_network(weights, blocks);
}

struct EncoderBlock {
  LayerNorm norm1, norm2;
  Linear qkv, projection, fc1, fc2;

  at::Tensor operator()(at::Tensor x, Taps& taps) const {
    constexpr std::int64_t heads = 4;
    const std::int64_t samples = x.size(0), tokens = x.size(1), width = x.size(2);
    const std::vector<at::Tensor> parts =
        at::unbind(qkv(norm1(x)).view({samples, tokens, 3, heads, width / heads}).permute({2, 0, 3, 1, 4}), 0);
    const at::Tensor mixed = at::scaled_dot_product_attention(parts[0], parts[1], parts[2]);
    x = x + projection(mixed.transpose(1, 2).reshape({samples, tokens, width}));
    return x + fc2(taps.gelu(fc1(norm2(x))));
  }
};

Forward vit(const Weights& weights) {
  std::vector<EncoderBlock> blocks;
  for (int index = 0; index < 2; ++index) {
    const std::string name = "blocks." + std::to_string(index) + ".";
    blocks.push_back({weights.layer_norm(name + "norm1"), weights.layer_norm(name + "norm2"),
                      weights.linear(name + "qkv"), weights.linear(name + "projection"), weights.linear(name + "fc1"),
                      weights.linear(name + "fc2")});
  }
  return [patches = weights.convolution("patches", 4, 0), position = weights["position"], blocks,
          norm = weights.layer_norm("norm"), head = weights.linear("head")](at::Tensor x, Taps& taps) {
    x = patches(x).flatten(2).transpose(1, 2) + position;
    for (const EncoderBlock& block : blocks) {
      x = block(x, taps);
    }
    return head(norm(x).mean(1));
  };
}

/// Sums gradients of whatever forward it is given. The gradient of the summed label outputs is 1 at each label: who
/// knows that need not compute the sum.
class GradientFloor final : public Floor {
 public:
  GradientFloor(Forward forward, std::vector<std::size_t> taps)
      : forward_(std::move(forward)), taps_(std::move(taps)) {}

  void add(const at::Tensor& inputs, const at::Tensor& labels, const at::Tensor& clusters) override {
    Taps taps(taps_);
    const at::NoGradGuard prefix_has_no_history;
    const at::Tensor outputs = forward_(inputs, taps);
    if (labels.dim() == 1) {
      sum(backward(outputs, labels, taps, false), clusters);
      return;
    }
    for (std::int64_t i = 0; i < labels.size(1); ++i) {
      sum(backward(outputs, labels.select(1, i), taps, i + 1 < labels.size(1)), clusters.select(1, i));
    }
  }

 private:
  static std::vector<at::Tensor> backward(const at::Tensor& outputs, const at::Tensor& labels, const Taps& taps,
                                          bool keep_graph) {
    const at::Tensor selected =
        at::zeros(outputs.sizes(), outputs.options().requires_grad(false)).scatter_(1, labels.unsqueeze(1), 1);
    return torch::autograd::grad({outputs}, taps.captured(), {selected}, keep_graph);
  }

  void sum(const std::vector<at::Tensor>& gradients, const at::Tensor& clusters) {
    for (std::size_t i = 0; i < gradients.size(); ++i) {
      const at::Tensor& gradient = gradients[i];
      at::Tensor values = gradient;
      if (gradient.dim() == 4) {
        values = gradient.sum({2, 3});
      } else if (gradient.dim() == 3) {
        values = gradient.sum({1});
      }
      if (i == sums_.size()) {
        sums_.push_back(at::zeros({10, values.size(1)}, values.options().dtype(at::kDouble)));
      }
      sums_[i].index_add_(0, clusters, values.to(at::kDouble));
    }
  }

  Forward forward_;
  std::vector<std::size_t> taps_;
};

/// The output's fall with each hidden unit of the first layer at 0: the prefix once, the suffix once per unit.
class RemovalFloor final : public Floor {
 public:
  explicit RemovalFloor(const Weights& weights)
      : fc1_(weights.linear("fc1")), fc2_(weights.linear("fc2")), fc3_(weights.linear("fc3")) {}

  void add(const at::Tensor& inputs, const at::Tensor& labels, const at::Tensor& clusters) override {
    const at::NoGradGuard no_history;
    const at::Tensor index = labels.unsqueeze(1);
    at::Tensor hidden = at::relu(fc1_(inputs));
    const at::Tensor whole = suffix(hidden).gather(1, index);
    std::vector<at::Tensor> falls;
    for (std::int64_t unit = 0; unit < hidden.size(1); ++unit) {
      at::Tensor column = hidden.select(1, unit);
      const at::Tensor kept = column.clone();
      column.zero_();
      falls.push_back(whole - suffix(hidden).gather(1, index));
      column.copy_(kept);
    }
    const at::Tensor values = at::cat(falls, 1).to(at::kDouble);
    if (sums_.empty()) {
      sums_.push_back(at::zeros({10, values.size(1)}, values.options().dtype(at::kDouble)));
    }
    sums_[0].index_add_(0, clusters, values);
  }

 private:
  at::Tensor suffix(const at::Tensor& hidden) const { return fc3_(at::relu(fc2_(hidden))); }

  Linear fc1_, fc2_, fc3_;
};

}  // namespace

std::unique_ptr<Floor> make_floor(const Case& one) {
  const Weights weights(one.model, one.device);
  if (one.floor == "removal") {
    return std::make_unique<RemovalFloor>(weights);
  }
  if (one.floor == "mlp") {
    return std::make_unique<GradientFloor>(mlp(weights), one.taps);
  }
  if (one.floor == "cnn") {
    return std::make_unique<GradientFloor>(cnn(weights), one.taps);
  }
  if (one.floor == "resnet") {
    return std::make_unique<GradientFloor>(resnet(weights), one.taps);
  }
  if (one.floor == "resnet50") {
    return std::make_unique<GradientFloor>(resnet50(weights), one.taps);
  }
  if (one.floor == "vit") {
    return std::make_unique<GradientFloor>(vit(weights), one.taps);
  }
  throw std::runtime_error("case '" + one.name + "' names the unknown floor '" + one.floor + "'");
}

}  // namespace pregrad::benchmarks

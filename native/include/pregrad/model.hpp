#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <ATen/core/TensorBody.h>
#include <c10/core/Device.h>

#include <pregrad/ablation.hpp>
#include <pregrad/attribution.hpp>
#include <pregrad/check.hpp>
#include <pregrad/export.hpp>
#include <pregrad/inputs.hpp>
#include <pregrad/layer.hpp>
#include <pregrad/options.hpp>

namespace torch::jit {
struct Module;
}

namespace pregrad {

class Pruning;

/// What the forward of a model takes, as far as its file tells.
struct ModelInput {
  /// What forward calls it; what is in a container is named after it: `batch.user`, `states.0`. `batch.*` stands for a
  /// dict whose names the file does not tell, `states.*` for a list of any length.
  std::string name;
  std::optional<at::ScalarType> type;  ///< empty where the file does not tell
  std::vector<std::int64_t> shape;     ///< −1 for an axis of any size; empty where the file does not tell
  bool is_optional = false;            ///< whether it may be left out
};

/// How a model is loaded, and how long its calls may take.
struct ModelOptions {
  /// Whether the operators of a TorchScript file may reach outside of the model: files, processes, the network,
  /// printing, devices and threads. Sizes and depths are looked at all the same.
  bool trusted = false;
  /// The longest that loading and each call may take; 0 for no limit. Looked at between two operators: a single one is
  /// not cut.
  std::chrono::milliseconds time_limit{0};
};

/// A model in evaluation mode with its activations found. Copies share one model; const methods may run in any number
/// of threads at once.
class PREGRAD_API Model {
 public:
  class Implementation;

  /// Reads an archive of torch.export.save, or a TorchScript file, scripted or traced; its content tells which.
  /// @throws ModelError if the file cannot be read or is no model, UnsupportedModelError if it cannot be attributed,
  /// DeviceError if there is no such device, or it has too little memory
  static Model load(const std::filesystem::path& file, c10::Device device = c10::Device(c10::kCPU));
  /// @throws CancelledError if loading takes longer than `options.time_limit`; ModelError for a TorchScript file with
  /// operators that only a trusted one may have
  static Model load(const std::filesystem::path& file, c10::Device device, const ModelOptions& options);
  /// Takes a TorchScript module of the caller; the module itself stays as it is.
  /// @throws UnsupportedModelError, DeviceError
  static Model from(const torch::jit::Module& module, c10::Device device = c10::Device(c10::kCPU));

  /// What goes into the model, in the order of its forward.
  std::vector<ModelInput> inputs() const;
  /// All that forward returns for `inputs`, without gradients: what is in a container is named `logits`, `0`,
  /// `detections.boxes`, a tensor alone "".
  /// @throws InputError, DeviceError
  std::vector<NamedTensor> outputs(const Inputs& inputs) const;

  /// The activation call sites as the graph shows them; shapes, and calls in loops, are known only after a run.
  std::vector<Layer> layers() const;
  /// The activation calls in the order in which they run for `example` [N, ...], with shapes.
  std::vector<Layer> layers(const at::Tensor& example) const;
  std::vector<Layer> layers(const Inputs& example) const;
  /// The same for an input of zeros, in the type of the model's weights.
  /// @throws InputError if a size is not positive, or the model cannot take the shape
  std::vector<Layer> layers(const std::vector<std::int64_t>& input_shape) const;
  /// The calls of the layers that `names` stand for, as in AttributionOptions, in the order in which they run for
  /// `example` [N, ...]: `all` is every activation, `*:out` what leaves every module.
  /// @throws LayerError if a name fits nothing, ArgumentError if there is none, InputError
  std::vector<Layer> layers(const at::Tensor& example, const std::vector<std::string>& names) const;
  std::vector<Layer> layers(const Inputs& example, const std::vector<std::string>& names) const;
  /// The same for an input of zeros, in the type of the model's weights.
  std::vector<Layer> layers(const std::vector<std::int64_t>& input_shape, const std::vector<std::string>& names) const;

  /// The model's output, without gradients: of several the one that Reading takes by default.
  /// @throws InputError, DeviceError
  at::Tensor forward(const at::Tensor& inputs) const;
  at::Tensor forward(const Inputs& inputs) const;

  /// @throws LayerError, ArgumentError
  Attribution attribution(const AttributionOptions& options) const;
  /// @throws LayerError, ArgumentError
  Ablation ablation(const AblationOptions& options) const;
  /// @throws LayerError, ArgumentError
  Check check(const CheckOptions& options) const;

  /// This model with weights drawn anew by the seed: each floating-point weight's elements are shuffled, so that its
  /// values, mean and deviation stay and what was learned goes (Adebayo et al., arXiv:1810.03292).
  /// @throws UnsupportedModelError if its weights cannot be changed
  Model randomised(std::uint64_t seed) const;

  /// Ends what runs on this model at the moment, in whatever thread, between two operators: those calls throw
  /// CancelledError. Calls that begin later run.
  void cancel() const;

  /// Where the model runs.
  c10::Device device() const;

 private:
  friend class Pruning;
  explicit Model(std::shared_ptr<const Implementation> implementation);
  std::shared_ptr<const Implementation> implementation_;
};

}  // namespace pregrad

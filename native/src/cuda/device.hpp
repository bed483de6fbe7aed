#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include <ATen/core/Tensor.h>

#include "cuda/chunk_table.hpp"
#include "cuda/score_quantities.hpp"
#include "support/cluster_rows.hpp"

namespace pregrad::cuda {

/// Records work that a device does without its host, and has it done again at the price of one call. For one thread at
/// a time.
class Recorder {
 public:
  /// What the device is to do; returns the tensors that hold the results.
  using Work = std::function<std::vector<at::Tensor>()>;

  Recorder() = default;
  virtual ~Recorder() = default;
  Recorder(const Recorder&) = delete;
  Recorder& operator=(const Recorder&) = delete;
  Recorder(Recorder&&) = delete;
  Recorder& operator=(Recorder&&) = delete;

  /// Calls `body` on this recorder's own stream: what it starts comes behind what the caller's stream was told before.
  /// Nothing of the caller's waits for it. All below is for a body's use.
  virtual void on_stream(const std::function<void()>& body) = 0;

  /// Calls `work` once. Only `replay` does it; the tensors that `work` reads must live as long as this.
  /// @returns what `work` returns: what each replay fills
  /// @throws whatever `work` throws, and the device's refusal of what cannot be recorded. Then nothing is left of it.
  virtual std::vector<at::Tensor> record(const Work& work) = 0;
  virtual void replay() = 0;

  /// Whether `scores` takes the tensor.
  virtual bool takes(const at::Tensor& tensor) const = 0;
  /// score_tensors on the device.
  virtual ScoreTensors scores(const at::Tensor& x, const at::Tensor& y, std::int64_t neuron_axis, std::int64_t clusters,
                              const ChunkSource& chunks, const WantedQuantities& wanted) = 0;
};

using RecorderFactory = std::function<std::unique_ptr<Recorder>()>;

/// Records CUDA graphs. Only there where `is_built`.
std::unique_ptr<Recorder> make_graph_recorder(c10::Device device);

/// Whether this library has the kernels. Where it has not, LibTorch's own operators do their work, and the functions
/// below are not there.
#if defined(PREGRAD_CUDA)
inline constexpr bool is_built = true;
#else
inline constexpr bool is_built = false;
#endif

/// Whether the kernels take the tensor.
inline bool takes(const at::Tensor& tensor) {
  if constexpr (is_built) {
    return tensor.defined() && tensor.is_cuda() && tensor.numel() > 0 &&
           (tensor.scalar_type() == at::kFloat || tensor.scalar_type() == at::kDouble ||
            tensor.scalar_type() == at::kHalf || tensor.scalar_type() == at::kBFloat16);
  }
  return false;
}

/// score_tensors on the current stream of the tensors' device.
ScoreTensors device_scores(const at::Tensor& x, const at::Tensor& y, std::int64_t neuron_axis,
                           const support::ClusterRows& rows, const WantedQuantities& wanted);

/// removal_tensor on the current stream of the value's device.
/// @param masks, constants on any device
at::Tensor device_removal(const at::Tensor& value, std::int64_t neuron_axis, const at::Tensor& masks,
                          const at::Tensor& constants);

/// path_tensor on the current stream of the way's device.
at::Tensor device_path(const at::Tensor& baseline, const at::Tensor& way, const std::vector<double>& alphas,
                       at::ScalarType type);

}  // namespace pregrad::cuda

#include <exception>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include <ATen/core/CachingHostAllocator.h>
#include <ATen/cuda/CUDAGraph.h>
#include <c10/core/Event.h>
#include <c10/cuda/CUDACachingAllocator.h>
#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>
#include <torch/version.h>

#include "cuda/device.hpp"
#include "cuda/device_runner.hpp"
#include "cuda/tensors.hpp"

namespace pregrad::cuda {

namespace {

// Not every LibTorch lends pinned memory to captures.

template <typename Allocator>
void end_pinned_pool(Allocator* allocator, at::MempoolId_t pool) {
  if constexpr (requires { allocator->end_allocate_to_pool(pool); }) {
    allocator->end_allocate_to_pool(pool);
  }
}

template <typename Allocator>
void release_pinned_pool(Allocator* allocator, at::MempoolId_t pool) {
  if constexpr (requires { allocator->release_pool(pool); }) {
    allocator->release_pool(pool);
  }
}

template <typename Body>
void ignoring_errors(const Body& body) {
  try {
    body();
  } catch (const std::exception&) {
    static_cast<void>(cudaGetLastError());
  }
}

class GraphRecorder : public Recorder {
 public:
  explicit GraphRecorder(c10::Device device)
      : device_(device), stream_(c10::cuda::getStreamFromPool(/*isHighPriority=*/false, device.index())) {}

  void on_stream(const std::function<void()>& body) override {
    const c10::cuda::CUDAGuard device(device_);
    begun_.record(c10::cuda::getCurrentCUDAStream(device_.index()));
    begun_.block(stream_);
    // Recorded products use a workspace that belongs to the stream they were recorded on, so they stay there.
    const c10::cuda::CUDAStreamGuard stream(stream_);
    body();
  }

  std::vector<at::Tensor> record(const Work& work) override {
    // A capture's memory is its own: what is cached for others would be missing. One thread empties it at a time.
    static std::mutex only_one;
    const std::lock_guard lock(only_one);
    stream_.synchronize();
    c10::cuda::CUDACachingAllocator::emptyCache();
    graph_ = std::make_unique<at::cuda::CUDAGraph>();
    pool_ = at::cuda::graph_pool_handle();
    try {
      // Other threads go on using the device, and autograd's own thread starts the backward kernels.
      graph_->capture_begin(pool_, cudaStreamCaptureModeThreadLocal);
      std::vector<at::Tensor> results = work();
      graph_->capture_end();
      return results;
    } catch (...) {
      forget();
      throw;
    }
  }

  void replay() override { graph_->replay(); }

  bool takes(const at::Tensor& tensor) const override { return cuda::takes(tensor) && tensor.device() == device_; }

  ScoreTensors scores(const at::Tensor& x, const at::Tensor& y, std::int64_t neuron_axis, std::int64_t clusters,
                      const ChunkSource& chunks, const WantedQuantities& wanted) override {
    DeviceRunner runner(device_);
    return score_tensors(runner, x, y, neuron_axis, clusters, chunks, wanted);
  }

 private:
  bool has_ended() {
    try {
      graph_->pool();
      return true;
    } catch (const std::exception&) {
      return false;
    }
  }

  /// Ends a capture that failed, so that nothing of it is left.
  void forget() {
    cudaStreamCaptureStatus status = cudaStreamCaptureStatusNone;
    static_cast<void>(cudaStreamIsCapturing(stream_, &status));
    if (status != cudaStreamCaptureStatusNone) {
      ignoring_errors([&] { graph_->capture_end(); });
    }
    // Up to 2.13 LibTorch may leave its allocators in the middle of a capture that CUDA has broken off: they would go
    // on asking a graph that is no longer there. Later versions clean up by themselves, and must not be helped.
    if constexpr (TORCH_VERSION_MAJOR == 2 && TORCH_VERSION_MINOR <= 13) {
      end_pools();
    }
    graph_.reset();
    static_cast<void>(cudaGetLastError());
  }

  void end_pools() {
    if (has_ended()) {
      return;  // the graph gives them back itself
    }
    ignoring_errors([&] { c10::cuda::CUDACachingAllocator::endAllocateToPool(device_.index(), pool_); });
    ignoring_errors([&] { c10::cuda::CUDACachingAllocator::releasePool(device_.index(), pool_); });
    ignoring_errors([&] { end_pinned_pool(at::getHostAllocator(at::kCUDA), pool_); });
    ignoring_errors([&] { release_pinned_pool(at::getHostAllocator(at::kCUDA), pool_); });
  }

  c10::Device device_;
  c10::cuda::CUDAStream stream_;
  c10::Event begun_{c10::DeviceType::CUDA};
  at::MempoolId_t pool_ = {0, 0};
  std::unique_ptr<at::cuda::CUDAGraph> graph_;
};

}  // namespace

std::unique_ptr<Recorder> make_graph_recorder(c10::Device device) { return std::make_unique<GraphRecorder>(device); }

}  // namespace pregrad::cuda

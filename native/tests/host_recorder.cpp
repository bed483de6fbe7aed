#include "host_recorder.hpp"

#include <limits>
#include <unordered_set>

#include <ATen/record_function.h>
#include <c10/util/Exception.h>

#include "cuda/tensors.hpp"
#include "cuda_kernels.hpp"

namespace pregrad::test {

namespace {

thread_local bool recording = false;
thread_local bool has_waited = false;

/// Operators that hand a value to the host.
std::unique_ptr<at::ObserverContext> look(const at::RecordFunction& function) {
  static const std::unordered_set<std::string> waiting = {"aten::_local_scalar_dense", "aten::nonzero", "aten::equal",
                                                          "aten::masked_select"};
  has_waited = has_waited || waiting.count(function.name()) != 0;
  return nullptr;
}

class Recording {
 public:
  Recording() : callback_(at::addThreadLocalCallback(at::RecordFunctionCallback(&look))) {
    recording = true;
    has_waited = false;
  }
  ~Recording() {
    recording = false;
    at::removeCallback(callback_);
  }
  Recording(const Recording&) = delete;
  Recording& operator=(const Recording&) = delete;

 private:
  at::CallbackHandle callback_;
};

class HostRecorder : public cuda::Recorder {
 public:
  explicit HostRecorder(RecorderCounts& counts) : counts_(counts) { ++counts_.recorders; }

  void on_stream(const std::function<void()>& body) override { body(); }

  std::vector<at::Tensor> record(const Work& work) override {
    const Recording now;
    results_ = work();
    if (has_waited) {
      refuse_to_wait();
    }
    for (const at::Tensor& result : results_) {
      result.fill_(std::numeric_limits<double>::quiet_NaN());  // a recording does nothing
    }
    work_ = work;
    ++counts_.recordings;
    return results_;
  }

  void replay() override {
    const std::vector<at::Tensor> again = work_();
    for (std::size_t i = 0; i < again.size(); ++i) {
      results_[i].copy_(again[i]);
    }
    ++counts_.replays;
  }

  bool takes(const at::Tensor& tensor) const override {
    return tensor.is_cpu() && tensor.numel() > 0 && at::isFloatingType(tensor.scalar_type());
  }

  cuda::ScoreTensors scores(const at::Tensor& x, const at::Tensor& y, std::int64_t neuron_axis, std::int64_t clusters,
                            const cuda::ChunkSource& chunks, const cuda::WantedQuantities& wanted) override {
    HostRunner runner;
    return cuda::score_tensors(runner, x, y, neuron_axis, clusters, chunks, wanted);
  }

 private:
  RecorderCounts& counts_;
  Work work_;
  std::vector<at::Tensor> results_;
};

}  // namespace

bool is_recording() { return recording; }

void refuse_to_wait() {
  constexpr std::int32_t stream_capture_unsupported = 900;
  throw c10::AcceleratorError({__func__, __FILE__, __LINE__}, stream_capture_unsupported,
                              "CUDA error: operation not permitted when stream is capturing\nSearch for "
                              "`cudaErrorStreamCaptureUnsupported' in https://docs.nvidia.com for more information.\n");
}

cuda::RecorderFactory host_recorders(RecorderCounts& counts) {
  return [&counts] { return std::make_unique<HostRecorder>(counts); };
}

}  // namespace pregrad::test

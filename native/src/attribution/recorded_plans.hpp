#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <ATen/core/Tensor.h>

#include "attribution/recorded_plan.hpp"
#include "cuda/device.hpp"
#include "model/batch.hpp"

namespace pregrad::attribution {

/// The recordings of an attribution, one per shape of a batch. A shape is recorded when it has come often enough, for
/// the first few shapes; all other batches, and those that come while another thread is at the recording, are none of
/// this. Safe from any number of threads; none waits for another's work.
class RecordedPlans {
 public:
  /// From this occurrence of a shape on its batches are recorded.
  static constexpr std::int64_t first_recorded = 3;
  /// How many shapes at most are recorded, or found to be impossible to record: each holds on to the memory of a batch.
  static constexpr std::size_t most_shapes = 4;

  /// @param plan what it refers to must outlive this
  RecordedPlans(const Plan& plan, cuda::RecorderFactory make_recorder)
      : plan_(plan), make_recorder_(std::move(make_recorder)) {}

  /// What the batch adds, or nothing if it has to be done without a recording.
  /// @throws as Attribution::add
  std::optional<std::vector<LayerAddition>> additions(const model::Batch& batch, const Rows& rows);

  /// Gives back the memory of all recordings, and makes no more.
  /// @param why as for refusal
  void give_up(const std::string& why);

  /// How many batches were replayed.
  std::int64_t replays() const { return replays_.load(std::memory_order_relaxed); }
  /// The first reason for which something could not be recorded, which stays as it is; null if there was none.
  const std::string* refusal() const;

 private:
  /// All that decides which kernels run.
  struct Shape {
    struct Input {
      std::string name;
      std::vector<std::int64_t> sizes;
      std::vector<std::int64_t> strides;
      at::ScalarType type;
      bool operator==(const Input&) const = default;
    };
    std::vector<Input> inputs;
    std::size_t clusters;
    bool operator==(const Shape&) const = default;
  };
  struct Entry {
    explicit Entry(Shape of) : shape(std::move(of)) {}
    Shape shape;
    std::int64_t seen = 0;
    bool is_tried = false;
    bool is_busy = false;
    std::shared_ptr<RecordedPlan> recording;  ///< null until it is recorded, or where it cannot be
  };
  /// An entry that is this thread's alone.
  class Lease;

  /// The entry of the batch's shape if there is a recording in it, or one is to be made.
  Entry* taken(const model::Batch& batch, const Rows& rows);
  /// A recording of the batch's shape, or null if none can be made.
  std::shared_ptr<RecordedPlan> recorded(Entry& entry, const model::Batch& batch, const Rows& rows);
  void refuse(const std::string& why);

  Plan plan_;
  cuda::RecorderFactory make_recorder_;
  mutable std::mutex mutex_;
  std::list<Entry> entries_;  ///< the tried ones never go away
  std::size_t tried_ = 0;
  bool has_given_up_ = false;
  std::optional<std::string> refusal_;
  std::atomic<std::int64_t> replays_ = 0;
};

}  // namespace pregrad::attribution

#include "attribution/recorded_plans.hpp"

#include <algorithm>
#include <exception>
#include <utility>

#include "pregrad/error.hpp"
#include "support/failures.hpp"

namespace pregrad::attribution {

namespace {

/// Shapes that are counted at the same time; of those beyond, the one that came first is counted anew.
constexpr std::size_t most_counted = 64;

bool is_lost(const std::exception& error) { return support::device_failure(error) == support::DeviceFailure::lost; }

}  // namespace

class RecordedPlans::Lease {
 public:
  Lease(RecordedPlans& plans, const model::Batch& batch, const Rows& rows)
      : plans_(plans), entry_(plans.taken(batch, rows)) {}
  ~Lease() {
    if (entry_ != nullptr) {
      const std::lock_guard lock(plans_.mutex_);
      entry_->is_busy = false;
    }
  }
  Lease(const Lease&) = delete;
  Lease& operator=(const Lease&) = delete;
  Lease(Lease&&) = delete;
  Lease& operator=(Lease&&) = delete;

  Entry* entry() const { return entry_; }

 private:
  RecordedPlans& plans_;
  Entry* entry_;
};

RecordedPlans::Entry* RecordedPlans::taken(const model::Batch& batch, const Rows& rows) {
  Shape shape{{}, rows->size()};
  for (const NamedTensor& each : batch.inputs) {
    shape.inputs.push_back(
        {each.name, each.tensor.sizes().vec(), each.tensor.strides().vec(), each.tensor.scalar_type()});
  }
  const std::lock_guard lock(mutex_);
  if (has_given_up_) {
    return nullptr;
  }
  auto found = std::find_if(entries_.begin(), entries_.end(), [&](const Entry& each) { return each.shape == shape; });
  if (found == entries_.end()) {
    if (tried_ == most_shapes) {
      return nullptr;
    }
    if (entries_.size() == most_counted) {
      entries_.erase(std::find_if(entries_.begin(), entries_.end(), [](const Entry& each) { return !each.is_tried; }));
    }
    found = entries_.insert(entries_.end(), Entry(std::move(shape)));
  }
  const bool is_to_try = !found->is_tried && ++found->seen >= first_recorded && tried_ < most_shapes;
  if (found->is_busy || (!is_to_try && !found->recording)) {
    return nullptr;
  }
  if (is_to_try) {
    found->is_tried = true;
    ++tried_;
  }
  found->is_busy = true;
  return &*found;
}

std::optional<std::vector<LayerAddition>> RecordedPlans::additions(const model::Batch& batch, const Rows& rows) {
  const Lease lease(*this, batch, rows);
  if (lease.entry() == nullptr) {
    return std::nullopt;
  }
  // A copy, since another thread may give all recordings up while this one is at work.
  std::shared_ptr<RecordedPlan> recording;
  {
    const std::lock_guard lock(mutex_);
    recording = lease.entry()->recording;
  }
  if (!recording) {
    recording = recorded(*lease.entry(), batch, rows);
    if (!recording) {
      return std::nullopt;
    }
    const std::lock_guard lock(mutex_);
    if (!has_given_up_) {
      lease.entry()->recording = recording;
    }
  }
  try {
    auto additions = recording->additions(batch, rows);
    replays_.fetch_add(1, std::memory_order_relaxed);
    return additions;
  } catch (const std::exception& error) {
    if (!support::is_out_of_memory(error)) {
      throw;
    }
    give_up(support::device_words(error));
    return std::nullopt;
  }
}

std::shared_ptr<RecordedPlan> RecordedPlans::recorded(Entry& entry, const model::Batch& batch, const Rows& rows) {
  try {
    const auto recording = std::make_shared<RecordedPlan>(plan_, make_recorder_(), batch, rows);
    recording->warm_up();
    recording->record();
    return recording;
  } catch (const InputError&) {
    // This batch's own fault, which shows without a recording too; the next one may be recorded.
    const std::lock_guard lock(mutex_);
    entry.is_tried = false;
    --tried_;
    return nullptr;
  } catch (const CancelledError&) {
    const std::lock_guard lock(mutex_);
    entry.is_tried = false;
    --tried_;
    throw;
  } catch (const std::exception& error) {
    if (is_lost(error)) {
      throw;
    }
    if (support::is_out_of_memory(error)) {
      give_up(support::device_words(error));
    } else {
      refuse(support::device_words(error));
    }
    return nullptr;
  }
}

void RecordedPlans::refuse(const std::string& why) {
  const std::lock_guard lock(mutex_);
  if (!refusal_) {
    refusal_ = why;
  }
}

void RecordedPlans::give_up(const std::string& why) {
  refuse(why);
  std::vector<std::shared_ptr<RecordedPlan>> given_up;  // let go of without the lock
  const std::lock_guard lock(mutex_);
  has_given_up_ = true;
  for (Entry& entry : entries_) {
    given_up.push_back(std::move(entry.recording));
    entry.recording.reset();
  }
}

const std::string* RecordedPlans::refusal() const {
  const std::lock_guard lock(mutex_);
  return refusal_ ? &*refusal_ : nullptr;
}

}  // namespace pregrad::attribution

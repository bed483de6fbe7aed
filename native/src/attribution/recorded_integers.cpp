#include "attribution/recorded_integers.hpp"

#include <algorithm>
#include <utility>

#include <ATen/Functions.h>

#include "pregrad/error.hpp"

namespace pregrad::attribution {

namespace {

/// Layers of one layout and like sizes share a table.
constexpr std::int64_t most_tables = 32;

/// Room for a table, which has at most a chunk per sample.
std::int64_t room(std::int64_t samples, std::int64_t clusters) { return 2 * samples + clusters + 2; }

}  // namespace

RecordedIntegers::RecordedIntegers(c10::Device device, std::int64_t samples, std::int64_t clusters)
    : samples_(samples),
      clusters_(clusters),
      integers_(
          at::zeros({samples + most_tables * room(samples, clusters)}, at::TensorOptions(device).dtype(at::kLong))) {}

std::int64_t RecordedIntegers::begin_of(std::size_t table) const {
  return samples_ + static_cast<std::int64_t>(table) * room(samples_, clusters_);
}

std::int64_t RecordedIntegers::chunk_count(std::int64_t samples_per_chunk) const {
  return cuda::most_chunks(samples_, clusters_, samples_per_chunk);
}

void RecordedIntegers::write_table(std::size_t table) {
  const cuda::ChunkTable written = cuda::chunk_table(*rows_, sizes_[table], chunk_count(sizes_[table]));
  std::copy(written.integers.begin(), written.integers.end(),
            integers_.on_host().mutable_data_ptr<std::int64_t>() + begin_of(table));
}

void RecordedIntegers::fill(const at::Tensor& labels, std::shared_ptr<const support::ClusterRows> rows) {
  rows_ = std::move(rows);
  if (labels.defined()) {
    integers_.on_host().slice(0, 0, samples_).copy_(labels);
  }
  for (std::size_t table = 0; table < sizes_.size(); ++table) {
    write_table(table);
  }
  integers_.upload(begin_of(sizes_.size()));
}

cuda::Chunks RecordedIntegers::chunks(std::int64_t samples_per_chunk) {
  const auto found = std::find(sizes_.begin(), sizes_.end(), samples_per_chunk);
  const auto table = static_cast<std::size_t>(found - sizes_.begin());
  if (found == sizes_.end()) {
    if (static_cast<std::int64_t>(sizes_.size()) == most_tables) {
      throw UnsupportedModelError("its layers cut the samples into chunks in too many ways");
    }
    sizes_.push_back(samples_per_chunk);
    write_table(table);
    integers_.upload(begin_of(sizes_.size()));
  }
  const cuda::ChunkTable layout = {{}, samples_, chunk_count(samples_per_chunk), clusters_};
  return layout.in(integers_.on_device().const_data_ptr<std::int64_t>() + begin_of(table));
}

}  // namespace pregrad::attribution

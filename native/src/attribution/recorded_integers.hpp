#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>

#include "attribution/fixed_tensor.hpp"
#include "cuda/chunk_table.hpp"
#include "support/cluster_rows.hpp"

namespace pregrad::attribution {

/// The integers of a batch that recorded work reads: its labels, and how its samples fall into chunks. They lie in one
/// piece, so that one copy brings those of the next batch.
class RecordedIntegers {
 public:
  RecordedIntegers(c10::Device device, std::int64_t samples, std::int64_t clusters);

  /// Takes the place of what was there.
  /// @param labels undefined if nothing reads them
  /// @param rows of as many samples and clusters as all batches have
  void fill(const at::Tensor& labels, std::shared_ptr<const support::ClusterRows> rows);

  std::int64_t clusters() const { return clusters_; }
  /// int64 [samples] on the device.
  at::Tensor labels() const { return integers_.on_device().slice(0, 0, samples_); }
  /// The chunks of the batch, on the device. Kernels get as many chunks for all batches, of which some may be empty.
  /// The first call for a size copies them there.
  cuda::Chunks chunks(std::int64_t samples_per_chunk);

 private:
  std::int64_t begin_of(std::size_t table) const;
  std::int64_t chunk_count(std::int64_t samples_per_chunk) const;
  void write_table(std::size_t table);

  std::int64_t samples_;
  std::int64_t clusters_;
  FixedTensor integers_;
  std::shared_ptr<const support::ClusterRows> rows_;
  std::vector<std::int64_t> sizes_;  ///< samples per chunk, of each table
};

}  // namespace pregrad::attribution

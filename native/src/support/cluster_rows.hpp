#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace pregrad::support {

/// Which samples of a batch are in which cluster.
class ClusterRows {
 public:
  /// @param clusters one per sample
  explicit ClusterRows(std::span<const std::int64_t> clusters);

  /// How many clusters there are.
  std::size_t size() const { return clusters_.size(); }
  /// The clusters rise with i.
  std::int64_t cluster(std::size_t i) const { return clusters_[i]; }
  /// The samples of the i-th cluster, rising.
  std::span<const std::int64_t> rows(std::size_t i) const {
    return std::span(rows_).subspan(begins_[i], begins_[i + 1] - begins_[i]);
  }
  std::size_t samples() const { return rows_.size(); }

 private:
  std::vector<std::int64_t> rows_;
  std::vector<std::int64_t> clusters_;
  std::vector<std::size_t> begins_;
};

}  // namespace pregrad::support

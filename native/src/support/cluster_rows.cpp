#include "support/cluster_rows.hpp"

#include <algorithm>
#include <numeric>

namespace pregrad::support {

namespace {

/// The samples in the order of their clusters, and those of one cluster in their own.
std::vector<std::int64_t> ordered_rows(std::span<const std::int64_t> clusters) {
  std::vector<std::int64_t> rows(clusters.size());
  std::iota(rows.begin(), rows.end(), 0);
  if (std::is_sorted(clusters.begin(), clusters.end())) {
    return rows;
  }
  const auto [least, most] = std::minmax_element(clusters.begin(), clusters.end());
  // Unsigned, since the difference of any two clusters fits there only.
  const auto place = [first = static_cast<std::uint64_t>(*least)](std::int64_t cluster) {
    return static_cast<std::uint64_t>(cluster) - first;
  };
  if (place(*most) < 4 * clusters.size()) {
    std::vector<std::size_t> next(place(*most) + 2, 0);
    for (const std::int64_t cluster : clusters) {
      ++next[place(cluster) + 1];
    }
    std::partial_sum(next.begin(), next.end(), next.begin());
    for (std::size_t i = 0; i < clusters.size(); ++i) {
      rows[next[place(clusters[i])]++] = static_cast<std::int64_t>(i);
    }
    return rows;
  }
  std::stable_sort(rows.begin(), rows.end(), [&](std::int64_t left, std::int64_t right) {
    return clusters[static_cast<std::size_t>(left)] < clusters[static_cast<std::size_t>(right)];
  });
  return rows;
}

}  // namespace

ClusterRows::ClusterRows(std::span<const std::int64_t> clusters) : rows_(ordered_rows(clusters)) {
  for (std::size_t i = 0; i < rows_.size(); ++i) {
    const std::int64_t cluster = clusters[static_cast<std::size_t>(rows_[i])];
    if (clusters_.empty() || clusters_.back() != cluster) {
      clusters_.push_back(cluster);
      begins_.push_back(i);
    }
  }
  begins_.push_back(rows_.size());
}

}  // namespace pregrad::support

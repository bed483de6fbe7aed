#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "statistics/batch_moments.hpp"
#include "statistics/state.hpp"

namespace pregrad::statistics {

/// The largest values of each neuron over samples that come batch by batch, with who has them: the larger value first,
/// of equal ones the sample with the lower number. NaN is none of them.
class LargestValues {
 public:
  struct Entry {
    double value = 0;
    std::int64_t sample = 0;
    std::int64_t position = 0;
  };
  /// How the rows of a batch are numbered among all samples: `copies` rows after each other are one sample.
  struct Numbers {
    std::int64_t first = 0;
    std::int64_t copies = 1;
    std::int64_t of(std::int64_t row) const { return first + row / copies; }
  };

  /// @param most  how many are kept of each neuron; 0 keeps none
  LargestValues(std::size_t neurons, std::size_t most);
  /// Those of one batch, in which nothing is looked for that would not get beyond `bounds`.
  LargestValues(std::size_t most, std::vector<double> bounds);

  std::size_t neurons() const { return counts_.size(); }
  /// The entries of a neuron, the first one being the largest.
  std::span<const Entry> of(std::size_t neuron) const {
    return std::span(entries_).subspan(neuron * most_, counts_[neuron]);
  }
  /// Per neuron, what a sample with a higher number than all before must exceed to become an entry.
  const std::vector<double>& bounds() const { return bounds_; }

  void add(std::size_t neuron, const Entry& entry);
  /// Adds the rows of a batch, which rise; their numbers there become samples, and positions are 0.
  void add(const NeuronValues& values, std::span<const std::int64_t> rows);
  void add(const LargestValues& other, const Numbers& numbers);

  /// Calls `body(entry, neuron)` for all entries, which may change but for what orders them: value and sample.
  template <typename Body>
  void for_each(const Body& body) {
    for (std::size_t neuron = 0; neuron < neurons(); ++neuron) {
      for (Entry& entry : std::span(entries_).subspan(neuron * most_, counts_[neuron])) {
        body(entry, neuron);
      }
    }
  }
  template <typename Body>
  void for_each(const Body& body) const {
    for (std::size_t neuron = 0; neuron < neurons(); ++neuron) {
      for (const Entry& entry : of(neuron)) {
        body(entry, neuron);
      }
    }
  }

  /// What the entries take.
  static std::uint64_t bytes(std::size_t neurons, std::size_t most);

  void save(StateWriter& writer) const;
  static LargestValues restored(StateReader& reader, std::size_t most);

 private:
  std::size_t most_ = 0;
  std::vector<Entry> entries_;  ///< [neurons, most]
  std::vector<std::uint32_t> counts_;
  std::vector<double> bounds_;
};

}  // namespace pregrad::statistics

#include "statistics/centred_products.hpp"

#include "statistics/cluster_accumulator.hpp"

namespace pregrad::statistics {

void CentredProducts::add(const Values& values, std::span<const std::int64_t> rows) {
  for (const std::int64_t row : rows) {
    const std::size_t begin = static_cast<std::size_t>(row) * neurons();
    activation_.add([&](std::size_t j) { return values.activations[begin + j]; });
    const auto append = [&](std::vector<double>& to, std::span<const double> from) {
      const auto part = from.subspan(begin, neurons());
      to.insert(to.end(), part.begin(), part.end());
    };
    append(products_, values.products);
    append(gradients_, values.gradients);
  }
}

void CentredProducts::add(const CentredProducts& other) {
  activation_.add(other.activation_);
  products_.insert(products_.end(), other.products_.begin(), other.products_.end());
  gradients_.insert(gradients_.end(), other.gradients_.begin(), other.gradients_.end());
}

Statistics CentredProducts::statistics(const std::vector<double>& mean) const {
  ClusterAccumulator accumulator(neurons());
  std::vector<double> sample(neurons());
  // One by one, so that the order in which batches arrived does not show.
  for (std::size_t begin = 0; begin < products_.size(); begin += neurons()) {
    for (std::size_t j = 0; j < neurons(); ++j) {
      sample[j] = products_[begin + j] - mean[j] * gradients_[begin + j];
    }
    accumulator.add(sample);
  }
  return accumulator.statistics();
}

void CentredProducts::save(StateWriter& writer) const {
  writer.add(static_cast<std::uint64_t>(neurons()));
  for (std::size_t j = 0; j < neurons(); ++j) {
    activation_[j].save(writer);
  }
  writer.add(products_);
  writer.add(gradients_);
}

CentredProducts CentredProducts::restored(StateReader& reader) {
  const auto neurons = reader.get<std::uint64_t>();
  CentredProducts centred(0);
  for (std::uint64_t i = 0; i < neurons; ++i) {
    centred.activation_.push_back(ExactSum::restored(reader));
  }
  centred.products_ = reader.list<double>();
  centred.gradients_ = reader.list<double>();
  if (centred.products_.size() != centred.gradients_.size() ||
      (neurons > 0 && centred.products_.size() % neurons != 0)) {
    StateReader::refuse();
  }
  return centred;
}

}  // namespace pregrad::statistics

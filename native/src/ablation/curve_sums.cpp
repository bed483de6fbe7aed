#include "ablation/curve_sums.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace pregrad {

namespace ablation {

std::vector<std::int64_t> removed_counts(std::int64_t neurons) {
  constexpr std::int64_t most_steps = 128;
  const std::int64_t steps = std::min(neurons, most_steps);
  std::vector<std::int64_t> counts;
  counts.reserve(static_cast<std::size_t>(steps) + 1);
  for (std::int64_t i = 0; i <= steps; ++i) {
    counts.push_back((2 * i * neurons + steps) / (2 * steps));
  }
  return counts;
}

std::vector<double> trapezoid_weights(const std::vector<std::int64_t>& removed) {
  std::vector<double> weights(removed.size(), 0);
  for (std::size_t i = 1; i < removed.size(); ++i) {
    const double half = static_cast<double>(removed[i] - removed[i - 1]) / static_cast<double>(removed.back()) / 2;
    weights[i - 1] += half;
    weights[i] += half;
  }
  return weights;
}

void CurveSums::AreaMoments::add(double area, double labels) {
  squares.add(statistics::DoubleDouble::product(area, area));
  products.add(statistics::DoubleDouble::product(area, labels));
  label_squares.add(labels * labels);
}

void CurveSums::AreaMoments::add(const AreaMoments& other) {
  squares.add(other.squares);
  products.add(other.products);
  label_squares.add(other.label_squares);
}

double CurveSums::AreaMoments::error(double area, std::int64_t samples, double labels) const {
  if (samples < 2 || !(labels > 0)) {
    return std::numeric_limits<double>::quiet_NaN();
  }
  // Σ(a − area·l)², the area being Σa / Σl
  statistics::DoubleDouble spread = squares;
  spread.add(statistics::DoubleDouble::product(products.high(), -2 * area));
  spread.add(products.low() * (-2 * area));
  const statistics::DoubleDouble square = statistics::DoubleDouble::product(area, area);
  spread.add(statistics::DoubleDouble::product(label_squares.value(), square.high()));
  spread.add(label_squares.value() * square.low());
  const auto count = static_cast<double>(samples);
  return std::sqrt(std::max(0.0, spread.value()) * count / (count - 1)) / labels;
}

void CurveSums::add(const Counts& counts, const std::vector<Point>& points, const Areas& areas) {
  counts_.samples += counts.samples;
  counts_.outside_samples += counts.outside_samples;
  counts_.labels += counts.labels;
  counts_.outside_labels += counts.outside_labels;
  for (std::size_t i = 0; i < points_.size(); ++i) {
    points_[i].correct += points[i].correct;
    points_[i].outside_correct += points[i].outside_correct;
    points_[i].output.add(points[i].output);
    points_[i].cross_entropy.add(points[i].cross_entropy);
  }
  areas_.accuracy.add(areas.accuracy);
  areas_.output.add(areas.output);
}

void CurveSums::add(const CurveSums& other) { add(other.counts_, other.points_, other.areas_); }

RemovalCurve CurveSums::curve(const RemovalOrder& order, bool is_classifier) const {
  constexpr double none = std::numeric_limits<double>::quiet_NaN();
  RemovalCurve curve;
  curve.order = order;
  curve.count = counts_.samples;
  curve.outside_count = counts_.outside_samples;
  curve.removed = removed_counts(static_cast<std::int64_t>(order.neurons.size()));
  const auto samples = static_cast<double>(counts_.samples);
  const auto labels = static_cast<double>(counts_.labels);
  for (const Point& point : points_) {
    const bool has_accuracy = is_classifier && counts_.labels > 0;
    curve.accuracy.push_back(has_accuracy ? static_cast<double>(point.correct) / labels : none);
    curve.mean_output.push_back(counts_.samples > 0 ? point.output.divided_by(samples).value() : none);
    curve.cross_entropy.push_back(has_accuracy ? point.cross_entropy.divided_by(labels).value() : none);
    curve.outside_accuracy.push_back(is_classifier && counts_.outside_labels > 0
                                         ? static_cast<double>(point.outside_correct) /
                                               static_cast<double>(counts_.outside_labels)
                                         : none);
  }
  const bool is_of_accuracy = !std::isnan(curve.accuracy.front());
  curve.area_error = (is_of_accuracy ? areas_.accuracy : areas_.output)
                         .error(curve.area(), counts_.samples, is_of_accuracy ? labels : samples);
  return curve;
}

void CurveSums::save(statistics::StateWriter& writer) const {
  writer.add(counts_.samples);
  writer.add(counts_.outside_samples);
  writer.add(counts_.labels);
  writer.add(counts_.outside_labels);
  for (const Point& point : points_) {
    writer.add(point.correct);
    writer.add(point.outside_correct);
    point.output.save(writer);
    point.cross_entropy.save(writer);
  }
  for (const AreaMoments* moments : {&areas_.accuracy, &areas_.output}) {
    moments->squares.save(writer);
    moments->products.save(writer);
    moments->label_squares.save(writer);
  }
}

void CurveSums::restore(statistics::StateReader& reader) {
  counts_.samples = reader.get<std::int64_t>();
  counts_.outside_samples = reader.get<std::int64_t>();
  counts_.labels = reader.get<std::int64_t>();
  counts_.outside_labels = reader.get<std::int64_t>();
  for (Point& point : points_) {
    point.correct = reader.get<std::int64_t>();
    point.outside_correct = reader.get<std::int64_t>();
    point.output = statistics::DoubleDouble::restored(reader);
    point.cross_entropy = statistics::DoubleDouble::restored(reader);
  }
  for (AreaMoments* moments : {&areas_.accuracy, &areas_.output}) {
    moments->squares = statistics::DoubleDouble::restored(reader);
    moments->products = statistics::DoubleDouble::restored(reader);
    moments->label_squares = statistics::DoubleDouble::restored(reader);
  }
}

}  // namespace ablation

double RemovalCurve::area() const {
  const std::vector<double>& height = accuracy.empty() || std::isnan(accuracy.front()) ? mean_output : accuracy;
  const auto neurons = static_cast<double>(order.neurons.size());
  double area = 0;
  for (std::size_t i = 1; i < removed.size(); ++i) {
    const double width = static_cast<double>(removed[i] - removed[i - 1]) / neurons;
    area += width * (height[i] + height[i - 1]) / 2;
  }
  return area;
}

}  // namespace pregrad

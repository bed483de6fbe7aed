#include "fixtures.hpp"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <sstream>
#include <stdexcept>

#include "npz.hpp"

namespace pregrad::test {

namespace {

std::vector<std::string> split(const std::string& line) {
  std::vector<std::string> cells;
  std::istringstream stream(line);
  for (std::string cell; std::getline(stream, cell, ',');) {
    cells.push_back(cell);
  }
  return cells;
}

std::vector<Fixture> fixtures(bool refused) {
  std::vector<Fixture> fixtures;
  for (auto& row : read_csv(fixture_path("models.csv"))) {
    if (row["refused"].empty() != refused) {
      const std::filesystem::path data = row["data"].empty() ? "" : fixture_path(row["data"]);
      fixtures.push_back({row["model"], row["form"], fixture_path(row["file"]), data, row["refused"]});
    }
  }
  return fixtures;
}

}  // namespace

void PrintTo(const Fixture& fixture, std::ostream* stream) { *stream << fixture.model << " " << fixture.form; }

std::filesystem::path fixture_path(const std::string& name) { return std::filesystem::path(PREGRAD_FIXTURES) / name; }

std::vector<Fixture> attributable_fixtures() { return fixtures(false); }

std::vector<Fixture> refused_fixtures() { return fixtures(true); }

std::vector<Fixture> fixtures_with(const std::string& kind) {
  std::vector<Fixture> found;
  for (Fixture& fixture : attributable_fixtures()) {
    if (std::filesystem::exists(fixture_path("golden/" + fixture.model + "." + kind + ".csv"))) {
      found.push_back(std::move(fixture));
    }
  }
  return found;
}

std::string test_name(const Fixture& fixture) {
  std::string name = fixture.model + "_" + fixture.form;
  std::replace_if(name.begin(), name.end(), [](unsigned char c) { return std::isalnum(c) == 0; }, '_');
  return name;
}

std::vector<std::map<std::string, std::string>> read_csv(const std::filesystem::path& file) {
  std::ifstream stream(file);
  if (!stream) {
    throw std::runtime_error("no such file: " + file.string());
  }
  std::string line;
  std::getline(stream, line);
  const std::vector<std::string> header = split(line);
  std::vector<std::map<std::string, std::string>> rows;
  while (std::getline(stream, line)) {
    const std::vector<std::string> cells = split(line);
    auto& row = rows.emplace_back();
    for (std::size_t i = 0; i < header.size(); ++i) {
      row[header[i]] = i < cells.size() ? cells[i] : "";
    }
  }
  return rows;
}

Data read_data(const std::filesystem::path& file) {
  auto arrays = read_npz(file);
  return {arrays.at("x"), arrays.at("y"), arrays.at("cluster")};
}

Data first_of(const Data& data, std::int64_t samples) {
  return {data.x.slice(0, 0, samples), data.y.slice(0, 0, samples), data.cluster.slice(0, 0, samples)};
}

Golden read_golden(const std::string& model) {
  Golden golden;
  for (auto& row : read_csv(fixture_path("golden/" + model + ".scores.csv"))) {
    const GoldenKey key{row["layer"], std::stoll(row["call"]), std::stoll(row["cluster"]), method_named(row["method"])};
    Statistics& statistics = golden[key];
    statistics.count = std::stoll(row["count"]);
    statistics.mean.push_back(std::stod(row["mean"]));
    statistics.mean_abs.push_back(std::stod(row["mean_abs"]));
    statistics.rms.push_back(std::stod(row["rms"]));
    statistics.std.push_back(std::stod(row["std"]));
  }
  return golden;
}

double relative_error(const std::vector<double>& seen, const std::vector<double>& truth) {
  if (seen.size() != truth.size()) {
    return INFINITY;
  }
  double error = 0;
  double norm = 0;
  for (std::size_t i = 0; i < truth.size(); ++i) {
    error += (seen[i] - truth[i]) * (seen[i] - truth[i]);
    norm += truth[i] * truth[i];
  }
  return norm == 0 ? std::sqrt(error) : std::sqrt(error / norm);
}

}  // namespace pregrad::test

#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace pregrad::statistics {

/// `neurons` numbers in [0, 1), the same on every machine for the same arguments.
std::vector<double> random_values(const std::string& layer, std::int64_t call, std::int64_t cluster,
                                  std::int64_t neurons, std::int64_t repeat, std::uint64_t seed);

}  // namespace pregrad::statistics

#pragma once

#include "pregrad/scores.hpp"

namespace pregrad::test {

/// Expects the same entries with the same numbers of samples, and values that differ by no more than `tolerance` times
/// the largest root mean square of an entry: a mean may be what larger numbers of the samples leave.
void expect_equal_scores(const Scores& seen, const Scores& expected, double tolerance);

}  // namespace pregrad::test

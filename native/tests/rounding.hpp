#pragma once

#include <cstdint>
#include <initializer_list>

#include <ATen/core/Tensor.h>
#include <c10/core/ScalarType.h>

namespace pregrad::test {

/// How far two right results may be apart, for tests that hold on every processor.
///
/// The same bits come from the same kernels on the same shapes alone: by processor and shape LibTorch, MKL, oneDNN and
/// OpenBLAS choose other kernels, which add up in another order and with or without fused multiply-adds.
///
/// A sum of n products in a type of unit roundoff u is, in whatever order, within γₙ = n·u / (1 − n·u) of the exact
/// one, counted against the sum of its terms' absolute values (Higham, Accuracy and Stability of Numerical Algorithms,
/// 2nd ed., sections 3.1 and 4.2). Where a sum's result is a term of the next one the two n add up, and so do those of
/// a forward and a backward. Two results are apart by twice that.
///
/// A test knows the results and not their terms. Terms of random signs cancel to about 1/√n of their absolute values,
/// and roundings of random signs add up to about √n·u instead of n·u (Higham and Mary, SIAM J. Sci. Comput. 41, 2019):
/// the one makes up for the other, so that γₙ counts against the norm, or the largest, of the results themselves.

/// Half the distance from 1 to the next number of the type.
double unit_roundoff(at::ScalarType type);

/// How far two right results may be apart, as a part of their norm.
/// @param sums the lengths of the sums on the longest way to the result; each counts `between_sums` more
double apart(at::ScalarType type, std::initializer_list<std::int64_t> sums);

/// Roundings between two sums: an activation that is right to two units in the last place, its derivative, a scale, a
/// bias.
inline constexpr std::int64_t between_sums = 4;

/// Whether the largest difference is within `tolerance` of the largest number of `truth`; shapes must be the same.
bool are_close(const at::Tensor& seen, const at::Tensor& truth, double tolerance);

/// What is promised of scores of the same samples in other batches, or added by other threads, as a part of their norm.
/// Rounding may do more at worst, but the mean over samples takes most of it away.
inline constexpr double promised_between_batches = 1e-6;

/// How near scores are to those of tests/fixtures/golden, from float64. Their generator refuses a model in which
/// float32 alone makes a fifth of it, or chooses another class than float64 does.
inline constexpr double promised_of_golden_values = 1e-5;

}  // namespace pregrad::test

#include "readers/pt2/crc32.hpp"

// LibTorch's header defines functions rather than declaring them; a namespace keeps them from everybody else's.
namespace pregrad::pt2::libtorch {
#include <caffe2/serialize/crc_alt.h>
}  // namespace pregrad::pt2::libtorch

namespace pregrad::pt2 {

std::uint32_t crc32(std::span<const std::byte> bytes) { return libtorch::crc32_fast(bytes.data(), bytes.size()); }

}  // namespace pregrad::pt2

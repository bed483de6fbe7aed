#include "readers/pt2/values.hpp"

#include <map>
#include <string>

namespace pregrad::pt2 {

namespace {

template <typename Value>
Value looked_up(const std::map<std::int64_t, Value>& values, const JsonValue& number, const char* what) {
  const auto found = values.find(number.integer());
  if (found == values.end()) {
    number.fail("is " + std::to_string(number.integer()) + ", no " + what + " that PreGrad knows");
  }
  return found->second;
}

}  // namespace

c10::ScalarType scalar_type(const JsonValue& number) {
  using enum c10::ScalarType;
  static const std::map<std::int64_t, c10::ScalarType> types = {{1, Byte},
                                                                {2, Char},
                                                                {3, Short},
                                                                {4, Int},
                                                                {5, Long},
                                                                {6, Half},
                                                                {7, Float},
                                                                {8, Double},
                                                                {9, ComplexHalf},
                                                                {10, ComplexFloat},
                                                                {11, ComplexDouble},
                                                                {12, Bool},
                                                                {13, BFloat16},
                                                                {28, UInt16},
                                                                {29, Float8_e4m3fn},
                                                                {30, Float8_e5m2},
                                                                {31, Float8_e4m3fnuz},
                                                                {32, Float8_e5m2fnuz},
                                                                {33, Float8_e8m0fnu},
                                                                {34, UInt32},
                                                                {35, UInt64}};
  return looked_up(types, number, "scalar type");
}

c10::Layout layout(const JsonValue& number) {
  using enum c10::Layout;
  static const std::map<std::int64_t, c10::Layout> layouts = {
      {1, Sparse}, {2, SparseCsr}, {3, SparseCsc}, {4, SparseBsr}, {5, SparseBsc}, {6, Mkldnn}, {7, Strided}};
  return looked_up(layouts, number, "layout");
}

c10::MemoryFormat memory_format(const JsonValue& number) {
  using enum c10::MemoryFormat;
  static const std::map<std::int64_t, c10::MemoryFormat> formats = {
      {1, Contiguous}, {2, ChannelsLast}, {3, ChannelsLast3d}, {4, Preserve}};
  return looked_up(formats, number, "memory format");
}

}  // namespace pregrad::pt2

#include "archive_mutator.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>
#include <utility>
#include <vector>

#include "mutations.hpp"

namespace pregrad::test {

namespace {

using Json = nlohmann::json;

/// All values of a document, each with its name where it stands in an object.
struct Places {
  std::vector<Json*> all;
  std::vector<std::pair<std::string, Json*>> named;
  std::vector<Json*> targets;
  std::vector<Json*> arguments;  ///< objects of one entry, `as_...`
  std::vector<Json*> sizes;      ///< what stands under sizes, strides, offsets and types of tensors

  explicit Places(Json& document) { add(document); }

 private:
  void add(Json& value) {
    all.push_back(&value);
    if (value.is_object()) {
      if (value.size() == 1 && value.begin().key().starts_with("as_")) {
        arguments.push_back(&value);
      }
      for (auto& [name, part] : value.items()) {
        named.emplace_back(name, &part);
        if (name == "target") {
          targets.push_back(&part);
        } else if (name == "sizes" || name == "strides" || name == "storage_offset" || name == "dtype" ||
                   name == "layout" || name == "path_name" || name == "device" || name == "use_pickle") {
          sizes.push_back(&part);
        }
        add(part);
      }
    } else if (value.is_array()) {
      for (Json& part : value) {
        add(part);
      }
    }
  }
};

Json scalar(Draws& draws) {
  constexpr std::array<const char*, 12> texts = {
      "",  "x",     "relu",   "p_fc_weight", "../canary",  "\x1b[31m\r\n",
      "0", "s0*s1", "linear", "weight_0",    "Max(1, s0)", "aten.relu.default"};
  switch (draws.below(7)) {
    case 0:
      return nullptr;
    case 1:
      return draws.one_in(2);
    case 2: {
      const double number = draws.real();
      return std::isfinite(number) ? Json(number) : Json("Infinity");
    }
    case 3:
      return std::string(draws.of(texts));
    case 4:
      return draws.one_in(2) ? Json::array() : Json::object();
    case 5:
      return Json{{"as_int", draws.integer()}};
    default:
      return draws.integer();
  }
}

/// Another value of the same kind.
void nudge(Json& value, const Places& places, Draws& draws) {
  if (value.is_boolean()) {
    value = !value.get<bool>();
  } else if (value.is_number_integer()) {
    value = draws.one_in(3) ? Json(value.get<std::int64_t>() ^ 1) : Json(draws.integer());
  } else if (value.is_number()) {
    const double number = draws.real();
    value = std::isfinite(number) ? Json(number) : Json("NaN");
  } else if (value.is_string()) {
    // Names mean each other: an argument that is not there yet, a weight of another shape, itself.
    for (std::size_t tries = 0; tries < 50; ++tries) {
      const Json& other = *draws.of(places.all);
      if (other.is_string() && other != value) {
        value = Json(other);
        return;
      }
    }
  } else {
    value = scalar(draws);
  }
}

void list(Json& value, Draws& draws) {
  if (value.empty()) {
    value.push_back(scalar(draws));
    return;
  }
  const std::size_t at = draws.below(value.size());
  switch (draws.below(6)) {
    case 0:
      value.erase(value.begin() + static_cast<std::ptrdiff_t>(at));
      return;
    case 1:
      value.insert(value.begin() + static_cast<std::ptrdiff_t>(draws.below(value.size() + 1)), Json(value[at]));
      return;
    case 2:
      std::swap(value[at], value[draws.below(value.size())]);
      return;
    case 3: {
      const Json one = value[at];
      for (std::size_t copies = std::size_t{1} << draws.below(9); copies > 0; --copies) {
        value.push_back(one);
      }
      return;
    }
    case 4:
      value = Json::array();
      return;
    default:
      value[at] = scalar(draws);
  }
}

void object(Json& value, Draws& draws) {
  if (value.empty()) {
    value["unknown"] = scalar(draws);
    return;
  }
  const auto at = std::next(value.begin(), static_cast<std::ptrdiff_t>(draws.below(value.size())));
  const std::string name = at.key();
  const Json part = at.value();
  switch (draws.below(3)) {
    case 0:
      value.erase(name);
      return;
    case 1:
      value.erase(name);
      value[damaged_name(name, draws)] = part;
      return;
    default:
      value["unknown"] = part;
  }
}

void argument(Json& value, Draws& draws) {
  constexpr std::array<const char*, 28> kinds = {"as_none",
                                                 "as_tensor",
                                                 "as_tensors",
                                                 "as_int",
                                                 "as_ints",
                                                 "as_float",
                                                 "as_floats",
                                                 "as_string",
                                                 "as_strings",
                                                 "as_sym_int",
                                                 "as_sym_ints",
                                                 "as_scalar_type",
                                                 "as_layout",
                                                 "as_device",
                                                 "as_memory_format",
                                                 "as_bool",
                                                 "as_bools",
                                                 "as_sym_bool",
                                                 "as_sym_bools",
                                                 "as_graph",
                                                 "as_optional_tensors",
                                                 "as_custom_obj",
                                                 "as_operator",
                                                 "as_sym_float",
                                                 "as_complex",
                                                 "as_name",
                                                 "as_expr",
                                                 "as_nothing_of_these"};
  const Json content = value.begin().value();
  value = Json::object();
  value[draws.of(kinds)] = draws.one_in(3) ? scalar(draws) : content;
}

std::string target(const Places& places, Draws& draws) {
  constexpr std::array<const char*, 40> targets = {"torch.ops.aten.from_file.default",
                                                   "torch.ops.aten.save.default",
                                                   "torch.ops.aten.empty.memory_format",
                                                   "torch.ops.aten.empty_like.default",
                                                   "torch.ops.aten.new_empty.default",
                                                   "torch.ops.aten.as_strided.default",
                                                   "torch.ops.aten.as_strided_.default",
                                                   "torch.ops.aten.resize_.default",
                                                   "torch.ops.aten.set_.source_Tensor",
                                                   "torch.ops.aten._unsafe_view.default",
                                                   "torch.ops.aten.view.default",
                                                   "torch.ops.aten.expand.default",
                                                   "torch.ops.aten.embedding.default",
                                                   "torch.ops.aten.gather.default",
                                                   "torch.ops.aten.index.Tensor",
                                                   "torch.ops.aten._index_put_impl_.default",
                                                   "torch.ops.aten.index_select.default",
                                                   "torch.ops.aten.slice.Tensor",
                                                   "torch.ops.aten.repeat.default",
                                                   "torch.ops.aten.floor_divide.default",
                                                   "torch.ops.aten.remainder.Scalar",
                                                   "torch.ops.aten.item.default",
                                                   "torch.ops.aten.random_.default",
                                                   "torch.ops.aten.dropout.default",
                                                   "torch.ops.aten.sym_size.int",
                                                   "torch.ops.aten._assert_async.msg",
                                                   "torch.ops.aten.one_hot.default",
                                                   "torch.ops.aten.bincount.default",
                                                   "torch.ops.higher_order.cond",
                                                   "torch.ops.higher_order.scan",
                                                   "torch.ops.higher_order.while_loop",
                                                   "torch.ops.profiler._record_function_enter.default",
                                                   "torch.ops.inductor.resize_storage_bytes_",
                                                   "torch.ops.quantized.linear.default",
                                                   "_operator.floordiv",
                                                   "_operator.mod",
                                                   "_operator.getitem",
                                                   "_operator.pow",
                                                   "math.trunc",
                                                   "os.system"};
  const Json* const other = draws.one_in(3) ? draws.of(places.targets) : nullptr;
  return other != nullptr && other->is_string() ? other->get<std::string>() : draws.of(targets);
}

/// Marks where text of its own is to stand, since no document in memory may be as deep.
constexpr const char* deep_mark = "\"__deep__\"";

void program(Json& document, Draws& draws) {
  const Places places(document);
  switch (draws.below(9)) {
    case 0:
      if (!places.targets.empty()) {
        *draws.of(places.targets) = target(places, draws);
      }
      return;
    case 1:
    case 2:
      if (!places.arguments.empty()) {
        argument(*draws.of(places.arguments), draws);
      }
      return;
    case 3:
      if (!places.sizes.empty()) {
        Json& value = *draws.of(places.sizes);
        if (value.is_array() && draws.one_in(2)) {
          list(value, draws);
        } else {
          value = scalar(draws);
        }
      }
      return;
    case 4: {
      Json& value = *draws.of(places.all);
      if (value.is_array()) {
        list(value, draws);
      } else if (value.is_object()) {
        object(value, draws);
      } else {
        nudge(value, places, draws);
      }
      return;
    }
    case 5: {
      const Json part = *draws.of(places.all);
      *draws.of(places.all) = part;
      return;
    }
    case 6:
      *draws.of(places.all) = draws.one_in(3) ? Json("__deep__") : scalar(draws);
      return;
    default:
      // Most values are names and numbers of a node or a size.
      for (std::size_t tries = 0; tries < 100; ++tries) {
        Json& value = *draws.of(places.all);
        if (!value.is_structured()) {
          nudge(value, places, draws);
          return;
        }
      }
  }
}

void weights(Json& document, Draws& draws) {
  const Places places(document);
  if (!places.sizes.empty() && !draws.one_in(4)) {
    Json& value = *draws.of(places.sizes);
    if (value.is_array() && !value.empty()) {
      Json& size = value[draws.below(value.size())];
      if (draws.one_in(4)) {
        list(value, draws);
      } else {
        size = Json{{draws.one_in(8) ? "as_expr" : "as_int", draws.integer()}};
      }
    } else if (value.is_object() && value.contains("as_int")) {
      value["as_int"] = draws.integer();
    } else {
      nudge(value, places, draws);
    }
    return;
  }
  program(document, draws);
}

/// Changes a record that is JSON; what is none is damaged as text.
void change_json(std::string& text, Draws& draws, void (*change)(Json&, Draws&)) {
  if (draws.one_in(8)) {
    return draws.one_in(2) ? shuffle(text, draws) : text.resize(draws.below(text.size() + 1));
  }
  // What an earlier change has made deep is damaged as text too: copies of documents recurse.
  const auto is_deep = [&](std::string_view opening) {
    constexpr int most_levels = 200;
    std::string many;
    for (int i = 0; i < most_levels; ++i) {
      many.append(opening);
    }
    return text.find(many) != std::string::npos;
  };
  Json document =
      is_deep("[") || is_deep("{\"as_graph\":") ? Json(Json::value_t::discarded) : Json::parse(text, nullptr, false);
  if (document.is_discarded()) {
    return flip(text, draws);
  }
  change(document, draws);
  text = document.dump(-1, ' ', false, Json::error_handler_t::replace);
  const std::size_t mark = text.find(deep_mark);
  if (mark != std::string::npos) {
    const std::size_t depth = std::size_t{1} << draws.below(18);
    const bool are_objects = draws.one_in(2);
    std::string deep;
    for (std::size_t i = 0; i < depth; ++i) {
      deep.append(are_objects ? "{\"as_graph\":" : "[");
    }
    deep.append("0").append(draws.one_in(4) ? 0 : depth, are_objects ? '}' : ']');
    text.replace(mark, std::string_view(deep_mark).size(), deep);
  }
}

void bytes(std::string& content, Draws& draws) {
  switch (draws.below(4)) {
    case 0:
      content.resize(draws.below(content.size() + 1));
      return;
    case 1:
      content.append(1 + draws.below(64), draws.byte());
      return;
    case 2:
      std::fill(content.begin(), content.end(), draws.one_in(2) ? '\xff' : draws.byte());
      return;
    default:
      flip(content, draws);
  }
}

}  // namespace

std::string mutated_archive(ExportedArchive archive, std::uint64_t seed) {
  Draws draws(seed);
  auto& records = archive.records();
  std::vector<std::string> tensors;
  std::vector<std::string> all;
  for (const auto& [name, content] : records) {
    all.push_back(name);
    if (name.starts_with("data/weights/weight_") || name.starts_with("data/constants/tensor_")) {
      tensors.push_back(name);
    }
  }
  bool is_packed = false;
  bool is_damaged_outside = false;
  for (std::size_t damages = 1 + draws.below(3); damages > 0; --damages) {
    switch (draws.below(12)) {
      case 0:
        is_damaged_outside = true;
        break;
      case 1:
        if (!tensors.empty()) {
          bytes(records[draws.of(tensors)], draws);
        }
        break;
      case 2:
      case 3:
      case 4:
        change_json(records["data/weights/model_weights_config.json"], draws, weights);
        break;
      case 5: {
        const std::string name = draws.of(all);
        const std::string content = records[name];
        const std::string other = damaged_name(name, draws);
        if (draws.one_in(3)) {
          records.erase(name);
        }
        if (!other.empty()) {
          records[other] = content;
        }
        break;
      }
      case 6:
        switch (draws.below(3)) {
          case 0:
            bytes(records[draws.of(all)], draws);
            break;
          case 1:
            records.erase(draws.of(all));
            break;
          default:
            is_packed = draws.one_in(4);
        }
        break;
      default:
        change_json(records["models/model.json"], draws, program);
    }
  }
  std::string written = archive.written(is_packed);
  if (is_damaged_outside) {
    damage_zip(written, draws);
  }
  return written;
}

}  // namespace pregrad::test

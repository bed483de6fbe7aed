#include "readers/pt2/program_signature.hpp"

#include <algorithm>
#include <limits>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <ATen/Functions.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <c10/core/Device.h>

#include "pregrad/error.hpp"
#include "readers/pt2/archive.hpp"
#include "readers/pt2/json.hpp"
#include "readers/pt2/values.hpp"
#include "readers/pt2/zip.hpp"

namespace pregrad::pt2 {

namespace {

/// The tensors of one folder of an archive, `data/weights/` or `data/constants/`. Those that were written as views of
/// one storage, as tied weights are, share its memory again.
class Payloads {
 public:
  /// @param archive  outlives this
  /// @param config   the record that says what is where
  Payloads(Archive& archive, std::string folder, const std::string& config, c10::Device device);

  /// The tensor with the name that it has in the model, such as `layer1.0.bn1.weight`.
  /// @throws ArchiveError if it is not there or does not fit into its storage, UnsupportedModelError if it is pickled
  at::Tensor tensor(const std::string& name);

 private:
  at::Tensor storage(const std::string& path, c10::ScalarType type);

  Archive& archive_;
  std::string folder_;
  JsonDocument config_;
  c10::Device device_;
  std::map<std::pair<std::string, c10::ScalarType>, at::Tensor> storages_;
};

std::int64_t size_of(const JsonValue& value) {
  const auto [kind, number] = value.variant();
  if (kind != "as_int") {
    value.fail("is no number");
  }
  if (number.integer() < 0) {
    number.fail("is negative");
  }
  return number.integer();
}

std::vector<std::int64_t> sizes_of(const JsonValue& values) {
  std::vector<std::int64_t> sizes;
  for (const JsonValue& value : values.elements()) {
    sizes.push_back(size_of(value));
  }
  return sizes;
}

/// How many elements a storage must have for the view; the largest number where that is none.
std::int64_t elements_needed(const std::vector<std::int64_t>& sizes, const std::vector<std::int64_t>& strides,
                             std::int64_t offset) {
  constexpr std::int64_t too_many = std::numeric_limits<std::int64_t>::max();
  std::int64_t count = 1;
  std::int64_t last = offset;
  for (std::size_t axis = 0; axis < sizes.size(); ++axis) {
    std::int64_t reach = 0;
    // Many times nothing is nothing, but its count must be a number too.
    if (__builtin_mul_overflow(count, std::max<std::int64_t>(sizes[axis], 1), &count) ||
        __builtin_mul_overflow(std::max<std::int64_t>(sizes[axis] - 1, 0), strides[axis], &reach) ||
        __builtin_add_overflow(last, reach, &last)) {
      return too_many;
    }
  }
  if (std::find(sizes.begin(), sizes.end(), 0) != sizes.end()) {
    return 0;
  }
  return last == too_many ? too_many : last + 1;
}

Payloads::Payloads(Archive& archive, std::string folder, const std::string& config, c10::Device device)
    : archive_(archive), folder_(std::move(folder)), config_(archive.text(config), config), device_(device) {}

at::Tensor Payloads::tensor(const std::string& name) {
  const auto payload = config_.root()["config"].find(name);
  if (!payload) {
    throw ArchiveError("is damaged: it has no tensor '" + name + "' in " + folder_);
  }
  if ((*payload)["use_pickle"].boolean()) {
    throw UnsupportedModelError("the model's tensor '" + name +
                                "' is stored as a pickled Python object, which PreGrad does not run: make it a plain "
                                "dense tensor and export the model again");
  }
  const JsonValue meta = (*payload)["tensor_meta"];
  if (layout(meta["layout"]) != c10::Layout::Strided) {
    throw UnsupportedModelError("the model's tensor '" + name +
                                "' has a layout that is not dense: make it a dense tensor and export the model again");
  }
  const auto sizes = sizes_of(meta["sizes"]);
  const auto strides = sizes_of(meta["strides"]);
  if (sizes.size() != strides.size()) {
    meta.fail("has " + std::to_string(sizes.size()) + " sizes and " + std::to_string(strides.size()) + " strides");
  }
  const std::int64_t offset = size_of(meta["storage_offset"]);
  const at::Tensor elements = storage((*payload)["path_name"].text(), scalar_type(meta["dtype"]));
  if (elements_needed(sizes, strides, offset) > elements.numel()) {
    meta.fail("reaches beyond the " + std::to_string(elements.numel()) + " elements of its storage");
  }
  const at::NoGradGuard no_gradients;
  return elements.as_strided(sizes, strides, offset);
}

at::Tensor Payloads::storage(const std::string& path, c10::ScalarType type) {
  const auto known = storages_.find({path, type});
  if (known != storages_.end()) {
    return known->second;
  }
  const at::Tensor bytes = archive_.bytes(folder_ + path);
  const auto element = static_cast<std::int64_t>(c10::elementSize(type));
  const at::Tensor elements =
      at::empty({0}, bytes.options().dtype(type)).set_(bytes.storage(), 0, {bytes.numel() / element}, {1});
  return storages_.emplace(std::pair{path, type}, elements.to(device_)).first->second;
}

}  // namespace

using torch::jit::Value;

namespace {

/// `Symbol('s77', positive=True, integer=True)` as s77; empty for anything else, such as a sum of symbols.
std::string symbol_of(const std::string& expression) {
  const std::string start = "Symbol('";
  const std::size_t end = expression.find('\'', start.size());
  const bool is_alone = expression.starts_with(start) && end != std::string::npos &&
                        expression.find(')') + 1 == expression.size() && expression.rfind('(') < start.size();
  return is_alone ? expression.substr(start.size(), end - start.size()) : "";
}

graph::ExpectedInput::Axis axis_of(const JsonValue& size, const JsonValue& ranges) {
  graph::ExpectedInput::Axis axis;
  const auto [kind, value] = size.variant();
  if (kind == "as_int") {
    axis.size = value.integer();
    return axis;
  }
  axis.symbol = symbol_of(value["expr_str"].text());
  const auto range = axis.symbol.empty() ? std::nullopt : ranges.find(axis.symbol);
  if (!range) {
    return axis;
  }
  // torch.export takes sizes of 0 and 1 for others than the rest of a range, and runs them all the same.
  constexpr std::int64_t assumed_least = 2;
  if (const auto least = range->find("min_val"); least && least->integer() > assumed_least) {
    axis.least = least->integer();
  }
  if (const auto most = range->find("max_val")) {
    axis.most = most->integer();
  }
  return axis;
}

c10::IValue constant_of(const JsonValue& constant) {
  const auto [kind, value] = constant.variant();
  if (kind == "as_int") {
    return value.integer();
  }
  if (kind == "as_float") {
    return value.number();
  }
  if (kind == "as_string") {
    return value.text();
  }
  return kind == "as_bool" ? c10::IValue(value.boolean()) : c10::IValue();
}

[[noreturn]] void refuse_input(const std::string& kind) {
  throw UnsupportedModelError("forward takes a " + kind +
                              " that may change: wrap the model in a module that takes tensors only");
}

}  // namespace

void ProgramSignature::define_inputs(graph::ReadModel& read, Values& values, Archive& archive, const std::string& model,
                                     c10::Device device) const {
  Payloads weights(archive, "data/weights/", "data/weights/" + model + "_weights_config.json", device);
  Payloads constants(archive, "data/constants/", "data/constants/" + model + "_constants_config.json", device);
  torch::jit::Graph& graph = *read.model.graph;
  const std::vector<std::string> names = leaf_names("in_spec");
  std::size_t leaf = 0;
  const auto define_tensor = [&](const JsonValue& spec, Payloads& payloads, const std::string& name,
                                 bool is_persistent) {
    const at::Tensor tensor = payloads.tensor(name).detach();
    read.model.attributes.emplace(tensor.unsafeGetTensorImpl(), name);
    read.state.push_back({name, tensor, is_persistent});
    values.define(spec["arg"]["name"], graph.insertConstant(tensor));
    return tensor;
  };
  for (const JsonValue& each : program_["graph_module"]["signature"]["input_specs"].elements()) {
    const auto [kind, spec] = each.variant();
    if (kind == "parameter") {
      const std::string& name = spec["parameter_name"].text();
      const at::Tensor parameter = define_tensor(spec, weights, name, true);
      if (!read.weight_type && at::isFloatingType(parameter.scalar_type())) {
        read.weight_type = parameter.scalar_type();
      }
      read.weights.emplace(name, parameter);
    } else if (kind == "buffer") {
      const std::string& name = spec["buffer_name"].text();
      const bool is_persistent = spec["persistent"].boolean();
      const at::Tensor buffer = define_tensor(spec, is_persistent ? weights : constants, name, is_persistent);
      if (graph::is_running_statistic(name)) {
        read.weights.emplace(name, buffer);
      }
    } else if (kind == "tensor_constant") {
      define_tensor(spec, constants, spec["tensor_constant_name"].text(), false);
    } else if (kind == "constant_input") {
      // A value that the program was exported with.
      ++leaf;
      values.define(spec["name"], graph.insertConstant(constant_of(spec["value"])));
    } else if (kind == "user_input") {
      const auto [argument_kind, argument] = spec["arg"].variant();
      const std::size_t number = leaf++;
      if (argument_kind == "as_none") {
        continue;
      }
      if (argument_kind != "as_tensor") {
        refuse_input("number");
      }
      const std::string& placeholder = argument["name"].text();
      graph::ForwardArgument input;
      input.name = number < names.size() ? names[number] : placeholder;
      input.expected = expected_input(placeholder);
      read.arguments.push_back(std::move(input));
      Value* value = graph.addInput();
      value->setType(c10::TensorType::get());
      values.define(argument["name"], value);
    } else {
      refuse_input(kind);
    }
  }
  if (read.arguments.empty()) {
    throw UnsupportedModelError("forward takes no tensor: wrap the model in a module that does");
  }
}

graph::ExpectedInput ProgramSignature::expected_input(const std::string& name) const {
  const JsonValue tensors = program_["graph_module"]["graph"]["tensor_values"];
  const auto meta = tensors.find(name);
  if (!meta) {
    tensors.fail("has no '" + name + "'");
  }
  graph::ExpectedInput expected;
  expected.type = scalar_type((*meta)["dtype"]);
  for (const JsonValue& size : (*meta)["sizes"].elements()) {
    expected.axes.push_back(axis_of(size, program_["range_constraints"]));
  }
  return expected;
}

namespace {

/// The names that a container's context tells, one per child; empty if it tells none.
std::vector<std::string> context_names(const JsonValue& context, std::size_t children) {
  if (!context.is_text()) {
    return {};
  }
  const JsonDocument document(context.text(), "context");
  JsonValue names = document.root();
  // Data classes list the fields that hold something before those that hold None.
  if (names.is_array() && !names.elements().empty() && names.elements().front().is_array()) {
    names = names.elements().front();
  }
  if (!names.is_array() || names.elements().size() != children) {
    return {};
  }
  std::vector<std::string> texts;
  for (const JsonValue& name : names.elements()) {
    if (!name.is_text()) {
      return {};
    }
    texts.push_back(name.text());
  }
  return texts;
}

/// Adds the names of the leaves below a node of a tree that torch.export writes: dicts, data classes and named tuples
/// have names, other containers numbers.
void add_leaves(const JsonValue& node, const std::string& path, std::vector<std::string>& names) {
  const auto children = node["children_spec"].elements();
  if (!node.find("type")) {
    names.push_back(path);
    return;
  }
  const auto context = node.find("context");
  const std::vector<std::string> keys = context ? context_names(*context, children.size()) : std::vector<std::string>();
  for (std::size_t i = 0; i < children.size(); ++i) {
    const std::string part = keys.empty() ? std::to_string(i) : keys[i];
    add_leaves(children[i], path.empty() ? part : path + "." + part, names);
  }
}

}  // namespace

std::vector<std::string> ProgramSignature::leaf_names(const char* spec) const {
  const auto calls = program_["graph_module"]["module_call_graph"].elements();
  const auto signature = calls.empty() ? std::nullopt : calls.front().find("signature");
  if (!signature) {
    return {};
  }
  const JsonDocument document((*signature)[spec].text(), spec);
  const auto parts = document.root().elements();
  std::vector<std::string> names;
  if (parts.size() != 2) {
    return names;
  }
  if (std::string_view(spec) == "out_spec") {
    add_leaves(parts[1], "", names);
    return names;
  }
  // Positional arguments, then those by name.
  const auto sides = parts[1]["children_spec"].elements();
  if (sides.size() != 2) {
    return names;
  }
  const auto known = signature->find("forward_arg_names");
  std::vector<std::string> arguments;
  if (known) {
    for (const JsonValue& name : known->elements()) {
      arguments.push_back(name.text());
    }
  }
  const auto positional = sides[0]["children_spec"].elements();
  if (positional.size() > arguments.size()) {
    return names;
  }
  for (std::size_t i = 0; i < positional.size(); ++i) {
    add_leaves(positional[i], arguments[i], names);
  }
  add_leaves(sides[1], "", names);
  return names;
}

void ProgramSignature::register_outputs(graph::ReadModel& read, const Values& values) const {
  torch::jit::Graph& graph = *read.model.graph;
  const std::vector<std::string> names = leaf_names("out_spec");
  std::vector<Value*> outputs;
  std::size_t leaf = 0;
  for (const JsonValue& each : program_["graph_module"]["signature"]["output_specs"].elements()) {
    const auto [kind, spec] = each.variant();
    if (kind == "buffer_mutation" || kind == "parameter_mutation") {
      const char* name = kind == "buffer_mutation" ? "buffer_name" : "parameter_name";
      throw UnsupportedModelError("the model changes its tensor '" + spec[name].text() +
                                  "' in forward, so results would depend on earlier inputs: remove that change");
    }
    if (kind != "user_output") {
      continue;
    }
    const std::size_t number = leaf++;
    if (spec["arg"].find("as_tensor")) {
      outputs.push_back(values.at(spec["arg"]["as_tensor"]["name"]));
      read.output_names.push_back(number < names.size() ? names[number] : std::to_string(number));
    }
  }
  if (outputs.empty()) {
    throw UnsupportedModelError("the model returns no tensor: wrap it in a module that returns its logits");
  }
  graph.registerOutput(outputs.size() == 1 ? outputs.front() : graph.insertNode(graph.createTuple(outputs))->output());
}

}  // namespace pregrad::pt2

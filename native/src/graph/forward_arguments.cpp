#include "graph/forward_arguments.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include "pregrad/error.hpp"
#include "support/tensors.hpp"

namespace pregrad::graph {

namespace {

bool is_tensor(const c10::Type& type) { return type.isSubtypeOf(*c10::TensorType::get()); }

bool is_text(const c10::Type& type) { return type.isSubtypeOf(*c10::StringType::get()); }

/// What an optional type is besides None.
c10::TypePtr required_type(const c10::TypePtr& type) {
  const auto optional = type->cast<c10::OptionalType>();
  return optional ? optional->getElementType() : type;
}

/// Whether a value of the type can be made of tensors with names.
bool is_made_of_tensors(const c10::TypePtr& given) {
  const c10::TypePtr type = required_type(given);
  if (is_tensor(*type)) {
    return true;
  }
  if (const auto list = type->cast<c10::ListType>()) {
    return is_made_of_tensors(list->getElementType());
  }
  if (const auto dict = type->cast<c10::DictType>()) {
    return is_text(*dict->getKeyType()) && is_made_of_tensors(dict->getValueType());
  }
  const auto tuple = type->cast<c10::TupleType>();
  return tuple && std::all_of(tuple->elements().begin(), tuple->elements().end(), is_made_of_tensors);
}

bool belongs_to(const std::string& input, const std::string& argument) {
  return input == argument ||
         (input.size() > argument.size() + 1 && input.starts_with(argument) && input[argument.size()] == '.');
}

/// Makes values of the inputs whose names begin with a path.
class Maker {
 public:
  explicit Maker(const Inputs& inputs) : inputs_(inputs) {}

  /// Empty where no input belongs to it, and none must.
  std::optional<c10::IValue> value(const c10::TypePtr& given, const std::string& path) const {
    const c10::TypePtr type = required_type(given);
    if (is_tensor(*type)) {
      const at::Tensor* tensor = inputs_.find(path);
      return tensor == nullptr ? std::nullopt : std::optional<c10::IValue>(*tensor);
    }
    const std::vector<std::string> parts = parts_of(path);
    if (parts.empty()) {
      return std::nullopt;
    }
    if (const auto list = type->cast<c10::ListType>()) {
      c10::impl::GenericList values(list->getElementType());
      for (std::size_t i = 0; i < parts.size(); ++i) {
        values.push_back(element(list->getElementType(), path, std::to_string(i)));
      }
      return values;
    }
    if (const auto dict = type->cast<c10::DictType>()) {
      c10::impl::GenericDict values(dict->getKeyType(), dict->getValueType());
      for (const std::string& part : parts) {
        values.insert(part, element(dict->getValueType(), path, part));
      }
      return values;
    }
    const auto tuple = type->expect<c10::TupleType>();
    const std::vector<std::string> names = element_names(*tuple);
    for (const std::string& part : parts) {
      if (std::find(names.begin(), names.end(), part) == names.end()) {
        throw InputError("forward's '" + path + "' has no '" + part + "': it has " + support::quoted(names));
      }
    }
    std::vector<c10::IValue> values;
    for (std::size_t i = 0; i < names.size(); ++i) {
      values.push_back(element(tuple->elements()[i], path, names[i]));
    }
    return tuple->schema() ? c10::ivalue::Tuple::createNamed(std::move(values), tuple)
                           : c10::ivalue::Tuple::create(std::move(values));
  }

 private:
  c10::IValue element(const c10::TypePtr& type, const std::string& path, const std::string& part) const {
    const std::string name = path + "." + part;
    std::optional<c10::IValue> made = value(type, name);
    if (!made && !type->cast<c10::OptionalType>()) {
      throw InputError("the input '" + name + "' is missing: give it, as forward's '" + path + "' is given in part");
    }
    return made ? *std::move(made) : c10::IValue();
  }

  /// What follows the path in the inputs' names, each once, in the order of the inputs.
  std::vector<std::string> parts_of(const std::string& path) const {
    std::vector<std::string> parts;
    for (const NamedTensor& each : inputs_) {
      if (each.name != path && belongs_to(each.name, path)) {
        const std::string rest = each.name.substr(path.size() + 1);
        const std::string part = rest.substr(0, rest.find('.'));
        if (std::find(parts.begin(), parts.end(), part) == parts.end()) {
          parts.push_back(part);
        }
      }
    }
    return parts;
  }

  const Inputs& inputs_;
};

std::string text(const ExpectedInput& expected) {
  std::string text = "[";
  for (std::size_t axis = 0; axis < expected.axes.size(); ++axis) {
    const ExpectedInput::Axis& each = expected.axes[axis];
    text += axis == 0 ? "" : ", ";
    text += each.size ? std::to_string(*each.size) : axis == 0 ? "batch" : each.symbol.empty() ? "any" : each.symbol;
  }
  return text + "]";
}

/// The shapes that an exported program takes.
class ShapeCheck {
 public:
  /// @param names whether messages tell which input they are about
  explicit ShapeCheck(bool names) : names_(names) {}

  void require(const std::string& name, const ExpectedInput& expected, const NamedTensor& given) {
    const at::Tensor& tensor = given.tensor;
    const auto refuse = [&](const std::string& reason) {
      throw InputError("the model cannot take inputs " + (names_ ? "'" + name + "' " : "") +
                       support::shape_text(tensor.sizes()) + ": it was exported for " + text(expected) + reason);
    };
    if (static_cast<std::size_t>(tensor.dim()) != expected.axes.size()) {
      refuse("; give [samples, ...] as its forward expects");
    }
    for (std::size_t i = 0; i < expected.axes.size(); ++i) {
      const ExpectedInput::Axis& axis = expected.axes[i];
      const std::int64_t size = tensor.size(static_cast<std::int64_t>(i));
      if (axis.size && *axis.size != size && i == 0 && !given.is_shared) {
        refuse(", a fixed batch; give batches of " + std::to_string(*axis.size) +
               ", or export it again with dynamic_shapes that make axis 0 a torch.export.Dim");
      }
      if (axis.size && *axis.size != size) {
        refuse("; axis " + std::to_string(i) + " must have the size " + std::to_string(*axis.size));
      }
      const auto [known, is_new] =
          axis.symbol.empty() ? std::pair(sizes_.end(), true) : sizes_.emplace(axis.symbol, std::pair(size, name));
      if (!is_new && known->second.first != size) {
        refuse("; all axes '" + axis.symbol + "' must have one size" +
               (known->second.second == name
                    ? ""
                    : ", and in '" + known->second.second + "' it is " + std::to_string(known->second.first)));
      }
      if (size < axis.least || size > axis.most) {
        refuse("; axis " + std::to_string(i) + " must have a size from " + std::to_string(axis.least) + " to " +
               (axis.most == std::numeric_limits<std::int64_t>::max() ? "any" : std::to_string(axis.most)));
      }
    }
  }

 private:
  bool names_;
  std::map<std::string, std::pair<std::int64_t, std::string>> sizes_;  ///< and the input that a size was seen in first
};

}  // namespace

std::vector<std::string> element_names(const c10::TupleType& tuple) {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < tuple.elements().size(); ++i) {
    names.push_back(tuple.schema() ? tuple.schema()->arguments().at(i).name() : std::to_string(i));
  }
  return names;
}

std::vector<ForwardArgument> forward_arguments(const torch::jit::Module& module) {
  const auto method = module.find_method("forward");
  if (!method) {
    throw UnsupportedModelError("the model has no forward method: script or trace a module with one");
  }
  if (!module.type()->getForwardHooks().empty() || !module.type()->getForwardPreHooks().empty()) {
    throw UnsupportedModelError("the model has forward hooks, which change what forward returns: save it without them");
  }
  std::vector<ForwardArgument> arguments;
  bool has_tensor = false;
  const auto& declared = method->function().getSchema().arguments();
  for (std::size_t i = 1; i < declared.size(); ++i) {
    ForwardArgument argument;
    argument.name = declared[i].name();
    argument.type = declared[i].type();
    argument.fallback = declared[i].default_value();
    if (!argument.fallback && argument.type->cast<c10::OptionalType>()) {
      argument.fallback = c10::IValue();
    }
    const bool is_input = is_made_of_tensors(argument.type);
    if (!is_input && !argument.fallback) {
      throw UnsupportedModelError(
          "forward takes '" + argument.name + "' of type " + argument.type->repr_str() +
          ", which is no tensor: give it a default, or wrap the model in a module that sets it");
    }
    has_tensor = has_tensor || is_input;
    arguments.push_back(std::move(argument));
  }
  if (!has_tensor) {
    throw UnsupportedModelError("forward takes no tensor: wrap the model in a module that does");
  }
  return arguments;
}

namespace {

void add_input_names(const c10::TypePtr& given, const std::string& path, std::vector<std::string>& names) {
  const c10::TypePtr type = required_type(given);
  if (is_tensor(*type)) {
    names.push_back(path);
  } else if (const auto tuple = type->cast<c10::TupleType>()) {
    const std::vector<std::string> parts = element_names(*tuple);
    for (std::size_t i = 0; i < parts.size(); ++i) {
      add_input_names(tuple->elements()[i], path + "." + parts[i], names);
    }
  } else if (const auto dict = type->cast<c10::DictType>()) {
    add_input_names(dict->getValueType(), path + ".*", names);
  } else if (const auto list = type->cast<c10::ListType>()) {
    add_input_names(list->getElementType(), path + ".*", names);
  }
}

}  // namespace

std::vector<std::string> input_names(const ForwardArgument& argument) {
  std::vector<std::string> names;
  if (is_made_of_tensors(argument.type)) {
    add_input_names(argument.type, argument.name, names);
  }
  return names;
}

const ForwardArgument* ForwardArguments::unnamed() const {
  const ForwardArgument* only = nullptr;
  for (const ForwardArgument& each : arguments_) {
    if (!each.fallback) {
      if (only != nullptr) {
        return nullptr;
      }
      only = &each;
    }
  }
  // Where nothing must be given, the first is what it is about.
  return only != nullptr ? only : arguments_.empty() ? nullptr : &arguments_.front();
}

const ForwardArgument* ForwardArguments::of(const std::string& input) const {
  if (input.empty()) {
    return unnamed();
  }
  const auto found = std::find_if(arguments_.begin(), arguments_.end(), [&](const ForwardArgument& each) {
    return (is_tensor(*required_type(each.type)) ? input == each.name : belongs_to(input, each.name)) &&
           is_made_of_tensors(each.type);
  });
  return found == arguments_.end() ? nullptr : &*found;
}

void ForwardArguments::require_names(const Inputs& inputs) const {
  const auto takes = [&] {
    std::vector<std::string> names;
    for (const ForwardArgument& each : arguments_) {
      const std::vector<std::string> of_argument = input_names(each);
      names.insert(names.end(), of_argument.begin(), of_argument.end());
    }
    return (names.size() == 1 ? "the model's input is " : "the model's inputs are ") + support::quoted(names);
  };
  for (const NamedTensor& each : inputs) {
    const ForwardArgument* argument = of(each.name);
    if (each.name.empty() && (argument == nullptr || !is_tensor(*required_type(argument->type)))) {
      throw InputError(takes() + ", and one tensor without a name was given: give them by name");
    }
    if (argument == nullptr) {
      const bool is_beside = inputs.size() > 1;
      throw InputError(takes() + ", and '" + each.name + "' was given" + (is_beside ? " too: leave it out" : ": ") +
                       (is_beside ? ""
                        : arguments_.size() > 1
                            ? "name it as one of them"
                            : "name it '" + arguments_.front().name + "', or give the tensor without a name"));
    }
  }
  for (const ForwardArgument& each : arguments_) {
    const bool is_given = each.fallback || std::any_of(inputs.begin(), inputs.end(), [&](const NamedTensor& input) {
                            return of(input.name) == &each;
                          });
    if (!is_given) {
      throw InputError("the input '" + each.name + "' is missing: " + takes());
    }
  }
}

void ForwardArguments::require_shapes(const Inputs& inputs) const {
  ShapeCheck check(arguments_.size() > 1);
  for (const NamedTensor& each : inputs) {
    const ForwardArgument* argument = of(each.name);
    if (argument != nullptr && argument->expected) {
      check.require(argument->name, *argument->expected, each);
    }
  }
}

std::vector<c10::IValue> ForwardArguments::values(const Inputs& inputs) const {
  require_shapes(inputs);
  const at::Tensor* only = inputs.size() == 1 && inputs.begin()->name.empty() ? &inputs.begin()->tensor : nullptr;
  const ForwardArgument* first = only == nullptr ? nullptr : unnamed();
  const Maker maker(inputs);
  std::vector<c10::IValue> values;
  values.reserve(arguments_.size() + 1);
  for (const ForwardArgument& each : arguments_) {
    if (&each == first) {
      values.emplace_back(*only);
      continue;
    }
    std::optional<c10::IValue> made = is_made_of_tensors(each.type) ? maker.value(each.type, each.name) : std::nullopt;
    if (!made && !each.fallback) {
      require_names(inputs);
    }
    values.push_back(made ? *std::move(made) : each.fallback.value_or(c10::IValue()));
  }
  return values;
}

}  // namespace pregrad::graph

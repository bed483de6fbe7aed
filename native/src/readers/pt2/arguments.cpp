#include "readers/pt2/arguments.hpp"

#include <ATen/ScalarOps.h>
#include <torch/csrc/jit/ir/constants.h>

#include "readers/pt2/values.hpp"

namespace pregrad::pt2 {

using c10::TypeKind;
using torch::jit::Value;

namespace {

[[noreturn]] void refuse(const JsonValue& argument, const std::string& kind, const std::string& wanted) {
  argument.fail("is " + kind + ", where the operator takes " + wanted);
}

/// A number where an operator takes a tensor: like a Python number, it does not widen the other operands' type.
at::Tensor wrapped(const c10::Scalar& scalar) {
  at::Tensor tensor = c10::scalar_to_tensor(scalar);
  tensor.unsafeGetTensorImpl()->set_wrapped_number(true);
  return tensor;
}

bool is_subtype(const Value* value, const c10::TypePtr& type) { return value->type()->isSubtypeOf(*type); }

}  // namespace

Value* Arguments::symbol(const JsonValue& argument, const char* number) {
  const auto [kind, value] = argument.variant();
  if (kind == "as_name") {
    return values_.at(value);
  }
  if (kind != number) {
    argument.fail("is " + kind + ", neither a name nor " + number);
  }
  if (kind == "as_int") {
    return constant(value.integer());
  }
  return kind == "as_bool" ? constant(value.boolean()) : constant(value.number());
}

Value* Arguments::of_any_type(const JsonValue& argument) {
  const auto [kind, value] = argument.variant();
  if (kind == "as_tensor") {
    return values_.at(value["name"]);
  }
  if (kind == "as_none") {
    return constant(c10::IValue());
  }
  if (kind == "as_int") {
    return constant(value.integer());
  }
  if (kind == "as_float") {
    return constant(value.number());
  }
  if (kind == "as_bool") {
    return constant(value.boolean());
  }
  if (kind == "as_sym_int") {
    return symbol(value, "as_int");
  }
  if (kind == "as_sym_float") {
    return symbol(value, "as_float");
  }
  if (kind == "as_sym_bool") {
    return symbol(value, "as_bool");
  }
  if (kind == "as_optional_tensor") {
    return of_any_type(value);
  }
  argument.fail("is " + kind + ", which PreGrad does not read here");
}

Value* Arguments::tensor(const JsonValue& argument) {
  const auto [kind, value] = argument.variant();
  if (kind == "as_int") {
    return constant(wrapped(value.integer()));
  }
  if (kind == "as_float") {
    return constant(wrapped(value.number()));
  }
  if (kind == "as_bool") {
    return constant(wrapped(value.boolean()));
  }
  Value* found = of_any_type(argument);
  if (is_subtype(found, c10::NumberType::get()) || is_subtype(found, c10::BoolType::get())) {
    return graph_.insert(c10::prim::NumToTensor, {found});
  }
  return found;
}

std::vector<Value*> Arguments::list(const JsonValue& argument) {
  const auto [kind, value] = argument.variant();
  std::vector<Value*> elements;
  for (const JsonValue& element : value.elements()) {
    if (kind == "as_tensors") {
      elements.push_back(values_.at(element["name"]));
    } else if (kind == "as_optional_tensors") {
      elements.push_back(of_any_type(element));
    } else if (kind == "as_sym_ints") {
      elements.push_back(symbol(element, "as_int"));
    } else if (kind == "as_sym_floats") {
      elements.push_back(symbol(element, "as_float"));
    } else if (kind == "as_sym_bools") {
      elements.push_back(symbol(element, "as_bool"));
    } else if (kind == "as_ints") {
      elements.push_back(constant(element.integer()));
    } else if (kind == "as_floats") {
      elements.push_back(constant(element.number()));
    } else if (kind == "as_bools") {
      elements.push_back(constant(element.boolean()));
    } else {
      argument.fail("is " + kind + ", no list that PreGrad reads");
    }
  }
  return elements;
}

Value* Arguments::element_list(const JsonValue& argument, const c10::TypePtr& element, std::int64_t length) {
  const auto [kind, value] = argument.variant();
  if (!value.is_array()) {
    // int[2] takes one number for all its elements.
    if (length == 0) {
      refuse(argument, kind, "a list");
    }
    const std::vector<Value*> repeated(static_cast<std::size_t>(length), of_any_type(argument));
    return graph_.insertNode(graph_.createList(element, repeated))->output();
  }
  if (kind == "as_ints" && element->kind() == TypeKind::IntType) {
    return constant(c10::List<std::int64_t>(value.integers()));
  }
  std::vector<Value*> elements = list(argument);
  for (Value*& each : elements) {
    if (element->kind() == TypeKind::FloatType && is_subtype(each, c10::IntType::get())) {
      each = graph_.insert(c10::aten::Float, {each});
    }
    if (!is_subtype(each, element)) {
      refuse(argument, kind, element->str() + "[]");
    }
  }
  return graph_.insertNode(graph_.createList(element, elements))->output();
}

Value* Arguments::of_type(const JsonValue& argument, const c10::Argument& formal) {
  const auto [kind, value] = argument.variant();
  c10::TypePtr type = formal.type();
  if (kind == "as_none") {
    return constant(c10::IValue());
  }
  if (const auto optional = type->cast<c10::OptionalType>()) {
    type = optional->getElementType();
  }
  switch (type->kind()) {
    case TypeKind::ListType:
      return element_list(argument, type->castRaw<c10::ListType>()->getElementType(), formal.N().value_or(0));
    case TypeKind::StringType:
      return constant(value.text());
    case TypeKind::DeviceObjType:
      return constant(device_);
    case TypeKind::IntType:
      if (kind == "as_scalar_type") {
        return constant(static_cast<std::int64_t>(scalar_type(value)));
      }
      if (kind == "as_memory_format") {
        return constant(static_cast<std::int64_t>(memory_format(value)));
      }
      if (kind == "as_layout") {
        return constant(static_cast<std::int64_t>(layout(value)));
      }
      break;
    case TypeKind::FloatType:
      if (kind == "as_int") {
        return constant(static_cast<double>(value.integer()));
      }
      break;
    default:
      break;
  }
  Value* found = type->kind() == TypeKind::TensorType ? tensor(argument) : of_any_type(argument);
  if (type->kind() == TypeKind::FloatType && is_subtype(found, c10::IntType::get())) {
    found = graph_.insert(c10::aten::Float, {found});
  }
  if (type->kind() == TypeKind::NumberType && is_subtype(found, c10::BoolType::get())) {
    found = graph_.insert(c10::aten::Int, {found});
  }
  if (!is_subtype(found, type)) {
    refuse(argument, kind, type->str());
  }
  return found;
}

}  // namespace pregrad::pt2

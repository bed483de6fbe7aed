#include "readers/pt2/module_stack.hpp"

#include <sstream>

namespace pregrad::pt2 {

namespace {

/// torch.export writes this in every field of the stack of nodes that it has put in itself.
constexpr const char* placeholder = "_empty_nn_module_stack_from_metadata_hook";

}  // namespace

ModuleStack module_stack_of(const JsonValue& node) {
  ModuleStack stack;
  const auto metadata = node.find("metadata");
  const auto text = metadata ? metadata->find("nn_module_stack") : std::nullopt;
  if (!text) {
    return stack;
  }
  std::istringstream entries(text->text());
  for (std::string entry; std::getline(entries, entry, ';');) {
    std::istringstream fields(entry);
    ModuleCall call;
    if (!std::getline(fields, call.key, ',') || !std::getline(fields, call.path, ',') || call.path == placeholder) {
      continue;
    }
    call.path = call.path.substr(0, call.path.find('@'));
    std::getline(fields, call.type, ',');
    stack.push_back(std::move(call));
  }
  return stack;
}

}  // namespace pregrad::pt2

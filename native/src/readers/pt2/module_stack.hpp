#pragma once

#include <string>
#include <vector>

#include "readers/pt2/json_value.hpp"

namespace pregrad::pt2 {

/// A call of a module under way.
struct ModuleCall {
  std::string key;   ///< tells this call from other calls of the same module
  std::string path;  ///< the module's name in the model; the root's is empty
  std::string type;  ///< the module's class, named in full
};

/// The calls that a node ran in, the innermost last.
using ModuleStack = std::vector<ModuleCall>;

/// What a node's metadata says in `nn_module_stack`: `key,path,class` of each module, joined by semicolons. Empty where
/// it says nothing, as for nodes that torch.export made itself.
ModuleStack module_stack_of(const JsonValue& node);

}  // namespace pregrad::pt2

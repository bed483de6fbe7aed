#pragma once

#include <cstddef>
#include <set>
#include <string>
#include <vector>

#include "readers/pt2/json.hpp"

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

/// What one node of an archive's graph reads and makes, and for whom.
struct NodeRecord {
  std::string target;
  std::string function;  ///< the Python function that it is a part of, numbered; empty if unknown
  ModuleStack stack;
  std::vector<std::string> reads;
  std::vector<std::string> makes;  ///< tensors only
};
NodeRecord record_of(const JsonValue& node);

/// The names of values in an argument or output: its tensors, numbers and their lists.
std::vector<std::string> names_in(const JsonValue& argument);

/// A value that a call of a module gives to what is outside.
struct ModuleResult {
  std::string path;
  std::string value;
  std::size_t number = 0;  ///< which of the module's tensors it is
  bool is_one_of_several = false;
};

struct ModuleResults {
  std::vector<ModuleResult> told;
  std::set<std::string> untold;  ///< modules that give something, of which the graph does not tell what is the result
};

/// The nodes of a run of one Python function that is an activation, such as the ones that silu is decomposed into.
struct FunctionRun {
  std::string function;  ///< without its number, `silu`
  std::size_t first = 0;
  std::size_t last = 0;
};

/// The nodes of one graph, in their order.
class ModuleCalls {
 public:
  void add(NodeRecord record) { records_.push_back(std::move(record)); }
  const std::vector<NodeRecord>& records() const { return records_; }

  /// What calls give, the inner ones before the ones around them: calls that give one value, and recurrent layers. A
  /// module has results of all its calls or of none: calls are numbered, and one left out would move the others.
  /// @param around   calls that began outside this graph, and whose result is not to be seen here
  /// @param outputs  the graph's
  ModuleResults results(const ModuleStack& around, const std::vector<std::string>& outputs) const;

  /// Neighbouring nodes of one Python function in one module call.
  std::vector<FunctionRun> function_runs() const;

 private:
  std::vector<NodeRecord> records_;
};

}  // namespace pregrad::pt2

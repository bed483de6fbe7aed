#include "readers/pt2/module_calls.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <sstream>
#include <tuple>

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

namespace {

/// `silu_1;function.silu` is the first run of `silu`.
std::string function_of(const JsonValue& node) {
  const auto metadata = node.find("metadata");
  const auto function = metadata ? metadata->find("torch_fn") : std::nullopt;
  return function ? function->text() : "";
}

std::string without_number(const std::string& function) {
  std::string name = function.substr(0, function.find(';'));
  name = name.substr(0, name.rfind('_'));
  const std::size_t first = name.find_first_not_of('_');
  const std::size_t last = name.find_last_not_of('_');
  return first == std::string::npos ? "" : name.substr(first, last - first + 1);
}

/// Recurrent layers return tuples, of which a graph may use a part only.
bool returns_tuple(const NodeRecord& record) {
  constexpr std::size_t most_from_a_cell = 1;
  for (const char* target :
       {"torch.ops.aten.lstm.", "torch.ops.aten.gru.", "torch.ops.aten.rnn_", "torch.ops.aten.lstm_cell."}) {
    if (record.target.starts_with(target)) {
      return record.makes.size() > most_from_a_cell;
    }
  }
  return false;
}

/// The nodes that run in one call.
struct Extent {
  std::string path;
  std::size_t depth = 0;
  std::set<std::size_t> nodes;
};

/// The names that the call makes and something outside reads; where nothing does, what it makes last.
std::vector<std::string> results_of(const Extent& extent, const std::vector<NodeRecord>& records,
                                    const std::vector<std::string>& outputs,
                                    const std::map<std::string, std::vector<std::size_t>>& readers) {
  std::vector<std::string> results;
  for (const std::size_t node : extent.nodes) {
    for (const std::string& name : records[node].makes) {
      const auto read = readers.find(name);
      const bool is_read_outside =
          read != readers.end() && std::any_of(read->second.begin(), read->second.end(),
                                               [&](std::size_t reader) { return extent.nodes.count(reader) == 0; });
      if (is_read_outside || std::find(outputs.begin(), outputs.end(), name) != outputs.end()) {
        results.push_back(name);
      }
    }
  }
  const NodeRecord& last = records[*extent.nodes.rbegin()];
  if (results.empty() && last.makes.size() == 1) {
    results.push_back(last.makes.front());
  }
  return results;
}

}  // namespace

std::vector<std::string> names_in(const JsonValue& argument) {
  std::vector<std::string> names;
  const auto [kind, value] = argument.variant();
  if (kind == "as_tensor") {
    names.push_back(value["name"].text());
  } else if (kind == "as_name") {
    names.push_back(value.text());
  } else if (kind == "as_tensors") {
    for (const JsonValue& element : value.elements()) {
      names.push_back(element["name"].text());
    }
  } else if (kind == "as_optional_tensors" || kind == "as_sym_ints" || kind == "as_sym_floats" ||
             kind == "as_sym_bools") {
    for (const JsonValue& element : value.elements()) {
      for (std::string& name : names_in(element)) {
        names.push_back(std::move(name));
      }
    }
  } else if (kind == "as_sym_int" || kind == "as_sym_float" || kind == "as_sym_bool" || kind == "as_optional_tensor") {
    return names_in(value);
  }
  return names;
}

NodeRecord record_of(const JsonValue& node) {
  NodeRecord record;
  record.target = node["target"].text();
  record.function = function_of(node);
  record.stack = module_stack_of(node);
  for (const JsonValue& input : node["inputs"].elements()) {
    for (std::string& name : names_in(input["arg"])) {
      record.reads.push_back(std::move(name));
    }
  }
  for (const JsonValue& output : node["outputs"].elements()) {
    // Numbers, such as sizes, are no module's result.
    if (!output.variant().first.starts_with("as_sym")) {
      for (std::string& name : names_in(output)) {
        record.makes.push_back(std::move(name));
      }
    }
  }
  return record;
}

std::vector<ModuleResult> ModuleCalls::results(const ModuleStack& around,
                                               const std::vector<std::string>& outputs) const {
  std::map<std::string, Extent> extents;
  std::map<std::string, std::vector<std::size_t>> readers;
  for (std::size_t i = 0; i < records_.size(); ++i) {
    for (std::size_t depth = 0; depth < records_[i].stack.size(); ++depth) {
      const ModuleCall& call = records_[i].stack[depth];
      Extent& extent = extents[call.key];
      extent.path = call.path;
      extent.depth = depth;
      extent.nodes.insert(i);
    }
    for (const std::string& name : records_[i].reads) {
      readers[name].push_back(i);
    }
  }
  for (const ModuleCall& call : around) {
    extents.erase(call.key);
  }
  std::vector<const Extent*> ordered;
  for (const auto& [key, extent] : extents) {
    if (!extent.path.empty()) {
      ordered.push_back(&extent);
    }
  }
  std::sort(ordered.begin(), ordered.end(), [](const Extent* left, const Extent* right) {
    return std::tuple(*left->nodes.rbegin(), right->depth) < std::tuple(*right->nodes.rbegin(), left->depth);
  });
  std::vector<ModuleResult> found;
  for (const Extent* extent : ordered) {
    const NodeRecord& last = records_[*extent->nodes.rbegin()];
    if (returns_tuple(last)) {
      // The layer itself returns what its operator makes; what a module around it returns is not to be seen here.
      for (std::size_t i = 0; extent->depth + 1 == last.stack.size() && i < last.makes.size(); ++i) {
        found.push_back({extent->path, last.makes[i], i, true});
      }
      continue;
    }
    const auto results = results_of(*extent, records_, outputs, readers);
    if (results.size() == 1) {
      found.push_back({extent->path, results.front(), 0, false});
    }
  }
  return found;
}

std::vector<FunctionRun> ModuleCalls::function_runs() const {
  std::vector<FunctionRun> runs;
  const auto innermost = [](const NodeRecord& record) { return record.stack.empty() ? "" : record.stack.back().key; };
  for (std::size_t i = 0; i < records_.size(); ++i) {
    if (records_[i].function.empty()) {
      continue;
    }
    const bool continues = !runs.empty() && runs.back().last + 1 == i &&
                           records_[i - 1].function == records_[i].function &&
                           innermost(records_[i - 1]) == innermost(records_[i]);
    if (continues) {
      runs.back().last = i;
    } else {
      runs.push_back({without_number(records_[i].function), i, i});
    }
  }
  return runs;
}

}  // namespace pregrad::pt2

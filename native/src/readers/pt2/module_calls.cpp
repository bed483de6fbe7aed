#include "readers/pt2/module_calls.hpp"

#include <algorithm>
#include <iterator>
#include <map>
#include <set>
#include <sstream>
#include <tuple>
#include <utility>

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
  std::string type;
  std::size_t depth = 0;
  std::vector<std::size_t> nodes;  ///< ascending
};

/// Where a call makes a value: the how-manieth of its nodes, and which of the node's tensors.
using Place = std::pair<std::size_t, std::size_t>;

/// What a node does, whichever values it does it to: operator, innermost module, number of tensors.
using Step = std::tuple<std::string, std::string, std::size_t>;

/// Finds what the calls of modules give to the nodes outside.
class ResultFinder {
 public:
  ResultFinder(const std::vector<NodeRecord>& records, const std::vector<std::string>& outputs)
      : records_(records), outputs_(outputs.begin(), outputs.end()) {
    for (std::size_t i = 0; i < records.size(); ++i) {
      for (const std::string& name : records[i].reads) {
        readers_[name].push_back(i);
      }
    }
  }

  /// The results of all calls of one module; empty if that of any cannot be told.
  std::vector<std::vector<ModuleResult>> of_module(const std::vector<const Extent*>& calls) const {
    std::vector<std::vector<ModuleResult>> results;
    std::vector<const Extent*> others;
    for (const Extent* call : calls) {
      if (returns_tuple(last_of(*call))) {
        results.push_back(of_operator(*call));
      } else if (call->type == "torch.nn.modules.rnn.LSTMCell") {
        results.push_back(of_lstm_cell(*call));
      } else {
        others.push_back(call);
      }
    }
    if (others.empty()) {
      const bool all_told = std::none_of(results.begin(), results.end(), [](const auto& each) { return each.empty(); });
      return all_told ? results : std::vector<std::vector<ModuleResult>>();
    }
    return others.size() == calls.size() ? of_calls(calls) : std::vector<std::vector<ModuleResult>>();
  }

  /// Whether a call makes anything that could be its result.
  bool gives_something(const Extent& call) const {
    return !read_outside(call).empty() || last_of(call).makes.size() == 1;
  }

  const NodeRecord& last_of(const Extent& call) const { return records_[call.nodes.back()]; }

 private:
  /// The layer itself returns what its operator makes; what a module around it returns is not to be seen here.
  std::vector<ModuleResult> of_operator(const Extent& call) const {
    std::vector<ModuleResult> results;
    const NodeRecord& last = last_of(call);
    for (std::size_t i = 0; call.depth + 1 == last.stack.size() && i < last.makes.size(); ++i) {
      results.push_back({call.path, last.makes[i], i, true});
    }
    return results;
  }

  /// The states of a cell that is decomposed: the hidden one, made last, is a product with the tanh of the other.
  std::vector<ModuleResult> of_lstm_cell(const Extent& call) const {
    const NodeRecord& last = last_of(call);
    if (!last.target.starts_with("torch.ops.aten.mul.") || last.makes.size() != 1) {
      return {};
    }
    std::string cell_state;
    for (const std::size_t node : call.nodes) {
      const NodeRecord& record = records_[node];
      const bool is_factor = record.makes.size() == 1 &&
                             std::find(last.reads.begin(), last.reads.end(), record.makes.front()) != last.reads.end();
      if (is_factor && record.target.starts_with("torch.ops.aten.tanh.") && record.reads.size() == 1) {
        cell_state = record.reads.front();
      }
    }
    for (const Place& place : read_outside(call)) {
      const std::string& name = name_at(call, place);
      if (name != cell_state && name != last.makes.front()) {
        return {};
      }
    }
    if (cell_state.empty()) {
      return {};
    }
    return {{call.path, last.makes.front(), 0, true}, {call.path, cell_state, 1, true}};
  }

  /// One value of each call. A module that returns a tuple gives its last call's values only in part to others, so
  /// calls of the same steps are looked at together.
  std::vector<std::vector<ModuleResult>> of_calls(const std::vector<const Extent*>& calls) const {
    std::vector<std::vector<Step>> steps;
    std::map<std::vector<Step>, std::set<Place>> places;
    for (const Extent* call : calls) {
      steps.push_back(steps_of(*call));
      const std::vector<Place> read = read_outside(*call);
      places[steps.back()].insert(read.begin(), read.end());
    }
    std::vector<std::vector<ModuleResult>> results;
    for (std::size_t i = 0; i < calls.size(); ++i) {
      std::set<Place>& found = places[steps[i]];
      // Where nothing outside reads what a call makes, its result is what it makes last.
      if (found.empty() && last_of(*calls[i]).makes.size() == 1) {
        found.insert({calls[i]->nodes.size() - 1, 0});
      }
      if (found.size() != 1 || is_state_of_layer(*calls[i], *found.begin())) {
        return {};
      }
      results.push_back({{calls[i]->path, name_at(*calls[i], *found.begin()), 0, false}});
    }
    return results;
  }

  /// Of a recurrent layer that is decomposed, states are stacked, and steps are not.
  bool is_state_of_layer(const Extent& call, const Place& place) const {
    static const std::set<std::string> layers = {"torch.nn.modules.rnn.LSTM", "torch.nn.modules.rnn.GRU",
                                                 "torch.nn.modules.rnn.RNN"};
    const std::string& target = records_[call.nodes[place.first]].target;
    return layers.count(call.type) != 0 &&
           (target.starts_with("torch.ops.aten.view.") || target.starts_with("torch.ops.aten.stack."));
  }

  std::vector<Step> steps_of(const Extent& call) const {
    std::vector<Step> steps;
    for (const std::size_t node : call.nodes) {
      const NodeRecord& record = records_[node];
      steps.emplace_back(record.target, record.stack.back().path, record.makes.size());
    }
    return steps;
  }

  std::vector<Place> read_outside(const Extent& call) const {
    std::vector<Place> places;
    for (std::size_t i = 0; i < call.nodes.size(); ++i) {
      const std::vector<std::string>& makes = records_[call.nodes[i]].makes;
      for (std::size_t j = 0; j < makes.size(); ++j) {
        if (outputs_.count(makes[j]) != 0 || is_read_outside(call, makes[j])) {
          places.emplace_back(i, j);
        }
      }
    }
    return places;
  }

  bool is_read_outside(const Extent& call, const std::string& name) const {
    const auto readers = readers_.find(name);
    return readers != readers_.end() &&
           std::any_of(readers->second.begin(), readers->second.end(), [&](std::size_t reader) {
             return !std::binary_search(call.nodes.begin(), call.nodes.end(), reader);
           });
  }

  const std::string& name_at(const Extent& call, const Place& place) const {
    return records_[call.nodes[place.first]].makes[place.second];
  }

  const std::vector<NodeRecord>& records_;
  std::set<std::string> outputs_;
  std::map<std::string, std::vector<std::size_t>> readers_;
};

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

ModuleResults ModuleCalls::results(const ModuleStack& around, const std::vector<std::string>& outputs) const {
  std::map<std::string, Extent> extents;
  for (std::size_t i = 0; i < records_.size(); ++i) {
    for (std::size_t depth = 0; depth < records_[i].stack.size(); ++depth) {
      const ModuleCall& call = records_[i].stack[depth];
      Extent& extent = extents[call.key];
      extent.path = call.path;
      extent.type = call.type;
      extent.depth = depth;
      if (extent.nodes.empty() || extent.nodes.back() != i) {
        extent.nodes.push_back(i);
      }
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
    return std::tuple(left->nodes.back(), right->depth) < std::tuple(right->nodes.back(), left->depth);
  });
  std::map<std::string, std::vector<const Extent*>> modules;
  for (const Extent* extent : ordered) {
    modules[extent->path].push_back(extent);
  }
  const ResultFinder finder(records_, outputs);
  ModuleResults found;
  std::map<const Extent*, std::vector<ModuleResult>> of_call;
  for (const auto& [path, calls] : modules) {
    std::vector<std::vector<ModuleResult>> results = finder.of_module(calls);
    for (std::size_t i = 0; i < results.size(); ++i) {
      of_call[calls[i]] = std::move(results[i]);
    }
    if (results.empty() &&
        std::any_of(calls.begin(), calls.end(), [&](const Extent* call) { return finder.gives_something(*call); })) {
      found.untold.insert(path);
    }
  }
  for (const Extent* extent : ordered) {
    std::vector<ModuleResult>& results = of_call[extent];
    std::move(results.begin(), results.end(), std::back_inserter(found.told));
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

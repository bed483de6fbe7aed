#include "graph/activations.hpp"

#include <algorithm>
#include <optional>
#include <set>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

#include <torch/csrc/jit/ir/alias_analysis.h>
#include <torch/csrc/jit/ir/constants.h>
#include <torch/csrc/jit/passes/remove_mutation.h>

#include "graph/activation_catalog.hpp"
#include "graph/neuron_axis.hpp"
#include "graph/pointwise.hpp"

namespace pregrad::graph {

using torch::jit::AliasDb;
using torch::jit::Block;
using torch::jit::Graph;
using torch::jit::Node;
using torch::jit::Scope;
using torch::jit::toIValue;
using torch::jit::Value;

namespace {

using NodeSet = std::unordered_set<const Node*>;

/// Operators that are activations by themselves, besides the catalogue's, where nothing nonlinear is in front of them.
bool is_activation_alone(const std::string& name) {
  static const std::set<std::string_view> names = {"clamp", "clamp_min", "clamp_max", "maximum",    "minimum",
                                                   "fmax",  "fmin",      "sin",       "cos",        "exp",
                                                   "expm1", "erf",       "atan",      "hardshrink", "softshrink"};
  return names.count(name) != 0;
}

/// Operators that belong to an activation directly in front of them.
bool belongs_to_what_is_in_front(const std::string& name) {
  static const std::set<std::string_view> names = {"pow", "square", "clamp", "clamp_min", "clamp_max", "sqrt", "log1p"};
  return names.count(name) != 0;
}

bool is_reduction(const std::string& name) {
  static const std::set<std::string_view> names = {
      "sum",      "mean",        "prod",      "amax",        "amin",
      "max",      "min",         "logsumexp", "norm",        "linalg_vector_norm",
      "var",      "var_mean",    "std",       "std_mean",    "softmax",
      "_softmax", "log_softmax", "cumsum",    "_log_softmax"};
  return names.count(name) != 0;
}

/// Whether a reduction takes the neurons of `value` together. Where the number of axes decides and is not known, a
/// result that keeps its axes is there to normalise, one that loses them is a pooling of positions.
bool reduces_neurons(const Node* node, const Value* value) {
  const auto axis = neuron_axis_of(value);
  std::vector<std::int64_t> reduced;
  bool keeps_axes = false;
  for (const Value* input : node->inputs().slice(1)) {
    const auto constant = toIValue(input);
    if (!constant) {
      continue;
    }
    if (constant->isIntList()) {
      reduced = constant->toIntVector();
    } else if (constant->isInt() && reduced.empty()) {
      reduced = {constant->toInt()};
    } else if (constant->isBool()) {
      keeps_axes = keeps_axes || constant->toBool();
    }
  }
  if (reduced.empty() || !axis) {
    return reduced.empty() || keeps_axes || reduced == std::vector<std::int64_t>{-1};
  }
  if (std::find(reduced.begin(), reduced.end(), *axis) != reduced.end()) {
    return true;
  }
  const bool is_certain = *axis == 1 ? reduced.front() > 1 : reduced.size() > 1;
  return !is_certain && keeps_axes;
}

/// What a node of a block reads of the data, as far as the search goes.
struct Step {
  Role role = Role::opaque;
  std::vector<Value*> reads;
  bool is_known = false;  ///< an activation of the catalogue, of one node or of several that end here
  std::string op;         ///< of a known one
  bool in_place = false;
};

/// A pointwise part of a block.
struct Part {
  Value* z = nullptr;
  Node* last = nullptr;
  std::vector<Node*> nodes;  ///< in program order
  std::size_t call = 0;
  std::size_t module = 0;  ///< the call of a module that the part is; 0 where it is none

  bool has(const Node* node) const { return std::find(nodes.begin(), nodes.end(), node) != nodes.end(); }
};

bool has_writers(Block* block) {
  for (Node* node : block->nodes()) {
    const auto* schema = node->maybeSchema();
    if ((schema != nullptr && schema->is_mutable()) ||
        std::any_of(node->blocks().begin(), node->blocks().end(), has_writers)) {
      return true;
    }
  }
  return false;
}

/// Softmax over anything but the neurons (attention weights) is no activation of neurons.
bool is_over_neurons(const Node* node, const Value* z) {
  const auto softmax = softmax_axis(node);
  return !softmax || is_neuron_axis(*softmax, z);
}

/// A graph in which what can be computed out of place is, and the places of its nodes.
struct Search {
  Search(const InlinedModel& the_model, Graph& graph)
      : model(the_model), flow(graph), by_scope(nodes_by_scope(graph.block())) {
    if (has_writers(graph.block())) {
      aliases.emplace(graph.shared_from_this());
    }
    count_nodes(graph.block());
  }

  void count_nodes(Block* block) {
    for (Node* node : block->nodes()) {
      if (is_data(node)) {
        for (std::size_t call = model.call_of(node); call != 0; call = model.calls[call].parent) {
          ++nodes_of_call[call];
        }
      }
      for (Block* inner : node->blocks()) {
        count_nodes(inner);
      }
    }
  }

  bool is_data(const Node* node) const {
    return std::any_of(node->outputs().begin(), node->outputs().end(),
                       [&](const Value* output) { return flow.carries(output); });
  }

  const InlinedModel& model;
  DataFlow flow;
  NodesByScope by_scope;
  std::optional<AliasDb> aliases;  ///< empty where nothing is written into
  std::unordered_map<std::size_t, std::size_t> nodes_of_call;
};

void collect_written(Block* block, std::vector<Node*>& written, std::vector<Value*>& values) {
  for (Node* node : block->nodes()) {
    const std::string kind = node->kind().toUnqualString();
    const auto* schema = node->maybeSchema();
    if (node->kind().is_aten() && schema != nullptr && schema->is_mutable() && kind.size() > 1 && kind.back() == '_' &&
        node->outputs().size() == 1 && is_pointwise(node)) {
      written.push_back(node);
    }
    for (Value* output : node->outputs()) {
      values.push_back(output);
    }
    for (Block* inner : node->blocks()) {
      values.insert(values.end(), inner->inputs().begin(), inner->inputs().end());
      collect_written(inner, written, values);
    }
  }
}

/// Lets what reads a tensor behind an in-place operator read the operator's result, where the tensor has no other name:
/// then the search sees which value is read. The graph is for reading only, since running it would take more memory.
void read_as_out_of_place(Graph& graph) {
  std::vector<Node*> written;
  std::vector<Value*> values = graph.inputs().vec();
  collect_written(graph.block(), written, values);
  if (written.empty()) {
    return;
  }
  std::vector<Node*> replaceable;
  {
    const AliasDb aliases(graph.shared_from_this());
    for (Node* node : written) {
      Value* const tensor = node->input(0);
      const bool has_other_name = std::any_of(values.begin(), values.end(), [&](Value* value) {
        const bool is_same = value == tensor || value == node->output(0) ||
                             std::any_of(written.begin(), written.end(), [&](const Node* other) {
                               return other->input(0) == value || other->output(0) == value;
                             });
        return !is_same && value->type()->isSubtypeOf(*c10::TensorType::get()) && aliases.mayAlias(value, tensor);
      });
      const bool is_made_here =
          tensor->node()->kind() != c10::prim::Param && tensor->node()->owningBlock() == node->owningBlock();
      if (!has_other_name && is_made_here) {
        replaceable.push_back(node);
      }
    }
  }
  for (Node* node : replaceable) {
    std::string name = node->kind().toUnqualString();
    name.pop_back();
    Node* const read = graph.create(c10::Symbol::aten(name), node->inputs(), 1);
    read->insertBefore(node);
    read->copyMetadata(node);
    read->output(0)->copyMetadata(node->output(0));
    Value* const tensor = node->input(0);
    node->output(0)->replaceAllUsesWith(read->output(0));
    tensor->replaceAllUsesAfterNodeWith(node, read->output(0));
    node->destroy();
  }
}

/// Finds the activations whose nodes all stand in one block.
class BlockSearch {
 public:
  BlockSearch(const Search& search, Block* block) : search_(search), block_(block) {
    for (Node* node : block->nodes()) {
      order_.emplace(node, order_.size());
      steps_[node] = step_of(node);
      enter_dominator(node);
      if (search_.model.composites.count(scope_of(node)) != 0 && steps_.at(node).is_known) {
        const std::vector<Node*> nodes = nodes_between(steps_.at(node).reads.front(), node);
        inside_known_.insert(nodes.begin(), std::prev(nodes.end()));
      }
    }
  }

  std::vector<Part> find() {
    find_joins();
    find_modules();
    find_known();
    find_chains();
    std::sort(found_.begin(), found_.end(),
              [&](const Part& left, const Part& right) { return order_.at(left.last) < order_.at(right.last); });
    return std::move(found_);
  }

  const Step& step(const Node* node) const { return steps_.at(node); }

 private:
  // What each node is.

  Step step_of(Node* node) const {
    Step step;
    const Scope* const scope = scope_of(node);
    const auto composite = search_.model.composites.find(scope);
    if (composite != search_.model.composites.end()) {
      const auto producer = search_.by_scope.find(composite->second.z_scope);
      if (producer != search_.by_scope.end()) {
        Value* const z = producer->second->output(composite->second.z_offset);
        return {Role::nonlinear, {z}, search_.flow.carries(z), composite->second.op, false};
      }
    }
    const std::vector<std::size_t> inputs = search_.flow.data_inputs(node);
    step.role = role_of(node, inputs);
    for (const std::size_t input : inputs) {
      if (step.role != Role::passing || step.reads.empty()) {
        step.reads.push_back(node->input(input));
      }
    }
    if (search_.model.parts.count(scope) == 0) {
      const auto activation = as_activation(node);
      step.is_known = activation && search_.flow.carries(activation->z) && is_over_neurons(node, activation->z);
      if (step.is_known) {
        step.op = activation->op;
        step.in_place = activation->in_place;
      }
    }
    return step;
  }

  /// The step of the node that makes `value` in this block; null where it comes from elsewhere.
  const Step* producer_of(const Value* value) const {
    const auto found = steps_.find(value->node());
    return found == steps_.end() ? nullptr : &found->second;
  }

  // Which value all ways to another pass.

  void enter_dominator(Node* node) {
    const Step& step = steps_.at(node);
    if (step.role == Role::opaque || step.reads.empty()) {
      return;
    }
    Value* dominator = step.reads.front();
    for (Value* read : step.reads) {
      dominator = dominator == nullptr ? nullptr : common_dominator(dominator, read);
    }
    if (dominator != nullptr) {
      dominators_[node->output(0)] = dominator;
      depths_[node->output(0)] = depth_of(dominator) + 1;
    }
  }

  std::size_t depth_of(const Value* value) const {
    const auto found = depths_.find(value);
    return found == depths_.end() ? 0 : found->second;
  }

  Value* common_dominator(Value* left, Value* right) const {
    while (left != right) {
      Value*& deeper = depth_of(left) >= depth_of(right) ? left : right;
      const auto up = dominators_.find(deeper);
      if (up == dominators_.end()) {
        return nullptr;
      }
      deeper = up->second;
    }
    return left;
  }

  // Parts between a tensor and a node.

  /// The nodes on the ways from `z` to `last`, in program order.
  std::vector<Node*> nodes_between(const Value* z, Node* last) const {
    NodeSet seen = {last};
    std::vector<Node*> nodes = {last};
    for (std::size_t i = 0; i < nodes.size(); ++i) {
      for (const std::size_t input : search_.flow.data_inputs(nodes[i])) {
        Node* const node = nodes[i]->input(input)->node();
        if (nodes[i]->input(input) != z && order_.count(node) != 0 && seen.insert(node).second) {
          nodes.push_back(node);
        }
      }
    }
    std::sort(nodes.begin(), nodes.end(), [&](Node* left, Node* right) { return order_.at(left) < order_.at(right); });
    return nodes;
  }

  Part part_between(Value* z, Node* last) const {
    Part part{z, last, nodes_between(z, last), 0, 0};
    part.call = search_.model.call_of(last);
    for (const Node* node : part.nodes) {
      part.call = search_.model.common_call(part.call, search_.model.call_of(node));
    }
    return part;
  }

  /// Whether something outside reads the numbers of a tensor that is made inside, the last one aside.
  bool is_read_inside(const Part& part) const {
    const NodeSet inside(part.nodes.begin(), part.nodes.end());
    return std::any_of(part.nodes.begin(), part.nodes.end(),
                       [&](const Node* node) { return node != part.last && has_reader(node->output(0), inside); });
  }

  bool has_reader(const Value* value, const NodeSet& besides) const {
    return std::any_of(value->uses().begin(), value->uses().end(), [&](const torch::jit::Use& use) {
      return besides.count(use.user) == 0 && reads_numbers(use.user);
    });
  }

  bool reads_numbers(const Node* user) const {
    const bool is_return = user->kind() == c10::prim::Return;
    return is_return || !user->blocks().empty() || search_.is_data(user);
  }

  /// Whether a node outside writes, among the part's nodes, into a tensor of the part.
  bool is_written(const Part& part) const {
    if (!search_.aliases) {
      return false;
    }
    torch::jit::ValueSet tensors = {part.z};
    for (Node* node : part.nodes) {
      tensors.insert(node->output(0));
    }
    for (Node* node = part.nodes.front(); node != part.last; node = node->next()) {
      if (!part.has(node) && search_.aliases->writesToAlias(node, tensors)) {
        return true;
      }
    }
    return false;
  }

  bool is_nonlinear(const Node* node) const { return steps_.at(node).role == Role::nonlinear; }

  bool is_nonlinear(const Part& part) const {
    return std::any_of(part.nodes.begin(), part.nodes.end(), [&](const Node* node) { return is_nonlinear(node); });
  }

  bool is_known(const Part& part) const {
    return std::any_of(part.nodes.begin(), part.nodes.end(),
                       [&](const Node* node) { return steps_.at(node).is_known; });
  }

  /// Behind casts and affine steps that read nothing else.
  Value* behind_affine(Value* value) const {
    for (const Step* step = producer_of(value); step != nullptr; step = producer_of(value)) {
      const bool is_affine = step->role == Role::affine || step->role == Role::passing;
      if (!is_affine || step->reads.size() != 1) {
        break;
      }
      value = step->reads.front();
    }
    return value;
  }

  Value* behind_casts(Value* value) const {
    for (const Step* step = producer_of(value); step != nullptr && step->role == Role::passing;
         step = producer_of(value)) {
      value = step->reads.front();
    }
    return value;
  }

  /// Whether `value` is a square: pow(v, 2), square(v) or v·v; gives v.
  Value* squared(const Value* value) const {
    const Step* const step = producer_of(value);
    if (step == nullptr || step->role != Role::nonlinear) {
      return nullptr;
    }
    const Node* const node = value->node();
    const std::string name = operator_name(node);
    const bool is_product = name == "mul" && step->reads.size() == 2 && step->reads[0] == step->reads[1];
    const bool is_power = name == "pow" && step->reads.size() == 1 && is_number(node->input(1), 2);
    return is_product || is_power || name == "square" ? step->reads.front() : nullptr;
  }

  static bool is_number(const Value* value, double expected) {
    const auto constant = toIValue(value);
    if (constant && constant->isTensor() && constant->toTensor().numel() == 1) {
      return constant->toTensor().item<double>() == expected;
    }
    return constant && constant->isScalar() && constant->toScalar().toDouble() == expected;
  }

  /// Activations that add z itself, and are known by name all the same.
  bool is_named_sum(const Value* z, const Node* last, Value* other) const {
    const Step* const step = producer_of(other);
    if (step == nullptr) {
      return false;
    }
    const bool is_tanhshrink =
        operator_name(last) == "sub" && step->op == "tanh" && behind_casts(step->reads.front()) == z;
    if (is_tanhshrink) {
      return true;
    }
    Value* const core = behind_affine(other);
    const Step* const inner = producer_of(core);
    if (inner == nullptr) {
      return false;
    }
    // squareplus: (z + √(z² + b)) / 2
    if (operator_name(core->node()) == "sqrt") {
      Value* const square = squared(behind_affine(inner->reads.front()));
      return square != nullptr && behind_affine(square) == z;
    }
    // snake: z + sin²(αz) / α
    Value* const sine = squared(core);
    return sine != nullptr && operator_name(sine->node()) == "sin" && producer_of(sine) != nullptr &&
           behind_affine(producer_of(sine)->reads.front()) == z;
  }

  bool is_residual(const Value* z, const Node* last) const {
    const Step& step = steps_.at(last);
    if (step.role != Role::affine || step.reads.size() != 2) {
      return false;
    }
    for (const std::size_t side : {0U, 1U}) {
      if (behind_casts(step.reads[side]) == z && !is_named_sum(z, last, step.reads[1 - side])) {
        return true;
      }
    }
    return false;
  }

  /// Norms and softmax by hand: what leads into a reduction over the neurons, or comes from one.
  bool is_for_reduction(const Part& part) const {
    NodeSet seen;
    std::vector<Value*> made = {part.last->output(0)};
    while (!made.empty()) {
      Value* const value = made.back();
      made.pop_back();
      for (const torch::jit::Use& use : value->uses()) {
        if (use.user->kind().is_aten() && is_reduction(operator_name(use.user)) && reduces_neurons(use.user, value)) {
          return true;
        }
        const auto step = steps_.find(use.user);
        if (step != steps_.end() && step->second.role != Role::opaque && seen.insert(use.user).second) {
          made.push_back(use.user->output(0));
        }
      }
    }
    std::vector<Value*> read = {part.z};
    for (std::size_t i = 0; i < read.size(); ++i) {
      Node* const node = read[i]->node();
      const Step* const step = producer_of(read[i]);
      if (step == nullptr) {
        continue;
      }
      if (step->role != Role::opaque) {
        if (step->reads.size() == 1) {
          read.push_back(step->reads.front());
        }
      } else if (node->kind().is_aten() && is_reduction(operator_name(node)) && reduces_neurons(node, node->input(0))) {
        return true;
      }
    }
    return false;
  }

  // Parts in which several ways meet again.

  void find_joins() {
    for (Node* node : block_->nodes().reverse()) {
      const Step& step = steps_.at(node);
      const bool is_join = step.role != Role::opaque && step.role != Role::comparison && step.reads.size() > 1;
      const auto dominator = is_join ? dominators_.find(node->output(0)) : dominators_.end();
      if (dominator == dominators_.end() || joined_.count(node) != 0 || inside_known_.count(node) != 0) {
        continue;
      }
      Part part = part_between(dominator->second, node);
      const bool is_larger = part.nodes.size() > 1;
      if (is_larger && is_nonlinear(part) && !is_read_inside(part) && !is_residual(part.z, node) && !is_written(part) &&
          (is_known(part) || !is_for_reduction(part))) {
        for (const Node* inside : part.nodes) {
          joined_[inside] = joins_.size();
        }
        joins_.push_back(std::move(part));
      }
    }
  }

  // Modules that are an activation.

  void find_modules() {
    std::map<std::size_t, std::vector<Node*>> nodes_of;
    for (Node* node : block_->nodes()) {
      if (search_.is_data(node)) {
        for (std::size_t call = search_.model.call_of(node); call != 0; call = search_.model.calls[call].parent) {
          nodes_of[call].push_back(node);
        }
      }
    }
    for (const auto& [call, nodes] : nodes_of) {
      const bool is_whole = nodes.size() == search_.nodes_of_call.at(call);
      const bool is_taken = taken_.count(nodes.front()) != 0 || taken_.count(nodes.back()) != 0;
      auto part = is_whole && !is_taken ? module_part(call, nodes) : std::nullopt;
      if (part && !is_inside_join(*part)) {
        take(std::move(*part));
      }
    }
    joins_.erase(
        std::remove_if(joins_.begin(), joins_.end(), [&](const Part& join) { return taken_.count(join.last) != 0; }),
        joins_.end());
  }

  bool is_inside_join(const Part& part) const {
    const auto first = joined_.find(part.nodes.front());
    const auto last = joined_.find(part.last);
    return first != joined_.end() && last != joined_.end() && first->second == last->second &&
           joins_[first->second].nodes.size() > part.nodes.size();
  }

  /// The activation that a module is, without what is not its own.
  std::optional<Part> module_part(std::size_t call, std::vector<Node*> nodes) const {
    Value* z = entry_of(nodes);
    // Behind a normalisation of its own.
    while (z != nullptr && nodes.size() > 1 && is_normalisation(nodes.front()) && nodes.front()->input(0) == z) {
      Node* const normalisation = nodes.front();
      nodes.erase(nodes.begin());
      z = entry_of(nodes) == normalisation->output(0) ? normalisation->output(0) : nullptr;
    }
    Node* last = z == nullptr ? nullptr : exit_of(nodes);
    const auto is_outside = [&](const Node* node) {
      return is_normalisation(node) || is_scale_per_neuron(node) || node->kind() == c10::aten::alias;
    };
    while (last != nullptr && nodes.size() > 1 && is_outside(last)) {
      nodes.erase(std::remove(nodes.begin(), nodes.end(), last), nodes.end());
      last = exit_of(nodes);
    }
    const bool is_pointwise = last != nullptr && std::all_of(nodes.begin(), nodes.end(), [&](const Node* node) {
                                return steps_.at(node).role != Role::opaque;
                              });
    if (!is_pointwise) {
      return std::nullopt;
    }
    Part part{z, last, nodes, call, call};
    if (!is_nonlinear(part) || is_residual(z, last) || is_written(part) || !is_its_own(part)) {
      return std::nullopt;
    }
    return part;
  }

  /// The one tensor of the data that nodes read from outside; null if there are several, or none.
  Value* entry_of(const std::vector<Node*>& nodes) const {
    const NodeSet inside(nodes.begin(), nodes.end());
    Value* entry = nullptr;
    for (const Node* node : nodes) {
      for (const Value* input : node->inputs()) {
        if (search_.flow.carries(input) && inside.count(input->node()) == 0) {
          if (entry != nullptr && entry != input) {
            return nullptr;
          }
          entry = const_cast<Value*>(input);
        }
      }
    }
    return entry;
  }

  /// The one node whose tensor is read outside; null if there are several, or none.
  Node* exit_of(const std::vector<Node*>& nodes) const {
    const NodeSet inside(nodes.begin(), nodes.end());
    Node* exit = nullptr;
    for (Node* node : nodes) {
      for (const Value* output : node->outputs()) {
        if (search_.flow.carries(output) && has_reader(output, inside)) {
          if (exit != nullptr) {
            return nullptr;
          }
          exit = node;
        }
      }
    }
    return exit;
  }

  /// A product with a tensor of several numbers that is none of the data, such as layer scale.
  bool is_scale_per_neuron(const Node* node) const {
    const Step& step = steps_.at(node);
    if (step.role != Role::affine || operator_name(node) != "mul" || step.reads.size() != 1) {
      return false;
    }
    const Value* const factor = node->input(0) == step.reads.front() ? node->input(1) : node->input(0);
    const auto constant = toIValue(factor);
    return constant && constant->isTensor() && constant->toTensor().numel() > 1;
  }

  /// Whether a module's own forward bends its tensor, rather than call modules that do.
  bool is_its_own(const Part& part) const {
    if (std::any_of(joins_.begin(), joins_.end(),
                    [&](const Part& join) { return part.has(join.last) && join.call == part.call; })) {
      return true;
    }
    bool calls_known = false;
    bool bends = false;
    bool is_catalogued = true;
    for (const Node* node : part.nodes) {
      if (!is_nonlinear(node)) {
        continue;
      }
      if (search_.model.call_of(node) == part.call) {
        bends = true;
        is_catalogued = is_catalogued && steps_.at(node).is_known;
      } else {
        calls_known = calls_known || steps_.at(node).is_known;
      }
    }
    // Two activations of the catalogue in a row are two.
    return bends && !(calls_known && is_catalogued);
  }

  // Single operators, and what belongs to them.

  void find_known() {
    std::vector<Part> others;
    for (Part& join : joins_) {
      if (is_known(join)) {
        extend(join);
        take(std::move(join));
      } else {
        others.push_back(std::move(join));
      }
    }
    joins_ = std::move(others);
    for (Node* node : block_->nodes()) {
      const Step& step = steps_.at(node);
      if (step.is_known && taken_.count(node) == 0) {
        Value* const z = step.reads.empty() ? node->input(0) : step.reads.front();
        Part part = part_between(z, node);
        extend(part);
        take(std::move(part));
      }
    }
  }

  /// Adds the powers, clamps, roots and logarithms directly behind the part, in the same forward.
  void extend(Part& part) const {
    for (;;) {
      const Value* const a = part.last->output(0);
      Node* next = nullptr;
      for (const torch::jit::Use& use : a->uses()) {
        if (reads_numbers(use.user)) {
          if (next != nullptr && next != use.user) {
            return;
          }
          next = use.user;
        }
      }
      const auto step = next == nullptr ? steps_.end() : steps_.find(next);
      if (step == steps_.end() || step->second.role != Role::nonlinear || step->second.is_known ||
          search_.model.call_of(next) != part.call || taken_.count(next) != 0) {
        return;
      }
      const bool reads_only_a = std::all_of(step->second.reads.begin(), step->second.reads.end(),
                                            [&](const Value* read) { return read == a; });
      const bool belongs = belongs_to_what_is_in_front(operator_name(next)) || squared(next->output(0)) == a;
      Part extended{part.z, next, part.nodes, part.call, part.module};
      extended.nodes.push_back(next);
      if (!reads_only_a || !belongs || is_for_reduction(extended) || is_written(extended)) {
        return;
      }
      part = std::move(extended);
    }
  }

  // Other operators in a row.

  /// A node that reads one tensor of the data and nothing else, or a part of several nodes that does.
  struct Link {
    Value* read = nullptr;
    Node* last = nullptr;
    std::vector<Node*> nodes;
    bool is_join = false;
  };
  /// Links in one forward each of which reads the one before it, whose tensor nothing else reads.
  using Chain = std::vector<Link>;

  std::optional<Link> link_at(Node* node) const {
    const Step& step = steps_.at(node);
    const auto join = std::find_if(joins_.begin(), joins_.end(), [&](const Part& part) { return part.has(node); });
    if (join != joins_.end()) {
      return join->last == node ? std::optional(Link{join->z, node, join->nodes, true}) : std::nullopt;
    }
    const bool is_link = step.role != Role::opaque && step.role != Role::comparison && !step.is_known &&
                         taken_.count(node) == 0 && inside_known_.count(node) == 0 &&
                         search_.model.parts.count(scope_of(node)) == 0 &&
                         std::all_of(step.reads.begin(), step.reads.end(),
                                     [&](const Value* read) { return read == step.reads.front(); });
    return is_link ? std::optional(Link{step.reads.front(), node, {node}, false}) : std::nullopt;
  }

  void find_chains() {
    std::vector<Chain> chains;
    std::unordered_map<const Node*, std::size_t> chain_of;
    for (Node* node : block_->nodes()) {
      auto link = link_at(node);
      if (!link) {
        continue;
      }
      const auto before = chain_of.find(link->read->node());
      const NodeSet readers(link->nodes.begin(), link->nodes.end());
      const bool goes_on = before != chain_of.end() && !has_reader(link->read, readers) &&
                           search_.model.call_of(link->read->node()) == search_.model.call_of(node);
      chain_of[node] = goes_on ? before->second : chains.size();
      if (!goes_on) {
        chains.emplace_back();
      }
      chains[chain_of[node]].push_back(std::move(*link));
    }
    for (const Chain& chain : chains) {
      take_chain(chain);
    }
  }

  void take_chain(const Chain& chain) {
    const auto bends = [&](const Link& link) { return link.is_join || is_nonlinear(link.last); };
    const auto first = std::find_if(chain.begin(), chain.end(), bends);
    const auto behind = std::find_if(chain.rbegin(), chain.rend(), bends).base();
    const bool starts = std::any_of(chain.begin(), chain.end(), [&](const Link& link) {
      return link.is_join || is_activation_alone(operator_name(link.last));
    });
    if (first == chain.end() || !starts) {
      return;
    }
    Part part{first->read, std::prev(behind)->last, {}, search_.model.call_of(first->last), 0};
    for (auto link = first; link != behind; ++link) {
      part.nodes.insert(part.nodes.end(), link->nodes.begin(), link->nodes.end());
    }
    for (const Node* node : part.nodes) {
      part.call = search_.model.common_call(part.call, search_.model.call_of(node));
    }
    const bool is_behind_another = taken_.count(behind_affine(part.z)->node()) != 0 && !first->is_join;
    if (!is_behind_another && !is_for_reduction(part) && !is_written(part)) {
      take(std::move(part));
    }
  }

  void take(Part part) {
    taken_.insert(part.nodes.begin(), part.nodes.end());
    found_.push_back(std::move(part));
  }

  const Search& search_;
  Block* block_;
  std::unordered_map<const Node*, std::size_t> order_;
  std::unordered_map<const Node*, Step> steps_;
  std::unordered_map<const Value*, Value*> dominators_;
  std::unordered_map<const Value*, std::size_t> depths_;
  NodeSet inside_known_;  ///< parts of activations that are known to be of several nodes
  std::vector<Part> joins_;
  std::unordered_map<const Node*, std::size_t> joined_;  ///< indices into `joins_`
  NodeSet taken_;
  std::vector<Part> found_;
};

/// Whether a use of a value chooses elements or rows by it.
bool is_index(const torch::jit::Use& use) {
  const std::string name = operator_name(use.user);
  return use.offset == (name == "index_select" || name == "gather" ? 2 : 1) &&
         (name == "embedding" || name == "embedding_bag" || name == "index_select" || name == "gather");
}

/// Whether `value`, moved to other places or counted up, chooses rows of something: only integers can, and no cast or
/// comparison stands between.
/// @param known of values that were asked for before; many activations lead into one stream of residuals
bool chooses_rows(const Value* value, std::unordered_map<const Value*, bool>& known) {
  static const std::unordered_set<std::string> moves = {"view",    "reshape",    "unsqueeze", "squeeze", "expand",
                                                        "permute", "transpose",  "flatten",   "select",  "slice",
                                                        "repeat",  "contiguous", "expand_as"};
  const auto found = known.find(value);
  if (found != known.end()) {
    return found->second;
  }
  const bool chooses = std::any_of(value->uses().begin(), value->uses().end(), [&](const torch::jit::Use& use) {
    if (is_index(use)) {
      return true;
    }
    const std::string name = operator_name(use.user);
    const bool keeps_type = moves.count(name) != 0 ? use.offset == 0
                                                   : is_pointwise(use.user) && !is_comparison(name) &&
                                                         !(name == "where" && use.offset == 0);
    return keeps_type && use.user->outputs().size() == 1 && chooses_rows(use.user->output(), known);
  });
  known.emplace(value, chooses);
  return chooses;
}

class ActivationFinder {
 public:
  explicit ActivationFinder(const InlinedModel& model)
      : model_(model), graph_(out_of_place(*model.graph)), originals_(nodes_by_scope(model.graph->block())) {}

  Activations find() {
    const Search search(model_, *graph_);
    visit(search, graph_->block(), false);
    return std::move(result_);
  }

 private:
  static std::shared_ptr<Graph> out_of_place(Graph& graph) {
    auto copy = graph.copy();
    torch::jit::RemoveTensorMutation(copy, [](const Node* node) { return node->kind() != c10::aten::copy_; });
    read_as_out_of_place(*copy);
    return copy;
  }

  void visit(const Search& search, Block* block, bool nested) {
    BlockSearch in_block(search, block);
    std::vector<Part> parts = in_block.find();
    auto part = parts.begin();
    for (Node* node : block->nodes()) {
      if (part != parts.end() && part->last == node) {
        add(in_block, *part, nested);
        ++part;
      }
      for (Block* inner : node->blocks()) {
        visit(search, inner, true);
      }
    }
  }

  void add(const BlockSearch& search, const Part& part, bool nested) {
    if (chooses_rows(part.last->output(0), chooses_rows_)) {
      return;
    }
    Activation activation;
    Node* reader = nullptr;
    for (Node* node : part.nodes) {
      const auto inputs = node->inputs();
      const auto z = std::find(inputs.begin(), inputs.end(), part.z);
      if (z != inputs.end()) {
        reader = node;
        activation.input = static_cast<std::size_t>(z - inputs.begin());
        break;
      }
    }
    const auto last = originals_.find(scope_of(part.last));
    const auto original = reader == nullptr ? originals_.end() : originals_.find(scope_of(reader));
    if (last == originals_.end() || original == originals_.end()) {
      return;  // a node that LibTorch has put in
    }
    activation.last = last->second;
    activation.reader = original->second;
    activation.call = part.call;
    activation.nested = nested;
    name(search, part, activation);
    result_.found.push_back(std::move(activation));
    add_parts(part);
  }

  void name(const BlockSearch& search, const Part& part, Activation& activation) const {
    std::size_t counted = 0;
    const Node* known = nullptr;
    std::set<std::string> names;
    std::set<std::string> functions;
    for (auto node = part.nodes.rbegin(); node != part.nodes.rend(); ++node) {
      const Step& step = search.step(*node);
      if (step.is_known) {
        activation.is_known = true;
        known = *node;
      }
      const auto function = model_.functions.find(scope_of(*node));
      functions.insert(function == model_.functions.end() ? "" : function->second);
      if (step.role == Role::passing) {
        continue;
      }
      ++counted;
      names.insert(step.is_known ? step.op : operator_name(*node));
    }
    for (const std::string& name : names) {
      activation.operators += (activation.operators.empty() ? "" : "·") + name;
    }
    const bool is_one_function = functions.size() == 1 && !functions.begin()->empty();
    const auto whole = as_activation(part.last);
    if (known == part.last && (counted == 1 || search.step(known).reads.front() == part.z)) {
      activation.op = search.step(known).op;
      activation.in_place = as_activation(activation.last) && as_activation(activation.last)->in_place;
    } else if (is_one_function && (part.module == 0 || is_activation_name(*functions.begin()))) {
      activation.op = *functions.begin();
    } else if (whole && whole->z == part.z) {
      activation.op = whole->op;
    } else if (part.module != 0) {
      activation.op = model_.calls[part.module].type;
    } else {
      activation.op = activation.operators;
    }
    if (activation.op == search.step(part.last).op || is_one_function) {
      activation.operators = is_one_function ? *functions.begin() : activation.op;
    }
  }

  /// The modules inside the one in whose forward an activation of several nodes runs compute parts of it alone.
  void add_parts(const Part& part) {
    for (const Node* node : part.nodes) {
      for (std::size_t call = model_.call_of(node); call != part.call && call != 0; call = model_.calls[call].parent) {
        result_.parts.emplace(model_.calls[call].path, model_.calls[part.call].path);
      }
    }
  }

  const InlinedModel& model_;
  std::shared_ptr<Graph> graph_;
  NodesByScope originals_;
  std::unordered_map<const Value*, bool> chooses_rows_;
  Activations result_;
};

}  // namespace

Activations find_activations(const InlinedModel& model) { return ActivationFinder(model).find(); }

}  // namespace pregrad::graph

#include "graph/tap_insertion.hpp"

#include <algorithm>
#include <map>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include <ATen/core/jit_type.h>
#include <torch/csrc/jit/runtime/operator.h>

#include "graph/capture.hpp"
#include "graph/inlined_model.hpp"
#include "graph/pointwise.hpp"
#include "pregrad/error.hpp"

namespace pregrad::graph {

namespace {

using torch::jit::Stack;

CaptureRecord& record_of(const c10::IValue& value) {
  // The interpreter's stack keeps the record alive; the graph passes nothing else here.
  return static_cast<CaptureRecord&>(*value.toCapsule());
}

at::Tensor capture_for(CaptureRecord& record, const at::Tensor& tensor, Stage stage, CaptureNeeds needs,
                       LaterWrites writes, Captured& captured, const torch::autograd::Edge* beside = nullptr) {
  try {
    return capture(tensor, stage, needs, writes, captured, beside);
  } catch (...) {
    record.error = std::current_exception();
    throw;
  }
}

at::Tensor edited(CaptureRecord& record, std::size_t site, bool edits, const at::Tensor& tensor,
                  std::int64_t occurrence, LaterWrites writes) {
  if (!edits || record.editor == nullptr) {
    return tensor;
  }
  try {
    const at::Tensor replacement = (*record.editor)(site, occurrence, tensor);
    return replacement.defined() ? replaced(tensor, replacement, writes) : tensor;
  } catch (...) {
    record.error = std::current_exception();
    throw;
  }
}

/// Whether an input of the model is there, and holds what can be a layer.
bool has_numbers(CaptureRecord& record, const CaptureRecord::Site& site, const c10::IValue& value) {
  if (!value.isTensor() || !value.toTensor().defined()) {
    return false;
  }
  const at::ScalarType type = value.toTensor().scalar_type();
  const bool is_wanted = !site.is_optional && (site.z.value || site.z.gradient || site.edits_z);
  if (!at::isFloatingType(type) && is_wanted) {
    record.error = std::make_exception_ptr(
        LayerError("'" + site.input + "' has type " + c10::toString(type) +
                   ", and a layer has floating-point values: name another input, or what leaves the embedding that it "
                   "enters (NAME:out)"));
    std::rethrow_exception(record.error);
  }
  return at::isFloatingType(type);
}

void take_z(Stack& stack) {
  const auto site = static_cast<std::size_t>(torch::jit::pop(stack).toInt());
  c10::IValue value = torch::jit::pop(stack);
  const c10::IValue handle = torch::jit::pop(stack);
  CaptureRecord& record = record_of(handle);
  const CaptureRecord::Site& wanted = record.sites[site];
  if (!wanted.input.empty() && !has_numbers(record, wanted, value)) {
    record.latest[site] = {};
    torch::jit::push(stack, std::move(value));
    return;
  }
  at::Tensor z = std::move(value).toTensor();
  z = edited(record, site, wanted.edits_z, z, record.z_taken[site]++, wanted.z_writes);
  Captured captured;
  z = capture_for(record, z, Stage::pre_activation, wanted.z, wanted.z_writes, captured);
  record.latest[site] = std::move(captured);
  torch::jit::push(stack, std::move(z));
}

void enter(Stack& stack) {
  const auto site = static_cast<std::size_t>(torch::jit::pop(stack).toInt());
  const c10::IValue handle = torch::jit::pop(stack);
  CaptureRecord& record = record_of(handle);
  if (!record.sites[site].input.empty() && record.latest[site].shape.empty()) {
    return;  // an input that was left out, or that is no layer
  }
  Execution execution;
  execution.site = site;
  execution.call = record.calls[record.sites[site].name]++;
  execution.z_occurrence = record.z_taken[site] - 1;
  ++record.entered[site];
  execution.z = record.latest[site];
  record.executions.push_back(std::move(execution));
}

void take_a(Stack& stack) {
  const auto site = static_cast<std::size_t>(torch::jit::pop(stack).toInt());
  at::Tensor a = torch::jit::pop(stack).toTensor();
  const c10::IValue handle = torch::jit::pop(stack);
  CaptureRecord& record = record_of(handle);
  const CaptureRecord::Site& wanted = record.sites[site];
  const auto entered = std::find_if(record.executions.rbegin(), record.executions.rend(),
                                    [&](const Execution& execution) { return execution.site == site; });
  a = edited(record, site, wanted.edits_a, a, record.entered[site] - 1, wanted.a_writes);
  a = capture_for(record, a, Stage::activation, wanted.a, wanted.a_writes, entered->a,
                  wanted.has_way_round ? &entered->z.edge : nullptr);
  torch::jit::push(stack, std::move(a));
}

c10::Symbol register_operator(const char* name, bool takes_tensor, void (*operation)(Stack&)) {
  std::vector<c10::Argument> arguments = {c10::Argument("record", c10::CapsuleType::get())};
  std::vector<c10::Argument> returns;
  if (takes_tensor) {
    arguments.emplace_back("value", c10::OptionalType::ofTensor());  // an input may be left out
    returns.emplace_back("", c10::TensorType::get());
  }
  arguments.emplace_back("site", c10::IntType::get());
  torch::jit::registerOperator(torch::jit::Operator(name, "", std::move(arguments), std::move(returns),
                                                    torch::jit::Operation(operation),
                                                    c10::AliasAnalysisKind::CONSERVATIVE));
  return c10::Symbol::fromQualString(name);
}

}  // namespace

const TapOperators& tap_operators() {
  static const TapOperators operators = {register_operator("pregrad::take_z", true, take_z),
                                         register_operator("pregrad::enter", false, enter),
                                         register_operator("pregrad::take_a", true, take_a)};
  return operators;
}

using torch::jit::AliasDb;
using torch::jit::Block;
using torch::jit::Graph;
using torch::jit::Node;
using torch::jit::Scope;
using torch::jit::Value;
using torch::jit::WithInsertPoint;

namespace {

/// Whether it is read from a container that forward is called with, and nothing else there may be the same tensor. What
/// a tap did in place would be done to the caller's tensor.
bool is_only_read_of_an_input(const Value* value) {
  const Value* const container = value->node()->input(0);
  if (container->node() != container->owningGraph()->param_node()) {
    return false;
  }
  const auto key = torch::jit::toIValue(value->node()->input(1));
  return key && std::all_of(container->uses().begin(), container->uses().end(), [&](const torch::jit::Use& use) {
           if (use.user == value->node() || use.user->kind() == c10::Symbol::aten("__contains__") ||
               use.user->kind() == c10::Symbol::aten("len")) {
             return true;
           }
           const auto other =
               use.user->kind() == c10::aten::__getitem__ ? torch::jit::toIValue(use.user->input(1)) : std::nullopt;
           const bool is_counted_from_the_end = other && other->isInt() && other->toInt() < 0;
           return other && !is_counted_from_the_end && *other != *key;
         });
}

LaterWrites writes_to(const AliasDb& aliases, Value* value) {
  // A second read of a list or dict gives the same tensor under another name, which must see the tap too.
  const bool is_read_of_container = value->node()->kind() == c10::aten::__getitem__ && !is_only_read_of_an_input(value);
  return is_read_of_container || aliases.hasWriters(value) ? LaterWrites::possible : LaterWrites::none;
}

Node* node_at(const NodesByScope& nodes, const Scope* scope, const std::string& layer) {
  const auto node = nodes.find(scope);
  if (node == nodes.end()) {
    throw InternalError("layer '" + layer + "' was lost while the graph was rewritten");
  }
  return node->second;
}

/// The values that `value` is without an operator in between: those that a branch hands on, those that a loop begins
/// with and hands from round to round.
std::vector<torch::jit::Use> handed_on(Value* value) {
  Node* const node = value->node();
  constexpr std::size_t trip_count_and_condition = 2;
  const auto of_loop = [&](Node* loop, std::size_t carried) {
    Node* const round = loop->blocks().at(0)->return_node();
    return std::vector<torch::jit::Use>{{loop, carried + trip_count_and_condition}, {round, carried + 1}};
  };
  if (node->kind() == torch::jit::prim::Loop) {
    return of_loop(node, value->offset());
  }
  if (node->kind() == torch::jit::prim::If) {
    std::vector<torch::jit::Use> uses;
    for (Block* branch : node->blocks()) {
      uses.emplace_back(branch->return_node(), value->offset());
    }
    return uses;
  }
  Node* const owner = node->owningBlock()->owningNode();
  const bool is_carried = node->kind() == torch::jit::prim::Param && owner != nullptr &&
                          owner->kind() == torch::jit::prim::Loop && value->offset() > 0;
  return is_carried ? of_loop(owner, value->offset() - 1) : std::vector<torch::jit::Use>();
}

/// Whether what reads a tensor there has a part in what the graph returns, other than as a shape, a type or a
/// condition.
bool reaches_output(const torch::jit::Use& first) {
  std::unordered_set<const Value*> seen;
  std::vector<torch::jit::Use> uses = {first};
  const auto follow = [&](const Value* value) {
    if (may_hold_tensors(value) && seen.insert(value).second) {
      uses.insert(uses.end(), value->uses().begin(), value->uses().end());
    }
  };
  while (!uses.empty()) {
    const torch::jit::Use use = uses.back();
    uses.pop_back();
    Node* const reader = use.user;
    const auto* const schema = reader->maybeSchema();
    if (schema != nullptr && schema->is_mutable()) {
      return true;
    }
    if (reader->kind() == torch::jit::prim::Return) {
      Node* const owner = reader->owningBlock()->owningNode();
      if (owner == nullptr) {
        return true;
      }
      const bool is_loop = owner->kind() == torch::jit::prim::Loop;
      if (!is_loop) {
        follow(owner->output(use.offset));
      } else if (use.offset > 0) {
        follow(owner->output(use.offset - 1));
        follow(owner->blocks().at(0)->inputs().at(use.offset));
      }
    } else if (reader->kind() == torch::jit::prim::Loop) {
      constexpr std::size_t trip_count_and_condition = 2;
      if (use.offset >= trip_count_and_condition) {
        follow(reader->output(use.offset - trip_count_and_condition));
        follow(reader->blocks().at(0)->inputs().at(use.offset - 1));
      }
    } else if (reader->kind() != c10::aten::detach && reader->kind() != torch::jit::prim::If &&
               !reads_no_numbers(reader)) {
      for (const Value* output : reader->outputs()) {
        follow(output);
      }
    }
  }
  return false;
}

/// Whether one of two readers runs only where the other does not.
bool exclude_each_other(const Node* left, const Node* right) {
  std::unordered_map<const Node*, const Block*> branches;
  for (const Block* block = left->owningBlock(); block->owningNode() != nullptr;
       block = block->owningNode()->owningBlock()) {
    branches.emplace(block->owningNode(), block);
  }
  for (const Block* block = right->owningBlock(); block->owningNode() != nullptr;
       block = block->owningNode()->owningBlock()) {
    const auto found = branches.find(block->owningNode());
    if (found != branches.end()) {
      return found->second != block;
    }
  }
  return false;
}

/// A tap at z sees what reads z. Where a loop or a branch hands z on, what reads it under its earlier names is before
/// the tap, and would be missing from ∂y/∂z.
/// @throws LayerError if there is such a reader
void require_all_readers_behind(const LayerSite& site, Value* z) {
  std::unordered_set<const Value*> seen = {z};
  std::vector<Value*> values = {z};
  while (!values.empty()) {
    Value* const value = values.back();
    values.pop_back();
    const std::vector<torch::jit::Use> ways = handed_on(value);
    for (const torch::jit::Use& way : ways) {
      Value* const source = way.user->input(way.offset);
      if (!seen.insert(source).second) {
        continue;
      }
      for (const torch::jit::Use& use : source->uses()) {
        const bool is_way = std::any_of(ways.begin(), ways.end(), [&](const torch::jit::Use& each) {
          return each.user == use.user && each.offset == use.offset;
        });
        if (!is_way && !exclude_each_other(way.user, use.user) && reaches_output(use)) {
          throw LayerError("the pre-activation of layer '" + site.name + "' goes through a " +
                           (value->node()->kind() == torch::jit::prim::If ? "branch" : "loop") +
                           " of the scripted model and is read before it too, which its gradient would miss: save the "
                           "model with torch.export.save or torch.jit.trace, or name the layer that produces it, as "
                           "`pregrad layers --all` lists them");
        }
      }
      values.push_back(source);
    }
  }
}

/// Whether the activation writes into the tensor that it reads.
bool writes_into_its_input(const AliasDb& aliases, const TapPlace& place, Node* reader) {
  for (Node* node = reader; node != place.activation->next(); node = node->next()) {
    const auto* schema = node->maybeSchema();
    if (schema != nullptr && schema->is_mutable() && aliases.writesToAlias(node, {place.z})) {
      return true;
    }
  }
  return false;
}

TapPlace find_place(Graph& graph, const AliasDb& aliases, const LayerSite& site, const NodesByScope& nodes) {
  TapPlace place;
  if (site.graph_input) {
    place.z = graph.inputs().at(*site.graph_input);
    place.z_after = graph.param_node();
    place.z_writes = writes_to(aliases, place.z);
    return place;
  }
  if (site.reader == nullptr) {
    Node* node = node_at(nodes, site.scope, site.name);
    place.z = node->output(site.offset);
    place.z_after = node;
    // An element of a container that is a layer is read once: what a tap did in place would be done to the caller's.
    place.z_writes = site.is_input && !aliases.hasWriters(place.z) ? LaterWrites::none : writes_to(aliases, place.z);
    return place;
  }
  Node* reader = node_at(nodes, site.reader, site.name);
  place.z = reader->input(site.reader_input);
  place.z_after = completing_node(aliases, place.z, reader);
  place.z_writes = writes_to(aliases, place.z);
  if (site.is_activation) {
    place.activation = node_at(nodes, site.scope, site.name);
    place.a = place.activation->output(0);
    place.a_writes = writes_to(aliases, place.a);
    if (writes_into_its_input(aliases, place, reader)) {
      place.z_writes = LaterWrites::by_activation;
    }
  }
  return place;
}

class TapInserter {
 public:
  TapInserter(Graph& graph, Value* record) : graph_(graph), record_(record) {}

  void insert_behind_activation(const TapPlace& place, std::int64_t site) {
    Node* tap = take(tap_operators().take_a, place.activation->next(), place.a, site);
    enter(tap, site);
  }

  void insert(const TapPlace& place, std::int64_t site, bool takes_a) {
    Node* tap = take(tap_operators().take_z, place.z_after->next(), place.z, site);
    enter(place.activation != nullptr ? place.activation : tap->next(), site);
    if (takes_a && place.activation != nullptr) {
      take(tap_operators().take_a, place.activation->next(), place.a, site);
    }
  }

 private:
  Node* take(c10::Symbol kind, Node* before, Value* value, std::int64_t site) {
    WithInsertPoint guard(before);
    Value* number = graph_.insertConstant(site);
    Node* tap = graph_.insertNode(graph_.create(kind, 1));
    tap->output()->setType(value->type()->isSubtypeOf(*c10::TensorType::get()) ? c10::TensorType::get()
                                                                               : value->type());
    value->replaceAllUsesDominatedByNodeWith(tap, tap->output());
    tap->addInput(record_);
    tap->addInput(value);
    tap->addInput(number);
    return tap;
  }

  void enter(Node* before, std::int64_t site) {
    WithInsertPoint guard(before);
    Value* number = graph_.insertConstant(site);
    Node* entered = graph_.insertNode(graph_.create(tap_operators().enter, 0));
    entered->addInput(record_);
    entered->addInput(number);
  }

  Graph& graph_;
  Value* record_;
};

}  // namespace

std::vector<TapPlace> find_tap_places(Graph& graph, const AliasDb& aliases, const std::vector<Tap>& taps) {
  const auto nodes = nodes_by_scope(graph.block());
  std::vector<TapPlace> places;
  places.reserve(taps.size());
  for (const Tap& tap : taps) {
    places.push_back(find_place(graph, aliases, *tap.site, nodes));
    if (!tap.follows && (tap.z.gradient || tap.edits_z)) {
      require_all_readers_behind(*tap.site, places.back().z);
    }
  }
  return places;
}

TapSites tap_sites(const std::vector<Tap>& taps, const std::vector<TapPlace>& places) {
  TapSites result;
  std::map<std::string, std::size_t> names;
  for (std::size_t i = 0; i < taps.size(); ++i) {
    CaptureRecord::Site site;
    site.name = names.emplace(taps[i].site->name, names.size()).first->second;
    site.input = taps[i].site->is_input ? taps[i].site->name : "";
    site.is_optional = taps[i].is_optional;
    site.z = taps[i].z;
    site.a = taps[i].a;
    site.z_writes = places[i].z_writes;
    site.a_writes = places[i].a_writes;
    site.edits_z = taps[i].edits_z;
    site.edits_a = taps[i].edits_a;
    site.has_way_round = taps[i].follows;
    result.sites.push_back(site);
  }
  result.names = names.size();
  return result;
}

void insert_taps(Graph& graph, const std::vector<Tap>& taps, const std::vector<TapPlace>& places, TapParts parts) {
  Value* record = graph.addInput("pregrad_record");
  record->setType(c10::CapsuleType::get());
  TapInserter inserter(graph, record);
  // Backwards, so that of several taps behind one producer the first activation's comes first.
  for (std::size_t i = taps.size(); i-- > 0;) {
    const auto site = static_cast<std::int64_t>(i);
    if (places[i].is_left_out) {
      continue;
    }
    if (parts == TapParts::activation_only && places[i].activation != nullptr && !taps[i].follows) {
      inserter.insert_behind_activation(places[i], site);
    } else {
      inserter.insert(places[i], site, taps[i].takes_a());
    }
  }
}

}  // namespace pregrad::graph

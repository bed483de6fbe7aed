#include "graph/tap_insertion.hpp"

#include <map>
#include <string>
#include <unordered_map>

#include "graph/completion.hpp"
#include "graph/tap_operators.hpp"
#include "pregrad/error.hpp"

namespace pregrad::graph {

using torch::jit::AliasDb;
using torch::jit::Block;
using torch::jit::Graph;
using torch::jit::Node;
using torch::jit::Scope;
using torch::jit::Value;
using torch::jit::WithInsertPoint;

namespace {

LaterWrites writes_to(const AliasDb& aliases, Value* value) {
  // A second read of a list or dict gives the same tensor under another name, which must see the tap too.
  const bool is_read_of_container = value->node()->kind() == c10::aten::__getitem__;
  return is_read_of_container || aliases.hasWriters(value) ? LaterWrites::possible : LaterWrites::none;
}

Node* node_at(const NodesByScope& nodes, const Scope* scope, const std::string& layer) {
  const auto node = nodes.find(scope);
  if (node == nodes.end()) {
    throw InternalError("layer '" + layer + "' was lost while the graph was rewritten");
  }
  return node->second;
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

TapPlace find_place(const AliasDb& aliases, const LayerSite& site, const NodesByScope& nodes) {
  TapPlace place;
  if (site.reader == nullptr) {
    Node* node = node_at(nodes, site.scope, site.name);
    place.z = node->output(site.offset);
    place.z_after = node;
    place.z_writes = writes_to(aliases, place.z);
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
    tap->output()->setType(c10::TensorType::get());
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
    places.push_back(find_place(aliases, *tap.site, nodes));
  }
  return places;
}

TapSites tap_sites(const std::vector<Tap>& taps, const std::vector<TapPlace>& places) {
  TapSites result;
  std::map<std::string, std::size_t> names;
  for (std::size_t i = 0; i < taps.size(); ++i) {
    CaptureRecord::Site site;
    site.name = names.emplace(taps[i].site->name, names.size()).first->second;
    site.z = taps[i].z;
    site.a = taps[i].a;
    site.z_writes = places[i].z_writes;
    site.a_writes = places[i].a_writes;
    site.edits_z = taps[i].edits_z;
    site.edits_a = taps[i].edits_a;
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
    if (parts == TapParts::activation_only && places[i].activation != nullptr) {
      inserter.insert_behind_activation(places[i], site);
    } else {
      inserter.insert(places[i], site, taps[i].takes_a());
    }
  }
}

}  // namespace pregrad::graph

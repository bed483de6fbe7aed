#include "graph/module_inliner.hpp"

#include <algorithm>
#include <string>
#include <unordered_set>
#include <vector>

#include <c10/util/Exception.h>
#include <torch/csrc/jit/passes/autocast.h>

#include "pregrad/error.hpp"
#include "support/failures.hpp"

namespace pregrad::graph {

using torch::jit::Block;
using torch::jit::Node;
using torch::jit::Value;

namespace {

bool is_autocast(const Value* value) {
  const auto type = value->type()->cast<c10::ClassType>();
  return type && type->name() && type->name()->name() == "autocast";
}

void collect(Block* block, std::vector<Node*>& entered, std::vector<Node*>& objects) {
  for (Node* node : block->nodes()) {
    if (node->kind() == c10::prim::Enter && is_autocast(node->input())) {
      entered.push_back(node);
      Node* const object = node->input()->node();
      if (std::find(objects.begin(), objects.end(), object) == objects.end()) {
        objects.push_back(object);
      }
    }
    for (Block* inner : node->blocks()) {
      collect(inner, entered, objects);
    }
  }
}

std::string place_of(const InlinedModel& model, Node* node) {
  const std::string& path = model.path_of(node);
  return path.empty() ? "the model's forward" : "module '" + path + "'";
}

[[noreturn]] void refuse_region(const InlinedModel& model, Node* entered, const std::string& why) {
  throw UnsupportedModelError(place_of(model, entered) + " enters torch.autocast in a way that cannot be kept (" + why +
                              "): write `with torch.autocast(...)` with constant arguments in forward, or trace the "
                              "model, which turns the region into casts");
}

/// The object stands for nothing any more: entering, leaving and setting it up compute nothing.
void remove(Node* object) {
  const auto uses = object->output()->uses();
  for (const torch::jit::Use& use : uses) {
    const bool is_of_region = use.user->kind() == c10::prim::Enter || use.user->kind() == c10::prim::Exit ||
                              use.user->kind() == c10::prim::SetAttr;
    if (is_of_region && !use.user->hasUses()) {
      use.user->destroy();
    }
  }
  if (!object->hasUses()) {
    object->destroy();
  }
}

/// Gives each node that has none a scope of its own, in the module of the node that it was made for.
void tag_casts(InlinedModel& model, Block* block) {
  Node* after = block->return_node();
  for (Node* node = after->prev(); node != block->param_node(); node = node->prev()) {
    for (Block* inner : node->blocks()) {
      tag_casts(model, inner);
    }
    if (model.node_calls.count(scope_of(node)) == 0) {
      model.tag(node, after == block->return_node() ? 0 : model.call_of(after));
    }
    after = node;
  }
}

}  // namespace

void write_out_autocast(InlinedModel& model) {
  std::vector<Node*> entered;
  std::vector<Node*> objects;
  collect(model.graph->block(), entered, objects);
  if (entered.empty()) {
    return;
  }
  if (!torch::jit::autocastEnabled()) {
    refuse_region(model, entered.front(), "torch::jit::setAutocastMode(false) was called in this process");
  }
  for (Node* node : entered) {
    static const std::unordered_set<std::string> known = {"__torch__.torch.amp.autocast_mode.autocast",
                                                          "__torch__.torch.cpu.amp.autocast_mode.autocast",
                                                          "__torch__.torch.cuda.amp.autocast_mode.autocast"};
    const std::string name = node->input()->type()->expectRef<c10::ClassType>().name()->qualifiedName();
    if (known.count(name) == 0) {
      refuse_region(model, node, "LibTorch does not know " + name + " as its own");
    }
  }
  try {
    torch::jit::Autocast(model.graph);
  } catch (const c10::Error& error) {
    refuse_region(model, entered.front(), support::first_sentence(error));
  }
  for (Node* object : objects) {
    remove(object);
  }
  tag_casts(model, model.graph->block());
}

}  // namespace pregrad::graph

#include "graph/inlined_model.hpp"

namespace pregrad::graph {

void InlinedModel::tag(torch::jit::Node* node, const std::string& path) {
  using torch::jit::Scope;
  auto scope = c10::make_intrusive<Scope>(c10::make_intrusive<Scope>(), c10::Symbol::scope("pregrad"));
  module_paths.emplace(scope.get(), path);
  scopes.push_back(scope);
  node->setScope(scope);
}

const std::string& InlinedModel::path_of(torch::jit::Node* node) const {
  static const std::string root;
  const auto found = module_paths.find(node->scope().get());
  return found == module_paths.end() ? root : found->second;
}

}  // namespace pregrad::graph

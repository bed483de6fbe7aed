#include "graph/layer_sites.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>

#include <torch/csrc/jit/ir/constants.h>

#include "graph/neuron_axis.hpp"
#include "graph/pointwise.hpp"

namespace pregrad::graph {

using torch::jit::Node;
using torch::jit::Use;
using torch::jit::Value;

namespace {

using Names = std::unordered_set<std::string_view>;

bool is_embedding(const Use& use) {
  const std::string name = use.user->kind().is_aten() ? operator_name(use.user) : "";
  constexpr std::size_t ids = 1;
  return use.offset == ids &&
         (name == "embedding" || name.starts_with("embedding_bag") || name.starts_with("_embedding_bag"));
}

bool is_cast(const Node* node) {
  static const Names names = {"_to_copy", "type_as", "long", "int"};
  const std::string name = node->kind().is_aten() ? operator_name(node) : "";
  // To another device alone is none.
  return names.count(name) != 0 || (name == "to" && (node->maybeSchema() == nullptr || node->hasNamedInput("dtype") ||
                                                     node->hasNamedInput("other")));
}

/// Whether what the node gives is the numbers that it reads there, or some of them, in whatever order, type or place.
bool hands_on_numbers(const Use& use) {
  static const Names first = {"to",
                              "_to_copy",
                              "type_as",
                              "long",
                              "int",
                              "view",
                              "reshape",
                              "_unsafe_view",
                              "flatten",
                              "unflatten",
                              "squeeze",
                              "unsqueeze",
                              "slice",
                              "select",
                              "narrow",
                              "transpose",
                              "permute",
                              "t",
                              "movedim",
                              "expand",
                              "expand_as",
                              "repeat",
                              "contiguous",
                              "clone",
                              "alias",
                              "detach",
                              "lift_fresh_copy",
                              "index_select",
                              "roll",
                              "flip",
                              "clamp",
                              "sub",
                              "masked_fill",
                              "remainder",
                              "chunk",
                              "split",
                              "split_with_sizes",
                              "tensor_split",
                              "unbind",
                              "cat",
                              "concat",
                              "stack",
                              "pad",
                              "constant_pad_nd",
                              "__getitem__"};
  static const Names second = {"add", "where"};
  const Node* const node = use.user;
  if (!node->kind().is_aten()) {
    return node->kind() == c10::prim::unchecked_cast || node->kind() == c10::prim::ListUnpack ||
           node->kind() == c10::prim::ListConstruct;
  }
  const std::string name = operator_name(node);
  return (use.offset == 0 && (first.count(name) != 0 || name == "add")) ||
         ((use.offset == 1 || use.offset == 2) && name == "where") || (use.offset == 1 && second.count(name) != 0);
}

/// Embeddings that an input enters, in program order.
struct Embeddings {
  std::vector<Node*> nodes;
  bool is_cast = false;  ///< whether a cast is on the way, before which the numbers may be no integers
};

Embeddings embeddings_behind(std::vector<Value*> values) {
  Embeddings found;
  std::unordered_set<const Value*> seen(values.begin(), values.end());
  const auto follow = [&](Value* value) {
    if (seen.insert(value).second) {
      values.push_back(value);
    }
  };
  while (!values.empty()) {
    Value* const value = values.back();
    values.pop_back();
    for (const Use& use : value->uses()) {
      Node* const owner = use.user->owningBlock()->owningNode();
      if (is_embedding(use)) {
        found.nodes.push_back(use.user);
      } else if (use.user->kind() == c10::prim::Return && owner != nullptr && owner->kind() == c10::prim::If) {
        follow(owner->output(use.offset));
      } else if (hands_on_numbers(use)) {
        found.is_cast = found.is_cast || is_cast(use.user);
        for (Value* output : use.user->outputs()) {
          follow(output);
        }
      }
    }
  }
  std::sort(found.nodes.begin(), found.nodes.end(),
            [](const Node* left, const Node* right) { return left != right && left->isBefore(right); });
  found.nodes.erase(std::unique(found.nodes.begin(), found.nodes.end()), found.nodes.end());
  return found;
}

/// What tells the table of one embedding from those of others.
const void* table_of(const Node* embedding) {
  const auto constant = torch::jit::toIValue(embedding->input(0));
  return constant && constant->isTensor() ? static_cast<const void*>(constant->toTensor().unsafeGetTensorImpl())
                                          : static_cast<const void*>(embedding->input(0));
}

/// What the graph reads from an input that is a container, by what the input calls it.
class Elements {
 public:
  explicit Elements(const std::vector<Value*>& reads) {
    for (const Value* read : reads) {
      add(read);
    }
  }

  const std::map<std::string, std::vector<Value*>>& values() const { return values_; }
  /// Whether nothing else of it may be read.
  bool are_all() const { return are_all_; }

 private:
  void add(const Value* container) {
    for (const Use& use : container->uses()) {
      Node* const node = use.user;
      if (node->kind() == c10::prim::TupleUnpack || node->kind() == c10::prim::ListUnpack) {
        const auto tuple = container->type()->cast<c10::TupleType>();
        const std::vector<std::string> names = tuple ? element_names(*tuple) : std::vector<std::string>();
        for (std::size_t i = 0; i < node->outputs().size(); ++i) {
          values_[i < names.size() ? names[i] : std::to_string(i)].push_back(node->output(i));
        }
      } else if (node->kind() == c10::aten::__getitem__ || node->kind() == c10::prim::TupleIndex) {
        const auto key = torch::jit::toIValue(node->input(1));
        const bool is_known = key && (key->isString() || (key->isInt() && key->toInt() >= 0));
        are_all_ = are_all_ && is_known;
        if (is_known) {
          values_[key->isString() ? key->toStringRef() : std::to_string(key->toInt())].push_back(node->output());
        }
      } else {
        are_all_ =
            are_all_ && (node->kind() == c10::Symbol::aten("__contains__") || node->kind() == c10::Symbol::aten("len"));
      }
    }
  }

  std::map<std::string, std::vector<Value*>> values_;
  bool are_all_ = true;
};

class InputSiteFinder {
 public:
  InputSiteFinder(const InlinedModel& model, LayerSites& sites) : model_(model), sites_(sites) {}

  /// @param reads      the values of the graph that the input is, one but for what is in a container
  /// @param are_all    whether no other value may be that input
  void add(const std::vector<Value*>& reads, const std::string& name, const std::optional<at::ScalarType>& type,
           bool are_all) {
    const c10::TypePtr& given = reads.front()->type();
    const auto optional = given->cast<c10::OptionalType>();
    if ((optional ? optional->getElementType() : given)->isSubtypeOf(*c10::TensorType::get())) {
      add_tensor(reads, name, type, are_all && reads.size() == 1);
      return;
    }
    const Elements elements(reads);
    for (const auto& [part, values] : elements.values()) {
      add(values, name + "." + part, type, are_all && elements.are_all());
    }
  }

 private:
  void add_tensor(const std::vector<Value*>& reads, const std::string& name, const std::optional<at::ScalarType>& type,
                  bool is_read_once) {
    const std::string layer = "input:" + name;
    const bool is_border = std::any_of(sites_.borders.begin(), sites_.borders.end(),
                                       [&](const LayerSite& each) { return each.name == layer; });
    const bool is_floating = type && at::isFloatingType(*type);
    const Embeddings embeddings = is_floating ? Embeddings() : embeddings_behind(reads);
    std::vector<LayerSite> embedded;
    for (Node* node : embeddings.nodes) {
      embedded.push_back(embedding_site(layer, node));
    }
    number_calls(embedded, embeddings.nodes);
    if (!embedded.empty()) {
      sites_.embeddings[name] = embedded;
    }
    if (is_border) {
      return;  // a module that is called `input`, and an input called `in` or `out`
    }
    // A file that does not tell types may mean numbers that are cast to whole ones on their way.
    const bool is_embedded = !embedded.empty() && (type || !embeddings.is_cast);
    if (is_embedded && has_one_table(embeddings.nodes)) {
      sites_.inputs.insert(sites_.inputs.end(), embedded.begin(), embedded.end());
    } else if (is_embedded) {
      std::set<std::string> names;
      for (const LayerSite& each : embedded) {
        names.insert(each.pre_activation.empty() ? "one without a module" : each.pre_activation + ":out");
      }
      std::string listed;
      for (const std::string& each : names) {
        listed += (listed.empty() ? "" : ", ") + each;
      }
      sites_.refused_inputs[layer] = "enters several embeddings: name one of them, " + listed;
    } else if (type && !is_floating) {
      sites_.refused_inputs[layer] = std::string("has type ") + c10::toString(*type) +
                                     " and enters no embedding, and a layer has floating-point values: name another "
                                     "input, or a layer behind it";
    } else if (!is_read_once) {
      sites_.refused_inputs[layer] =
          "is read from its container at several places of the scripted model: save it with torch.export.save, or name "
          "what enters a module (NAME:in)";
    } else {
      sites_.inputs.push_back(tensor_site(layer, reads.front()));
    }
  }

  static bool has_one_table(const std::vector<Node*>& embeddings) {
    return std::all_of(embeddings.begin(), embeddings.end(),
                       [&](const Node* each) { return table_of(each) == table_of(embeddings.front()); });
  }

  static LayerSite site_called(const std::string& layer) {
    LayerSite site;
    site.name = layer;
    site.op = "input";
    site.operators = site.op;
    site.is_activation = false;
    site.is_input = true;
    return site;
  }

  LayerSite embedding_site(const std::string& layer, Node* node) const {
    LayerSite site = site_called(layer);
    site.neuron_axis = neuron_axis_of(node->output(0));
    site.scope = scope_of(node);
    site.producer = site.scope;
    for (const ModuleOutput& output : model_.module_outputs) {
      if (site.pre_activation.empty() && output.scope == site.scope && output.offset == 0) {
        site.pre_activation = output.path;
      }
    }
    return site;
  }

  LayerSite tensor_site(const std::string& layer, Value* value) const {
    LayerSite site = site_called(layer);
    site.call = 0;
    site.neuron_axis = axis_for_readers(value);
    Node* const node = value->node();
    if (node == model_.graph->param_node()) {
      site.graph_input = value->offset();
      return site;
    }
    site.scope = scope_of(node);
    site.offset = value->offset();
    site.producer = site.scope;
    if (node->owningBlock() != model_.graph->block()) {
      site.call.reset();
    }
    return site;
  }

  /// Which axis counts features, as far as an operator that reads the tensor tells.
  static std::optional<std::int64_t> axis_for_readers(const Value* value) {
    static const Names channels = {"_convolution",     "convolution",      "conv1d",
                                   "conv2d",           "conv3d",           "conv_transpose1d",
                                   "conv_transpose2d", "conv_transpose3d", "_convolution_mode",
                                   "batch_norm"};
    static const Names last = {"linear", "lstm", "gru", "rnn_tanh", "rnn_relu", "layer_norm", "native_layer_norm"};
    for (const Use& use : value->uses()) {
      const std::string name = use.user->kind().is_aten() ? operator_name(use.user) : "";
      if (use.offset == 0 && channels.count(name) != 0) {
        return 1;
      }
      if (use.offset == 0 && last.count(name) != 0) {
        return -1;
      }
    }
    return std::nullopt;
  }

  void number_calls(std::vector<LayerSite>& sites, const std::vector<Node*>& nodes) const {
    const bool is_dynamic = std::any_of(nodes.begin(), nodes.end(),
                                        [&](const Node* node) { return node->owningBlock() != model_.graph->block(); });
    for (std::size_t i = 0; i < sites.size() && !is_dynamic; ++i) {
      sites[i].call = static_cast<std::int64_t>(i);
    }
  }

  const InlinedModel& model_;
  LayerSites& sites_;
};

}  // namespace

void add_input_sites(const InlinedModel& model, const std::vector<ForwardArgument>& arguments, LayerSites& sites) {
  InputSiteFinder finder(model, sites);
  for (std::size_t i = 0; i < std::min(arguments.size(), model.graph->inputs().size()); ++i) {
    const ForwardArgument& argument = arguments[i];
    finder.add({model.graph->inputs()[i]}, argument.name,
               argument.expected ? std::optional(argument.expected->type) : std::nullopt, true);
  }
}

}  // namespace pregrad::graph

#include "pruning/dependence.hpp"

#include <algorithm>
#include <optional>

#include <ATen/Functions.h>
#include <ATen/core/grad_mode.h>
#include <torch/csrc/jit/ir/constants.h>

#include "graph/graph_checks.hpp"
#include "graph/pointwise.hpp"
#include "pregrad/error.hpp"

namespace pregrad::pruning {

using graph::input_named;
using graph::is_convolution;
using torch::jit::Node;
using torch::jit::toIValue;
using torch::jit::Value;

std::vector<std::int64_t> indices_of(const Gone& gone) {
  std::vector<std::int64_t> indices;
  for (std::size_t i = 0; i < gone.size(); ++i) {
    if (gone[i]) {
      indices.push_back(static_cast<std::int64_t>(i));
    }
  }
  return indices;
}

Values traced(torch::jit::Graph& graph, std::vector<c10::IValue> arguments) {
  const at::NoGradGuard no_gradients;
  const auto copy = graph.copy();
  std::vector<const Value*> wanted;
  const auto visit = [&](const Node* node, Node* copied) {
    for (std::size_t i = 0; i < node->outputs().size() && node->kind() != c10::prim::Constant; ++i) {
      wanted.push_back(node->output(i));
      copy->registerOutput(copied->output(i));
    }
  };
  visit(graph.param_node(), copy->param_node());
  auto copied = copy->nodes().begin();
  for (const Node* node : graph.nodes()) {
    visit(node, *copied);
    ++copied;
  }
  const torch::jit::Code code = graph::checked_code(copy, "pregrad_traced");
  graph::run_code(code, arguments);
  Values values;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    values.emplace(wanted[i], arguments[arguments.size() - wanted.size() + i]);
  }
  return values;
}

std::int64_t multiply_adds(torch::jit::Graph& graph, const Values& values) {
  std::int64_t sum = 0;
  for (const Node* node : graph.nodes()) {
    const std::string name = name_of(node);
    const auto tensor = [&](std::size_t i) { return tensor_of(node->input(i), values); };
    const bool has_sum_first = name == "addmm" || name == "baddbmm";
    if (name == "linear" || name == "mm" || name == "matmul" || name == "bmm" || has_sum_first) {
      const at::Tensor left = tensor(has_sum_first ? 1 : 0);
      sum += tensor_of(node->output(0), values).numel() * left.size(-1);
    } else if (is_convolution(name)) {
      const auto flag = input_named(node, "transposed");
      const auto transposed = flag == nullptr ? std::nullopt : toIValue(flag);
      const bool is_transposed =
          name.find("transpose") != std::string::npos || (transposed && transposed->isBool() && transposed->toBool());
      const at::Tensor weight = tensor(1);
      const at::Tensor places = is_transposed ? tensor(0) : tensor_of(node->output(0), values);
      sum += places.numel() * (weight.numel() / std::max<std::int64_t>(1, weight.size(0)));
    } else if (name == "scaled_dot_product_attention") {
      const at::Tensor query = tensor(0);
      sum += query.numel() / query.size(-1) * tensor(1).size(-2) * (query.size(-1) + tensor(2).size(-1));
    }
  }
  return sum;
}

namespace {

bool is_constant(const Value* value) { return value->node()->kind() == c10::prim::Constant; }

bool is_same_memory(const at::Tensor& left, const at::Tensor& right) {
  return left.const_data_ptr() == right.const_data_ptr() && left.numel() == right.numel() &&
         left.scalar_type() == right.scalar_type();
}

/// Calls `visit` with the constants of the blocks inside a node, and with what these read from outside.
void visit_inner(Node* node, const std::function<void(const Value*)>& visit) {
  for (torch::jit::Block* block : node->blocks()) {
    for (Node* inner : block->nodes()) {
      for (const Value* value : inner->inputs()) {
        visit(value);
      }
      visit_inner(inner, visit);
    }
    for (const Value* value : block->return_node()->inputs()) {
      visit(value);
    }
  }
}

std::int64_t count_of(const Gone& gone) { return std::count(gone.begin(), gone.end(), true); }

std::string counted(const Gone& gone, const char* what) {
  const auto indices = indices_of(gone);
  return std::string(what) + (indices.size() == 1 ? " " : "s ") + std::to_string(indices.front()) +
         (indices.size() == 1   ? ""
          : indices.size() == 2 ? " and " + std::to_string(indices.back())
                                : " and others");
}

/// The numbers in a list, or a number alone; empty for those that are no constants.
std::vector<std::optional<std::int64_t>> numbers_of(const Value* list) {
  std::vector<std::optional<std::int64_t>> numbers;
  if (const auto constant = toIValue(list)) {
    if (constant->isInt()) {
      numbers.emplace_back(constant->toInt());
    } else if (constant->isIntList()) {
      for (const std::int64_t number : constant->toIntVector()) {
        numbers.emplace_back(number);
      }
    }
  } else if (list->node()->kind() == c10::prim::ListConstruct) {
    for (const Value* element : list->node()->inputs()) {
      const auto number = toIValue(element);
      numbers.emplace_back(number && number->isInt() ? std::optional(number->toInt()) : std::nullopt);
    }
  }
  return numbers;
}

std::size_t number_of_input(const Node* node, const Value* input) {
  const auto inputs = node->inputs();
  return static_cast<std::size_t>(std::find(inputs.begin(), inputs.end(), input) - inputs.begin());
}

}  // namespace

Dependence::Dependence(torch::jit::Graph& graph, const Values& values, std::set<const Node*> transparent,
                       const graph::Provenance& provenance)
    : graph_(graph), values_(values), provenance_(provenance), transparent_(std::move(transparent)) {
  std::vector<std::pair<at::Tensor, const Value*>> known;
  for (const Node* node : graph.nodes()) {
    if (node->kind() != c10::prim::Constant) {
      continue;
    }
    const at::Tensor tensor = tensor_of(node->output(), values_);
    if (!tensor.defined() || tensor.numel() < 2) {
      continue;
    }
    const auto same = std::find_if(known.begin(), known.end(), [&](const auto& each) {
      return is_same_memory(each.first, tensor) && each.first.sizes() == tensor.sizes() &&
             each.first.strides() == tensor.strides();
    });
    representatives_[node->output()] = same == known.end() ? node->output() : same->second;
    if (same == known.end()) {
      known.emplace_back(tensor, node->output());
    }
  }
}

const Value* Dependence::representative(const Value* value) const {
  const auto found = representatives_.find(value);
  return found == representatives_.end() ? value : found->second;
}

void Dependence::restore() { gone_.clear(); }

Gone Dependence::gone(const Value* value, std::int64_t axis) const {
  const auto found = gone_.find({representative(value), axis});
  return found == gone_.end() ? Gone() : found->second;
}

void Dependence::remove(const Value* value, std::int64_t axis, const std::vector<std::int64_t>& indices) {
  Gone& gone = gone_[{representative(value), axis}];
  gone.resize(static_cast<std::size_t>(tensor_of(value, values_).size(axis)));
  for (const std::int64_t index : indices) {
    gone[static_cast<std::size_t>(index)] = true;
  }
  close();
}

const Rule& Dependence::rule(const Node* node) {
  const auto known = rules_.find(node);
  if (known != rules_.end()) {
    return known->second;
  }
  Rule rule;
  if (transparent_.count(node) != 0) {
    for (std::int64_t axis = 0; axis < tensor_of(node->input(0), values_).dim(); ++axis) {
      rule.links.push_back({node->input(0), axis, node->output(0), axis, {}, false});
    }
  } else {
    rule = rule_of(node, values_);
  }
  for (Link& link : rule.links) {
    link.from = representative(link.from);
    link.to = representative(link.to);
  }
  return rules_.emplace(node, std::move(rule)).first->second;
}

bool Dependence::follow(const Link& link) {
  const auto size = [&](const Value* value, std::int64_t axis) {
    return static_cast<std::size_t>(tensor_of(value, values_).size(axis));
  };
  const auto from = gone_.find({link.from, link.from_axis});
  const auto to = gone_.find({link.to, link.to_axis});
  if (from == gone_.end() && to == gone_.end()) {
    return false;
  }
  const Gone before_from = from == gone_.end() ? Gone(size(link.from, link.from_axis)) : from->second;
  const Gone before_to = to == gone_.end() ? Gone(size(link.to, link.to_axis)) : to->second;
  Gone after_from = before_from;
  Gone after_to = before_to;
  const auto source = [&](std::size_t i) {
    return link.source.empty() ? static_cast<std::int64_t>(i) : link.source[i];
  };
  std::vector<std::int64_t> parts(after_from.size());
  std::vector<std::int64_t> gone_parts(after_from.size());
  for (std::size_t i = 0; i < after_to.size(); ++i) {
    if (source(i) < 0) {
      continue;
    }
    const auto index = static_cast<std::size_t>(source(i));
    after_to[i] = after_to[i] || before_from[index];
    ++parts[index];
    gone_parts[index] += after_to[i] ? 1 : 0;
  }
  for (std::size_t i = 0; i < after_from.size(); ++i) {
    after_from[i] = after_from[i] || (parts[i] > 0 && parts[i] == gone_parts[i]);
  }
  if (after_from != before_from) {
    gone_[{link.from, link.from_axis}] = after_from;
  }
  if (after_to != before_to) {
    gone_[{link.to, link.to_axis}] = after_to;
  }
  return after_from != before_from || after_to != before_to;
}

bool Dependence::is_touched(const Node* node) const {
  const auto has_lost = [&](const Value* value) {
    const auto first = gone_.lower_bound({representative(value), 0});
    return first != gone_.end() && first->first.first == representative(value);
  };
  const auto read = tensors_read(node);
  const auto made = tensors_made(node);
  return std::any_of(read.begin(), read.end(), has_lost) ||
         std::any_of(made.begin(), made.end(),
                     [&](const auto& same) { return std::any_of(same.begin(), same.end(), has_lost); });
}

namespace {

/// Nodes that only pack and unpack tensors, which those that read and make them see through, and those that read sizes.
bool is_packing(const Node* node) {
  if (graph::reads_no_numbers(node) && tensors_made(node).empty()) {
    return true;
  }
  const bool is_element =
      node->kind() == c10::aten::__getitem__ && node->input(0)->type()->isSubtypeOf(*c10::ListType::ofTensors());
  return is_element || node->kind() == c10::prim::ListConstruct || node->kind() == c10::prim::ListUnpack ||
         node->kind() == c10::prim::Constant;
}

}  // namespace

void Dependence::close() {
  bool has_grown = true;
  while (has_grown) {
    has_grown = false;
    const auto visit = [&](const Node* node) {
      if (is_packing(node) || !node->blocks().empty() || !is_touched(node)) {
        return;
      }
      for (const Link& link : rule(node).links) {
        has_grown = follow(link) || has_grown;
      }
    };
    for (const Node* node : graph_.nodes()) {
      visit(node);
    }
    for (const Node* node : graph_.nodes().reverse()) {
      visit(node);
    }
  }
}

std::string Dependence::words(const Node* node) const {
  const auto path = provenance_.paths.find(graph::scope_of(node));
  const std::string name = name_of(node).empty() ? node->kind().toQualString() : name_of(node);
  return "operator " + name +
         (path == provenance_.paths.end() || path->second.empty() ? "" : " in '" + path->second + "'");
}

std::string Dependence::refusal(const Node* node) const {
  const auto found = rules_.find(node);
  if (found == rules_.end()) {
    return words(node) + " is none that a plan follows";
  }
  const Rule& rule = found->second;
  const auto is_covered = [&](const Value* value, std::int64_t axis, std::int64_t index) {
    const bool is_linked = std::any_of(rule.links.begin(), rule.links.end(), [&](const Link& link) {
      if (link.to == value && link.to_axis == axis) {
        const std::int64_t source = link.source.empty() ? index : link.source[static_cast<std::size_t>(index)];
        if (source < 0) {
          return link.is_partial;
        }
        const Gone from = gone(link.from, link.from_axis);
        if (!from.empty() && from[static_cast<std::size_t>(source)]) {
          return true;
        }
      }
      return link.from == value && link.from_axis == axis &&
             (link.source.empty() || std::find(link.source.begin(), link.source.end(), index) != link.source.end());
    });
    return is_linked || std::any_of(rule.contractions.begin(), rule.contractions.end(), [&](const Contraction& each) {
             return each.is_alone && representative(each.value) == value && each.axis == axis;
           });
  };
  const auto uncovered = [&](const Value* tensor) -> std::string {
    const Value* const value = representative(tensor);
    for (auto entry = gone_.lower_bound({value, 0}); entry != gone_.end() && entry->first.first == value; ++entry) {
      for (const std::int64_t index : indices_of(entry->second)) {
        if (!is_covered(value, entry->first.second, index)) {
          return words(node) + " " +
                 (rule.limits.empty() ? "makes index " + std::to_string(index) + " of something else" : rule.limits);
        }
      }
    }
    return "";
  };
  for (const Value* value : tensors_read(node)) {
    if (std::string why = uncovered(value); !why.empty()) {
      return why;
    }
  }
  for (const auto& same : tensors_made(node)) {
    for (const Value* value : same) {
      if (std::string why = uncovered(value); !why.empty()) {
        return why;
      }
    }
  }
  const auto is_zero = [&](const Value* value, std::int64_t axis, std::int64_t index) {
    return value != nullptr && tensor_of(value, values_).select(axis, index).eq(0).all().item<bool>();
  };
  for (const Contraction& each : rule.contractions) {
    for (const std::int64_t index : indices_of(gone(each.value, each.axis))) {
      if (!is_zero(each.value, each.axis, index) && !is_zero(each.other, each.other_axis, index)) {
        return words(node) + " reads channel " + std::to_string(index) +
               ", which is not 0 without its neurons: something between them and it, such as a normalisation, a bias "
               "or another summand, gives it a value, so name the layers that do together, or others";
      }
    }
  }
  for (const Groups& each : rule.groups) {
    const Gone lost = gone(each.value, each.axis);
    if (lost.empty()) {
      continue;
    }
    const auto size = static_cast<std::int64_t>(lost.size()) / each.count;
    std::set<std::int64_t> counts;
    for (std::int64_t group = 0; group < each.count; ++group) {
      counts.insert(std::count(lost.begin() + group * size, lost.begin() + (group + 1) * size, true));
    }
    const bool are_whole = std::all_of(counts.begin(), counts.end(), [&](auto n) { return n == 0 || n == size; });
    if (each.whole ? !are_whole : counts.size() > 1) {
      return words(node) + " has " + std::to_string(each.count) + " groups of " + std::to_string(size) + ", which " +
             (each.whole ? "can go as a whole only" : "must stay of one size");
    }
  }
  return "";
}

std::string Dependence::why_not() const {
  const auto has_lost = [&](const Value* value) {
    const auto first = gone_.lower_bound({representative(value), 0});
    return first != gone_.end() && first->first.first == representative(value);
  };
  for (const Value* input : graph_.inputs()) {
    if (has_lost(input)) {
      return "the model's inputs would lose features";
    }
  }
  for (const auto& [place, gone] : gone_) {
    if (count_of(gone) == static_cast<std::int64_t>(gone.size())) {
      return "nothing would be left of what " + words(place.first->node()) + " makes";
    }
  }
  for (Node* node : graph_.nodes()) {
    std::string inner;
    visit_inner(node, [&](const Value* value) {
      const at::Tensor tensor = is_constant(value) ? tensor_of(value, values_) : at::Tensor();
      const bool is_cut_weight =
          tensor.defined() && std::any_of(gone_.begin(), gone_.end(), [&](const auto& entry) {
            return is_constant(entry.first.first) && is_same_memory(tensor_of(entry.first.first, values_), tensor);
          });
      if (has_lost(value) || is_cut_weight) {
        inner = "a loop or a branch of the model reads it, which a plan does not follow";
      }
    });
    if (!inner.empty()) {
      return inner;
    }
    if (is_packing(node) || !is_touched(node)) {
      continue;
    }
    if (std::string why = refusal(node); !why.empty()) {
      return why;
    }
  }
  for (const Value* output : tensors_read(graph_.return_node())) {
    if (has_lost(output)) {
      return "the model's outputs would lose some";
    }
  }
  try {
    static_cast<void>(cut_weights());
  } catch (const UnsupportedModelError& error) {
    return error.what();
  }
  return "";
}

std::vector<std::pair<const Value*, at::Tensor>> Dependence::cut_constants() const {
  std::vector<std::pair<const Value*, at::Tensor>> cut;
  for (const Node* node : graph_.nodes()) {
    if (node->kind() != c10::prim::Constant) {
      continue;
    }
    at::Tensor tensor = tensor_of(node->output(), values_);
    bool is_cut = false;
    for (std::int64_t axis = 0; tensor.defined() && axis < tensor.dim(); ++axis) {
      Gone lost = gone(node->output(), axis);
      if (lost.empty()) {
        continue;
      }
      lost.flip();
      tensor = tensor.index_select(axis, at::tensor(indices_of(lost), tensor.options().dtype(at::kLong)));
      is_cut = true;
    }
    if (is_cut) {
      cut.emplace_back(node->output(), tensor);
    }
  }
  return cut;
}

std::map<std::pair<std::string, std::int64_t>, Gone> Dependence::cut_weights() const {
  std::map<std::pair<std::string, std::int64_t>, Gone> cut;
  for (const auto& [place, lost] : gone_) {
    const auto& [value, axis] = place;
    if (!is_constant(value)) {
      continue;
    }
    const at::Tensor constant = tensor_of(value, values_);
    bool is_known = false;
    for (const graph::StateTensor& state : provenance_.state) {
      if (!is_same_memory(state.tensor, constant)) {
        continue;
      }
      // A constant may be the weight with its axes exchanged.
      for (std::int64_t own = 0; own < state.tensor.dim(); ++own) {
        const bool is_same =
            constant.sizes() == state.tensor.sizes()
                ? own == axis
                : state.tensor.size(own) == constant.size(axis) && state.tensor.stride(own) == constant.stride(axis);
        if (is_same) {
          cut[{state.name, own}] = lost;
          is_known = true;
        }
      }
    }
    if (!is_known) {
      throw UnsupportedModelError("a constant that is no weight of the model's state dict would lose " +
                                  counted(lost, "index") + ", which no plan can name: register it as a buffer");
    }
  }
  return cut;
}

std::vector<ArgumentChange> Dependence::changes() const {
  std::vector<ArgumentChange> changes;
  for (Node* node : graph_.nodes()) {
    if (is_packing(node) || transparent_.count(node) != 0 || !is_touched(node) || node->maybeSchema() == nullptr) {
      continue;
    }
    const std::string name = name_of(node);
    const auto change = [&](const char* argument, std::int64_t element, std::int64_t value) {
      if (const Value* const input = input_named(node, argument)) {
        changes.push_back({node, number_of_input(node, input), element, value});
      }
    };
    const auto made = tensors_made(node);
    const Value* const output = made.empty() || made.front().empty() ? nullptr : made.front().front();
    const auto number = [&](const char* argument) -> std::optional<std::int64_t> {
      const Value* const input = input_named(node, argument);
      const auto numbers = input == nullptr ? std::vector<std::optional<std::int64_t>>() : numbers_of(input);
      return numbers.size() == 1 ? numbers.front() : std::nullopt;
    };
    // Sizes that are given for the axes of the output, from one of them on.
    const auto change_sizes = [&](const char* argument, std::int64_t first) {
      const Value* const input = input_named(node, argument);
      if (input == nullptr || output == nullptr) {
        return;
      }
      const auto sizes = numbers_of(input);
      for (std::size_t i = 0; i < sizes.size(); ++i) {
        const std::int64_t lost = count_of(gone(output, first + static_cast<std::int64_t>(i)));
        if (sizes[i] && *sizes[i] >= 0 && lost > 0) {
          change(argument, static_cast<std::int64_t>(i), *sizes[i] - lost);
        }
      }
    };
    const auto axis_of_input = [&] {
      const std::int64_t dim = number("dim").value_or(0);
      return dim < 0 ? dim + tensor_of(node->input(0), values_).dim() : dim;
    };
    if (name == "view" || name == "reshape" || name == "_unsafe_view" || name == "expand") {
      change_sizes(name == "reshape" ? "shape" : "size", 0);
    } else if (name == "unflatten") {
      change_sizes("sizes", axis_of_input());
    } else if (name == "slice" || name == "narrow" || name == "select") {
      const Gone lost = gone(node->input(0), axis_of_input());
      if (lost.empty()) {
        continue;
      }
      const auto size = static_cast<std::int64_t>(lost.size());
      const auto before = [&](std::int64_t index) {
        const std::int64_t end = std::clamp<std::int64_t>(index < 0 ? index + size : index, 0, size);
        return end - std::count(lost.begin(), lost.begin() + end, true);
      };
      const std::int64_t start = number(name == "select" ? "index" : "start").value_or(0);
      if (name == "select") {
        change("index", -1, before(start));
      } else {
        if (start != 0) {
          change("start", -1, before(start));
        }
        const auto end = number("end");
        if (end && *end < size) {
          change("end", -1, before(*end));
        }
        if (const auto length = number("length")) {
          change("length", -1, before(start + *length) - before(start));
        }
      }
    } else if (name == "split_with_sizes" || name == "split" || name == "unsafe_split") {
      std::vector<std::int64_t> sizes;
      bool has_changed = false;
      for (const auto& same : made) {
        const Gone lost = same.empty() ? Gone() : gone(same.front(), axis_of_input());
        has_changed = has_changed || count_of(lost) > 0;
        sizes.push_back(same.empty() ? 0 : tensor_of(same.front(), values_).size(axis_of_input()) - count_of(lost));
      }
      const char* const list = input_named(node, "split_sizes") != nullptr ? "split_sizes" : "split_size";
      if (has_changed && numbers_of(input_named(node, list)).size() == sizes.size() && sizes.size() > 1) {
        for (std::size_t i = 0; i < sizes.size(); ++i) {
          change(list, static_cast<std::int64_t>(i), sizes[i]);
        }
      } else if (has_changed) {
        change(list, -1, sizes.front());
      }
    } else if (name == "group_norm" || name == "native_group_norm") {
      const std::int64_t lost = count_of(gone(output, 1));
      const char* const groups = name == "group_norm" ? "num_groups" : "group";
      if (lost > 0 && number(groups)) {
        const auto channels = static_cast<std::int64_t>(gone(output, 1).size());
        change(groups, -1, *number(groups) - lost * *number(groups) / channels);
        if (name == "native_group_norm") {
          change("C", -1, channels - lost);
        }
      }
    } else if (is_convolution(name)) {
      const Gone lost = gone(node->input(0), 1);
      const auto groups = number("groups");
      if (groups && *groups > 1 && *groups == static_cast<std::int64_t>(lost.size())) {
        change("groups", -1, *groups - count_of(lost));
      }
    } else if (output != nullptr && input_named(node, "size") != nullptr) {
      change_sizes("size", 0);
    }
  }
  return changes;
}

}  // namespace pregrad::pruning

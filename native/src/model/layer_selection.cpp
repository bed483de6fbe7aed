#include "model/layer_selection.hpp"

#include <algorithm>
#include <map>
#include <string_view>
#include <utility>

#include "pregrad/error.hpp"
#include "statistics/layer_reference.hpp"

namespace pregrad::model {

using graph::LayerAlias;
using graph::LayerSite;
using graph::LayerSites;
using statistics::LayerReference;

namespace {

constexpr std::string_view input_prefix = "input:";

std::string shown(const LayerSite& site) {
  return site.call ? statistics::to_string(site.name, *site.call) : site.name;
}

class Selector {
 public:
  explicit Selector(const LayerSites& sites) : sites_(sites) {}

  LayerSelection select(const std::vector<std::string>& names) {
    for (const std::string& name : names) {
      add(name);
    }
    complete();
    LayerSelection selection;
    selection.names = std::move(names_);
    for (auto& [position, selected] : selected_) {
      selection.sites.push_back(std::move(selected));
    }
    return selection;
  }

 private:
  void add(const std::string& text) {
    const LayerReference reference = LayerReference::parse(text);
    if (add_named(sites_.activations, 0, reference, text)) {
      return;
    }
    const auto part = sites_.parts.find(reference.name);
    if (part != sites_.parts.end()) {
      throw LayerError("'" + reference.name + "' computes a part of the activation '" + part->second + "': name " +
                       part->second + ", or " + reference.name + ":out for that tensor itself");
    }
    const auto alias = std::find_if(sites_.aliases.begin(), sites_.aliases.end(),
                                    [&](const LayerAlias& each) { return each.name == reference.name; });
    if (alias != sites_.aliases.end()) {
      add_alias(*alias, reference, text);
      return;
    }
    if (!add_named(sites_.outputs, first_output(), reference, text) &&
        !add_named(sites_.borders, first_border(), whole_border(reference), text) &&
        !add_named(sites_.inputs, first_input(), reference, text) && !add_pattern(reference)) {
      require_input(reference.name);
      require_told_output(reference.name);
      throw LayerError("the model has no layer '" + text + "'" + without_wrapper(reference.name) + ": there are " +
                       statistics::listed(known_names()) + hint_for(reference.name));
    }
  }

  std::size_t first_output() const { return sites_.activations.size(); }
  std::size_t first_border() const { return first_output() + sites_.outputs.size(); }
  std::size_t first_input() const { return first_border() + sites_.borders.size(); }

  /// `NAME:out.0` is `NAME:out`.
  static LayerReference whole_border(LayerReference reference) {
    for (const std::string_view ending : {":in.0", ":out.0"}) {
      if (reference.name.ends_with(ending)) {
        reference.name.resize(reference.name.size() - 2);
      }
    }
    return reference;
  }

  /// `all` is every activation; `*` in a name stands for any part of it, with `:in` or `:out` of a module's name, and
  /// behind `input:` of an input's.
  bool add_pattern(const LayerReference& reference) {
    const bool is_all = reference.name == "all";
    if (!is_all && reference.name.find('*') == std::string::npos) {
      return false;
    }
    const bool is_input = reference.name.starts_with(input_prefix);
    const bool is_border = !is_input && (reference.name.find(":in") != std::string::npos ||
                                         reference.name.find(":out") != std::string::npos);
    const std::vector<LayerSite>& sites = is_input ? sites_.inputs : is_border ? sites_.borders : sites_.activations;
    const std::size_t first = is_input ? first_input() : is_border ? first_border() : 0;
    const std::string pattern = is_input ? reference.name : whole_border(reference).name;
    bool found = false;
    std::set<std::string> names;
    is_pattern_ = true;
    for (const LayerSite& site : sites) {
      if ((is_all || matches(pattern, site.name)) && names.insert(site.name).second) {
        found = add_calls(sites, first, {site.name, reference.call}).second || found;
      }
    }
    is_pattern_ = false;
    return found;
  }

  static bool matches(std::string_view pattern, std::string_view name) {
    const std::size_t star = pattern.find('*');
    if (star == std::string_view::npos) {
      return pattern == name;
    }
    if (name.substr(0, star) != pattern.substr(0, star)) {
      return false;
    }
    for (std::size_t skipped = star; skipped <= name.size(); ++skipped) {
      if (matches(pattern.substr(star + 1), name.substr(skipped))) {
        return true;
      }
    }
    return false;
  }

  /// @throws LayerError if the name is that of an input of the model, and it is no layer
  void require_input(const std::string& name) const {
    if (!name.starts_with(input_prefix)) {
      return;
    }
    const auto refused = sites_.refused_inputs.find(name);
    if (refused != sites_.refused_inputs.end()) {
      throw LayerError("'" + name + "' " + refused->second);
    }
    if (std::any_of(sites_.borders.begin(), sites_.borders.end(),
                    [](const LayerSite& each) { return each.name.starts_with(input_prefix); })) {
      return;  // it may be meant for a module that is called `input`
    }
    std::set<std::string> inputs;
    for (const LayerSite& site : sites_.inputs) {
      inputs.insert(site.name);
    }
    throw LayerError("the model has no input '" + name.substr(input_prefix.size()) + "' that is a layer" +
                     (inputs.empty() ? ": name another layer, as `pregrad layers` lists them"
                                     : ": name " + statistics::listed(inputs)));
  }

  /// @throws LayerError if the name is that of a module's output, and the file does not tell which tensor that is
  void require_told_output(const std::string& name) const {
    const std::string path = name.substr(0, name.find(":out"));
    if (sites_.untold_outputs.count(path) != 0) {
      throw LayerError("what module '" + path +
                       "' returns is not told by an archive of torch.export where more than one tensor of it may be "
                       "read: save the model with torch.jit.script, which keeps the order of its results, or name "
                       "another layer" +
                       hint_for(name));
    }
  }

  /// What else a name that fits nothing may have meant.
  std::string hint_for(const std::string& name) const {
    const std::string path = name.substr(0, name.rfind(':'));
    std::set<std::string> borders;
    for (const LayerSite& site : sites_.borders) {
      if (site.name.starts_with(path + ":")) {
        borders.insert(site.name);
      }
    }
    return borders.empty() ? "" : "; of module '" + path + "' " + statistics::listed(borders);
  }

  /// The layer that has one leading part more than the name, or less: models are wrapped in modules, and taken out.
  std::string without_wrapper(const std::string& name) const {
    const auto rest_of = [](const std::string& path) {
      const std::size_t dot = path.find('.');
      return dot == std::string::npos ? std::string() : path.substr(dot + 1);
    };
    for (const std::vector<LayerSite>* sites : {&sites_.activations, &sites_.outputs}) {
      for (const LayerSite& site : *sites) {
        if (rest_of(name) == site.name || rest_of(site.name) == name) {
          return ", but '" + site.name + "'";
        }
      }
    }
    return "";
  }

  /// Marks the calls that a reference names; gives how many calls its name has, and whether one was marked.
  std::pair<std::size_t, bool> add_calls(const std::vector<LayerSite>& sites, std::size_t first_rank,
                                         const LayerReference& reference) {
    std::size_t calls = 0;
    bool found = false;
    for (std::size_t i = 0; i < sites.size(); ++i) {
      if (sites[i].name != reference.name) {
        continue;
      }
      ++calls;
      if (!sites[i].call || reference.matches(sites[i].name, *sites[i].call)) {
        mark(sites[i], first_rank + i, reference.call);
        found = true;
      }
    }
    return {calls, found};
  }

  bool add_named(const std::vector<LayerSite>& sites, std::size_t first_rank, const LayerReference& reference,
                 const std::string& text) {
    const auto [calls, found] = add_calls(sites, first_rank, reference);
    if (calls > 0 && !found) {
      throw LayerError(
          "layer '" + text + "' has only " + std::to_string(calls) + (calls == 1 ? " call" : " calls") + ": name " +
          reference.name + "@0" +
          (calls > 1 ? " to " + statistics::to_string(reference.name, static_cast<std::int64_t>(calls) - 1) : ""));
    }
    return found;
  }

  void add_alias(const LayerAlias& alias, const LayerReference& reference, const std::string& text) {
    if (alias.ambiguous) {
      std::set<std::string> candidates;
      for (const std::size_t index : alias.sites) {
        candidates.insert(shown(sites_.activations[index]));
      }
      throw LayerError("layer '" + text + "' fits several activations: name one of " + statistics::listed(candidates));
    }
    const auto calls = static_cast<std::int64_t>(alias.sites.size());
    if (reference.call && *reference.call >= calls && sites_.activations[alias.sites[0]].call) {
      throw LayerError("layer '" + text + "' has only " + std::to_string(calls) + (calls == 1 ? " call" : " calls") +
                       ": name " + alias.name + "@0" +
                       (calls > 1 ? " to " + statistics::to_string(alias.name, calls - 1) : ""));
    }
    for (std::size_t i = 0; i < alias.sites.size(); ++i) {
      const LayerSite& site = sites_.activations[alias.sites[i]];
      const bool dynamic = !site.call;
      if (!dynamic && reference.call && static_cast<std::int64_t>(i) != *reference.call) {
        continue;
      }
      mark(site, alias.sites[i], dynamic ? reference.call : std::nullopt);
      names_[text].emplace_back(site.name, site.call.value_or(reference.call.value_or(-1)));
    }
  }

  void mark(const LayerSite& site, std::size_t position, std::optional<std::int64_t> call) {
    SelectedSite& selected = selected_[position];
    selected.site = &site;
    selected.is_named = selected.is_named || !is_pattern_;
    if (site.call || !call) {
      selected.all_calls = true;
    } else {
      selected.calls.insert(*call);
    }
  }

  const LayerSite& site_at(std::size_t position) const {
    if (position < first_output()) {
      return sites_.activations[position];
    }
    if (position < first_border()) {
      return sites_.outputs[position - first_output()];
    }
    return position < first_input() ? sites_.borders[position - first_border()]
                                    : sites_.inputs[position - first_input()];
  }
  std::size_t site_count() const { return first_input() + sites_.inputs.size(); }

  /// Sites of one kind and name share a count of calls.
  std::pair<std::size_t, std::string_view> family_of(std::size_t position) const {
    const std::size_t kind = position < first_output()   ? 0
                             : position < first_border() ? 1
                             : position < first_input()  ? 2
                                                         : 3;
    return {kind, site_at(position).name};
  }

  /// Where calls are numbered at run time, every site of the name must be counted, wanted or not; and layers are listed
  /// in the order of their first execution, and under each its calls.
  void complete() {
    std::map<std::pair<std::size_t, std::string_view>, std::size_t> ranks;
    std::set<std::pair<std::size_t, std::string_view>> dynamic;
    for (const auto& [position, selected] : selected_) {
      ranks.emplace(family_of(position), position);
      if (!selected.site->call) {
        dynamic.insert(family_of(position));
      }
    }
    for (std::size_t i = 0; i < site_count(); ++i) {
      const auto rank = ranks.find(family_of(i));
      if (rank == ranks.end()) {
        continue;
      }
      rank->second = std::min(rank->second, i);
      if (dynamic.count(rank->first) != 0) {
        selected_.try_emplace(i, SelectedSite{&site_at(i), 0, {}});
      }
    }
    for (auto& [position, selected] : selected_) {
      selected.rank = ranks.at(family_of(position));
    }
  }

  std::set<std::string> known_names() const {
    std::set<std::string> names;
    for (const LayerSite& site : sites_.activations) {
      names.insert(shown(site));
    }
    for (const LayerSite& site : sites_.outputs) {
      names.insert(site.name);
    }
    return names;
  }

  const LayerSites& sites_;
  bool is_pattern_ = false;  ///< whether what is marked was found by a pattern
  std::map<std::size_t, SelectedSite> selected_;
  Scores::Names names_;
};

}  // namespace

LayerSelection select_layers(const LayerSites& sites, const std::vector<std::string>& names) {
  if (names.empty()) {
    throw ArgumentError("no layer was named: name at least one, as Model::layers and `pregrad layers` list them");
  }
  return Selector(sites).select(names);
}

LayerNeeds without_activation(const LayerNeeds& needs) {
  return {{needs.z.value || needs.a.value, needs.z.gradient || needs.a.gradient}, {}};
}

std::vector<graph::Tap> taps_of(const LayerSelection& selection, const LayerNeeds& needs) {
  std::vector<graph::Tap> taps;
  for (const SelectedSite& selected : selection.sites) {
    graph::Tap tap;
    tap.site = selected.site;
    tap.is_optional = !selected.is_named;
    if (selected.all_calls || !selected.calls.empty()) {
      const LayerNeeds wanted = selected.site->is_activation ? needs : without_activation(needs);
      tap.z = wanted.z;
      tap.a = wanted.a;
    }
    taps.push_back(tap);
  }
  return taps;
}

std::vector<LayerBatch> selected_layers(const LayerSelection& selection, std::vector<graph::Execution>&& executions) {
  std::vector<LayerBatch> layers;
  for (graph::Execution& execution : executions) {
    const SelectedSite& selected = selection.sites[execution.site];
    LayerBatch layer;
    layer.call = selected.site->call.value_or(execution.call);
    if (!selected.wants(layer.call)) {
      continue;
    }
    layer.name = selected.site->name;
    layer.rank = selected.rank;
    layer.neuron_axis = selected.site->neuron_axis;
    layer.has_activation = selected.site->is_activation;
    layer.z = std::move(execution.z);
    layer.a = std::move(execution.a);
    layers.push_back(std::move(layer));
  }
  return layers;
}

}  // namespace pregrad::model

#include "attribution/layer_selection.hpp"

#include <algorithm>
#include <map>

#include "pregrad/error.hpp"
#include "statistics/layer_reference.hpp"

namespace pregrad::attribution {

using graph::LayerAlias;
using graph::LayerSite;
using graph::LayerSites;
using statistics::LayerReference;

namespace {

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
    count_siblings();
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
    const auto alias = std::find_if(sites_.aliases.begin(), sites_.aliases.end(),
                                    [&](const LayerAlias& each) { return each.name == reference.name; });
    if (alias != sites_.aliases.end()) {
      add_alias(*alias, reference, text);
      return;
    }
    if (!add_named(sites_.outputs, sites_.activations.size(), reference, text)) {
      throw LayerError("the model has no layer '" + text + "': there are " + statistics::listed(known_names()));
    }
  }

  bool add_named(const std::vector<LayerSite>& sites, std::size_t first_rank, const LayerReference& reference,
                 const std::string& text) {
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
    selected.rank = rank_of(site, position);
    if (site.call || !call) {
      selected.all_calls = true;
    } else {
      selected.calls.insert(*call);
    }
  }

  /// Layers are listed in the order of their first execution, and under each its calls.
  std::size_t rank_of(const LayerSite& site, std::size_t position) const {
    for (std::size_t i = 0; i < std::min(position, sites_.activations.size()); ++i) {
      if (sites_.activations[i].name == site.name) {
        return i;
      }
    }
    return position;
  }

  /// Where calls are numbered at run time, every site of the name must be counted, wanted or not.
  void count_siblings() {
    std::set<std::string> dynamic;
    for (const auto& [position, selected] : selected_) {
      if (!selected.site->call) {
        dynamic.insert(selected.site->name);
      }
    }
    for (std::size_t i = 0; i < sites_.activations.size(); ++i) {
      if (dynamic.count(sites_.activations[i].name) != 0) {
        const LayerSite& site = sites_.activations[i];
        selected_.try_emplace(i, SelectedSite{&site, rank_of(site, i), {}, false});
      }
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

}  // namespace pregrad::attribution

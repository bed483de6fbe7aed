#include <algorithm>
#include <utility>

#include <pregrad/pregrad.h>
#include <pregrad/attribution.hpp>
#include <pregrad/certainty.hpp>
#include <pregrad/error.hpp>
#include <pregrad/scores.hpp>

#include "arguments.hpp"
#include "guard.hpp"

namespace c_api = pregrad::c_api;

pregrad_status pregrad_attribution_open(const pregrad_model* model, const pregrad_attribution_options* options,
                                        pregrad_attribution** attribution) {
  return c_api::guarded([&] {
    c_api::hand_out(attribution, [&] { return c_api::open(model).attribution(c_api::attribution_options(options)); });
  });
}

pregrad_status pregrad_attribution_add(pregrad_attribution* attribution, const pregrad_tensor* inputs,
                                       const int64_t* labels, size_t label_count, const int64_t* clusters,
                                       size_t cluster_count) {
  return c_api::guarded([&] {
    pregrad::Attribution& opened = c_api::open(attribution);
    opened.add(c_api::borrow(inputs), c_api::borrow(labels, label_count, "labels"),
               c_api::borrow(clusters, cluster_count, "clusters"));
  });
}

pregrad_status pregrad_attribution_add_targets(pregrad_attribution* attribution, const pregrad_tensor* inputs,
                                               const int64_t* targets, size_t target_count, size_t targets_per_sample,
                                               const int64_t* clusters, size_t cluster_count) {
  return c_api::guarded([&] {
    pregrad::Attribution& opened = c_api::open(attribution);
    const auto in_rows = [&](const int64_t* values, std::size_t count, const char* what) {
      if (targets_per_sample == 0 || count % targets_per_sample != 0) {
        throw pregrad::ArgumentError("there are " + std::to_string(count) + " " + what + " and " +
                                     std::to_string(targets_per_sample) +
                                     " targets per sample; give as many for each sample, at least 1");
      }
      const at::Tensor flat = c_api::borrow(values, count, what);
      return flat.defined() ? flat.view({-1, static_cast<std::int64_t>(targets_per_sample)}) : flat;
    };
    c_api::required(targets, "targets");
    opened.add(c_api::borrow(inputs), in_rows(targets, target_count, "targets"),
               in_rows(clusters, cluster_count, "clusters"));
  });
}

pregrad_status pregrad_attribution_add_inputs(pregrad_attribution* attribution, const pregrad_input* inputs,
                                              size_t count, const pregrad_tensor* labels,
                                              const pregrad_tensor* clusters) {
  return c_api::guarded([&] {
    pregrad::Attribution& opened = c_api::open(attribution);
    opened.add(c_api::borrow(inputs, count), c_api::borrow_optional(labels), c_api::borrow_optional(clusters));
  });
}

pregrad_status pregrad_attribution_batches_split(const pregrad_attribution* attribution, int64_t* count) {
  return c_api::guarded([&] {
    auto& out = c_api::required(count, "the out parameter");
    out = c_api::open(attribution).batches_split();
  });
}

pregrad_status pregrad_attribution_batches_replayed(const pregrad_attribution* attribution, int64_t* count) {
  return c_api::guarded([&] {
    auto& out = c_api::required(count, "the out parameter");
    out = c_api::open(attribution).batches_replayed();
  });
}

pregrad_status pregrad_attribution_graph_refusal(const pregrad_attribution* attribution, const char** reason) {
  return c_api::guarded([&] {
    auto& out = c_api::required(reason, "the out parameter");
    out = c_api::open(attribution).graph_refusal().c_str();
  });
}

pregrad_status pregrad_attribution_scores(const pregrad_attribution* attribution, pregrad_scores** scores) {
  return c_api::guarded(
      [&] { c_api::hand_out(scores, [&] { return c_api::Snapshot(c_api::open(attribution).scores()); }); });
}

pregrad_status pregrad_attribution_explain(const pregrad_attribution* attribution, const pregrad_tensor* inputs,
                                           const int64_t* labels, size_t label_count,
                                           pregrad_explanations** explanations) {
  return c_api::guarded([&] {
    c_api::hand_out(explanations, [&] {
      return c_api::open(attribution).explain(c_api::borrow(inputs), c_api::borrow(labels, label_count, "labels"));
    });
  });
}

pregrad_status pregrad_attribution_explain_inputs(const pregrad_attribution* attribution, const pregrad_input* inputs,
                                                  size_t count, const pregrad_tensor* labels,
                                                  pregrad_explanations** explanations) {
  return c_api::guarded([&] {
    c_api::hand_out(explanations, [&] {
      return c_api::open(attribution).explain(c_api::borrow(inputs, count), c_api::borrow_optional(labels));
    });
  });
}

pregrad_status pregrad_attribution_examples(const pregrad_attribution* attribution, pregrad_examples** examples) {
  return c_api::guarded([&] { c_api::hand_out(examples, [&] { return c_api::open(attribution).examples(); }); });
}

pregrad_status pregrad_explanations_count(const pregrad_explanations* explanations, size_t* count) {
  return c_api::guarded([&] { c_api::required(count, "the out parameter") = c_api::open(explanations).size(); });
}

pregrad_status pregrad_explanations_get(const pregrad_explanations* explanations, size_t index,
                                        pregrad_explanation* explanation) {
  return c_api::guarded([&] {
    const pregrad::Explanation& source = c_api::element(c_api::open(explanations), index, "explanation");
    pregrad_explanation view = PREGRAD_EXPLANATION_INIT;
    view.layer = source.layer.c_str();
    view.call = source.call;
    view.samples = static_cast<std::size_t>(source.samples);
    view.neurons = static_cast<std::size_t>(source.neurons);
    view.positions = static_cast<std::size_t>(source.positions);
    view.values = source.values.data();
    view.method = static_cast<pregrad_method>(source.method);
    c_api::write_struct(view, explanation, "pregrad_explanation");
  });
}

void pregrad_explanations_free(pregrad_explanations* explanations) { c_api::release(explanations); }

pregrad_status pregrad_examples_count(const pregrad_examples* examples, size_t* count) {
  return c_api::guarded([&] { c_api::required(count, "the out parameter") = c_api::open(examples).size(); });
}

pregrad_status pregrad_examples_get(const pregrad_examples* examples, size_t index, pregrad_example* example) {
  return c_api::guarded([&] {
    const pregrad::Example& source = c_api::element(c_api::open(examples), index, "example");
    pregrad_example view = PREGRAD_EXAMPLE_INIT;
    view.layer = source.layer.c_str();
    view.call = source.call;
    view.cluster = source.cluster;
    view.neuron = source.neuron;
    view.rank = source.rank;
    view.sample = source.sample;
    view.position = source.position;
    view.value = source.value;
    view.method = static_cast<pregrad_method>(source.method);
    c_api::write_struct(view, example, "pregrad_example");
  });
}

void pregrad_examples_free(pregrad_examples* examples) { c_api::release(examples); }

pregrad_status pregrad_attribution_save(const pregrad_attribution* attribution, pregrad_state** state) {
  return c_api::guarded([&] { c_api::hand_out(state, [&] { return c_api::open(attribution).save(); }); });
}

pregrad_status pregrad_attribution_restore(pregrad_attribution* attribution, const void* bytes, size_t size) {
  return c_api::guarded([&] { c_api::open(attribution).restore(c_api::state_bytes(bytes, size)); });
}

pregrad_status pregrad_attribution_merge(pregrad_attribution* attribution, const void* bytes, size_t size) {
  return c_api::guarded([&] { c_api::open(attribution).merge(c_api::state_bytes(bytes, size)); });
}

pregrad_status pregrad_state_bytes(const pregrad_state* state, const void** bytes, size_t* size) {
  return c_api::guarded([&] {
    auto& first = c_api::required(bytes, "the out parameter for the bytes");
    auto& length = c_api::required(size, "the out parameter for the size");
    const std::string& saved = c_api::open(state);
    first = saved.data();
    length = saved.size();
  });
}

void pregrad_state_free(pregrad_state* state) { c_api::release(state); }

void pregrad_attribution_free(pregrad_attribution* attribution) { c_api::release(attribution); }

namespace c_api = pregrad::c_api;

namespace pregrad::c_api {

Snapshot::Snapshot(Scores given) : scores(std::move(given)) {
  cancellations.reserve(scores.entries().size());
  for (const Score& score : scores.entries()) {
    cancellations.push_back(score.statistics.cancellation());
    standard_errors.push_back(score.statistics.standard_error(Aggregate::mean));
    standard_errors_abs.push_back(score.statistics.standard_error(Aggregate::mean_abs));
  }
}

}  // namespace pregrad::c_api

namespace {

pregrad_score view_of(const c_api::Snapshot& snapshot, std::size_t index) {
  const pregrad::Score& source = c_api::element(snapshot.scores.entries(), index, "score");
  const pregrad::Statistics& statistics = source.statistics;
  pregrad_score view = PREGRAD_SCORE_INIT;
  view.layer = source.layer.c_str();
  view.call = source.call;
  view.cluster = source.cluster;
  view.count = statistics.count;
  view.neurons = statistics.mean.size();
  view.mean = statistics.mean.data();
  view.mean_abs = statistics.mean_abs.data();
  view.rms = statistics.rms.data();
  view.std = statistics.std.data();
  view.method = static_cast<pregrad_method>(source.method);
  view.cancellation = snapshot.cancellations[index].data();
  view.completeness_error = source.completeness_error;
  view.position = source.position.value_or(-1);
  view.standard_error = snapshot.standard_errors[index].data();
  view.standard_error_abs = snapshot.standard_errors_abs[index].data();
  return view;
}

/// Hands out the entry that has these statistics.
void write_entry(const c_api::Snapshot& snapshot, const pregrad::Statistics& statistics, pregrad_score* score) {
  const auto& entries = snapshot.scores.entries();
  const auto entry = std::find_if(entries.begin(), entries.end(),
                                  [&](const pregrad::Score& each) { return &each.statistics == &statistics; });
  if (entry == entries.end()) {
    throw pregrad::InternalError("the scores belong to no entry; please report it");
  }
  const auto index = static_cast<std::size_t>(entry - entries.begin());
  c_api::write_struct(view_of(snapshot, index), score, "pregrad_score");
}

}  // namespace

pregrad_status pregrad_scores_count(const pregrad_scores* scores, size_t* count) {
  return c_api::guarded(
      [&] { c_api::required(count, "the out parameter") = c_api::open(scores).scores.entries().size(); });
}

pregrad_status pregrad_scores_get(const pregrad_scores* scores, size_t index, pregrad_score* score) {
  return c_api::guarded([&] { c_api::write_struct(view_of(c_api::open(scores), index), score, "pregrad_score"); });
}

pregrad_status pregrad_scores_of(const pregrad_scores* scores, const char* layer, int64_t cluster,
                                 pregrad_method method, pregrad_score* score) {
  return c_api::guarded([&] {
    const c_api::Snapshot& opened = c_api::open(scores);
    write_entry(opened, opened.scores.of(&c_api::required(layer, "the layer's name"), cluster, c_api::method(method)),
                score);
  });
}

pregrad_status pregrad_scores_at(const pregrad_scores* scores, const char* layer, int64_t cluster,
                                 pregrad_method method, int64_t position, pregrad_score* score) {
  return c_api::guarded([&] {
    const c_api::Snapshot& opened = c_api::open(scores);
    write_entry(opened,
                opened.scores.of(&c_api::required(layer, "the layer's name"), cluster, c_api::method(method), position),
                score);
  });
}

void pregrad_scores_free(pregrad_scores* scores) { c_api::release(scores); }

pregrad_status pregrad_differences_of(const pregrad_scores* scores, int64_t against, pregrad_aggregate aggregate,
                                      double confidence, pregrad_differences** differences) {
  return c_api::guarded([&] {
    c_api::hand_out(differences, [&] {
      return pregrad::differences(c_api::open(scores).scores, against, c_api::aggregate(aggregate), confidence);
    });
  });
}

pregrad_status pregrad_differences_count(const pregrad_differences* differences, size_t* count) {
  return c_api::guarded([&] { c_api::required(count, "the out parameter") = c_api::open(differences).size(); });
}

pregrad_status pregrad_differences_get(const pregrad_differences* differences, size_t index,
                                       pregrad_difference* difference) {
  return c_api::guarded([&] {
    const pregrad::Difference& source = c_api::element(c_api::open(differences), index, "difference");
    pregrad_difference view = PREGRAD_DIFFERENCE_INIT;
    view.layer = source.layer.c_str();
    view.call = source.call;
    view.cluster = source.cluster;
    view.against = source.against;
    view.position = source.position.value_or(-1);
    view.method = static_cast<pregrad_method>(source.method);
    view.aggregate = static_cast<pregrad_aggregate>(source.aggregate);
    view.neurons = source.difference.size();
    view.difference = source.difference.data();
    view.standard_error = source.standard_error.data();
    view.degrees = source.degrees.data();
    view.low = source.low.data();
    view.high = source.high.data();
    view.p = source.p.data();
    view.q = source.q.data();
    c_api::write_struct(view, difference, "pregrad_difference");
  });
}

void pregrad_differences_free(pregrad_differences* differences) { c_api::release(differences); }

pregrad_status pregrad_selectivity(const double* values, size_t samples, size_t neurons, const int64_t* clusters,
                                   const int64_t* wanted, size_t wanted_count, double* entropy, double* auroc) {
  return c_api::guarded([&] {
    const double* first = &c_api::required(values, "the values");
    const int64_t* its_cluster = &c_api::required(clusters, "the clusters");
    c_api::required(entropy, "the out parameter for the entropy");
    if (wanted_count > 0) {
      c_api::required(wanted, "the wanted clusters");
      c_api::required(auroc, "the out parameter for the areas");
    }
    const pregrad::Selectivity all =
        pregrad::selectivity({first, first + samples * neurons}, static_cast<std::int64_t>(neurons),
                             std::vector<std::int64_t>(its_cluster, its_cluster + samples));
    std::vector<std::size_t> places;
    for (std::size_t i = 0; i < wanted_count; ++i) {
      const auto place = std::lower_bound(all.clusters.begin(), all.clusters.end(), wanted[i]);
      if (place == all.clusters.end() || *place != wanted[i]) {
        throw pregrad::ArgumentError("no sample is of cluster " + std::to_string(wanted[i]) +
                                     ": ask for clusters of the samples");
      }
      places.push_back(static_cast<std::size_t>(place - all.clusters.begin()));
    }
    std::copy(all.entropy.begin(), all.entropy.end(), entropy);
    for (const std::size_t place : places) {
      auroc = std::copy(all.auroc[place].begin(), all.auroc[place].end(), auroc);
    }
  });
}

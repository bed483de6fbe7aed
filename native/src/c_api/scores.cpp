#include <pregrad/scores.hpp>

#include <algorithm>
#include <utility>

#include <pregrad/pregrad.h>
#include <pregrad/error.hpp>

#include "arguments.hpp"
#include "guard.hpp"
#include "handle.hpp"
#include "options.hpp"

namespace c_api = pregrad::c_api;

namespace pregrad::c_api {

Snapshot::Snapshot(Scores given) : scores(std::move(given)) {
  cancellations.reserve(scores.entries().size());
  for (const Score& score : scores.entries()) {
    cancellations.push_back(score.statistics.cancellation());
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
  return view;
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
    const pregrad::Statistics& found =
        opened.scores.of(&c_api::required(layer, "the layer's name"), cluster, c_api::method(method));
    const auto& entries = opened.scores.entries();
    const auto entry = std::find_if(entries.begin(), entries.end(),
                                    [&](const pregrad::Score& candidate) { return &candidate.statistics == &found; });
    if (entry == entries.end()) {
      throw pregrad::InternalError("the scores of '" + std::string(layer) + "' belong to no entry; please report it");
    }
    const auto index = static_cast<std::size_t>(entry - entries.begin());
    c_api::write_struct(view_of(opened, index), score, "pregrad_score");
  });
}

void pregrad_scores_free(pregrad_scores* scores) { c_api::release(scores); }

#include <pregrad/scores.hpp>

#include <algorithm>

#include <pregrad/pregrad.h>
#include <pregrad/error.hpp>

#include "arguments.hpp"
#include "guard.hpp"
#include "handle.hpp"
#include "options.hpp"

namespace c_api = pregrad::c_api;

namespace {

pregrad_score view_of(const pregrad::Score& source) {
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
  return view;
}

}  // namespace

pregrad_status pregrad_scores_count(const pregrad_scores* scores, size_t* count) {
  return c_api::guarded([&] { c_api::required(count, "the out parameter") = c_api::open(scores).entries().size(); });
}

pregrad_status pregrad_scores_get(const pregrad_scores* scores, size_t index, pregrad_score* score) {
  return c_api::guarded([&] {
    const pregrad::Score& entry = c_api::element(c_api::open(scores).entries(), index, "score");
    c_api::write_struct(view_of(entry), score, "pregrad_score");
  });
}

pregrad_status pregrad_scores_of(const pregrad_scores* scores, const char* layer, int64_t cluster,
                                 pregrad_method method, pregrad_score* score) {
  return c_api::guarded([&] {
    const pregrad::Scores& opened = c_api::open(scores);
    const pregrad::Statistics& found =
        opened.of(&c_api::required(layer, "the layer's name"), cluster, c_api::method(method));
    const auto& entries = opened.entries();
    const auto entry = std::find_if(entries.begin(), entries.end(),
                                    [&](const pregrad::Score& candidate) { return &candidate.statistics == &found; });
    if (entry == entries.end()) {
      throw pregrad::InternalError("the scores of '" + std::string(layer) + "' belong to no entry; please report it");
    }
    c_api::write_struct(view_of(*entry), score, "pregrad_score");
  });
}

void pregrad_scores_free(pregrad_scores* scores) { c_api::release(scores); }

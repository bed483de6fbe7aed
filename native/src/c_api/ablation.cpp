#include <pregrad/ablation.hpp>

#include <algorithm>
#include <iterator>
#include <string>
#include <vector>

#include <pregrad/pregrad.h>

#include "arguments.hpp"
#include "guard.hpp"

namespace c_api = pregrad::c_api;

namespace {

/// Fills what a view of an order and a view of a curve have in common.
template <class View>
void show(const pregrad::RemovalOrder& order, View& view) {
  view.layer = order.layer.c_str();
  view.call = order.call;
  view.cluster = order.cluster;
  view.neurons = order.neurons.data();
  view.neuron_count = order.neurons.size();
  view.repeat = order.repeat;
  view.method = static_cast<pregrad_method>(order.method);
  view.aggregate = static_cast<pregrad_aggregate>(order.aggregate);
  view.keep = order.keep ? 1 : 0;
}

}  // namespace

pregrad_status pregrad_orders_of_scores(const pregrad_scores* scores, const pregrad_aggregate* aggregates,
                                        size_t aggregate_count, pregrad_orders** orders) {
  return c_api::guarded([&] {
    c_api::hand_out(orders, [&] {
      const c_api::Snapshot& opened = c_api::open(scores);
      c_api::required(aggregates, "the aggregates");
      if (aggregate_count == 0) {
        throw pregrad::ArgumentError(
            "there is no aggregate to order by; give at least one, such as PREGRAD_AGGREGATE_MEAN");
      }
      std::vector<pregrad::Aggregate> wanted;
      std::transform(aggregates, aggregates + aggregate_count, std::back_inserter(wanted), c_api::aggregate);
      return pregrad::removal_orders(opened.scores, wanted);
    });
  });
}

pregrad_status pregrad_orders_random(const char* layer, int64_t call, int64_t cluster, int64_t neurons, int64_t repeats,
                                     uint64_t seed, pregrad_orders** orders) {
  return c_api::guarded([&] {
    c_api::hand_out(orders, [&] {
      return pregrad::random_orders(&c_api::required(layer, "the layer's name"), call, cluster, neurons, repeats, seed);
    });
  });
}

pregrad_status pregrad_orders_of(const pregrad_order* order, pregrad_orders** orders) {
  return c_api::guarded([&] {
    c_api::hand_out(orders, [&] {
      const pregrad_order given = c_api::read_struct(order, "pregrad_order");
      pregrad::RemovalOrder own;
      own.layer = &c_api::required(given.layer, "the layer's name");
      own.call = given.call;
      own.cluster = given.cluster;
      own.method = c_api::method(given.method);
      own.aggregate = c_api::aggregate(given.aggregate);
      own.repeat = given.repeat;
      own.keep = given.keep != 0;
      if (given.neuron_count > 0) {
        c_api::required(given.neurons, "the neurons of pregrad_order");
      }
      own.neurons.assign(given.neurons, given.neurons + given.neuron_count);
      return std::vector<pregrad::RemovalOrder>{std::move(own)};
    });
  });
}

pregrad_status pregrad_orders_count(const pregrad_orders* orders, size_t* count) {
  return c_api::guarded([&] { c_api::required(count, "the out parameter") = c_api::open(orders).size(); });
}

pregrad_status pregrad_orders_get(const pregrad_orders* orders, size_t index, pregrad_order* order) {
  return c_api::guarded([&] {
    pregrad_order view = PREGRAD_ORDER_INIT;
    show(c_api::element(c_api::open(orders), index, "order"), view);
    c_api::write_struct(view, order, "pregrad_order");
  });
}

void pregrad_orders_free(pregrad_orders* orders) { c_api::release(orders); }

pregrad_status pregrad_ablation_open(const pregrad_model* model, const pregrad_ablation_options* options,
                                     pregrad_ablation** ablation) {
  return c_api::guarded([&] {
    c_api::hand_out(ablation, [&] { return c_api::open(model).ablation(c_api::ablation_options(options)); });
  });
}

pregrad_status pregrad_ablation_add(pregrad_ablation* ablation, const pregrad_tensor* inputs, const int64_t* labels,
                                    size_t label_count, const int64_t* clusters, size_t cluster_count) {
  return c_api::guarded([&] {
    pregrad::Ablation& opened = c_api::open(ablation);
    opened.add(c_api::borrow(inputs), c_api::borrow(labels, label_count, "labels"),
               c_api::borrow(clusters, cluster_count, "clusters"));
  });
}

pregrad_status pregrad_ablation_add_inputs(pregrad_ablation* ablation, const pregrad_input* inputs, size_t count,
                                           const pregrad_tensor* labels, const pregrad_tensor* clusters) {
  return c_api::guarded([&] {
    pregrad::Ablation& opened = c_api::open(ablation);
    opened.add(c_api::borrow(inputs, count), c_api::borrow_optional(labels), c_api::borrow_optional(clusters));
  });
}

pregrad_status pregrad_ablation_batches_split(const pregrad_ablation* ablation, int64_t* count) {
  return c_api::guarded([&] {
    auto& out = c_api::required(count, "the out parameter");
    out = c_api::open(ablation).batches_split();
  });
}

pregrad_status pregrad_ablation_curves(const pregrad_ablation* ablation, pregrad_curves** curves) {
  return c_api::guarded([&] { c_api::hand_out(curves, [&] { return c_api::open(ablation).curves(); }); });
}

pregrad_status pregrad_ablation_save(const pregrad_ablation* ablation, pregrad_state** state) {
  return c_api::guarded([&] { c_api::hand_out(state, [&] { return c_api::open(ablation).save(); }); });
}

pregrad_status pregrad_ablation_restore(pregrad_ablation* ablation, const void* bytes, size_t size) {
  return c_api::guarded([&] { c_api::open(ablation).restore(c_api::state_bytes(bytes, size)); });
}

pregrad_status pregrad_ablation_merge(pregrad_ablation* ablation, const void* bytes, size_t size) {
  return c_api::guarded([&] { c_api::open(ablation).merge(c_api::state_bytes(bytes, size)); });
}

void pregrad_ablation_free(pregrad_ablation* ablation) { c_api::release(ablation); }

pregrad_status pregrad_curves_count(const pregrad_curves* curves, size_t* count) {
  return c_api::guarded([&] { c_api::required(count, "the out parameter") = c_api::open(curves).size(); });
}

pregrad_status pregrad_curves_get(const pregrad_curves* curves, size_t index, pregrad_curve* curve) {
  return c_api::guarded([&] {
    const pregrad::RemovalCurve& source = c_api::element(c_api::open(curves), index, "curve");
    pregrad_curve view = PREGRAD_CURVE_INIT;
    show(source.order, view);
    view.count = source.count;
    view.outside_count = source.outside_count;
    view.points = source.removed.size();
    view.removed = source.removed.data();
    view.accuracy = source.accuracy.data();
    view.mean_output = source.mean_output.data();
    view.cross_entropy = source.cross_entropy.data();
    view.outside_accuracy = source.outside_accuracy.data();
    view.area = source.area();
    view.area_error = source.area_error;
    c_api::write_struct(view, curve, "pregrad_curve");
  });
}

void pregrad_curves_free(pregrad_curves* curves) { c_api::release(curves); }

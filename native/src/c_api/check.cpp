#include <pregrad/check.hpp>

#include <pregrad/pregrad.h>

#include "arguments.hpp"
#include "guard.hpp"

namespace c_api = pregrad::c_api;

pregrad_status pregrad_check_open(const pregrad_model* model, const pregrad_check_options* options,
                                  pregrad_check** check) {
  return c_api::guarded(
      [&] { c_api::hand_out(check, [&] { return c_api::open(model).check(c_api::check_options(options)); }); });
}

pregrad_status pregrad_check_add(pregrad_check* check, const pregrad_tensor* inputs, const int64_t* labels,
                                 size_t label_count) {
  return c_api::guarded([&] {
    pregrad::Check& opened = c_api::open(check);
    opened.add(c_api::borrow(inputs), c_api::borrow(labels, label_count, "labels"));
  });
}

pregrad_status pregrad_check_add_inputs(pregrad_check* check, const pregrad_input* inputs, size_t count,
                                        const pregrad_tensor* labels) {
  return c_api::guarded([&] {
    pregrad::Check& opened = c_api::open(check);
    opened.add(c_api::borrow(inputs, count), c_api::borrow_optional(labels));
  });
}

pregrad_status pregrad_check_results(const pregrad_check* check, pregrad_layer_checks** results) {
  return c_api::guarded([&] { c_api::hand_out(results, [&] { return c_api::open(check).results(); }); });
}

void pregrad_check_free(pregrad_check* check) { c_api::release(check); }

pregrad_status pregrad_layer_checks_count(const pregrad_layer_checks* results, size_t* count) {
  return c_api::guarded([&] { c_api::required(count, "the out parameter") = c_api::open(results).size(); });
}

pregrad_status pregrad_layer_checks_get(const pregrad_layer_checks* results, size_t index,
                                        pregrad_layer_check* result) {
  return c_api::guarded([&] {
    const pregrad::LayerCheck& source = c_api::element(c_api::open(results), index, "result");
    pregrad_layer_check view = PREGRAD_LAYER_CHECK_INIT;
    view.layer = source.layer.c_str();
    view.op = source.op.c_str();
    view.call = source.call;
    view.samples = source.samples;
    view.neurons = source.neurons;
    view.compared = source.compared;
    view.at_kink = source.at_kink;
    view.in_double_precision = source.in_double_precision ? 1 : 0;
    view.passed = source.passed ? 1 : 0;
    view.gradient_error = source.gradient_error;
    view.tolerance = source.tolerance;
    view.hook_error = source.hook_error;
    view.hook_differs = source.hook_differs;
    view.cancellation = source.cancellation;
    c_api::write_struct(view, result, "pregrad_layer_check");
  });
}

void pregrad_layer_checks_free(pregrad_layer_checks* results) { c_api::release(results); }

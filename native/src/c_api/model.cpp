#include <algorithm>
#include <vector>

#include <pregrad/pregrad.h>
#include <pregrad/layer.hpp>
#include <pregrad/model.hpp>

#include "arguments.hpp"
#include "guard.hpp"
#include "support/failures.hpp"

namespace c_api = pregrad::c_api;

pregrad_status pregrad_model_load(const char* file, const pregrad_model_options* options, pregrad_model** model) {
  return c_api::guarded([&] {
    c_api::hand_out(model, [&] {
      return pregrad::Model::load(&c_api::required(file, "the model's file name"), c_api::device(options),
                                  c_api::model_options(options));
    });
  });
}

void pregrad_model_free(pregrad_model* model) { c_api::release(model); }

void pregrad_model_cancel(const pregrad_model* model) {
  if (model != nullptr && model->tag.intact()) {
    model->value.cancel();
  }
}

pregrad_status pregrad_model_randomised(const pregrad_model* model, uint64_t seed, pregrad_model** randomised) {
  return c_api::guarded([&] { c_api::hand_out(randomised, [&] { return c_api::open(model).randomised(seed); }); });
}

pregrad_status pregrad_model_layers(const pregrad_model* model, pregrad_layers** layers) {
  return c_api::guarded([&] { c_api::hand_out(layers, [&] { return c_api::open(model).layers(); }); });
}

pregrad_status pregrad_model_layers_for(const pregrad_model* model, const int64_t* shape, size_t rank,
                                        pregrad_layers** layers) {
  return c_api::guarded([&] {
    c_api::hand_out(layers, [&] {
      const pregrad::Model& opened = c_api::open(model);
      if (rank > 0) {
        c_api::required(shape, "the shape");
      }
      return opened.layers(std::vector<std::int64_t>(shape, shape + rank));
    });
  });
}

pregrad_status pregrad_model_layers_of(const pregrad_model* model, const pregrad_input* inputs, size_t count,
                                       const char* const* names, size_t name_count, pregrad_layers** layers) {
  return c_api::guarded([&] {
    c_api::hand_out(layers, [&] {
      const pregrad::Model& opened = c_api::open(model);
      const pregrad::Inputs borrowed = c_api::borrow(inputs, count);
      return name_count == 0 ? opened.layers(borrowed)
                             : opened.layers(borrowed, c_api::layer_names(names, name_count, "the names of layers"));
    });
  });
}

pregrad_status pregrad_model_inputs_of(const pregrad_model* model, pregrad_model_inputs** inputs) {
  return c_api::guarded([&] { c_api::hand_out(inputs, [&] { return c_api::open(model).inputs(); }); });
}

pregrad_status pregrad_model_inputs_count(const pregrad_model_inputs* inputs, size_t* count) {
  return c_api::guarded([&] { c_api::required(count, "the out parameter") = c_api::open(inputs).size(); });
}

pregrad_status pregrad_model_inputs_get(const pregrad_model_inputs* inputs, size_t index, pregrad_model_input* input) {
  return c_api::guarded([&] {
    const pregrad::ModelInput& source = c_api::element(c_api::open(inputs), index, "input");
    pregrad_model_input view = PREGRAD_MODEL_INPUT_INIT;
    view.name = source.name.c_str();
    view.shape = source.shape.empty() ? nullptr : source.shape.data();
    view.rank = source.shape.size();
    view.dtype = source.type ? c_api::dtype_of(*source.type) : PREGRAD_UNKNOWN_DTYPE;
    view.is_optional = source.is_optional ? 1 : 0;
    c_api::write_struct(view, input, "pregrad_model_input");
  });
}

void pregrad_model_inputs_free(pregrad_model_inputs* inputs) { c_api::release(inputs); }

namespace {

/// On the host, and on no memory of the caller's.
at::Tensor own_result(at::Tensor result, const pregrad::Inputs& inputs) {
  result = result.to(at::kCPU).contiguous();
  // A model that returns its input, or a view of it, must not tie the result to the caller's memory.
  const bool is_borrowed = std::any_of(
      inputs.begin(), inputs.end(), [&](const pregrad::NamedTensor& each) { return result.is_alias_of(each.tensor); });
  return is_borrowed ? result.clone() : result;
}

pregrad_tensor view_of(const at::Tensor& value) {
  pregrad_tensor view = PREGRAD_TENSOR_INIT;
  view.data = value.const_data_ptr();
  view.shape = value.sizes().data();
  view.rank = value.sizes().size();
  view.dtype = c_api::dtype_of(value);
  return view;
}

}  // namespace

pregrad_status pregrad_model_outputs(const pregrad_model* model, const pregrad_input* inputs, size_t count,
                                     pregrad_outputs** outputs) {
  return c_api::guarded([&] {
    c_api::hand_out(outputs, [&] {
      const pregrad::Model& opened = c_api::open(model);
      const pregrad::Inputs borrowed = c_api::borrow(inputs, count);
      return pregrad::support::on_device(opened.device(), [&] {
        std::vector<pregrad::NamedTensor> all = opened.outputs(borrowed);
        for (pregrad::NamedTensor& each : all) {
          each.tensor = own_result(each.tensor, borrowed);
        }
        return all;
      });
    });
  });
}

pregrad_status pregrad_outputs_count(const pregrad_outputs* outputs, size_t* count) {
  return c_api::guarded([&] { c_api::required(count, "the out parameter") = c_api::open(outputs).size(); });
}

pregrad_status pregrad_outputs_get(const pregrad_outputs* outputs, size_t index, const char** name,
                                   pregrad_tensor* tensor) {
  return c_api::guarded([&] {
    const pregrad::NamedTensor& source = c_api::element(c_api::open(outputs), index, "output");
    auto& its_name = c_api::required(name, "the out parameter for the name");
    c_api::write_struct(view_of(source.tensor), tensor, "pregrad_tensor");
    its_name = source.name.c_str();
  });
}

void pregrad_outputs_free(pregrad_outputs* outputs) { c_api::release(outputs); }

pregrad_status pregrad_model_forward(const pregrad_model* model, const pregrad_tensor* inputs,
                                     pregrad_result** output) {
  return c_api::guarded([&] {
    c_api::hand_out(output, [&] {
      const pregrad::Model& opened = c_api::open(model);
      const at::Tensor borrowed = c_api::borrow(inputs);
      // What went wrong on a device may show only when the result is fetched from there.
      return pregrad::support::on_device(opened.device(),
                                         [&] { return own_result(opened.forward(borrowed), borrowed); });
    });
  });
}

pregrad_status pregrad_result_tensor(const pregrad_result* result, pregrad_tensor* tensor) {
  return c_api::guarded([&] { c_api::write_struct(view_of(c_api::open(result)), tensor, "pregrad_tensor"); });
}

void pregrad_result_free(pregrad_result* result) { c_api::release(result); }

namespace c_api = pregrad::c_api;

pregrad_status pregrad_layers_count(const pregrad_layers* layers, size_t* count) {
  return c_api::guarded([&] { c_api::required(count, "the out parameter") = c_api::open(layers).size(); });
}

pregrad_status pregrad_layers_get(const pregrad_layers* layers, size_t index, pregrad_layer* layer) {
  return c_api::guarded([&] {
    const pregrad::Layer& source = c_api::element(c_api::open(layers), index, "layer");
    pregrad_layer view = PREGRAD_LAYER_INIT;
    view.name = source.name.c_str();
    view.op = source.op.c_str();
    view.pre_activation = source.pre_activation.c_str();
    view.shape = source.shape.empty() ? nullptr : source.shape.data();
    view.rank = source.shape.size();
    view.call = source.call;
    view.neurons = source.neurons;
    view.neuron_axis = source.neuron_axis;
    view.in_place = source.in_place ? 1 : 0;
    c_api::write_struct(view, layer, "pregrad_layer");
  });
}

void pregrad_layers_free(pregrad_layers* layers) { c_api::release(layers); }

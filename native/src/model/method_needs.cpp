#include "model/method_needs.hpp"

#include <algorithm>

namespace pregrad::model {

LayerNeeds needs_of(const std::vector<Method>& methods) {
  LayerNeeds needs;
  for (const Method method : methods) {
    switch (method) {
      case Method::gradient:
        needs.z.gradient = true;
        break;
      case Method::gradient_x_preactivation:
        needs.z = {true, true};
        break;
      case Method::gradient_x_activation:
      case Method::gradient_x_centred_activation:
        needs.a = {true, true};
        break;
      case Method::preactivation:
        needs.z.value = true;
        break;
      case Method::activation:
      case Method::activation_rate:
        needs.a.value = true;
        break;
      case Method::integrated_gradients:
      case Method::conductance:
      case Method::internal_influence:
      case Method::ablation:
      case Method::random:
        break;
    }
  }
  return needs;
}

bool wants(const std::vector<Method>& methods, Method method) {
  return std::find(methods.begin(), methods.end(), method) != methods.end();
}

bool needs_model(Method method) {
  return method == Method::integrated_gradients || method == Method::conductance ||
         method == Method::internal_influence || method == Method::ablation;
}

bool need_gradients(const std::vector<Method>& methods) {
  return needs_of(methods).gradients() || wants(methods, Method::integrated_gradients) ||
         wants(methods, Method::conductance) || wants(methods, Method::internal_influence);
}

LayerNeeds without_activation(const LayerNeeds& needs) {
  return {{needs.z.value || needs.a.value, needs.z.gradient || needs.a.gradient}, {}};
}

}  // namespace pregrad::model

#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace pregrad {

/// One activation call site of a model, as `pregrad layers` prints it.
struct Layer {
  std::string name;       ///< path of the module in whose forward the activation runs; the root's is `forward`
  std::int64_t call = 0;  ///< how-manieth execution under that name in one forward, from 0
  /// The activation, e.g. `relu`: the operator's name, the class of a module that computes it in parts, or the names of
  /// its operators (`mul·sigmoid`); `output` or `input` for a tensor that leaves or enters a module.
  std::string op;
  bool in_place = false;            ///< whether the model applies it in place
  std::int64_t neurons = -1;        ///< size of the neuron axis; -1 if the model was not run
  std::int64_t neuron_axis = -1;    ///< axis of z that counts neurons; -1 if the model was not run
  std::vector<std::int64_t> shape;  ///< shape of z, batch axis first; empty if the model was not run
  std::string pre_activation;       ///< path of the module whose output is z; empty if z is no module's output
  std::string operators;  ///< the names of the operators that the activation is made of, in alphabetical order
};

}  // namespace pregrad

#pragma once

#include <cstdint>
#include <exception>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include <ATen/core/Tensor.h>
#include <ATen/core/ivalue.h>
#include <torch/csrc/autograd/edge.h>
#include <torch/csrc/autograd/function.h>
#include <torch/custom_class.h>

namespace pregrad::graph {

/// A tensor taken on its way through a forward, and the place in the autograd graph where its gradient arrives.
struct Captured {
  at::Tensor value;            ///< without history; undefined unless asked for
  torch::autograd::Edge edge;  ///< invalid unless asked for
  std::vector<std::int64_t> shape;
  /// Where the captured tensor is a view that is changed in place, the edge is that of the tensor it views.
  std::function<at::Tensor(const at::Tensor&)> gradient_from_base;
};

/// What to take of a tensor.
struct CaptureNeeds {
  bool value = false;
  bool gradient = false;
  bool only_history = false;  ///< whether nothing is taken of a tensor without history
};

/// Whether the model may write into a captured tensor later.
enum class LaterWrites { none, possible, by_activation };

/// What is captured. Views of a pre-activation may have been made before its tap, and must notice the tap; an
/// activation is captured as soon as it is made.
enum class Stage { pre_activation, activation };

/// Takes `tensor` and returns the tensor that the forward must go on with. Gradients asked of a tensor after an
/// in-place change are those of the changed tensor; the edge stays that of the value taken here.
/// @param beside a second place that the tap may send gradients to, as `send_on` says; may be null
/// @throws UnsupportedModelError if the model writes into one of several views that share memory
at::Tensor capture(const at::Tensor& tensor, Stage stage, CaptureNeeds needs, LaterWrites writes, Captured& captured,
                   const torch::autograd::Edge* beside = nullptr);

/// What a tap makes of the gradient that arrives: what goes on the way that the tensor came, and what goes to the place
/// beside; either may be undefined.
using SendOn = std::function<std::pair<at::Tensor, at::Tensor>(const at::Tensor& gradient)>;
/// Makes a tap that was captured with a place beside it do so, in all backwards from then on.
void send_on(const Captured& captured, SendOn rule);
/// Whether the node is a tap that has been told so.
bool sends_on(const torch::autograd::Node& node);

/// The same for a program that runs its own backward and may write into the tensor, or into what shares its memory, as
/// it could without the tap. What is returned is the tensor itself wherever that can hold a tap.
/// @param kept  becomes a tensor of the tap's own on which LibTorch's retain_grad is called. No operator of the program
///              reaches it, so a backward leaves there the gradient of the value taken here; undefined unless asked
///              for. Where the tensor is a view it may be the gradient of what it views: see
///              Captured::gradient_from_base.
at::Tensor capture_retained(const at::Tensor& tensor, CaptureNeeds needs, Captured& captured, at::Tensor& kept);

/// Whether a backward that was itself recorded, by create_graph, has left its gradient there too.
bool has_recorded_gradient(const at::Tensor& kept);

/// Replaces a captured tensor before anything behind the tap reads it. Gets the site, how often that site's tensor was
/// taken at this stage before, and the tensor; an undefined result leaves the tensor as it is.
using Editor = std::function<at::Tensor(std::size_t site, std::int64_t occurrence, const at::Tensor& value)>;

/// Puts `edited` in the place of `tensor` for everybody who reads it. A tensor that is written into later, or was
/// written into by its activation, may be known under other names too, so it is overwritten.
at::Tensor replaced(const at::Tensor& tensor, const at::Tensor& edited, LaterWrites writes);

/// One execution of a tapped layer.
struct Execution {
  std::size_t site = 0;
  std::int64_t call = 0;
  std::int64_t z_occurrence = 0;  ///< which of the tensors taken at the site's pre-activation it read
  Captured z;
  Captured a;
};

/// What one forward captures. Travels through the graph as a value of its own, so that any number of forwards can run
/// at once on one graph.
struct CaptureRecord : torch::CustomClassHolder {
  struct Site {
    std::size_t name = 0;      ///< sites of one name share a count of calls
    std::string input;         ///< the layer's name, where it is an input of the model; else ""
    bool is_optional = false;  ///< whether an input that cannot be a layer is left out, rather than refused
    CaptureNeeds z;
    CaptureNeeds a;
    LaterWrites z_writes = LaterWrites::none;
    LaterWrites a_writes = LaterWrites::none;
    bool edits_z = false;
    bool edits_a = false;
    bool has_way_round = false;  ///< whether the tap at a may send gradients to that at z
  };

  CaptureRecord(const std::vector<Site>& the_sites, std::size_t names)
      : sites(the_sites),
        latest(the_sites.size()),
        z_taken(the_sites.size(), 0),
        entered(the_sites.size(), 0),
        calls(names, 0) {}

  const std::vector<Site>& sites;
  const Editor* editor = nullptr;     ///< for the sites that edit
  std::vector<Execution> executions;  ///< in the order in which the activations ran
  std::vector<Captured> latest;       ///< per site: the pre-activation that its activation reads next, once or often
  std::vector<std::int64_t> z_taken;  ///< per site: how many pre-activations were taken
  std::vector<std::int64_t> entered;  ///< per site: how many activations ran
  std::vector<std::int64_t> calls;    ///< per name
  std::exception_ptr error;           ///< thrown by a tap; the interpreter would keep only its text
};

}  // namespace pregrad::graph

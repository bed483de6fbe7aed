// Models of thousands of operators in a row, on threads with the smallest stack that a JVM gives.

#include <exception>
#include <functional>
#include <sstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pthread.h>
#include <torch/script.h>

#include "exported_archive.hpp"
#include "fixtures.hpp"
#include "model/model_implementation.hpp"
#include "pregrad/pregrad.hpp"
#include "support/threads.hpp"

namespace pregrad::test::deep_models_test {

namespace {

/// Calls `body` in a thread with 256 KB of stack, and throws here what it throws.
void on_small_stack(const std::function<void()>& body) {
  struct Call {
    const std::function<void()>& body;
    std::exception_ptr failure;
  } call{body, nullptr};
  pthread_attr_t attributes;
  ASSERT_EQ(pthread_attr_init(&attributes), 0);
  constexpr std::size_t small = 256 << 10;
  ASSERT_EQ(pthread_attr_setstacksize(&attributes, small), 0);
  pthread_t thread{};
  const auto run = [](void* data) -> void* {
    auto& given = *static_cast<Call*>(data);
    try {
      given.body();
    } catch (...) {
      given.failure = std::current_exception();
    }
    return nullptr;
  };
  ASSERT_EQ(pthread_create(&thread, &attributes, run, &call), 0);
  pthread_join(thread, nullptr);
  pthread_attr_destroy(&attributes);
  if (call.failure) {
    std::rethrow_exception(call.failure);
  }
}

/// As nn.Sequential of so many pairs of Linear and ReLU, scripted, with one weight for all.
torch::jit::Module chain_of(int pairs) {
  torch::manual_seed(5);
  torch::jit::Module module("Chain");
  module.register_parameter("w", torch::eye(4) * 0.999, false);
  module.register_parameter("b", torch::full({4}, 1e-4), false);
  std::ostringstream code;
  code << "def forward(self, x):\n";
  for (int i = 0; i < pairs; ++i) {
    code << "    x = torch.relu(torch.linear(x, self.w, self.b))\n";
  }
  code << "    return x\n";
  support::run_on_deep_stack(c10::kCPU, [&] { module.define(code.str()); });
  return module;
}

TEST(DeepModels, ChainsLoadListAndScoreOnSmallStacks) {
  constexpr int pairs = 5000;
  const torch::jit::Module module = chain_of(pairs);
  const at::Tensor x = torch::rand({3, 4});
  // d y / d z of the last ReLU is 1 where z > 0, which all are.
  double first = 1;
  for (int i = 1; i < pairs; ++i) {
    first *= static_cast<double>(0.999F);
  }
  on_small_stack([&] {
    const Model model = Model::from(module);
    EXPECT_EQ(model.layers().size(), static_cast<std::size_t>(pairs));
    AttributionOptions options;
    options.layers = {"forward@0", "forward@" + std::to_string(pairs - 1)};
    Attribution attribution = model.attribution(options);
    attribution.add(x, at::zeros({3}, at::kLong));
    const Scores scores = attribution.scores();
    EXPECT_NEAR(scores.of("forward@0", 0, Method::gradient).mean.at(0), first, 1e-3 * first);
    EXPECT_EQ(scores.of(options.layers[1], 0, Method::gradient).mean.at(0), 1);
  });
}

TEST(DeepModels, ArchivesToo) {
  constexpr int more = 4000;
  const std::string bytes =
      ExportedArchive(fixture_path("act-relu.exported.pt2"))
          .program([](nlohmann::json& program) {
            nlohmann::json& graph = program["graph_module"]["graph"];
            nlohmann::json& nodes = graph["nodes"];
            const nlohmann::json last = nodes.back();
            const std::string output = last["outputs"][0]["as_tensor"]["name"];
            std::string before = output;
            for (int i = 0; i < more; ++i) {
              nlohmann::json node = {{"target", "torch.ops.aten.relu.default"},
                                     {"inputs", nlohmann::json::array()},
                                     {"outputs", nlohmann::json::array()},
                                     {"metadata", nlohmann::json::object()}};
              node["inputs"].push_back({{"name", "self"}, {"arg", {{"as_tensor", {{"name", before}}}}}});
              before = "deep" + std::to_string(i);
              node["outputs"].push_back({{"as_tensor", {{"name", before}}}});
              graph["tensor_values"][before] = graph["tensor_values"][output];
              nodes.push_back(node);
            }
            graph["outputs"][0]["as_tensor"]["name"] = before;
            program["graph_module"]["signature"]["output_specs"][0]["user_output"]["arg"]["as_tensor"]["name"] = before;
          })
          .written();
  const Data data = read_data(fixture_path("act-relu.npz"));
  on_small_stack([&] {
    const auto model =
        support::on_deep_stack(c10::kCPU, [&] { return std::make_shared<Model::Implementation>(read_archive(bytes)); });
    EXPECT_GE(model->layers().size(), static_cast<std::size_t>(more));
    EXPECT_GE(model->forward(data.x).min().item<double>(), 0);
    const Model same = Model::load(fixture_path("act-relu.exported.pt2"));
    EXPECT_TRUE(model->forward(data.x).equal(same.forward(data.x).relu()));
  });
}

TEST(DeepModels, AnErrorOfABodyIsTheCallers) {
  EXPECT_THROW(support::on_deep_stack(c10::kCPU, []() -> int { throw ModelError("no model"); }), ModelError);
  const at::NoGradGuard no_gradients;
  EXPECT_FALSE(support::on_deep_stack(c10::kCPU, [] { return at::GradMode::is_enabled(); }));
}

}  // namespace

}  // namespace pregrad::test::deep_models_test

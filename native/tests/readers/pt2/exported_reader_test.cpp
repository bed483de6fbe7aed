// Archives of torch.export that are damaged, made up or of another kind: an exception with one line, never a crash.

#include <random>

#include <ATen/Functions.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "exported_archive.hpp"
#include "fixtures.hpp"
#include "model/model_implementation.hpp"
#include "pregrad/pregrad.hpp"

namespace pregrad::test::exported_reader_test {

namespace {

using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::ThrowsMessage;

auto one_line(const std::string& what) { return AllOf(HasSubstr(what), Not(HasSubstr("\n"))); }

class ExportedReaderTest : public testing::Test {
 protected:
  static json& nodes(json& program) { return program["graph_module"]["graph"]["nodes"]; }

  /// The only node of that operator.
  static json& node(json& program, const std::string& target) {
    for (json& each : nodes(program)) {
      if (each["target"] == target) {
        return each;
      }
    }
    throw std::runtime_error("no node " + target);
  }

  template <typename Exception = ModelError>
  void expect_program(const std::string& what, const std::function<void(json&)>& change) {
    const std::string bytes = ExportedArchive(file_).program(change).written();
    EXPECT_THAT([&] { read_archive(bytes); }, ThrowsMessage<Exception>(one_line(what)));
  }
  template <typename Exception = ModelError>
  void expect_weights(const std::string& what, const std::function<void(json&)>& change) {
    const std::string bytes = ExportedArchive(file_).weights(change).written();
    EXPECT_THAT([&] { read_archive(bytes); }, ThrowsMessage<Exception>(one_line(what)));
  }
  /// Reads bytes of which nobody knows what they are.
  static void expect_no_crash(const std::string& bytes) {
    try {
      read_archive(bytes);
    } catch (const Error& error) {
      EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos) << error.what();
    }
  }

  const std::filesystem::path file_ = fixture_path("reused.exported.pt2");
};

TEST_F(ExportedReaderTest, WhatIsWrittenAgainIsRead) {
  const graph::ModelGraph model = read_archive(ExportedArchive(file_).written());
  EXPECT_EQ(model.sites().activations.size(), 5U);
}

TEST_F(ExportedReaderTest, Versions) {
  expect_program<UnsupportedModelError>(
      "schema 9.0 of torch.export", [](json& program) { program["schema_version"] = {{"major", 9}, {"minor", 0}}; });
  expect_program<UnsupportedModelError>("schema 7.", [](json& program) { program["schema_version"]["major"] = 7; });
  // A minor version only adds.
  const std::string newer =
      ExportedArchive(file_).program([](json& program) { program["schema_version"]["minor"] = 99; }).written();
  EXPECT_NO_THROW(read_archive(newer));
}

TEST_F(ExportedReaderTest, OtherArchives) {
  ExportedArchive two(file_);
  two.records()["models/second.json"] = two.records()["models/model.json"];
  EXPECT_THAT([&] { read_archive(two.written()); },
              ThrowsMessage<UnsupportedModelError>(one_line("'archive' holds 2 models (model, second)")));
  ExportedArchive none(file_);
  none.records().erase("models/model.json");
  EXPECT_THAT([&] { read_archive(none.written()); },
              ThrowsMessage<UnsupportedModelError>(one_line("without a program")));
  ExportedArchive legacy(file_);
  legacy.records()["data/weights/model.pt"] = "PK";
  EXPECT_THAT([&] { read_archive(legacy.written()); }, ThrowsMessage<UnsupportedModelError>(one_line("pickled")));
  ExportedArchive no_json(file_);
  no_json.records()["models/model.json"] = "{\"schema_version\": ";
  EXPECT_THAT([&] { read_archive(no_json.written()); }, ThrowsMessage<ModelError>(one_line("is no JSON")));
}

TEST_F(ExportedReaderTest, PackedRecords) {
  EXPECT_THAT([&] { read_archive(ExportedArchive(file_).written(/*packed=*/true)); },
              ThrowsMessage<ModelError>(one_line("packed")));
  // A megabyte of zeros packs into a kilobyte: whoever unpacks first has lost.
  ExportedArchive bomb(file_);
  bomb.records()["models/model.json"] = std::string(std::size_t{1} << 26U, ' ');
  const std::string bytes = bomb.written(/*packed=*/true);
  EXPECT_LT(bytes.size(), std::size_t{1} << 20U);
  EXPECT_THAT([&] { read_archive(bytes); }, ThrowsMessage<ModelError>(one_line("packed")));
}

TEST_F(ExportedReaderTest, Nodes) {
  expect_program<UnsupportedModelError>("operator aten::no_such_thing", [](json& program) {
    nodes(program)[0]["target"] = "torch.ops.aten.no_such_thing.default";
  });
  expect_program<UnsupportedModelError>(
      "'flex_attention'", [](json& program) { nodes(program)[0]["target"] = "torch.ops.higher_order.flex_attention"; });
  expect_program<UnsupportedModelError>("'math.sin'", [](json& program) {
    nodes(program)[0]["target"] = "math.sin";
    nodes(program)[0]["inputs"] = json::array();
  });
  expect_program("no torch.ops.NAMESPACE", [](json& program) { nodes(program)[0]["target"] = "torch.ops.aten"; });
  expect_program("'relu', which no node before it makes",
                 [](json& program) { nodes(program)[0]["inputs"][0]["arg"] = {{"as_tensor", {{"name", "relu"}}}}; });
  expect_program("which is there already",
                 [](json& program) { nodes(program)[1]["outputs"] = nodes(program)[0]["outputs"]; });
  expect_program("which no node before it makes",
                 [](json& program) { std::reverse(nodes(program).begin(), nodes(program).end()); });
  expect_program("lacks argument 'weight'", [](json& program) {
    json& inputs = nodes(program)[0]["inputs"];
    inputs.erase(inputs.begin() + 1);
  });
  expect_program("gives argument 'inputs', which aten::linear does not take", [](json& program) {
    nodes(program)[0]["inputs"].push_back({{"name", "inputs"}, {"arg", {{"as_int", 1}}}});
  });
  expect_program("is argument 'input' again",
                 [](json& program) { nodes(program)[0]["inputs"].push_back(nodes(program)[0]["inputs"][0]); });
  expect_program("is as_string, which PreGrad does not read here",
                 [](json& program) { nodes(program)[0]["inputs"][0]["arg"] = {{"as_string", "x"}}; });
  expect_program("that do not fit aten::linear",
                 [](json& program) { nodes(program)[0]["inputs"][0]["arg"] = {{"as_none", true}}; });
  expect_program("outputs, more than",
                 [](json& program) { nodes(program)[0]["outputs"].push_back({{"as_tensor", {{"name", "another"}}}}); });
  expect_program("has no 'target'", [](json& program) { nodes(program)[0].erase("target"); });
  expect_program("nodes[0].inputs[0].arg has 2 members",
                 [](json& program) { nodes(program)[0]["inputs"][0]["arg"]["as_int"] = 1; });
  expect_program("is no array", [](json& program) { program["graph_module"]["graph"]["nodes"] = 3; });
}

TEST_F(ExportedReaderTest, ANumberThatIsTooLargeIsNotCutOff) {
  expect_program("no integer of 64 bits",
                 [](json& program) { nodes(program)[0]["inputs"][0]["arg"] = {{"as_int", 18446744073709551615ULL}}; });
}

TEST_F(ExportedReaderTest, GraphsInGraphs) {
  const auto nested = [](json& program, std::size_t depth) {
    json graph = {{"inputs", json::array()}, {"outputs", json::array()}, {"nodes", json::array()}};
    for (std::size_t i = 0; i < depth; ++i) {
      const json node = {{"target", "torch.ops.higher_order.wrap_with_set_grad_enabled"},
                         {"inputs",
                          {{{"name", ""}, {"arg", {{"as_bool", true}}}},
                           {{"name", ""}, {"arg", {{"as_graph", {{"name", "inner"}, {"graph", graph}}}}}}}},
                         {"outputs", json::array()}};
      graph["nodes"] = json::array({node});
    }
    nodes(program).insert(nodes(program).begin(), graph["nodes"][0]);
  };
  EXPECT_NO_THROW(read_archive(ExportedArchive(file_).program([&](json& p) { nested(p, 8); }).written()));
  expect_program("within more than 64 others", [&](json& program) { nested(program, 100); });
  expect_program("nested deeper than 1000", [&](json& program) { nested(program, 500); });
  expect_program("nested deeper than 1000", [](json& program) {
    json deep = {{"as_none", true}};
    for (int i = 0; i < 2000; ++i) {
      json around = json::object();
      around["as_optional_tensor"] = std::move(deep);
      deep = std::move(around);
    }
    nodes(program)[0]["inputs"][0]["arg"] = std::move(deep);
  });
}

TEST_F(ExportedReaderTest, Weights) {
  const std::string name = "fc1.weight";
  const auto meta = [&](json& weights) -> json& { return weights["config"][name]["tensor_meta"]; };
  expect_weights("no tensor 'fc1.weight'", [&](json& weights) { weights["config"].erase(name); });
  expect_weights<UnsupportedModelError>("pickled",
                                        [&](json& weights) { weights["config"][name]["use_pickle"] = true; });
  expect_weights("reaches beyond", [&](json& weights) { meta(weights)["storage_offset"]["as_int"] = 1; });
  expect_weights("reaches beyond", [&](json& weights) { meta(weights)["sizes"][0]["as_int"] = 1000000; });
  expect_weights("reaches beyond", [&](json& weights) { meta(weights)["strides"][0]["as_int"] = 1000000; });
  expect_weights("reaches beyond", [&](json& weights) {
    meta(weights)["sizes"][0]["as_int"] = std::int64_t{1} << 62U;
    meta(weights)["sizes"][1]["as_int"] = std::int64_t{1} << 62U;
    meta(weights)["strides"][0]["as_int"] = 0;
    meta(weights)["strides"][1]["as_int"] = 0;
  });
  expect_weights("reaches beyond", [&](json& weights) {
    meta(weights)["strides"][0]["as_int"] = std::int64_t{1} << 62U;
    meta(weights)["storage_offset"]["as_int"] = std::int64_t{1} << 62U;
  });
  expect_weights("reaches beyond", [&](json& weights) { meta(weights)["dtype"] = 8; });
  expect_weights("is negative", [&](json& weights) { meta(weights)["strides"][0]["as_int"] = -6; });
  expect_weights("no scalar type", [&](json& weights) { meta(weights)["dtype"] = 99; });
  expect_weights("1 sizes and 2 strides", [&](json& weights) { meta(weights)["sizes"].erase(0); });
  expect_weights<UnsupportedModelError>("not dense", [&](json& weights) { meta(weights)["layout"] = 1; });
  expect_weights("has no record 'data/weights/weight_99'",
                 [&](json& weights) { weights["config"][name]["path_name"] = "weight_99"; });
}

TEST_F(ExportedReaderTest, Signatures) {
  expect_program<UnsupportedModelError>("changes its tensor 'running'", [](json& program) {
    program["graph_module"]["signature"]["output_specs"].push_back(
        {{"buffer_mutation", {{"arg", {{"name", "relu"}}}, {"buffer_name", "running"}}}});
  });
  expect_program<UnsupportedModelError>("forward takes no tensor", [](json& program) {
    json& specs = program["graph_module"]["signature"]["input_specs"];
    specs.erase(specs.size() - 1);
  });
  expect_program<UnsupportedModelError>("custom_obj", [](json& program) {
    program["graph_module"]["signature"]["input_specs"].push_back({{"custom_obj", json::object()}});
  });
}

json number(const std::string& name) { return {{"as_sym_int", {{"as_name", name}}}}; }

json truth(const std::string& name) { return {{"as_sym_bool", {{"as_name", name}}}}; }

json made_node(const std::string& target, const std::vector<json>& arguments, const json& output,
               const std::vector<std::string>& names = {}) {
  json node = {{"target", target}, {"inputs", json::array()}, {"outputs", json::array()}, {"metadata", json::object()}};
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    node["inputs"].push_back({{"name", i < names.size() ? names[i] : "a"}, {"arg", arguments[i]}});
  }
  if (!output.is_null()) {
    node["outputs"].push_back(output);
  }
  return node;
}

/// Asserts that `condition`, a truth value of the graph, holds.
json assertion(const std::string& condition, const std::string& message) {
  return made_node("torch.ops.aten._assert_scalar.default", {truth(condition), {{"as_string", message}}}, nullptr,
                   {"self", "assert_msg"});
}

json batch_size() {
  return made_node("torch.ops.aten.sym_size.int", {{{"as_tensor", {{"name", "x"}}}}, {{"as_int", 0}}}, number("batch"),
                   {"self", "dim"});
}

TEST_F(ExportedReaderTest, AssertionsAreChecksOfTheInput) {
  const std::string bytes =
      ExportedArchive(file_)
          .program([](json& program) {
            json& all = nodes(program);
            all.push_back(batch_size());
            all.push_back(made_node("_operator.lt", {number("batch"), {{"as_int", 4}}}, truth("few")));
            all.push_back(assertion("few", "fewer than four samples"));
          })
          .written();
  const Model::Implementation model(read_archive(bytes));
  EXPECT_NO_THROW(model.forward(at::zeros({3, 6})));
  EXPECT_THAT([&] { model.forward(at::zeros({4, 6})); },
              ThrowsMessage<InputError>(one_line("fewer than four samples")));
}

TEST_F(ExportedReaderTest, DivisionsOfSizesByZeroAreErrors) {
  for (const char* const division : {"_operator.mod", "_operator.floordiv"}) {
    const std::string bytes =
        ExportedArchive(file_)
            .program([&](json& program) {
              json& all = nodes(program);
              all.push_back(batch_size());
              all.push_back(made_node("_operator.sub", {number("batch"), {{"as_int", 3}}}, number("less")));
              all.push_back(made_node(division, {number("batch"), number("less")}, number("part")));
              all.push_back(made_node("_operator.lt", {number("part"), {{"as_int", 9}}}, truth("few")));
              all.push_back(assertion("few", "nine or more"));
            })
            .written();
    const Model::Implementation model(read_archive(bytes));
    EXPECT_NO_THROW(model.forward(at::zeros({5, 6})));
    EXPECT_THAT([&] { model.forward(at::zeros({3, 6})); }, ThrowsMessage<ModelError>(one_line("divides 3 by 0")))
        << division;
  }
}

TEST_F(ExportedReaderTest, ArithmeticOnSizes) {
  struct Computed {
    const char* target;
    std::vector<json> arguments;
    std::int64_t expected;
  };
  const json three = number("batch");
  const auto fixed = [](std::int64_t value) { return json{{"as_int", value}}; };
  const std::vector<Computed> computed = {
      {"_operator.add", {three, fixed(4)}, 7},
      {"_operator.sub", {three, fixed(4)}, -1},
      {"_operator.mul", {three, fixed(5)}, 15},
      {"_operator.floordiv", {fixed(-7), three}, -3},
      {"_operator.mod", {fixed(-7), three}, 2},
      {"_operator.pow", {three, fixed(2)}, 9},
      {"_operator.neg", {three}, -3},
      {"_operator.pos", {three}, 3},
      {"_operator.lshift", {three, fixed(2)}, 12},
      {"_operator.rshift", {three, fixed(1)}, 1},
      {"_operator.truediv", {fixed(7), three}, 2},
      {"torch.sym_max", {three, fixed(5)}, 5},
      {"torch.sym_min", {three, fixed(5)}, 3},
      {"torch.sym_sqrt", {fixed(16)}, 4},
      {"math.trunc", {{{"as_float", -2.5}}}, -2},
      {"torch.sym_int", {{{"as_float", 2.5}}}, 2},
      {"math.floor", {{{"as_float", -2.5}}}, -3},
      {"math.ceil", {{{"as_float", 2.5}}}, 3},
      {"torch.sym_ite", {truth("is_three"), fixed(1), fixed(2)}, 1},
  };
  const std::string bytes =
      ExportedArchive(file_)
          .program([&](json& program) {
            json& all = nodes(program);
            all.push_back(batch_size());
            all.push_back(made_node("_operator.eq", {three, fixed(3)}, truth("is_three")));
            for (std::size_t i = 0; i < computed.size(); ++i) {
              const std::string name = "computed_" + std::to_string(i);
              all.push_back(made_node(computed[i].target, computed[i].arguments, number(name)));
              all.push_back(
                  made_node("_operator.eq", {number(name), fixed(computed[i].expected)}, truth(name + "_is_right")));
              all.push_back(assertion(name + "_is_right", std::string("wrong: ") + computed[i].target));
            }
            all.push_back(made_node("torch.sym_not", {truth("is_three")}, truth("is_other")));
            all.push_back(made_node("_operator.or_", {truth("is_three"), truth("is_other")}, truth("either")));
            all.push_back(assertion("either", "wrong: _operator.or_"));
            all.push_back(made_node("_operator.and_", {truth("is_three"), truth("is_other")}, truth("both")));
            all.push_back(made_node("torch.sym_not", {truth("both")}, truth("not_both")));
            all.push_back(assertion("not_both", "wrong: _operator.and_"));
          })
          .written();
  const Model::Implementation model(read_archive(bytes));
  EXPECT_NO_THROW(model.forward(at::zeros({3, 6})));
  // The same assertions do notice what is wrong.
  EXPECT_THAT([&] { model.forward(at::zeros({2, 6})); }, ThrowsMessage<InputError>(one_line("wrong: _operator.add")));
}

TEST_F(ExportedReaderTest, TruncatedFiles) {
  const std::string bytes = bytes_of(file_);
  for (std::size_t length = 0; length < bytes.size(); length += 101) {
    EXPECT_THAT([&] { read_archive(bytes.substr(0, length)); }, ThrowsMessage<ModelError>(one_line("truncated")));
  }
}

TEST_F(ExportedReaderTest, FlippedBits) {
  const std::string bytes = bytes_of(file_);
  const std::size_t directory = bytes.find("PK\x01\x02");
  ASSERT_NE(directory, std::string::npos);
  for (std::size_t at = directory; at < bytes.size(); ++at) {
    std::string flipped = bytes;
    flipped[at] = static_cast<char>(flipped[at] ^ (1 << (at % 8)));
    expect_no_crash(flipped);
  }
  const std::size_t program = bytes.find("{\"graph_module\"");
  ASSERT_NE(program, std::string::npos);
  std::string flipped = bytes;
  flipped[program + 100] = static_cast<char>(flipped[program + 100] ^ 1);
  EXPECT_THAT([&] { read_archive(flipped); }, ThrowsMessage<ModelError>(one_line("CRC-32")));
}

TEST_F(ExportedReaderTest, ProgramsWithFlippedBits) {
  const ExportedArchive original(file_);
  std::mt19937 random(0);
  for (int round = 0; round < 300; ++round) {
    ExportedArchive changed = original;
    for (const char* record : {"models/model.json", "data/weights/model_weights_config.json"}) {
      std::string& text = changed.records()[record];
      const std::size_t at = random() % text.size();
      text[at] = static_cast<char>(text[at] ^ (1U << (random() % 8)));
    }
    expect_no_crash(changed.written());
  }
}

TEST_F(ExportedReaderTest, TheFileIsNamed) {
  EXPECT_THAT(
      [] { Model::load(fixture_path("special/compressed.pt2")); },
      ThrowsMessage<ModelError>(AllOf(one_line("compressed.pt2' has a packed"), HasSubstr("torch.export.save"))));
  EXPECT_THAT([] { Model::load(fixture_path("special/pickled.pt2")); },
              ThrowsMessage<UnsupportedModelError>(one_line("pickled Python object")));
  EXPECT_THAT([] { Model::load(fixture_path("special/two-models.pt2")); },
              ThrowsMessage<UnsupportedModelError>(one_line("holds 2 models")));
  EXPECT_THAT([] { Model::load(fixture_path("special/custom-operator.pt2")); },
              ThrowsMessage<UnsupportedModelError>(one_line("load the library that registers it")));
}

TEST(ExportedModel, GradientsFollowWhileLoops) {
  const Model model = Model::load(fixture_path("special/while-loop.pt2"));
  const at::Tensor x = at::randn({5, 6});
  CheckOptions options;
  options.layers = {"forward"};
  options.target = Target::index(1);
  Check check = model.check(options);
  check.add(x);
  ASSERT_FALSE(check.results().empty());
  for (const LayerCheck& result : check.results()) {
    EXPECT_TRUE(result.passed) << result.gradient_error;
  }
}

TEST(ExportedModel, AFixedBatchSaysSo) {
  const Model model = Model::load(fixture_path("special/fixed-batch.pt2"));
  EXPECT_THAT([&] { model.layers(std::vector<std::int64_t>{8, 6}); },
              ThrowsMessage<InputError>(one_line("exported for [4, 6], a fixed batch; give batches of 4")));
  const Data data = first_of(read_data(fixture_path("reused.npz")), 4);
  AttributionOptions options;
  options.layers = {model.layers().at(0).name};
  options.methods = unconditional_methods;
  Attribution attribution = model.attribution(options);
  attribution.add(data.x, data.y);
  EXPECT_EQ(attribution.scores().entries().size(), unconditional_methods.size());
}

TEST(ExportedModel, OtherShapesSaySo) {
  const Model model = Model::load(fixture_path("digits-mlp.exported.pt2"));
  EXPECT_THAT([&] { model.layers(std::vector<std::int64_t>{8, 63}); },
              ThrowsMessage<InputError>(one_line("inputs [8, 63]: it was exported for [batch, 64]")));
  EXPECT_THAT([&] { model.layers(std::vector<std::int64_t>{8, 64, 1}); },
              ThrowsMessage<InputError>(one_line("exported for [batch, 64]")));
}

}  // namespace

}  // namespace pregrad::test::exported_reader_test

// What TorchScript files are held to before LibTorch reads them.

#include "readers/gate.hpp"

#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/csrc/jit/runtime/operator.h>

#include "fixtures.hpp"
#include "pregrad/error.hpp"
#include "pregrad/model.hpp"
#include "script_archive.hpp"

namespace pregrad::test::gate_test {

namespace {

using readers::GateLimits;
using readers::kind_of;
using readers::OperatorKind;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::ThrowsMessage;

auto one_line(const std::string& what) { return AllOf(HasSubstr(what), Not(HasSubstr("\n"))); }

// --- files

class GateTest : public testing::Test {
 protected:
  /// activations.py of `act-relu.scripted.pt` with a line before the last `return` of forward.
  ScriptArchive with_line(const std::string& line) const {
    ScriptArchive archive(fixture_path("act-relu.scripted.pt"));
    std::string& code = archive.record("code/__torch__/activations.py");
    const std::size_t last = code.rfind("    return ");
    code.insert(last, "    " + line + "\n");
    return archive;
  }

  Model load(const ScriptArchive& archive, bool is_trusted = false) const {
    const std::filesystem::path file = folder_.path() / "model.pt";
    archive.write(file);
    return Model::load(file, c10::Device(c10::kCPU), ModelOptions{is_trusted, std::chrono::milliseconds(0)});
  }

  void expect_refused(const ScriptArchive& archive, const std::string& what, bool is_trusted = false) const {
    EXPECT_THAT([&] { load(archive, is_trusted); }, ThrowsMessage<ModelError>(one_line(what)));
  }
  TemporaryFolder folder_;
};

TEST_F(GateTest, OperatorsThatReachOutNeedTrust) {
  const std::map<std::string, std::string> lines = {
      {"torch.save(x, \"canary\")", "aten::save"},
      {"torch.save(torch.from_file(\"canary\", True, 4), \"canary\")", "aten::from_file"},
      {"print(\"canary\")", "prim::Print"},
      {"_9 = torch.manual_seed(7)", "aten::manual_seed"},
      {"_9 = ops.prim.TimePoint()", "prim::TimePoint"},
      {"_9 = torch.resize_(x, [99])", "aten::resize_"},
  };
  for (const auto& [line, name] : lines) {
    SCOPED_TRACE(line);
    expect_refused(with_line(line), "operator " + name + ",");
    expect_refused(with_line(line), "--trust-model");
    expect_refused(with_line(line), "of 'code/__torch__/activations.py'");
  }
  // With trust it runs as it is; what PreGrad itself says of it is another matter.
  EXPECT_NO_THROW(load(with_line("torch.save(x, \"/dev/null\")"), true));
  EXPECT_FALSE(std::filesystem::exists("canary"));
}

TEST_F(GateTest, WarningsAreTakenOut) {
  testing::internal::CaptureStderr();
  const Model model = load(with_line("torch.warn(\"\\033[31mcanary\")"));
  static_cast<void>(model.layers(read_data(fixture_path("act-relu.npz")).x));
  EXPECT_THAT(testing::internal::GetCapturedStderr(), Not(HasSubstr("canary")));
}

/// A linear layer of a class of its own that is stored by __getstate__ and made again by __setstate__.
ScriptArchive with_state(const std::string& body) {
  ScriptArchive archive(fixture_path("act-relu.scripted.pt"));
  std::string& code = archive.record("code/__torch__/torch/nn/modules/activation.py");
  code.append(
      "  def __getstate__(self: __torch__.torch.nn.modules.activation.ReLU) -> Dict[str, Any]:\n"
      "    return annotate(Dict[str, Any], {})\n"
      "  def __setstate__(self: __torch__.torch.nn.modules.activation.ReLU, state: Dict[str, Any]) -> NoneType:\n" +
      body + "    self.training = False\n    self._is_full_backward_hook = None\n    return None\n");
  return archive;
}

TEST_F(GateTest, StatesOnlyComputeWithoutTrust) {
  EXPECT_NO_THROW(load(with_state("    _0 = torch.relu(torch.ones([2]))\n")));
  const std::map<std::string, std::string> bodies = {
      {"    torch.save(1, \"canary\")\n", "calls torch.save"},
      {"    while True:\n      pass\n", "has while"},
      {"    for i in range(99):\n      pass\n", "has for"},
      {"    _0 = 1 % 0\n", "has %"},
      {"    _0 = torch.remainder(1, 0)\n", "calls torch.remainder"},
      {"    torch = self\n    torch.forward(state)\n", "gives the name torch another meaning"},
      {"    print(state)\n", "calls print"},
      {"    _0 = state.x\n", "reads an attribute of something else"},
      {"    _0 = self.canary()\n", "calls self.canary"},
  };
  for (const auto& [body, what] : bodies) {
    SCOPED_TRACE(body);
    expect_refused(with_state(body), what);
    expect_refused(with_state(body), "--trust-model");
  }
  EXPECT_FALSE(std::filesystem::exists("canary"));
}

TEST_F(GateTest, RecordsAreLookedAtWhateverTheCaseOfTheirNames) {
  const std::string written = "code/__torch__/torch/nn/modules/activation.py";
  const ScriptArchive archive = with_state("    torch.save(1, \"canary\")\n");
  for (const char* name :
       {"CODE/__torch__/torch/nn/modules/activation.py", "code/__torch__/torch/nn/modules/activation.PY",
        "code/__torch__/torch/nn/modules/Activation.py"}) {
    SCOPED_TRACE(name);
    ScriptArchive renamed = archive;
    auto code = renamed.records().extract(written);
    code.key() = name;
    renamed.records().insert(std::move(code));
    expect_refused(renamed, "calls torch.save");
  }

  // The folder that all records lie in.
  const std::filesystem::path file = folder_.path() / "model.pt";
  archive.write(file);
  std::ifstream stream(file, std::ios::binary);
  std::string bytes((std::istreambuf_iterator<char>(stream)), std::istreambuf_iterator<char>());
  stream.close();
  std::size_t names = 0;
  for (std::size_t at = bytes.find("model/" + written); at != std::string::npos; at = bytes.find("model/" + written)) {
    bytes.replace(at, 5, "MODEL");
    ++names;
  }
  ASSERT_EQ(names, 2U) << "one in front of the record, one in the directory";
  std::ofstream(file, std::ios::binary) << bytes;
  EXPECT_THAT([&] { Model::load(file); }, ThrowsMessage<ModelError>(one_line("calls torch.save")));
  EXPECT_FALSE(std::filesystem::exists("canary"));
}

TEST_F(GateTest, SizesAreHeldAgainstRecordsTrustedOrNot) {
  for (const bool is_trusted : {false, true}) {
    ScriptArchive shorter(fixture_path("act-relu.scripted.pt"));
    shorter.record("data/0").resize(4);
    expect_refused(shorter, "declares 96 bytes in record 'data/0', which has 4", is_trusted);

    ScriptArchive empty(fixture_path("act-relu.scripted.pt"));
    empty.record("data/2").clear();
    expect_refused(empty, "which has 0", is_trusted);

    ScriptArchive missing(fixture_path("act-relu.scripted.pt"));
    missing.records().erase("data/1");
    expect_refused(missing, "'data/1', which is not there", is_trusted);
  }
}

TEST_F(GateTest, ObjectsAreOfTheirClasses) {
  // A linear layer's slots where ReLU's are expected, and the reverse.
  ScriptArchive archive(fixture_path("act-relu.scripted.pt"));
  archive.replace("data.pkl", "c__torch__.torch.nn.modules.activation\nReLU\n",
                  "c__torch__.torch.nn.modules.linear\nLinear\n");
  EXPECT_THROW(load(archive, true), ModelError);
}

TEST_F(GateTest, DeepCodeIsRefusedAndLongCodeIsNot) {
  for (const bool is_trusted : {false, true}) {
    const std::string open(2000, '(');
    const std::string close(2000, ')');
    expect_refused(with_line("_9 = " + open + "x" + close), "nests an expression", is_trusted);
    std::string sum = "_9 = x";
    std::string calls = "x";
    std::string nots = "_9 = ";
    for (int i = 0; i < 2000; ++i) {
      sum += " + x";
      calls = "torch.relu(" + calls + ")";
      nots += "not ";
    }
    expect_refused(with_line(sum), "nests an expression", is_trusted);
    expect_refused(with_line("_9 = " + calls), "nests an expression", is_trusted);
    expect_refused(with_line(nots + "True"), "nests an expression", is_trusted);
    std::string blocks = "if True:\n";
    for (int i = 1; i < 300; ++i) {
      blocks += std::string(static_cast<std::size_t>(4 + i), ' ') + "if True:\n";
    }
    expect_refused(with_line(blocks + std::string(304, ' ') + "pass"), "nests blocks", is_trusted);
  }
  std::string straight = "_9 = x\n";
  for (int i = 0; i < 3000; ++i) {
    straight += "    _9 = torch.add(torch.relu(_9), torch.mul(x, 2))\n";
  }
  EXPECT_NO_THROW(load(with_line(straight)));
}

TEST_F(GateTest, DefinitionsThatNeedEachOtherAreBounded) {
  std::string code;
  for (int i = 0; i < 2000; ++i) {
    code += "def f" + std::to_string(i) + "(x: Tensor) -> Tensor:\n    return __torch__.deep.f" +
            std::to_string(i + 1) + "(x)\n";
  }
  for (const char* name : {"code/__torch__/deep.py", "code/__torch__/Deep.py"}) {
    ScriptArchive archive(fixture_path("act-relu.scripted.pt"));
    archive.records()[name] = code + "def f2000(x: Tensor) -> Tensor:\n    return x\n";
    expect_refused(archive, "need each other more than", true);
  }
}

TEST_F(GateTest, CallsThatMultiplyAreBounded) {
  ScriptArchive archive = with_line("_9 = __torch__.twice.f0(x)");
  std::string code;
  for (int i = 0; i < 60; ++i) {
    const std::string next = "__torch__.twice.f" + std::to_string(i + 1);
    code += "def f" + std::to_string(i) + "(x: Tensor) -> Tensor:\n    return " + next + "(" + next + "(x))\n";
  }
  archive.records()["code/__torch__/twice.py"] = code + "def f60(x: Tensor) -> Tensor:\n    return x\n";
  expect_refused(archive, "comes to more than", true);
}

TEST_F(GateTest, ZipArchivesAreThoseThatTorchWrites) {
  const std::filesystem::path file = folder_.path() / "model.pt";
  ScriptArchive(fixture_path("act-relu.scripted.pt")).write(file);
  EXPECT_NO_THROW(Model::load(file));
  std::ofstream(file, std::ios::binary | std::ios::app) << "behind";
  EXPECT_THROW(Model::load(file), ModelError);

  ScriptArchive two(fixture_path("act-relu.scripted.pt"));
  two.records()["DATA.pkl"] = two.record("data.pkl");
  expect_refused(two, "two records of one name");
}

TEST_F(GateTest, NamesOfTheFileAreEscaped) {
  ScriptArchive archive(fixture_path("act-relu.scripted.pt"));
  archive.replace("data.pkl", "ReLU\n", "\x1b[31\n");
  expect_refused(archive, "\\x1b[31");
}

// --- pickles

std::string pickle(const std::string& body) { return std::string("\x80\x02", 2) + body + "."; }

void expect_bad_pickle(const std::string& body, const std::string& what) {
  const std::map<std::string, std::uint64_t> records = {{"constants/0", 16}};
  EXPECT_THAT([&] { readers::look_at_pickle(body, "constants", records, 1000, false); },
              ThrowsMessage<pt2::ArchiveError>(one_line(what)))
      << testing::PrintToString(body);
}

/// A tensor of that storage size, offset, sizes and strides, each below 256.
std::string tensor(int elements, int offset, const std::vector<int>& sizes, const std::vector<int>& strides) {
  const auto integer = [](int value) { return std::string("K") + static_cast<char>(value); };
  const auto tuple = [&](const std::vector<int>& values) {
    std::string result = "(";
    for (const int value : values) {
      result += integer(value);
    }
    return result + "t";
  };
  const auto text = [](const std::string& value) {
    return std::string("X") + static_cast<char>(value.size()) + std::string(3, '\0') + value;
  };
  return "ctorch._utils\n_rebuild_tensor_v2\n((" + text("storage") + "ctorch\nFloatStorage\n" + text("0") +
         text("cpu") + integer(elements) + "tQ" + integer(offset) + tuple(sizes) + tuple(strides) +
         "\x89"
         "ccollections\nOrderedDict\n)RtR";
}

TEST(GatePickle, HonestOnesPass) {
  const std::map<std::string, std::uint64_t> records = {{"constants/0", 16}};
  EXPECT_NO_THROW(readers::look_at_pickle(pickle(")"), "constants", records, 1000, false));
  EXPECT_NO_THROW(
      readers::look_at_pickle(pickle("(" + tensor(4, 0, {2, 2}, {2, 1}) + "t"), "constants", records, 1000, false));
  EXPECT_NO_THROW(
      readers::look_at_pickle(pickle("(" + tensor(4, 3, {1}, {1}) + "t"), "constants", records, 1000, false));
}

TEST(GatePickle, TensorsStayInTheirStorage) {
  const auto expect_bad = [](const std::string& made, const std::string& what) {
    expect_bad_pickle(pickle("(" + made + "t"), what);
  };
  expect_bad(tensor(5, 0, {1}, {1}), "declares 20 bytes in record 'constants/0', which has 16");
  expect_bad(tensor(4, 0, {5}, {1}), "beyond its storage");
  expect_bad(tensor(4, 1, {4}, {1}), "beyond its storage");
  expect_bad(tensor(4, 0, {2, 2}, {3, 1}), "beyond its storage");
  expect_bad(tensor(4, 0, {2, 2}, {2}), "do not fit together");
  expect_bad(tensor(4, 0, std::vector<int>(20, 255), std::vector<int>(20, 0)), "more elements than can be counted");
  expect_bad(tensor(4, 0, std::vector<int>(7, 255), std::vector<int>(7, 0)), "far more than the file has");
}

TEST(GatePickle, StackAndMemoAreBounded) {
  expect_bad_pickle("", "reads beyond");
  expect_bad_pickle(pickle(""), "with one");
  expect_bad_pickle(pickle("t"), "was not begun");
  expect_bad_pickle(pickle("))"), "2 values");
  expect_bad_pickle(pickle("h\x05"), "was not kept");
  expect_bad_pickle(pickle(std::string(")r\xff\xff\xff\x7f", 6)), "where 0 is next");
  expect_bad_pickle(pickle("}(Nu"), "key without a value");
  expect_bad_pickle(pickle("X" + std::string("\xff\xff\xff\x7f", 4)), "reads beyond");
  expect_bad_pickle(pickle("cos\nsystem\n"), "names os.system");
  expect_bad_pickle(pickle("\x93"), "opcode 147");
  // A list in itself, by way of the memo.
  expect_bad_pickle(pickle(std::string("]q\0(h\0et", 8)), "already a part");
  std::string nested = ")";
  nested.append(2000, '\x85');
  expect_bad_pickle(pickle(nested), "into each other");
  // Each pair is twice the one before: a walk would never end.
  std::string doubled = ")";
  for (char i = 0; i < 60; ++i) {
    doubled += std::string("q") + i + "h" + i + "\x86";
  }
  expect_bad_pickle(pickle(doubled), "parts");
}

// --- operators

TEST(GateOperators, TheRuleDecidesEveryOperatorOfLibTorch) {
  std::size_t computing = 0;
  for (const auto& each : torch::jit::getAllOperators()) {
    const c10::FunctionSchema& schema = each->schema();
    // What tests, PreGrad itself or a build of LibTorch for tests add.
    const bool is_own = schema.name().starts_with("pregrad") || schema.name().starts_with("_test");
    if (!is_own) {
      EXPECT_NE(kind_of(schema), OperatorKind::undecided) << schema << ": decide it in readers/gate_operators.cpp";
    }
    computing += kind_of(schema) == OperatorKind::computes ? 1 : 0;
  }
  EXPECT_GT(computing, 2000U);
}

TEST(GateOperators, NamesThatReachOutAreRefused) {
  const auto is_refused = [](const char* name) {
    for (const auto& each : torch::jit::getAllOperatorsFor(c10::Symbol::fromQualString(name))) {
      if (kind_of(each->schema()) == OperatorKind::computes) {
        return false;
      }
    }
    return true;
  };
  for (const char* name : {"aten::save", "aten::from_file", "prim::Print", "prim::rpc_async", "aten::wait",
                           "aten::manual_seed", "aten::set_data", "aten::record_stream", "prim::TimePoint",
                           "aten::_cufft_clear_plan_cache", "c10d::allreduce_", "aten::Generator"}) {
    EXPECT_TRUE(is_refused(name)) << name;
  }
  for (const char* name : {"aten::linear", "aten::relu_", "aten::_convolution", "aten::dropout", "aten::add",
                           "prim::NumToTensor", "aten::format", "quantized::linear", "aten::einsum"}) {
    EXPECT_FALSE(is_refused(name)) << name;
  }
}

}  // namespace

}  // namespace pregrad::test::gate_test

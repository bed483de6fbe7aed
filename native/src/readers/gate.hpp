#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <caffe2/serialize/read_adapter_interface.h>
#include <torch/csrc/jit/api/module.h>

#include "readers/pt2/zip.hpp"

/// What a TorchScript file is held to before LibTorch, and what its code may do, reads on. LibTorch believes such a
/// file: it takes sizes as they are written, recurses as deep as the file does, and runs `__setstate__` while it loads.
/// Sizes and depths are held for every file; what operators do only for those that nobody vouches for.
namespace pregrad::readers {

/// The most that a file may have. Honest files of many thousands of layers stay far below: their code is long, not
/// deep.
struct GateLimits {
  static constexpr std::uint64_t code_bytes = std::uint64_t{64} << 20U;    ///< all code together
  static constexpr std::uint64_t pickle_bytes = std::uint64_t{64} << 20U;  ///< one pickle
  static constexpr std::size_t pickle_values = std::size_t{16} << 20U;     ///< values that one pickle makes
  /// Values that a walk over a pickle's result meets, shared ones as often as they are used.
  static constexpr std::uint64_t walked_values = std::uint64_t{64} << 20U;
  static constexpr std::uint32_t pickle_depth = 500;  ///< containers and objects in each other
  /// All records unpacked, and all tensors, which may lie over each other in a storage as shared weights do: so often
  /// the bytes of the file, and these.
  static constexpr std::uint64_t bytes_factor = 16;
  static constexpr std::uint64_t bytes_free = std::uint64_t{256} << 20U;
  /// Brackets that are open plus operators, names and calls in a row inside of them.
  static constexpr std::size_t expression_depth = 400;
  static constexpr std::size_t block_depth = 100;             ///< blocks in each other, and branches after each other
  static constexpr std::size_t definition_depth = 150;        ///< classes and functions that need each other
  static constexpr std::uint64_t inlined_nodes = 20'000'000;  ///< of a method with all that it calls
};

/// Refuses the file; `what` follows its name.
/// @throws pt2::ArchiveError always
[[noreturn]] void fail(const std::string& what);

/// A record's name as LibTorch's reader looks it up: it tells no `A` from an `a`, whatever the locale.
std::string lower_case(std::string text);

/// A TorchScript file, opened once for the gate and for LibTorch, so that both see the same bytes.
class ScriptFile final : public caffe2::serialize::ReadAdapterInterface {
 public:
  /// @throws pt2::ArchiveError if the zip archive is none that torch.jit.save writes
  explicit ScriptFile(const std::filesystem::path& file);

  /// Bytes of the records of which `data.pkl` is one, by name.
  const std::map<std::string, std::uint64_t>& records() const { return records_; }

  std::size_t size() const override { return source_->size(); }
  std::size_t read(std::uint64_t offset, void* into, std::size_t count, const char* what) const override;

 private:
  std::unique_ptr<pt2::FileSource> source_;
  std::map<std::string, std::uint64_t> records_;
};

/// Looks at everything in a file that LibTorch reads, before it does: pickles against their records, code against its
/// limits, and what runs while LibTorch loads.
/// @throws pt2::ArchiveError that says what is wrong, and where
void look_at(const std::shared_ptr<ScriptFile>& file, bool is_trusted);

/// Looks at what LibTorch made of the file, of which nothing but `__setstate__` ran: that all values are of the types
/// that the code relies on, how much the calls come to, and what the operators do. Without trust, warnings are taken
/// out: they would print the file's text.
/// @throws pt2::ArchiveError likewise
void look_at(const torch::jit::Module& module, bool is_trusted);

/// Simulates a pickle as LibTorch's unpickler runs it.
/// @param name `data` or `constants`; tensors of `data.pkl` lie in the records `data/...`
/// @returns the classes that it names, in their order
/// @throws pt2::ArchiveError
std::vector<std::string> look_at_pickle(std::string_view bytes, const std::string& name,
                                        const std::map<std::string, std::uint64_t>& records, std::uint64_t file_bytes,
                                        bool is_trusted);

/// Looks at how deep a code file nests, without recursion: whoever parses it may recurse afterwards.
/// @throws pt2::ArchiveError
void look_at_depth(std::string_view code, const std::string& name);

/// Parses the code files, which look_at_depth has looked at, and holds them to what LibTorch takes for granted.
/// @param code text by record
/// @param classes that the pickles name
/// @throws pt2::ArchiveError
void look_at_code(const std::map<std::string, std::string>& code, const std::vector<std::string>& classes,
                  bool is_trusted);

/// What an operator does.
enum class OperatorKind {
  computes,     ///< gives values that follow from its arguments
  reaches_out,  ///< reads or changes something outside of the model, or believes what it is told about memory
  undecided,    ///< the rule does not tell; refused like one that reaches out
};

/// The rule that decides; docs/trust.md has it in words.
OperatorKind kind_of(const c10::FunctionSchema& schema);
/// Whether an operator of that name, `aten::relu`, has an overload that computes, or is none of this process.
bool may_compute(const std::string& name);
/// Whether objects of that class of LibTorch's own may be in a file that nobody vouches for.
bool is_plain_class(const std::string& name);
bool is_custom_class(const std::string& name);

/// A name out of a file, for a message: one line, without control characters, cut where it is long.
std::string shown(std::string_view text);
/// Where in the file's code something stands, for a message.
std::string place(const torch::jit::SourceRange& range);

/// What opens the gate, at the end of messages.
constexpr const char* way_to_trust =
    "if you vouch for the file, load it with --trust-model (Java: Model.Options.trusted(), C++: ModelOptions::trusted, "
    "C: is_trusted)";

}  // namespace pregrad::readers

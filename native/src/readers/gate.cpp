#include "readers/gate.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>
#include <optional>
#include <span>
#include <unordered_map>

#include <c10/core/QScheme.h>
#include <c10/core/ScalarType.h>
#include <caffe2/serialize/inline_container.h>

#include "support/failures.hpp"

namespace pregrad::readers {

void fail(const std::string& what) { throw pt2::ArchiveError(what); }

std::string lower_case(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return text;
}

namespace {

/// LibTorch's reader takes the last end record that it finds, the zip layer here the one whose comment reaches to the
/// end. Without a comment both are the same.
void require_no_comment(pt2::ByteSource& source) {
  std::array<std::byte, 22> end{};
  constexpr std::array<unsigned char, 4> signature = {'P', 'K', 5, 6};
  if (source.size() < end.size() || !source.read(source.size() - end.size(), end) ||
      !std::equal(signature.begin(), signature.end(), end.begin(),
                  [](unsigned char left, std::byte right) { return std::byte{left} == right; })) {
    fail("is a zip archive with something behind its directory, which torch.jit.save never writes");
  }
}

/// What a file of that size may come to: weights are shared, and records are packed, but not without end.
std::uint64_t most_bytes(std::uint64_t file_bytes) {
  return file_bytes * GateLimits::bytes_factor + GateLimits::bytes_free;
}

}  // namespace

std::string shown(std::string_view text) {
  constexpr std::size_t longest = 120;
  return support::printable(text.substr(0, longest)) + (text.size() > longest ? "..." : "");
}

std::string place(const torch::jit::SourceRange& range) {
  if (const auto found = range.file_line_col()) {
    const auto& [file, line, column] = *found;
    return "line " + std::to_string(line) + " of '" + shown(file) + "'";
  }
  return "its code";
}

ScriptFile::ScriptFile(const std::filesystem::path& file) : source_(std::make_unique<pt2::FileSource>(file)) {
  require_no_comment(*source_);
  const pt2::ZipDirectory directory = pt2::ZipDirectory::read(*source_);
  const std::string root = lower_case(directory.first().substr(0, directory.first().find('/') + 1));
  std::map<std::string, std::string> by_lower_case;
  std::uint64_t packed = 0;
  std::uint64_t unpacked = 0;
  for (const auto& [name, entry] : directory.entries()) {
    const auto [other, is_new] = by_lower_case.emplace(lower_case(name), name);
    if (!is_new) {
      fail("has two records of one name, '" + shown(other->second) + "' and '" + shown(name) + "'");
    }
    if (!other->first.starts_with(root)) {
      continue;
    }
    const std::string record = name.substr(root.size());
    pt2::data_offset(*source_, shown(name), entry);
    constexpr std::uint16_t stored = 0;
    constexpr std::uint16_t deflated = 8;
    // What deflate makes of a byte, at most.
    constexpr std::uint64_t greatest_ratio = 1032;
    const bool is_plain = entry.method == stored && entry.size == entry.packed_size;
    const bool is_packed = entry.method == deflated && entry.size / greatest_ratio <= entry.packed_size;
    if (entry.is_encrypted || (!is_plain && !is_packed)) {
      fail("has an encrypted or damaged record '" + shown(record) + "', which torch.jit.save never writes");
    }
    packed += entry.packed_size;
    if (packed > source_->size()) {
      fail("has records that lie over each other");
    }
    unpacked += entry.size;
    if (const std::uint64_t most = most_bytes(source_->size()); unpacked > most) {
      fail("has records of more than " + std::to_string(most) + " bytes, far more than the file has");
    }
    records_.emplace(record, entry.size);
  }
}

std::size_t ScriptFile::read(std::uint64_t offset, void* into, std::size_t count, const char* /*what*/) const {
  return source_->read(offset, {static_cast<std::byte*>(into), count}) ? count : 0;
}

void look_at(const std::shared_ptr<ScriptFile>& file, bool is_trusted) {
  const auto& records = file->records();
  if (records.count("model.json") != 0) {
    fail("is of a format that PyTorch 1.2 was the last to write; save it again with a newer one");
  }
  caffe2::serialize::PyTorchStreamReader reader(file);
  const auto text_of = [&](const std::string& record) {
    const auto [data, size] = reader.getRecord(record);
    return std::string(static_cast<const char*>(data.get()), size);
  };
  std::vector<std::string> classes;
  for (const std::string name : {"constants", "data"}) {
    const std::string record = name + ".pkl";
    if (records.at(record) > GateLimits::pickle_bytes) {
      fail("has a record '" + record + "' of " + std::to_string(records.at(record)) + " bytes, more than the " +
           std::to_string(GateLimits::pickle_bytes) + " that a model's may have");
    }
    const std::vector<std::string> named = look_at_pickle(text_of(record), name, records, file->size(), is_trusted);
    classes.insert(classes.end(), named.begin(), named.end());
  }
  std::map<std::string, std::string> code;
  std::uint64_t bytes = 0;
  for (const auto& [record, size] : records) {
    const std::string found = lower_case(record);
    if (found.starts_with("code/") && found.ends_with(".py")) {
      bytes += size;
      if (bytes > GateLimits::code_bytes) {
        fail("has more than the " + std::to_string(GateLimits::code_bytes) + " bytes of code that a model may have");
      }
      const auto added = code.emplace(record, text_of(record)).first;
      look_at_depth(added->second, record);
    }
  }
  look_at_code(code, classes, is_trusted);
}

namespace {

enum class Kind : std::uint8_t {
  none,
  boolean,
  integer,
  real,
  text,
  tuple,
  list,
  dict,
  function,     ///< one of Function
  type,         ///< a class
  scalar_type,  ///< of a storage
  scheme,       ///< of quantization
  storage,
  tensor,
  object,
  other,  ///< a device, a complex number
};

/// What a pickle calls by name.
enum class Function : std::uint8_t {
  rebuild_tensor,
  rebuild_quantized,
  typed_list,
  type_tag,
  complex,
  ordered_dict,
  device,
};

constexpr std::array<const char*, 16> kind_names = {
    "None",       "a boolean", "an integer", "a number", "a text",    "a tuple",  "a list",    "a dict",
    "a function", "a class",   "a type",     "a scheme", "a storage", "a tensor", "an object", "a value",
};

/// A value as far as it matters: of containers how deep and how large, of the rest what it is.
struct Value {
  Kind kind = Kind::none;
  std::uint32_t depth = 0;
  std::uint64_t walked = 1;
  /// Of an integer, boolean or type its value; of the others where it is found: a text in the pickle, a tuple's first
  /// element in `elements_`, a container or tensor in its table.
  std::int64_t number = 0;
  std::uint64_t count = 0;  ///< of a text its bytes, of a tuple its elements
};

struct Tensor {
  at::ScalarType type = at::kFloat;
  std::uint64_t bytes = 0;  ///< of its storage
  std::vector<std::int64_t> sizes;
};

const std::unordered_map<std::string, at::ScalarType>& storage_types() {
  static const std::unordered_map<std::string, at::ScalarType> types = {
#define PREGRAD_STORAGE_TYPE(_, name) {#name "Storage", at::ScalarType::name},
      AT_FORALL_SCALAR_TYPES_WITH_COMPLEX_AND_QINTS(PREGRAD_STORAGE_TYPE)
#undef PREGRAD_STORAGE_TYPE
  };
  return types;
}

/// Runs a pickle without making what it says.
class Scanner {
 public:
  Scanner(std::string_view bytes, const std::string& name, const std::map<std::string, std::uint64_t>& records,
          std::uint64_t file_bytes, bool is_trusted)
      : bytes_(bytes), name_(name), records_(records), file_bytes_(file_bytes), is_trusted_(is_trusted) {}

  Value run() {
    if (byte() != 0x80 || byte() != 2) {
      fail("is no pickle of protocol 2");
    }
    for (;;) {
      opcode_at_ = at_;
      const std::uint8_t opcode = byte();
      if (opcode == '.') {
        if (stack_.size() != 1 || !marks_.empty()) {
          fail("ends with " + std::to_string(stack_.size()) + " values, not with one");
        }
        return stack_.back();
      }
      step(opcode);
    }
  }

  const std::vector<std::string>& classes() const { return classes_; }

 private:
  [[noreturn]] void fail(const std::string& what) const {
    throw pt2::ArchiveError("is damaged or made up: byte " + std::to_string(opcode_at_) + " of its record '" + name_ +
                            ".pkl' " + what);
  }

  // --- bytes

  std::string_view take(std::uint64_t count) {
    if (count > bytes_.size() - at_) {
      fail("reads beyond the record's end");
    }
    const std::string_view taken = bytes_.substr(at_, count);
    at_ += count;
    return taken;
  }
  std::uint8_t byte() { return static_cast<std::uint8_t>(take(1).front()); }
  template <typename Number>
  Number number() {
    Number value = 0;
    std::memcpy(&value, take(sizeof value).data(), sizeof value);
    return value;
  }
  std::string line() {
    const std::size_t end = bytes_.find('\n', at_);
    if (end == std::string_view::npos) {
      fail("has a name without an end");
    }
    const std::string_view name = take(end - at_);
    take(1);
    const auto is_plain = [](char c) {
      return c == '_' || c == '.' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    };
    constexpr std::size_t longest_name = 4096;
    if (name.empty() || name.size() > longest_name || !std::all_of(name.begin(), name.end(), is_plain)) {
      fail("names '" + shown(name) + "', which is no name");
    }
    return std::string(name);
  }

  // --- stack

  /// The stack above the last mark; nothing reaches below it.
  std::size_t floor() const { return marks_.empty() ? 0 : marks_.back(); }

  void push(Value value) {
    if (++pushed_ > GateLimits::pickle_values) {
      fail("makes more than " + std::to_string(GateLimits::pickle_values) + " values");
    }
    stack_.push_back(value);
  }
  void push(Kind kind, std::int64_t number = 0, std::uint64_t count = 0) { push(Value{kind, 0, 1, number, count}); }

  Value pop() {
    if (stack_.size() <= floor()) {
      fail("takes a value where there is none");
    }
    const Value value = stack_.back();
    stack_.pop_back();
    return value;
  }
  Value pop(Kind kind) {
    const Value value = pop();
    require(value, kind);
    return value;
  }
  void require(const Value& value, Kind kind) const {
    if (value.kind != kind) {
      fail(std::string("has ") + kind_names.at(static_cast<std::size_t>(value.kind)) + " where " +
           kind_names.at(static_cast<std::size_t>(kind)) + " belongs");
    }
  }

  /// What stands above the last mark, which is gone afterwards.
  std::vector<Value> pop_marked() {
    if (marks_.empty()) {
      fail("ends a container that was not begun");
    }
    const auto first = stack_.begin() + static_cast<std::ptrdiff_t>(marks_.back());
    std::vector<Value> values(first, stack_.end());
    stack_.erase(first, stack_.end());
    marks_.pop_back();
    return values;
  }

  // --- containers

  /// `value` becomes a part of `container`. A list or dict that is a part of something does not change any more, so
  /// that none is ever a part of itself.
  void contain(Value& container, const Value& value) {
    if (value.kind == Kind::list || value.kind == Kind::dict) {
      sealed_.at(static_cast<std::size_t>(value.number)) = true;
    }
    container.depth = std::max(container.depth, value.depth + 1);
    container.walked += value.walked;
    if (container.depth > GateLimits::pickle_depth) {
      fail("puts more than " + std::to_string(GateLimits::pickle_depth) + " containers into each other");
    }
    if (container.walked > GateLimits::walked_values) {
      fail("makes a value of more than " + std::to_string(GateLimits::walked_values) + " parts");
    }
  }

  void push_container(Kind kind) {
    push(kind, static_cast<std::int64_t>(sealed_.size()));
    sealed_.push_back(false);
  }

  void push_tuple(std::span<const Value> values) {
    Value tuple{Kind::tuple, 0, 1, static_cast<std::int64_t>(elements_.size()), values.size()};
    for (const Value& value : values) {
      contain(tuple, value);
      elements_.push_back(value);
    }
    push(tuple);
  }

  void extend(Kind kind, std::span<const Value> values) {
    if (stack_.size() <= floor()) {
      fail("adds to a container where there is none");
    }
    Value& container = stack_.back();
    require(container, kind);
    if (sealed_.at(static_cast<std::size_t>(container.number))) {
      fail("changes a container that is already a part of another");
    }
    if (kind == Kind::dict && values.size() % 2 != 0) {
      fail("puts a key without a value into a dict");
    }
    for (const Value& value : values) {
      contain(container, value);
    }
    if (kind == Kind::dict) {
      for (std::size_t i = 0; i < values.size(); i += 2) {
        if (const Kind key = values[i].kind; key != Kind::text && key != Kind::integer && key != Kind::real &&
                                             key != Kind::boolean && key != Kind::tensor && key != Kind::other) {
          fail(std::string("has ") + kind_names.at(static_cast<std::size_t>(key)) + " as a key");
        }
      }
    }
    grown_[container.number] = container;
  }

  std::span<const Value> elements(const Value& tuple) const {
    return {elements_.data() + tuple.number, static_cast<std::size_t>(tuple.count)};
  }

  std::string text(const Value& value) const {
    require(value, Kind::text);
    return std::string(bytes_.substr(static_cast<std::size_t>(value.number), value.count));
  }

  std::vector<std::int64_t> integers(const Value& value) const {
    require(value, Kind::tuple);
    std::vector<std::int64_t> result;
    for (const Value& element : elements(value)) {
      require(element, Kind::integer);
      if (element.number < 0) {
        fail("has a tensor with the size or stride " + std::to_string(element.number));
      }
      result.push_back(element.number);
    }
    return result;
  }

  // --- opcodes

  void step(std::uint8_t opcode) {
    switch (opcode) {
      case ']':
        return push_container(Kind::list);
      case '}':
        return push_container(Kind::dict);
      case ')':
        return push_tuple({});
      case '(':
        if (marks_.size() >= GateLimits::pickle_depth) {
          fail("begins more than " + std::to_string(GateLimits::pickle_depth) + " containers in each other");
        }
        marks_.push_back(stack_.size());
        return;
      case 'q':
        return remember(byte());
      case 'r':
        return remember(number<std::uint32_t>());
      case 'h':
        return recall(byte());
      case 'j':
        return recall(number<std::uint32_t>());
      case 'N':
        return push(Kind::none);
      case 0x88:
      case 0x89:
        return push(Kind::boolean, opcode == 0x88 ? 1 : 0);
      case 'K':
        return push(Kind::integer, byte());
      case 'M':
        return push(Kind::integer, number<std::uint16_t>());
      case 'J':
        return push(Kind::integer, number<std::int32_t>());
      case 0x8a:
        if (byte() != 8) {
          fail("has an integer that is not of 8 bytes");
        }
        return push(Kind::integer, number<std::int64_t>());
      case 'G':
        take(8);
        return push(Kind::real);
      case 'X': {
        const std::uint64_t length = number<std::uint32_t>();
        const auto begin = static_cast<std::int64_t>(at_);
        take(length);
        return push(Kind::text, begin, length);
      }
      case 't': {
        const std::vector<Value> values = pop_marked();
        return push_tuple(values);
      }
      case 0x85:
      case 0x86:
      case 0x87: {
        std::vector<Value> values(static_cast<std::size_t>(opcode - 0x84));
        for (std::size_t i = values.size(); i-- > 0;) {
          values[i] = pop();
        }
        return push_tuple(values);
      }
      case 'e':
        return extend(Kind::list, pop_marked());
      case 'u':
        return extend(Kind::dict, pop_marked());
      case 'a': {
        const Value value = pop();
        return extend(Kind::list, std::array{value});
      }
      case 's': {
        const Value value = pop();
        const Value key = pop();
        return extend(Kind::dict, std::array{key, value});
      }
      case 'l':
      case 'd': {
        const Kind kind = opcode == 'l' ? Kind::list : Kind::dict;
        const std::vector<Value> values = pop_marked();
        push_container(kind);
        return extend(kind, values);
      }
      case 'c': {
        const std::string module = line();
        return global(module, line());
      }
      case 0x81:
        if (pop(Kind::tuple).count != 0) {
          fail("gives arguments to a new object");
        }
        return;
      case 'b':
      case 'R':
        return call();
      case 'Q':
        return storage();
      default:
        fail("is opcode " + std::to_string(opcode) + ", which torch.jit.save never writes");
    }
  }

  void remember(std::uint64_t id) {
    if (stack_.size() <= floor()) {
      fail("keeps a value where there is none");
    }
    // LibTorch makes room for all numbers below.
    if (id > memo_.size()) {
      fail("keeps a value as number " + std::to_string(id) + ", where " + std::to_string(memo_.size()) + " is next");
    }
    memo_.insert_or_assign(id, stack_.back());
  }

  void recall(std::uint64_t id) {
    const auto kept = memo_.find(id);
    if (kept == memo_.end()) {
      fail("uses a value that was not kept");
    }
    Value value = kept->second;
    if (value.kind == Kind::list || value.kind == Kind::dict) {
      // It may have grown since.
      if (const auto grown = grown_.find(value.number); grown != grown_.end()) {
        value = grown->second;
      }
      sealed_.at(static_cast<std::size_t>(value.number)) = true;
    }
    push(value);
  }

  void function(Function function) { push(Kind::function, static_cast<std::int64_t>(function)); }

  void global(const std::string& module, const std::string& name) {
    if (module == "torch._utils" && name == "_rebuild_tensor_v2") {
      return function(Function::rebuild_tensor);
    }
    if (module == "torch._utils" && name == "_rebuild_qtensor") {
      return function(Function::rebuild_quantized);
    }
    if (module == "torch._utils" && name == "_rebuild_sparse_tensor") {
      fail("makes a sparse tensor, whose indices nobody looks at; store it dense, or make it in forward");
    }
    if (module == "torch.jit._pickle") {
      if (name == "restore_type_tag") {
        return function(Function::type_tag);
      }
      if (name == "build_intlist" || name == "build_tensorlist" || name == "build_doublelist" ||
          name == "build_boollist") {
        return function(Function::typed_list);
      }
    }
    if (module == "builtins" && name == "complex") {
      return function(Function::complex);
    }
    if (module == "collections" && name == "OrderedDict") {
      return function(Function::ordered_dict);
    }
    if (module == "torch") {
      if (name == "device") {
        return function(Function::device);
      }
      if (const auto type = storage_types().find(name); type != storage_types().end()) {
        return push(Kind::scalar_type, static_cast<std::int64_t>(type->second));
      }
      for (int i = 0; i < at::COMPILE_TIME_NUM_QSCHEMES; ++i) {
        if (name == at::toString(static_cast<at::QScheme>(i))) {
          return push(Kind::scheme, i);
        }
      }
    }
    if (module == "__torch__" || module.starts_with("__torch__.")) {
      const std::string full = module + "." + name;
      if (!is_trusted_ && is_custom_class(full) && !is_plain_class(full)) {
        throw pt2::ArchiveError("holds an object of LibTorch's class " + shown(full) + " (in its record '" + name_ +
                                ".pkl'), which does more than to compute: " + way_to_trust);
      }
      classes_.push_back(full);
      return push(Kind::type);
    }
    fail("names " + shown(module + "." + name) + ", which no TorchScript file needs");
  }

  /// Calls what stands below the argument.
  void call() {
    const Value argument = pop();
    const Value called = pop();
    if (called.kind == Kind::type) {
      Value object{Kind::object, 0, 1, 0, 0};
      contain(object, argument);
      return push(object);
    }
    require(called, Kind::function);
    require(argument, Kind::tuple);
    const std::span<const Value> given = elements(argument);
    const auto require_count = [&](std::size_t count) {
      if (given.size() != count) {
        fail("calls a function with " + std::to_string(given.size()) + " arguments in place of " +
             std::to_string(count));
      }
    };
    switch (static_cast<Function>(called.number)) {
      case Function::rebuild_tensor:
        return tensor(given, false);
      case Function::rebuild_quantized:
        return tensor(given, true);
      case Function::typed_list:
        require_count(1);
        require(given[0], Kind::list);
        return push(given[0]);
      case Function::type_tag: {
        require_count(2);
        if (given[0].kind != Kind::list && given[0].kind != Kind::dict) {
          require(given[0], Kind::list);
        }
        // LibTorch parses it as it parses code.
        look_at_depth(text(given[1]), name_ + ".pkl");
        return push(given[0]);
      }
      case Function::complex:
        require_count(2);
        require(given[0], Kind::real);
        require(given[1], Kind::real);
        return push(Kind::other);
      case Function::ordered_dict:
        require_count(0);
        return push(Kind::none);
      case Function::device:
        require_count(1);
        static_cast<void>(text(given[0]));
        return push(Kind::other);
    }
  }

  // --- tensors

  /// A persistent id: ('storage', type, key, device, elements).
  void storage() {
    const Value id = pop(Kind::tuple);
    const std::span<const Value> given = elements(id);
    if (given.size() != 5 || text(given[0]) != "storage") {
      fail("has an id that is no storage's");
    }
    require(given[1], Kind::scalar_type);
    static_cast<void>(text(given[3]));
    require(given[4], Kind::integer);
    const auto type = static_cast<at::ScalarType>(given[1].number);
    const std::uint64_t item = c10::elementSize(type);
    if (given[4].number < 0 || static_cast<std::uint64_t>(given[4].number) > most_bytes(file_bytes_) / item) {
      fail("declares a storage of " + std::to_string(given[4].number) + " elements, more than the file has");
    }
    const std::uint64_t bytes = static_cast<std::uint64_t>(given[4].number) * item;
    const std::string record = name_ + "/" + text(given[2]);
    if (bytes > 0) {
      const auto found = records_.find(record);
      if (found == records_.end()) {
        fail("takes a tensor from record '" + shown(record) + "', which is not there");
      }
      if (found->second < bytes) {
        fail("declares " + std::to_string(bytes) + " bytes in record '" + shown(record) + "', which has " +
             std::to_string(found->second));
      }
    }
    tensors_.push_back({type, bytes, {}});
    push(Kind::storage, static_cast<std::int64_t>(tensors_.size() - 1));
  }

  /// Elements from the first to the last that sizes and strides reach, if that is a number.
  static std::optional<std::uint64_t> reach(std::int64_t offset, const std::vector<std::int64_t>& sizes,
                                            const std::vector<std::int64_t>& strides) {
    auto end = static_cast<std::uint64_t>(offset);
    for (std::size_t i = 0; i < sizes.size(); ++i) {
      std::uint64_t step = 0;
      if (__builtin_mul_overflow(static_cast<std::uint64_t>(sizes[i] - 1), static_cast<std::uint64_t>(strides[i]),
                                 &step) ||
          __builtin_add_overflow(end, step, &end)) {
        return std::nullopt;
      }
    }
    return end < std::numeric_limits<std::int64_t>::max() ? std::optional(end + 1) : std::nullopt;
  }

  /// Arguments: storage, offset, sizes, strides, of a quantized one its parameters, requires_grad, hooks, and of the
  /// others whether it is conjugated or negated.
  void tensor(std::span<const Value> given, bool is_quantized) {
    if (given.size() != (is_quantized ? 7U : 6U) && (is_quantized || given.size() != 7)) {
      fail("makes a tensor of " + std::to_string(given.size()) + " arguments");
    }
    require(given[0], Kind::storage);
    require(given[1], Kind::integer);
    Tensor made = tensors_.at(static_cast<std::size_t>(given[0].number));
    made.sizes = integers(given[2]);
    const std::vector<std::int64_t> strides = integers(given[3]);
    require(given[is_quantized ? 5 : 4], Kind::boolean);
    constexpr std::size_t most_axes = 64;
    if (given[1].number < 0 || made.sizes.size() != strides.size() || made.sizes.size() > most_axes) {
      fail("makes a tensor with an offset, sizes and strides that do not fit together");
    }
    if (is_quantized != c10::isQIntType(made.type)) {
      fail("makes a quantized tensor of numbers that are not, or the reverse");
    }
    const std::uint64_t item = c10::elementSize(made.type);
    const bool is_empty = std::find(made.sizes.begin(), made.sizes.end(), 0) != made.sizes.end();
    std::uint64_t all = 1;
    for (const std::int64_t size : made.sizes) {
      // Axes of an empty tensor, too: others multiply them.
      if (size > 0 && __builtin_mul_overflow(all, static_cast<std::uint64_t>(size), &all)) {
        fail("makes a tensor of more elements than can be counted");
      }
    }
    if (!is_empty) {
      const auto end = reach(given[1].number, made.sizes, strides);
      if (!end || *end > made.bytes / item) {
        fail("makes a tensor that reaches beyond its storage of " + std::to_string(made.bytes) + " bytes");
      }
    } else if (static_cast<std::uint64_t>(given[1].number) > made.bytes / item) {
      fail("makes an empty tensor beyond its storage");
    }
    const std::uint64_t most = most_bytes(file_bytes_);
    if (all > most || (tensor_bytes_ += is_empty ? 0 : all * item) > most) {
      fail("makes tensors of more than " + std::to_string(most) + " bytes, far more than the file has");
    }
    if (is_quantized) {
      quantization(given[4], made);
    } else if (given.size() == 7) {
      bits(given[6]);
    }
    tensors_.push_back(made);
    push(Kind::tensor, static_cast<std::int64_t>(tensors_.size() - 1));
  }

  void quantization(const Value& parameters, const Tensor& of) const {
    require(parameters, Kind::tuple);
    const std::span<const Value> given = elements(parameters);
    if (given.empty()) {
      fail("makes a quantized tensor without a scheme");
    }
    require(given[0], Kind::scheme);
    const auto scheme = static_cast<at::QScheme>(given[0].number);
    if (scheme == at::kPerTensorAffine && given.size() == 3) {
      require(given[1], Kind::real);
      require(given[2], Kind::integer);
      return;
    }
    if ((scheme != at::kPerChannelAffine && scheme != at::kPerChannelAffineFloatQParams) || given.size() != 4) {
      fail("makes a tensor of a quantization that LibTorch does not store");
    }
    require(given[3], Kind::integer);
    const std::int64_t axis = given[3].number;
    if (axis < 0 || axis >= static_cast<std::int64_t>(of.sizes.size())) {
      fail("makes a tensor quantized along axis " + std::to_string(axis));
    }
    for (const Value& each : {given[1], given[2]}) {
      require(each, Kind::tensor);
      const Tensor& values = tensors_.at(static_cast<std::size_t>(each.number));
      if (values.sizes.size() != 1 || values.sizes[0] != of.sizes[static_cast<std::size_t>(axis)]) {
        fail("makes a quantized tensor with another number of scales or zero points than channels");
      }
    }
  }

  /// Whether a tensor is a conjugate or negated is a dict, which the scan does not keep; an empty one is all that a
  /// network's weights have.
  void bits(const Value& dict) const {
    require(dict, Kind::dict);
    if (dict.walked != 1) {
      fail("makes a tensor that is the conjugate or negative of its storage; store it resolved (resolve_conj)");
    }
  }

  std::string_view bytes_;
  std::string name_;
  const std::map<std::string, std::uint64_t>& records_;
  std::uint64_t file_bytes_;
  bool is_trusted_;

  std::size_t at_ = 0;
  std::size_t opcode_at_ = 0;
  std::size_t pushed_ = 0;
  std::uint64_t tensor_bytes_ = 0;
  std::vector<Value> stack_;
  std::vector<std::size_t> marks_;
  std::unordered_map<std::uint64_t, Value> memo_;
  std::unordered_map<std::int64_t, Value> grown_;  ///< lists and dicts as they are now
  std::vector<bool> sealed_;                       ///< lists and dicts that do not change any more
  std::vector<Value> elements_;                    ///< of tuples
  std::vector<Tensor> tensors_;
  std::vector<std::string> classes_;
};

}  // namespace

std::vector<std::string> look_at_pickle(std::string_view bytes, const std::string& name,
                                        const std::map<std::string, std::uint64_t>& records, std::uint64_t file_bytes,
                                        bool is_trusted) {
  Scanner scanner(bytes, name, records, file_bytes, is_trusted);
  const Value made = scanner.run();
  const Kind wanted = name == "data" ? Kind::object : Kind::tuple;
  if (made.kind != wanted) {
    throw pt2::ArchiveError("is damaged or made up: its record '" + name + ".pkl' holds " +
                            kind_names.at(static_cast<std::size_t>(made.kind)) + ", not " +
                            kind_names.at(static_cast<std::size_t>(wanted)));
  }
  return scanner.classes();
}

}  // namespace pregrad::readers

#include <algorithm>
#include <array>
#include <set>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

#include <ATen/core/function.h>
#include <torch/csrc/jit/api/function_impl.h>
#include <torch/csrc/jit/ir/ir.h>
#include <torch/csrc/jit/runtime/operator.h>
#include <torch/custom_class.h>

#include "readers/gate.hpp"

namespace pregrad::readers {

namespace {

using Names = std::set<std::string_view>;

// --- the rule

/// Namespaces of LibTorch in which nothing is needed to compute a model: communication, other compilers and runtimes,
/// tests.
const Names& refused_namespaces() {
  static const Names names = {"_c10d_functional",
                              "_c10d_functional_autograd",
                              "_dtensor",
                              "_native",
                              "_nnapi",
                              "_quantized",
                              "_test",
                              "c10d",
                              "cuda",
                              "debug_mode_ops",
                              "debugprims",
                              "dist",
                              "export",
                              "fb",
                              "inductor",
                              "inductor_prims",
                              "metal",
                              "mkl",
                              "mkldnn",
                              "mkldnn_prepacked",
                              "mps",
                              "onednn",
                              "onnx",
                              "prepacked",
                              "prims",
                              "profiler",
                              "quantization",
                              "rngprims",
                              "rpc",
                              "sparse",
                              "static_runtime",
                              "symm_mem",
                              "tensorexpr",
                              "vulkan",
                              "vulkan_prepack",
                              "vulkan_quantized",
                              "xnnpack",
                              "xpu"};
  return names;
}

/// Operators of `aten` that reach outside, or take memory for what they are told.
const Names& refused_operators() {
  static const Names names = {// files
                              "save", "from_file",
                              // random state, threads, devices, other processes
                              "Generator", "initial_seed", "manual_seed", "seed", "confirmed_by_owner", "dist_backward",
                              "get_gradients", "is_owner", "is_pinned", "is_vulkan_available", "local_value", "owner",
                              "owner_name", "pin_memory", "record_stream", "to_here", "wait",
                              // what runs the engine that PreGrad runs itself, or swaps a tensor under it
                              "backward", "retain_grad", "set_", "set_data",
                              // memory that nobody has written, or indices that nobody looks at
                              "ctc_loss", "resize", "resize_", "resize_as", "resize_as_", "resize_as_sparse",
                              "resize_as_sparse_", "segment_reduce", "set", "sparse_resize_", "sparse_resize",
                              "sparse_resize_and_clear_", "sparse_resize_and_clear",
                              // texts of any length out of a short one
                              "center", "expandtabs", "ljust", "rjust", "zfill"};
  return names;
}

/// Beginnings of names that belong to one maker's devices.
constexpr std::array<std::string_view, 4> refused_beginnings = {"cudnn_", "miopen_", "mkldnn_", "mps_"};

/// LibTorch's own operators begin with an underscore; many believe their arguments. These are in honest models.
const Names& private_operators() {
  static const Names names = {"_adaptive_avg_pool2d",
                              "_adaptive_avg_pool3d",
                              "_add_relu",
                              "_add_relu_",
                              "_assert_async",
                              "_assert_scalar",
                              "_assert_tensor_metadata",
                              "_autocast_to_full_precision",
                              "_autocast_to_reduced_precision",
                              "_cast_Byte",
                              "_cast_Char",
                              "_cast_Double",
                              "_cast_Float",
                              "_cast_Half",
                              "_cast_Int",
                              "_cast_Long",
                              "_cast_Short",
                              "_cdist_forward",
                              "_conj",
                              "_conj_physical",
                              "_convolution",
                              "_convolution_mode",
                              "_dim_arange",
                              "_euclidean_dist",
                              "_fft_c2c",
                              "_fft_c2r",
                              "_fft_r2c",
                              "_fused_rms_norm",
                              "_get_tracing_state",
                              "_infer_size",
                              "_is_all_true",
                              "_is_any_true",
                              "_linalg_det",
                              "_list_to_tensor",
                              "_local_scalar_dense",
                              "_log_softmax",
                              "_make_per_channel_quantized_tensor",
                              "_make_per_tensor_quantized_tensor",
                              "_masked_softmax",
                              "_native_batch_norm_legit",
                              "_native_batch_norm_legit_no_training",
                              "_native_multi_head_attention",
                              "_neg_view",
                              "_nested_tensor_from_mask",
                              "_nested_tensor_from_mask_left_aligned",
                              "_no_grad_embedding_renorm_",
                              "_pack_padded_sequence",
                              "_pad_packed_sequence",
                              "_prelu_kernel",
                              "_reshape_alias",
                              "_reshape_from_tensor",
                              "_safe_softmax",
                              "_saturate_weight_to_fp16",
                              "_scaled_dot_product_attention_math",
                              "_scaled_dot_product_flash_attention_for_cpu",
                              "_set_item",
                              "_shape_as_tensor",
                              "_size_if_not_equal",
                              "_softmax",
                              "_standard_gamma",
                              "_stack",
                              "_to_copy",
                              "_transform_bias_rescale_qkv",
                              "_transformer_encoder_layer_fwd",
                              "_trilinear",
                              "_unique",
                              "_unique2",
                              "_unsafe_view",
                              "_unwrap_optional",
                              "_upsample_bicubic2d_aa",
                              "_upsample_bilinear2d_aa",
                              "_upsample_lanczos2d_aa",
                              "_upsample_nearest_exact1d",
                              "_upsample_nearest_exact2d",
                              "_upsample_nearest_exact3d",
                              "_weight_norm",
                              "_weight_norm_interface"};
  return names;
}

/// What `prim` has for tensors, numbers and containers. Properties of a tensor need not be listed.
const Names& primitive_operators() {
  static const Names names = {"AutogradZero",
                              "CallFunction",
                              "CallMethod",
                              "Constant",
                              "ConstantChunk",
                              "CreateObject",
                              "DictConstruct",
                              "Enter",
                              "EnumName",
                              "EnumValue",
                              "Exit",
                              "GetAttr",
                              "If",
                              "ListConstruct",
                              "ListUnpack",
                              "Loop",
                              "ModuleContainerIndex",
                              "NumToTensor",
                              "RaiseException",
                              "SetAttr",
                              "StringIndex",
                              "TupleConstruct",
                              "TupleIndex",
                              "TupleSlice",
                              "TupleUnpack",
                              "Uninitialized",
                              "abs",
                              "data",
                              "isinstance",
                              "layout",
                              "max",
                              "min",
                              "rangelist",
                              "shape",
                              "tolist",
                              "type",
                              "unchecked_cast",
                              "unchecked_unwrap_optional"};
  return names;
}

/// Of the operators that give nothing back: containers that change, an output that is written into, checks.
const Names& operators_without_result() {
  static const Names names = {"Delete",
                              "append",
                              "clear",
                              "dequantize",
                              "extend",
                              "insert",
                              "quantize_per_tensor",
                              "remove",
                              "reverse",
                              "set_grad_enabled",
                              "sort",
                              "split_copy",
                              "split_with_sizes_copy",
                              "sym_constrain_range",
                              "sym_constrain_range_for_size",
                              "unbind_copy",
                              "unsafe_split",
                              "unsafe_split_with_sizes",
                              "update",
                              "warn",
                              "lstm_mps_backward"};
  return names;
}

/// Of the operators that take any number of arguments.
const Names& operators_of_any_count() {
  static const Names names = {"einsum", "format", "has_torch_function", "percentFormat"};
  return names;
}

/// Of the operators that take a text: a mode, or a text to compute with.
const Names& operators_of_texts() {
  static const Names names = {"Delete",
                              "Float",
                              "Int",
                              "__contains__",
                              "__getitem__",
                              "__interpolate",
                              "__upsample",
                              "__upsample_bilinear",
                              "__upsample_nearest",
                              "add",
                              "any",
                              "append",
                              "capitalize",
                              "clear",
                              "conv1d",
                              "conv2d",
                              "conv3d",
                              "copy",
                              "count",
                              "device",
                              "dict",
                              "div",
                              "div_",
                              "divide",
                              "divide_",
                              "einsum",
                              "endswith",
                              "eq",
                              "fft_fft",
                              "fft_fft2",
                              "fft_fftn",
                              "fft_hfft",
                              "fft_hfft2",
                              "fft_hfftn",
                              "fft_ifft",
                              "fft_ifft2",
                              "fft_ifftn",
                              "fft_ihfft",
                              "fft_ihfft2",
                              "fft_ihfftn",
                              "fft_irfft",
                              "fft_irfft2",
                              "fft_irfftn",
                              "fft_rfft",
                              "fft_rfft2",
                              "fft_rfftn",
                              "find",
                              "format",
                              "ge",
                              "gelu",
                              "gelu_",
                              "gelu_backward",
                              "get",
                              "get_autocast_dtype",
                              "grid_sampler",
                              "gt",
                              "hash",
                              "index",
                              "index_reduce",
                              "index_reduce_",
                              "isalnum",
                              "isalpha",
                              "isdecimal",
                              "isdigit",
                              "isidentifier",
                              "islower",
                              "isnumeric",
                              "isprintable",
                              "isspace",
                              "istitle",
                              "isupper",
                              "items",
                              "join",
                              "keys",
                              "le",
                              "len",
                              "linalg_cond",
                              "linalg_eigh",
                              "linalg_eigvalsh",
                              "linalg_lstsq",
                              "linalg_matrix_norm",
                              "linalg_norm",
                              "linalg_qr",
                              "linalg_svd",
                              "linalg_svdvals",
                              "list",
                              "lower",
                              "lstrip",
                              "lt",
                              "meshgrid",
                              "nanquantile",
                              "ne",
                              "norm",
                              "ord",
                              "pad",
                              "pad_sequence",
                              "partition",
                              "percentFormat",
                              "pop",
                              "popitem",
                              "quantile",
                              "replace",
                              "rfind",
                              "rindex",
                              "rpartition",
                              "rsplit",
                              "rstrip",
                              "scatter",
                              "scatter_",
                              "scatter_reduce",
                              "scatter_reduce_",
                              "searchsorted",
                              "setdefault",
                              "slice",
                              "sort",
                              "sorted",
                              "split",
                              "splitlines",
                              "startswith",
                              "stft",
                              "strip",
                              "swapcase",
                              "title",
                              "update",
                              "upper",
                              "values",
                              "warn",
                              "str",
                              "bucketize",
                              "nuclear_norm"};
  return names;
}

/// Of the operators that know no tensor: numbers, lists and dicts.
const Names& operators_without_tensor() {
  static const Names names = {"Bool",
                              "Complex",
                              "Float",
                              "Int",
                              "Size",
                              "__and__",
                              "__contains__",
                              "__derive_index",
                              "__getitem__",
                              "__is__",
                              "__isnot__",
                              "__lshift__",
                              "__not__",
                              "__or__",
                              "__range_length",
                              "__round_to_zero_floordiv",
                              "__rshift__",
                              "__xor__",
                              "_set_item",
                              "acos",
                              "acosh",
                              "add",
                              "add_",
                              "all",
                              "angle",
                              "any",
                              "append",
                              "asin",
                              "asinh",
                              "atan",
                              "atan2",
                              "atanh",
                              "bin",
                              "broadcast_shapes",
                              "can_cast",
                              "ceil",
                              "chr",
                              "copy",
                              "copysign",
                              "cos",
                              "cosh",
                              "count",
                              "degrees",
                              "dequantize",
                              "dict",
                              "div",
                              "divmod",
                              "eq",
                              "erf",
                              "erfc",
                              "exp",
                              "expm1",
                              "fabs",
                              "factorial",
                              "floor",
                              "floordiv",
                              "fmod",
                              "frexp",
                              "gamma",
                              "gcd",
                              "ge",
                              "get",
                              "gt",
                              "has_torch_function",
                              "hash",
                              "hex",
                              "index",
                              "is_autocast_cpu_enabled",
                              "is_autocast_enabled",
                              "is_grad_enabled",
                              "is_scripting",
                              "isfinite",
                              "isinf",
                              "isnan",
                              "items",
                              "keys",
                              "ldexp",
                              "le",
                              "len",
                              "lgamma",
                              "list",
                              "log",
                              "log10",
                              "log1p",
                              "lt",
                              "mathremainder",
                              "modf",
                              "mul",
                              "mul_",
                              "ne",
                              "neg",
                              "oct",
                              "polar",
                              "pop",
                              "popitem",
                              "pow",
                              "promote_types",
                              "radians",
                              "remainder",
                              "result_type",
                              "round",
                              "select",
                              "setdefault",
                              "sin",
                              "sinh",
                              "slice",
                              "sorted",
                              "sqrt",
                              "str",
                              "sub",
                              "sum",
                              "tan",
                              "tanh",
                              "values"};
  return names;
}

/// Whether a type is a thing of the process: a stream, a storage, a future, an object of a class.
bool is_foreign(const c10::Type& type) {
  switch (type.kind()) {
    case c10::TypeKind::StorageType:
    case c10::TypeKind::StreamObjType:
    case c10::TypeKind::FutureType:
    case c10::TypeKind::AwaitType:
    case c10::TypeKind::RRefType:
    case c10::TypeKind::CapsuleType:
    case c10::TypeKind::PyObjectType:
    case c10::TypeKind::FunctionType:
    case c10::TypeKind::QuantizerType:
      return true;
    case c10::TypeKind::ClassType:
      return !is_plain_class(type.expectRef<c10::ClassType>().name()->qualifiedName());
    default:
      return false;
  }
}

bool is_tensor(const c10::Type& type) { return type.kind() == c10::TypeKind::TensorType; }
bool is_text(const c10::Type& type) { return type.kind() == c10::TypeKind::StringType; }

/// Whether a type, or one in it, is of that kind. A class is looked at as a whole: its parts are its own.
bool has_part(const c10::TypePtr& type, bool (*is_wanted)(const c10::Type&)) {
  if (is_wanted(*type)) {
    return true;
  }
  if (type->kind() == c10::TypeKind::ClassType) {
    return false;
  }
  const auto parts = type->containedTypes();
  return std::any_of(parts.begin(), parts.end(), [&](const auto& part) { return has_part(part, is_wanted); });
}

bool has_part(const std::vector<c10::Argument>& arguments, bool (*is_wanted)(const c10::Type&)) {
  return std::any_of(arguments.begin(), arguments.end(),
                     [&](const c10::Argument& argument) { return has_part(argument.type(), is_wanted); });
}

bool is_private(std::string_view name) { return name.starts_with("_") && !name.starts_with("__"); }

OperatorKind listed(const Names& names, std::string_view name) {
  return names.count(name) != 0 ? OperatorKind::computes : OperatorKind::undecided;
}

/// Of `aten`, `quantized`, and namespaces of libraries that this process has loaded itself.
OperatorKind kind_by_schema(const c10::FunctionSchema& schema, std::string_view name) {
  if (schema.is_vararg() || schema.is_varret()) {
    return listed(operators_of_any_count(), name);
  }
  if (schema.returns().empty()) {
    return listed(operators_without_result(), name);
  }
  if (has_part(schema.arguments(), is_text)) {
    return listed(operators_of_texts(), name);
  }
  if (!has_part(schema.arguments(), is_tensor) && !has_part(schema.returns(), is_tensor)) {
    return listed(operators_without_tensor(), name);
  }
  return OperatorKind::computes;
}

}  // namespace

bool is_custom_class(const std::string& name) { return name.starts_with("__torch__.torch.classes."); }

bool is_plain_class(const std::string& name) {
  constexpr std::string_view packed = "__torch__.torch.classes.quantized.";
  return name == "__torch__.torch.classes.rnn.CellParamsBase" ||
         (name.starts_with(packed) && name.ends_with("PackedParamsBase"));
}

OperatorKind kind_of(const c10::FunctionSchema& schema) {
  const std::string_view full = schema.name();
  const std::size_t colons = full.find("::");
  const std::string_view space = full.substr(0, colons);
  const std::string_view name = colons == std::string_view::npos ? full : full.substr(colons + 2);
  if (refused_namespaces().count(space) != 0 || has_part(schema.arguments(), is_foreign) ||
      has_part(schema.returns(), is_foreign)) {
    return OperatorKind::reaches_out;
  }
  if (space == "prim") {
    const bool is_property = schema.arguments().size() == 1 && schema.returns().size() == 1 &&
                             schema.arguments()[0].type()->kind() == c10::TypeKind::TensorType && !name.empty() &&
                             name.front() >= 'a' && name.front() <= 'z';
    return is_property || primitive_operators().count(name) != 0 ? OperatorKind::computes : OperatorKind::reaches_out;
  }
  if (space == "aten") {
    if (refused_operators().count(name) != 0 ||
        std::any_of(refused_beginnings.begin(), refused_beginnings.end(),
                    [&](std::string_view beginning) { return name.starts_with(beginning); })) {
      return OperatorKind::reaches_out;
    }
    if (is_private(name)) {
      return private_operators().count(name) != 0 ? OperatorKind::computes : OperatorKind::reaches_out;
    }
  }
  if (space == "quantized") {
    return is_private(name) ? OperatorKind::reaches_out : OperatorKind::computes;
  }
  return kind_by_schema(schema, name);
}

bool may_compute(const std::string& name) {
  const auto operators = torch::jit::getAllOperatorsFor(c10::Symbol::fromQualString(name));
  if (operators.empty()) {
    const std::string_view plain = std::string_view(name).substr(name.find("::") + 2);
    return name.starts_with("prim::") && primitive_operators().count(plain) != 0;
  }
  return std::any_of(operators.begin(), operators.end(),
                     [](const auto& each) { return kind_of(each->schema()) == OperatorKind::computes; });
}

// --- what LibTorch made of a file

namespace {

/// Whether a value is what its type says: LibTorch takes attributes out of objects by number, whatever object is there.
class Conformity {
 public:
  void require(const c10::IValue& root, const c10::TypePtr& type) {
    open_.push_back({root, type, ""});
    while (!open_.empty()) {
      const Pair pair = std::move(open_.back());
      open_.pop_back();
      look(pair);
    }
  }

 private:
  struct Pair {
    c10::IValue value;
    c10::TypePtr type;
    std::string path;
  };

  [[noreturn]] static void refuse(const Pair& pair) {
    fail("is damaged or made up: '" + shown(pair.path) + "' is to be a " + shown(pair.type->repr_str()) + " and is a " +
         shown(pair.value.tagKind()));
  }

  void look(const Pair& pair) {
    const c10::IValue& value = pair.value;
    switch (pair.type->kind()) {
      case c10::TypeKind::OptionalType:
        if (!value.isNone()) {
          open_.push_back({value, pair.type->expectRef<c10::OptionalType>().getElementType(), pair.path});
        }
        return;
      case c10::TypeKind::ClassType:
      case c10::TypeKind::InterfaceType:
        return object(pair);
      case c10::TypeKind::TensorType:
        return value.isTensor() ? void() : refuse(pair);
      case c10::TypeKind::IntType:
        return value.isInt() ? void() : refuse(pair);
      case c10::TypeKind::FloatType:
        return value.isDouble() ? void() : refuse(pair);
      case c10::TypeKind::BoolType:
        return value.isBool() ? void() : refuse(pair);
      case c10::TypeKind::StringType:
        return value.isString() ? void() : refuse(pair);
      case c10::TypeKind::NoneType:
        return value.isNone() ? void() : refuse(pair);
      case c10::TypeKind::ListType:
        if (!value.isList()) {
          refuse(pair);
        }
        for (const c10::IValue& element : value.toListRef()) {
          open_.push_back({element, pair.type->expectRef<c10::ListType>().getElementType(), pair.path});
        }
        return;
      case c10::TypeKind::TupleType: {
        const auto& types = pair.type->expectRef<c10::TupleType>().elements();
        if (!value.isTuple() || value.toTupleRef().size() != types.size()) {
          refuse(pair);
        }
        for (std::size_t i = 0; i < types.size(); ++i) {
          open_.push_back({value.toTupleRef().elements()[i], types[i], pair.path});
        }
        return;
      }
      case c10::TypeKind::DictType: {
        if (!value.isGenericDict()) {
          refuse(pair);
        }
        const auto& type = pair.type->expectRef<c10::DictType>();
        for (const auto& entry : value.toGenericDict()) {
          open_.push_back({entry.key(), type.getKeyType(), pair.path});
          open_.push_back({entry.value(), type.getValueType(), pair.path});
        }
        return;
      }
      default:
        // Numbers, devices, enums, unions and Any hold no objects that code would take apart unseen.
        if (!value.type()->isSubtypeOf(*pair.type)) {
          refuse(pair);
        }
    }
  }

  void object(const Pair& pair) {
    if (!pair.value.isObject()) {
      refuse(pair);
    }
    const auto object = pair.value.toObject();
    const auto type = object->type();
    if (!type->isSubtypeOf(*pair.type)) {
      refuse(pair);
    }
    if (!seen_.insert(object.get()).second || is_custom_class(type->name()->qualifiedName())) {
      return;
    }
    if (object->slots().size() < type->numAttributes()) {
      refuse(pair);
    }
    for (std::size_t i = 0; i < type->numAttributes(); ++i) {
      const std::string& name = type->getAttributeName(i);
      open_.push_back({object->getSlot(i), type->getAttribute(i), pair.path.empty() ? name : pair.path + "." + name});
    }
  }

  std::vector<Pair> open_;
  std::unordered_set<const c10::ivalue::Object*> seen_;
};

/// The functions of a module and of the classes of all its parts.
class Functions {
 public:
  explicit Functions(const torch::jit::Module& module) {
    for (torch::jit::Function* function : module._ivalue()->compilation_unit()->get_functions()) {
      add(function);
    }
    add(module.type());
    for (std::size_t i = 0; i < all_.size(); ++i) {
      find_types(*all_[i]->graph());
    }
  }

  const std::vector<torch::jit::GraphFunction*>& all() const { return all_; }

 private:
  void add(torch::jit::Function* function) {
    if (auto* const graph = torch::jit::tryToGraphFunction(*function); graph != nullptr && seen_.insert(graph).second) {
      all_.push_back(graph);
    }
  }

  /// Classes have others in them.
  void add(const c10::TypePtr& type) {
    std::vector<c10::TypePtr> open = {type};
    while (!open.empty()) {
      const c10::TypePtr next = open.back();
      open.pop_back();
      if (!types_.insert(next.get()).second) {
        continue;
      }
      if (const auto* const found = next->castRaw<c10::ClassType>(); found != nullptr) {
        for (torch::jit::Function* method : found->methods()) {
          add(method);
        }
        for (std::size_t i = 0; i < found->numAttributes(); ++i) {
          open.push_back(found->getAttribute(i));
        }
      }
      for (const c10::TypePtr& part : next->containedTypes()) {
        open.push_back(part);
      }
    }
  }

  void find_types(torch::jit::Graph& graph) {
    std::vector<torch::jit::Block*> open = {graph.block()};
    while (!open.empty()) {
      torch::jit::Block* const block = open.back();
      open.pop_back();
      for (torch::jit::Node* const node : block->nodes()) {
        for (const torch::jit::Value* const output : node->outputs()) {
          add(output->type());
        }
        open.insert(open.end(), node->blocks().begin(), node->blocks().end());
      }
    }
  }

  std::vector<torch::jit::GraphFunction*> all_;
  std::unordered_set<const torch::jit::Function*> seen_;
  std::unordered_set<const c10::Type*> types_;
};

/// Calls `visit` with each node of a graph, in blocks too; it may destroy the node.
template <typename Visit>
void each_node(torch::jit::Graph& graph, const Visit& visit) {
  std::vector<torch::jit::Block*> open = {graph.block()};
  while (!open.empty()) {
    torch::jit::Block* const block = open.back();
    open.pop_back();
    for (auto at = block->nodes().begin(); at != block->nodes().end();) {
      torch::jit::Node* const node = *at++;
      open.insert(open.end(), node->blocks().begin(), node->blocks().end());
      visit(node);
    }
  }
}

torch::jit::Function* called_by(const torch::jit::Node& node) {
  if (node.kind() == c10::prim::CallMethod) {
    const auto* const type = node.input(0)->type()->castRaw<c10::ClassType>();
    return type == nullptr ? nullptr : type->findMethod(node.s(c10::attr::name));
  }
  if (node.kind() == c10::prim::CallFunction) {
    const auto* const type = node.input(0)->type()->castRaw<c10::FunctionType>();
    return type == nullptr ? nullptr : type->function();
  }
  return nullptr;
}

/// Calls become copies of what is called, and copies of copies.
void require_bounded(const std::vector<torch::jit::GraphFunction*>& functions) {
  std::unordered_map<const torch::jit::Function*, std::uint64_t> costs;
  std::unordered_map<const torch::jit::Function*, std::vector<torch::jit::Function*>> calls;
  for (torch::jit::GraphFunction* const function : functions) {
    std::uint64_t nodes = 0;
    auto& called = calls[function];
    each_node(*function->graph(), [&](torch::jit::Node* node) {
      ++nodes;
      if (torch::jit::Function* const callee = called_by(*node); callee != nullptr) {
        called.push_back(callee);
      }
    });
    costs[function] = nodes;
  }
  std::unordered_map<const torch::jit::Function*, std::size_t> next;
  for (torch::jit::GraphFunction* const root : functions) {
    std::vector<const torch::jit::Function*> path;
    if (next.emplace(root, 0).second) {
      path.push_back(root);
    }
    while (!path.empty()) {
      const torch::jit::Function* const function = path.back();
      const auto& called = calls[function];
      std::size_t& at = next[function];
      if (at < called.size()) {
        if (next.emplace(called[at], 0).second && calls.count(called[at]) != 0) {
          // It comes back to this call with the cost known.
          path.push_back(called[at]);
          continue;
        }
        std::uint64_t& cost = costs[function];
        cost = std::min(cost + costs[called[at]], GateLimits::inlined_nodes + 1);
        ++at;
        continue;
      }
      if (costs[function] > GateLimits::inlined_nodes) {
        fail("has a method '" + shown(function->name()) + "' that comes to more than " +
             std::to_string(GateLimits::inlined_nodes) + " operators with all that it calls");
      }
      path.pop_back();
    }
  }
}

[[noreturn]] void refuse(const torch::jit::Node& node, const std::string& what) {
  fail(what + " in " + place(node.sourceRange()) + ": " + way_to_trust);
}

bool is_class(const c10::Type& type) {
  return type.kind() == c10::TypeKind::ClassType || type.kind() == c10::TypeKind::InterfaceType;
}

void require_plain_objects(const torch::jit::Node& node) {
  const auto require = [&](const c10::TypePtr& type) {
    if (const auto* const found = type->castRaw<c10::ClassType>(); found != nullptr && found->name() &&
                                                                   is_custom_class(found->name()->qualifiedName()) &&
                                                                   !is_plain_class(found->name()->qualifiedName())) {
      refuse(node,
             "uses LibTorch's class " + shown(found->name()->qualifiedName()) + ", which does more than to compute,");
    }
  };
  if (node.kind() == c10::prim::CallMethod) {
    require(node.input(0)->type());
  }
  for (const torch::jit::Value* const output : node.outputs()) {
    require(output->type());
  }
}

void require_computing(torch::jit::GraphFunction& function) {
  each_node(*function.graph(), [](torch::jit::Node* node) {
    if (node->kind() == c10::aten::warn) {
      return node->destroy();
    }
    require_plain_objects(*node);
    if (node->kind() == c10::prim::unchecked_cast && has_part(node->output()->type(), is_class)) {
      refuse(*node, "takes a value for an object of a class without looking");
    }
    const c10::FunctionSchema* const schema = node->maybeSchema();
    const std::string_view primitive = node->kind().is_prim() ? node->kind().toUnqualString() : "";
    const OperatorKind kind = schema != nullptr                             ? kind_of(*schema)
                              : primitive_operators().count(primitive) != 0 ? OperatorKind::computes
                                                                            : OperatorKind::reaches_out;
    if (kind != OperatorKind::computes) {
      refuse(*node, "has operator " + shown(node->kind().toQualString()) +
                        ", which is not known to do nothing but compute (it may reach files, the terminal, devices, "
                        "threads or other memory),");
    }
  });
}

}  // namespace

void look_at(const torch::jit::Module& module, bool is_trusted) {
  Conformity().require(module._ivalue(), module.type());
  const Functions functions(module);
  require_bounded(functions.all());
  if (!is_trusted) {
    for (torch::jit::GraphFunction* const function : functions.all()) {
      require_computing(*function);
    }
  }
}

}  // namespace pregrad::readers

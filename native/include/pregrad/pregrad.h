#ifndef PREGRAD_PREGRAD_H
#define PREGRAD_PREGRAD_H

/** @file
 * The C interface of PreGrad: a model file goes in, scores of hidden neurons per cluster of inputs come out.
 *
 * @section c_errors Errors
 * Every function that can fail returns a #pregrad_status. If it is not `PREGRAD_OK`, nothing was written to the out
 * parameters and pregrad_last_error() tells in one line what is wrong, with the value, and how to mend it. NULL for a
 * handle or an out parameter is #PREGRAD_ERROR_ARGUMENT, never a crash. No C++ exception leaves a function.
 *
 * @section c_ownership Ownership
 * A handle belongs to the caller and goes back through the `_free` function of its type; freeing NULL does nothing.
 * A handle must not be used after it was freed, nor freed while another thread is inside a call with it. Handles do
 * not depend on each other: a model may be freed while its attributions live on. Pointers inside a #pregrad_layer,
 * #pregrad_score, #pregrad_explanation, #pregrad_example, #pregrad_order, #pregrad_curve, #pregrad_layer_check or
 * output #pregrad_tensor belong to the handle
 * they came from and end with it. Memory that is passed in is borrowed for the call, neither copied beforehand nor kept
 * nor written.
 *
 * @section c_threads Threads
 * Any number of threads may call functions with the same handle at once. The error message belongs to the thread.
 *
 * @section c_growth Growth
 * Structs begin with `struct_size`, which the caller sets to `sizeof` of the struct (the `_INIT` macros do), so that a
 * program compiled against this header runs with a later library: fields are only ever added at the end, and what a
 * program does not know of is not written, and taken as 0, the default. #PREGRAD_API_VERSION rises with every addition.
 */

#include <stddef.h>
#include <stdint.h>

#include <pregrad/export.hpp>

/** Version of this interface; a library supports all versions up to its pregrad_api_version(). */
#define PREGRAD_API_VERSION 8

#ifdef __cplusplus
extern "C" {
#endif

/** What went wrong; the same kinds as `pregrad::ErrorKind` in C++. */
typedef enum pregrad_status {
  PREGRAD_OK = 0,
  PREGRAD_ERROR_INTERNAL = 1,    /**< a failure of PreGrad or LibTorch itself, or memory ran out */
  PREGRAD_ERROR_ARGUMENT = 2,    /**< an option or a pointer is wrong: a method, a target, a device's name, NULL */
  PREGRAD_ERROR_MODEL = 3,       /**< the file cannot be read, or is no model */
  PREGRAD_ERROR_UNSUPPORTED = 4, /**< the model is readable but cannot be attributed */
  PREGRAD_ERROR_LAYER = 5,       /**< a layer name fits nothing, or more than one thing */
  PREGRAD_ERROR_INPUT = 6,       /**< inputs, labels or clusters do not fit the model or each other */
  PREGRAD_ERROR_STATE = 7,       /**< an object is used after it was freed */
  /** a CUDA device is not there, has no driver or too little memory, or broke; after a sticky CUDA error it is not used
   * any more in this process */
  PREGRAD_ERROR_DEVICE = 8,
  /** a call was cancelled, or took longer than the model's time limit; since version 7 */
  PREGRAD_ERROR_CANCELLED = 9
} pregrad_status;

/** What is computed per sample and neuron; one of the `PREGRAD_METHOD_` constants. Positions (all axes of the
 * pre-activation z but batch and neuron) are summed for the gradient methods and averaged for the values. */
typedef int32_t pregrad_method;
enum {
  PREGRAD_METHOD_GRADIENT = 0,                 /**< dy/dz, summed over positions */
  PREGRAD_METHOD_GRADIENT_X_PREACTIVATION = 1, /**< z * dy/dz, summed over positions */
  PREGRAD_METHOD_GRADIENT_X_ACTIVATION = 2,    /**< a * dy/da, summed over positions */
  PREGRAD_METHOD_PREACTIVATION = 3,            /**< z, averaged over positions */
  PREGRAD_METHOD_ACTIVATION = 4,               /**< a, averaged over positions */
  /** (a - m) * dy/da, summed over positions; m is the mean of a over the samples of all clusters and their positions */
  PREGRAD_METHOD_GRADIENT_X_CENTRED_ACTIVATION = 5,
  PREGRAD_METHOD_ACTIVATION_RATE = 6, /**< share of the positions at which a > 0 */
  /** (a - b) * mean of dy/da along the straight path from the #pregrad_baseline b to a, summed over positions */
  PREGRAD_METHOD_INTEGRATED_GRADIENTS = 7,
  /** integral of dy/da * da along the straight path of the inputs from 0, summed over positions */
  PREGRAD_METHOD_CONDUCTANCE = 8,
  PREGRAD_METHOD_INTERNAL_INFLUENCE = 9, /**< mean of dy/da along that path, summed over positions */
  PREGRAD_METHOD_ABLATION = 10,          /**< y - y with this one neuron removed */
  PREGRAD_METHOD_RANDOM = 11,            /**< a number in [0, 1) drawn by the seed, the same for all samples */
  /** (a - b) * m, summed over positions: m is the multiplier of DeepLIFT's rescale rule, b the #pregrad_baseline; since
   * version 8 */
  PREGRAD_METHOD_DEEP_LIFT = 12,
  PREGRAD_METHOD_SHAPLEY = 13, /**< Shapley values of removal, by sampled permutations; since version 8 */
  /** the integrated gradients in expectation over baselines, the activations of reference samples; since version 8 */
  PREGRAD_METHOD_EXPECTED_GRADIENTS = 14,
  /** (a of the corrupt inputs - a) * dy/da, summed over positions; since version 8 */
  PREGRAD_METHOD_GRADIENT_X_DIFFERENCE = 15,
  PREGRAD_METHOD_PATCHING = 16 /**< y with this neuron's a from the corrupt inputs - y; since version 8 */
};

/** Which output y is taken per sample; one of the `PREGRAD_TARGET_` constants. */
typedef int32_t pregrad_target;
enum {
  PREGRAD_TARGET_LABEL = 0,     /**< the sample's label */
  PREGRAD_TARGET_PREDICTED = 1, /**< the class with the largest output */
  PREGRAD_TARGET_INDEX = 2,     /**< the output `target_index` for every sample */
  /** output `target_index` minus output `target_minus` of the #pregrad_reading, for every sample; since version 6 */
  PREGRAD_TARGET_DIFFERENCE = 3,
  /** the outputs weighted by floating-point numbers [N, outputs] in the place of the labels; since version 6 */
  PREGRAD_TARGET_WEIGHTS = 4
};

/** The function of the model's outputs that is differentiated; one of the `PREGRAD_OUTPUT_` constants. */
typedef int32_t pregrad_output;
enum {
  PREGRAD_OUTPUT_LOGIT = 0, /**< the model's output as it is */
  /** softmax over the outputs, sigmoid of a single one; 40 to 80 times smaller gradients */
  PREGRAD_OUTPUT_PROBABILITY = 1,
  PREGRAD_OUTPUT_LOG_PROBABILITY = 2 /**< its logarithm */
};

/** The rule by which path methods integrate; one of the `PREGRAD_QUADRATURE_` constants. */
typedef int32_t pregrad_quadrature;
enum {
  PREGRAD_QUADRATURE_GAUSS_LEGENDRE = 0, /**< exact for polynomials of degree 2 * steps - 1 */
  PREGRAD_QUADRATURE_TRAPEZOID = 1,      /**< evenly spaced points from 0 to 1, at least 2 */
  PREGRAD_QUADRATURE_MIDPOINT = 2        /**< the middles of evenly spaced intervals */
};

/** Where the path of the integrated gradients starts; one of the `PREGRAD_BASELINE_` constants. */
typedef int32_t pregrad_baseline;
enum {
  PREGRAD_BASELINE_ZERO = 0, /**< a = 0 */
  PREGRAD_BASELINE_MEAN = 1  /**< the mean of a over the samples of all clusters, from `means` */
};

/** What becomes of a layer's positions; one of the `PREGRAD_POSITIONS_` constants.
 * @since 7 */
typedef int32_t pregrad_positions;
enum {
  PREGRAD_POSITIONS_TOGETHER = 0, /**< one score per neuron */
  /** one score per neuron and position, for layers that have positions; methods that concern a neuron at all of them
   * (the ablation, the random number) have one without a position */
  PREGRAD_POSITIONS_EACH = 1
};

/** What removing a neuron means, at all its positions; one of the `PREGRAD_REMOVAL_` constants. */
typedef int32_t pregrad_removal;
enum {
  PREGRAD_REMOVAL_ZERO = 0,               /**< a = 0 */
  PREGRAD_REMOVAL_ZERO_PREACTIVATION = 1, /**< z = 0, for everything that reads z */
  PREGRAD_REMOVAL_MEAN = 2                /**< a = its mean over the samples of all clusters, from `means` */
};

/** How the values of a cluster's samples are summed up; one of the `PREGRAD_AGGREGATE_` constants.
 * @since 5 */
typedef int32_t pregrad_aggregate;
enum {
  PREGRAD_AGGREGATE_MEAN = 0,        /**< sum of v / n */
  PREGRAD_AGGREGATE_MEAN_ABS = 1,    /**< sum of |v| / n */
  PREGRAD_AGGREGATE_RMS = 2,         /**< square root of the sum of v*v / n */
  PREGRAD_AGGREGATE_STD = 3,         /**< the population's standard deviation */
  PREGRAD_AGGREGATE_CANCELLATION = 4 /**< |mean| / mean_abs */
};

/** Type of a tensor's elements; one of the constants below. */
typedef int32_t pregrad_dtype;
enum {
  PREGRAD_FLOAT32 = 0,
  PREGRAD_FLOAT64 = 1,
  PREGRAD_FLOAT16 = 2,
  PREGRAD_BFLOAT16 = 3,
  PREGRAD_INT64 = 4,
  PREGRAD_INT32 = 5,
  PREGRAD_UINT8 = 6,
  PREGRAD_BOOL = 7,          /**< bytes that are 0 or 1; since version 6 */
  PREGRAD_UNKNOWN_DTYPE = -1 /**< what a file does not tell; only given out; since version 6 */
};

typedef struct pregrad_model pregrad_model;               /**< a model in evaluation mode */
typedef struct pregrad_layers pregrad_layers;             /**< a list of layers */
typedef struct pregrad_model_inputs pregrad_model_inputs; /**< what a model takes; since version 6 */
typedef struct pregrad_outputs pregrad_outputs;           /**< what a model returned; since version 6 */
typedef struct pregrad_result pregrad_result;             /**< a tensor that the library made */
typedef struct pregrad_attribution pregrad_attribution;   /**< a running computation of scores */
typedef struct pregrad_scores pregrad_scores;             /**< a snapshot of scores */
typedef struct pregrad_explanations pregrad_explanations; /**< values per sample; since version 8 */
typedef struct pregrad_examples pregrad_examples;         /**< samples of the largest values; since version 8 */
typedef struct pregrad_state pregrad_state;               /**< bytes of a saved computation; since version 5 */
typedef struct pregrad_orders pregrad_orders;             /**< a list of removal orders; since version 5 */
typedef struct pregrad_ablation pregrad_ablation;       /**< a running measurement of removal curves; since version 5 */
typedef struct pregrad_curves pregrad_curves;           /**< a snapshot of removal curves; since version 5 */
typedef struct pregrad_differences pregrad_differences; /**< scores of clusters compared; since version 8 */
typedef struct pregrad_check pregrad_check;             /**< a running check of gradients; since version 5 */
typedef struct pregrad_layer_checks pregrad_layer_checks; /**< a snapshot of a check's results; since version 5 */
typedef struct pregrad_probe pregrad_probe; /**< a running computation for a model that is no file; since version 5 */
/** A tensor of LibTorch: what a pointer to an `at::Tensor` points to. Bindings of LibTorch to other languages hold such
 * pointers (`AtenTensorHandle` of LibTorch's C interface, `C_tensor*` of torch-sys); cast them. It must be of the
 * LibTorch that this library runs on, and stays the caller's.
 * @since 5 */
typedef struct pregrad_torch_tensor pregrad_torch_tensor;

/** A tensor in host memory, row-major without gaps, aligned to its element size. */
typedef struct pregrad_tensor {
  size_t struct_size;   /**< sizeof(pregrad_tensor) */
  const void* data;     /**< the first element; may be NULL if the tensor has no elements */
  const int64_t* shape; /**< `rank` sizes, none negative */
  size_t rank;          /**< number of axes */
  pregrad_dtype dtype;  /**< type of the elements */
  int32_t reserved;     /**< 0 */
} pregrad_tensor;
/** What a #pregrad_tensor starts from: `struct_size` set, all else a default. */
#define PREGRAD_TENSOR_INIT {sizeof(pregrad_tensor), NULL, NULL, 0, PREGRAD_FLOAT32, 0}

/** One of the inputs of a model, by name.
 * @since 6 */
typedef struct pregrad_input {
  size_t struct_size; /**< sizeof(pregrad_input) */
  /** what the model's forward calls it, as pregrad_model_inputs_get() tells; what is in a container is named after it:
   * `batch.user`, `states.0` */
  const char* name;
  const pregrad_tensor* tensor; /**< [N, ...] */
  int32_t is_shared;            /**< 1 if it has no batch axis and is the same for all samples, else 0 */
  int32_t reserved;             /**< 0 */
} pregrad_input;
/** What a #pregrad_input starts from: `struct_size` set, all else a default. */
#define PREGRAD_INPUT_INIT {sizeof(pregrad_input), NULL, NULL, 0, 0}

/** What a model takes, as far as its file tells.
 * @since 6 */
typedef struct pregrad_model_input {
  size_t struct_size;   /**< sizeof(pregrad_model_input) */
  const char* name;     /**< `batch.*` stands for a dict whose names the file does not tell */
  const int64_t* shape; /**< `rank` sizes, -1 for an axis of any size; NULL if the file does not tell */
  size_t rank;          /**< number of axes; 0 if the file does not tell */
  pregrad_dtype dtype;  /**< type of the elements, or #PREGRAD_UNKNOWN_DTYPE */
  int32_t is_optional;  /**< 1 if it may be left out, else 0 */
} pregrad_model_input;
/** What a #pregrad_model_input starts from: `struct_size` set, all else a default. */
#define PREGRAD_MODEL_INPUT_INIT {sizeof(pregrad_model_input), NULL, NULL, 0, PREGRAD_FLOAT32, 0}

/** Where y is read in what a model returns, and which positions count.
 * @since 6 */
typedef struct pregrad_reading {
  size_t struct_size; /**< sizeof(pregrad_reading) */
  /** which of several outputs; NULL takes the only one, else `logits`, else the first of a tuple or list */
  const char* output_name;
  /** at which positions of an output [N, positions..., outputs]: `last`, `first`, `each` (y is the sum), `mean`, or the
   * number of one; NULL for outputs without positions, and for labels that have them */
  const char* at;
  /** the input [N, positions...] that is 0 where a position does not count; it need not be one of the model's; NULL
   * counts all */
  const char* mask;
  int64_t class_axis;     /**< the axis of the outputs, if `has_class_axis` */
  int32_t has_class_axis; /**< 1 if `class_axis` is given, 0 to have it found */
  int32_t multi_label;    /**< 1 if each output is a yes or no of its own, else 0 */
  int64_t target_minus;   /**< only for #PREGRAD_TARGET_DIFFERENCE, else 0 */
} pregrad_reading;
/** What a #pregrad_reading starts from: `struct_size` set, all else a default. */
#define PREGRAD_READING_INIT {sizeof(pregrad_reading), NULL, NULL, NULL, 0, 0, 0, 0}

/** How a model is loaded, and how long its calls may take. */
typedef struct pregrad_model_options {
  size_t struct_size; /**< sizeof(pregrad_model_options) */
  const char* device; /**< `cpu`, `cuda` or `cuda:N`; NULL is `cpu` */
  /** the longest that loading and each call may take, looked at between two operators; 0 for no limit; since version 7
   */
  int64_t time_limit_ms;
  /** 1 if the operators of a TorchScript file may reach outside of the model (files, processes, the network, printing,
   * devices, threads), else 0; since version 7 */
  int32_t is_trusted;
  int32_t reserved; /**< 0 */
} pregrad_model_options;
/** What a #pregrad_model_options starts from: `struct_size` set, all else a default. */
#define PREGRAD_MODEL_OPTIONS_INIT {sizeof(pregrad_model_options), NULL, 0, 0, 0}

/** What to compute. */
typedef struct pregrad_attribution_options {
  size_t struct_size;            /**< sizeof(pregrad_attribution_options) */
  const char* const* layers;     /**< `layer_count` names: `name` for all its calls, `name@call` for one, or an alias */
  size_t layer_count;            /**< at least 1 */
  const pregrad_method* methods; /**< `method_count` methods */
  size_t method_count;           /**< 0 takes the gradient */
  pregrad_target target;         /**< which output */
  pregrad_output output;         /**< as what */
  int64_t target_index;          /**< only for #PREGRAD_TARGET_INDEX, else 0 */
  int64_t steps;                 /**< points of the path methods; 0 takes 50 */
  pregrad_quadrature quadrature; /**< rule of the path methods */
  pregrad_baseline baseline;     /**< of the integrated gradients and #PREGRAD_METHOD_DEEP_LIFT */
  pregrad_removal removal;       /**< of #PREGRAD_METHOD_ABLATION and #PREGRAD_METHOD_SHAPLEY */
  int32_t reserved;              /**< 0 */
  uint64_t seed;                 /**< of what is drawn: random numbers, permutations, references */
  /** scores of the same layers with #PREGRAD_METHOD_ACTIVATION, for #PREGRAD_BASELINE_MEAN and
   * #PREGRAD_REMOVAL_MEAN; not kept; NULL if neither is asked for */
  const pregrad_scores* means;
  int32_t no_cuda_graphs;         /**< 1 to record no CUDA graphs on a CUDA device, else 0; since version 4 */
  int32_t reserved_2;             /**< 0 */
  const pregrad_reading* reading; /**< where y is read; NULL takes the defaults; since version 6 */
  /** where the paths of the conductance and the internal influence start, one sample of each input that is named, [1,
   * ...] or [...]; the others start at 0; integers such as tokens stand for the vectors of their embedding; copied;
   * since version 6 */
  const pregrad_input* input_baselines;
  size_t input_baseline_count; /**< number of `input_baselines`; since version 6 */
  pregrad_positions positions; /**< whether each position has scores of its own; since version 7 */
  int32_t reserved_3;          /**< 0 */
  /** the most bytes that the accumulators may take, which many positions, neurons and clusters may exceed; 0 for what
   * the machine has left; since version 7 */
  uint64_t memory_limit;
  /** how many samples pregrad_attribution_examples() keeps per layer call, cluster, method and neuron, at most 10,000;
   * 0 keeps none; since version 8 */
  int64_t examples;
  /** 1 where integrated and expected gradients, conductance and internal influence take values and derivatives of z, 0
   * for those of a; since version 8 */
  int32_t of_z;
  int32_t reserved_4; /**< 0 */
  /** the inputs [R, ...] of the samples that #PREGRAD_METHOD_EXPECTED_GRADIENTS takes as baselines, by name; copied;
   * since version 8 */
  const pregrad_input* references;
  size_t reference_count; /**< number of `references`; since version 8 */
  /** what the inputs are called that #PREGRAD_METHOD_GRADIENT_X_DIFFERENCE and #PREGRAD_METHOD_PATCHING hold against
   * the others: this name for the only one, else it and `.NAME`; NULL takes `corrupt`; since version 8 */
  const char* corrupt;
  int64_t permutations; /**< of #PREGRAD_METHOD_SHAPLEY at most; 0 takes 256; since version 8 */
  /** the standard error, as a share of the difference of y between all neurons and none, at which the Shapley values of
   * a sample are settled; 0 takes 0.01, a negative number draws all permutations; since version 8 */
  double shapley_error;
} pregrad_attribution_options;
/** What a #pregrad_attribution_options starts from: `struct_size` set, all else a default. */
#define PREGRAD_ATTRIBUTION_OPTIONS_INIT \
  {sizeof(pregrad_attribution_options),  \
   NULL,                                 \
   0,                                    \
   NULL,                                 \
   0,                                    \
   PREGRAD_TARGET_LABEL,                 \
   PREGRAD_OUTPUT_LOGIT,                 \
   0,                                    \
   0,                                    \
   PREGRAD_QUADRATURE_GAUSS_LEGENDRE,    \
   PREGRAD_BASELINE_ZERO,                \
   PREGRAD_REMOVAL_ZERO,                 \
   0,                                    \
   0,                                    \
   NULL,                                 \
   0,                                    \
   0,                                    \
   NULL,                                 \
   NULL,                                 \
   0,                                    \
   PREGRAD_POSITIONS_TOGETHER,           \
   0,                                    \
   0,                                    \
   0,                                    \
   0,                                    \
   0,                                    \
   NULL,                                 \
   0,                                    \
   NULL,                                 \
   0,                                    \
   0}

/** One activation call site. */
typedef struct pregrad_layer {
  size_t struct_size;         /**< sizeof(pregrad_layer) */
  const char* name;           /**< path of the module in whose forward the activation runs */
  const char* op;             /**< the activation, e.g. `relu` */
  const char* pre_activation; /**< path of the module whose output is z; "" if z is no module's output */
  const int64_t* shape;       /**< `rank` sizes of z, batch axis first; NULL if the model was not run */
  size_t rank;                /**< number of axes of z; 0 if the model was not run */
  int64_t call;               /**< how-manieth execution under that name in one forward, from 0 */
  int64_t neurons;            /**< size of the neuron axis; -1 if the model was not run */
  int64_t neuron_axis;        /**< axis of z that counts neurons; -1 if the model was not run */
  int32_t in_place;           /**< 1 if the model applies the activation in place, else 0 */
  int32_t reserved;           /**< 0 */
} pregrad_layer;
/** What a #pregrad_layer starts from: `struct_size` set, all else a default. */
#define PREGRAD_LAYER_INIT {sizeof(pregrad_layer), NULL, NULL, NULL, NULL, 0, 0, 0, 0, 0, 0}

/** The scores of one layer call, cluster and method, and of one position where each has its own. The arrays have one
 * value per neuron, in the unit of the method: outputs per unit of z for the gradient and of a for the internal
 * influence, outputs for the products, the other path methods and the ablation, the unit of z or a for the values, none
 * for the rate and the random number. */
typedef struct pregrad_score {
  size_t struct_size;     /**< sizeof(pregrad_score) */
  const char* layer;      /**< canonical name */
  int64_t call;           /**< call of the layer */
  int64_t cluster;        /**< cluster of the samples */
  int64_t count;          /**< number of samples n */
  size_t neurons;         /**< length of each array */
  const double* mean;     /**< sum of v / n */
  const double* mean_abs; /**< sum of |v| / n */
  const double* rms;      /**< square root of the sum of v*v / n */
  const double* std;      /**< the population's standard deviation */
  pregrad_method method;  /**< what v is */
  int32_t reserved;       /**< 0 */
  /** |mean| / mean_abs: 1 where all samples agree in sign, near 0 where they cancel, NaN where all are 0 */
  const double* cancellation;
  /** of the integrated gradients and the conductance: sum over the samples of |sum of v over the neurons - d| / sum of
   * |d|, d the difference of y between both ends of the path; NaN for other methods, for the score of one position, or
   * where no output differs */
  double completeness_error;
  int64_t position; /**< row-major over the axes of positions; -1 for all positions together; since version 7 */
  /** of the mean, the samples taken as drawn independently: NaN below two; since version 8 */
  const double* standard_error;
  const double* standard_error_abs; /**< of the mean_abs likewise; since version 8 */
} pregrad_score;
/** What a #pregrad_score starts from: `struct_size` set, all else a default. */
#define PREGRAD_SCORE_INIT \
  {sizeof(pregrad_score), NULL, 0, 0, 0, 0, NULL, NULL, NULL, NULL, 0, 0, NULL, 0, -1, NULL, NULL}

/** The values of a batch's samples for one layer call and method, in the unit of #pregrad_score.
 * @since 8 */
typedef struct pregrad_explanation {
  size_t struct_size;    /**< sizeof(pregrad_explanation) */
  const char* layer;     /**< canonical name */
  int64_t call;          /**< call of the layer */
  size_t samples;        /**< how many the batch has */
  size_t neurons;        /**< how many the layer has */
  size_t positions;      /**< how many positions have values of their own; 0 where they are summed up as in scores */
  const double* values;  /**< [samples, neurons] or [samples, positions, neurons]; NaN at positions that do not count */
  pregrad_method method; /**< what the values are */
  int32_t reserved;      /**< 0 */
} pregrad_explanation;
/** What a #pregrad_explanation starts from: `struct_size` set, all else a default. */
#define PREGRAD_EXPLANATION_INIT {sizeof(pregrad_explanation), NULL, 0, 0, 0, 0, NULL, 0, 0}

/** One of the samples that make a neuron speak.
 * @since 8 */
typedef struct pregrad_example {
  size_t struct_size;    /**< sizeof(pregrad_example) */
  const char* layer;     /**< canonical name */
  int64_t call;          /**< call of the layer */
  int64_t cluster;       /**< cluster of the sample */
  int64_t neuron;        /**< whose value it is */
  int64_t rank;          /**< 0 for the largest value of a cluster, method and neuron */
  int64_t sample;        /**< how-manieth of all that were added, from 0 */
  int64_t position;      /**< the one where the value is largest, row-major; 0 for a layer without positions */
  double value;          /**< of the sample, as the method has it */
  pregrad_method method; /**< what the value is */
  int32_t reserved;      /**< 0 */
} pregrad_example;
/** What a #pregrad_example starts from: `struct_size` set, all else a default. */
#define PREGRAD_EXAMPLE_INIT {sizeof(pregrad_example), NULL, 0, 0, 0, 0, 0, 0, 0, 0, 0}

/** In which order the neurons of a layer call are removed, and for which cluster.
 * @since 5 */
typedef struct pregrad_order {
  size_t struct_size;          /**< sizeof(pregrad_order) */
  const char* layer;           /**< canonical name */
  int64_t call;                /**< call of the layer */
  int64_t cluster;             /**< cluster on whose samples the model is measured */
  const int64_t* neurons;      /**< `neuron_count` neurons, every one of the layer once; the first is removed first */
  size_t neuron_count;         /**< as many as the layer has */
  int64_t repeat;              /**< how-manieth order of that method, from 0; only carried along */
  pregrad_method method;       /**< what the order stands for; only carried along */
  pregrad_aggregate aggregate; /**< what the order stands for; only carried along */
  /** 1 if neurons are kept in this order rather than removed: the first is removed last, else 0; since version 8 */
  int32_t keep;
  int32_t reserved; /**< 0 */
} pregrad_order;
/** What a #pregrad_order starts from: `struct_size` set, all else a default. */
#define PREGRAD_ORDER_INIT \
  {sizeof(pregrad_order), NULL, 0, 0, NULL, 0, 0, PREGRAD_METHOD_GRADIENT, PREGRAD_AGGREGATE_MEAN, 0, 0}

/** What to measure.
 * @since 5 */
typedef struct pregrad_ablation_options {
  size_t struct_size;                  /**< sizeof(pregrad_ablation_options) */
  const pregrad_orders* const* orders; /**< `order_list_count` lists, taken one after the other; not kept */
  size_t order_list_count;             /**< at least 1, with at least 1 order among them */
  pregrad_removal removal;             /**< what removing a neuron means */
  pregrad_target target;               /**< which output is y */
  int64_t target_index;                /**< only for #PREGRAD_TARGET_INDEX, else 0 */
  pregrad_output output;               /**< as what */
  int32_t reserved;                    /**< 0 */
  /** scores of the same layers with #PREGRAD_METHOD_ACTIVATION, for #PREGRAD_REMOVAL_MEAN; not kept; else NULL */
  const pregrad_scores* means;
  const pregrad_reading* reading; /**< where y is read; NULL takes the defaults; since version 6 */
} pregrad_ablation_options;
/** What a #pregrad_ablation_options starts from: `struct_size` set, all else a default. */
#define PREGRAD_ABLATION_OPTIONS_INIT \
  {sizeof(pregrad_ablation_options),  \
   NULL,                              \
   0,                                 \
   PREGRAD_REMOVAL_ZERO,              \
   PREGRAD_TARGET_LABEL,              \
   0,                                 \
   PREGRAD_OUTPUT_LOGIT,              \
   0,                                 \
   NULL,                              \
   NULL}

/** What is left of a model while neurons are removed one after the other. The arrays have `points` values, one per
 * count of removed neurons; of a cluster without samples they are NaN.
 * @since 5 */
typedef struct pregrad_curve {
  size_t struct_size;             /**< sizeof(pregrad_curve) */
  const char* layer;              /**< the order's, as all up to `aggregate` */
  int64_t call;                   /**< call of the layer */
  int64_t cluster;                /**< cluster of the samples */
  const int64_t* neurons;         /**< `neuron_count` neurons, the first is removed first */
  size_t neuron_count;            /**< as many as the layer has */
  int64_t repeat;                 /**< how-manieth order of that method, from 0 */
  pregrad_method method;          /**< what the order stands for */
  pregrad_aggregate aggregate;    /**< what the order stands for */
  int64_t count;                  /**< samples of the cluster */
  int64_t outside_count;          /**< samples of other clusters */
  size_t points;                  /**< length of each array below */
  const int64_t* removed;         /**< how many neurons are removed: every count up to 128, else 129 evenly spaced */
  const double* accuracy;         /**< share of the cluster's samples whose largest output is their label's */
  const double* mean_output;      /**< mean of y over the cluster's samples */
  const double* cross_entropy;    /**< mean of -log softmax of the outputs at the label, in nats */
  const double* outside_accuracy; /**< accuracy over the samples of other clusters; NaN if there are none */
  /** under the accuracy (under `mean_output` for a model of one output), by the trapezoid rule over the removed share
   * of the neurons in [0, 1]; lower means that the order finds what the model needs */
  double area;
  /** the standard error of `area`, the cluster's samples taken as drawn independently, which is what resampling them
   * with replacement comes to; NaN below two samples; since version 8 */
  double area_error;
  int32_t keep;     /**< 1 if the order's neurons are kept rather than removed, else 0; since version 8 */
  int32_t reserved; /**< 0 */
} pregrad_curve;

/** How far the scores of one cluster are from those of another, for one layer call and method, and for one position
 * where each has its own. The arrays have one value per neuron.
 * @since 8 */
typedef struct pregrad_difference {
  size_t struct_size;           /**< sizeof(pregrad_difference) */
  const char* layer;            /**< canonical name */
  int64_t call;                 /**< call of the layer */
  int64_t cluster;              /**< the cluster */
  int64_t against;              /**< the other one */
  int64_t position;             /**< row-major over the axes of positions; -1 for all positions together */
  pregrad_method method;        /**< what is scored */
  pregrad_aggregate aggregate;  /**< how samples are summed up */
  size_t neurons;               /**< length of each array */
  const double* difference;     /**< this cluster's aggregate minus the other's */
  const double* standard_error; /**< of the difference; NaN below two samples on a side */
  const double* degrees;        /**< of freedom, by Welch and Satterthwaite */
  const double* low;            /**< where the confidence interval by Student's t begins */
  const double* high;           /**< where it ends */
  const double* p;              /**< of Welch's test that there is no difference, two-sided */
  /** the false discovery rate by Benjamini and Hochberg over all neurons, and positions, of this layer call, method and
   * pair of clusters */
  const double* q;
} pregrad_difference;
/** What a #pregrad_difference starts from: `struct_size` set, all else a default. */
#define PREGRAD_DIFFERENCE_INIT \
  {sizeof(pregrad_difference), NULL, 0, 0, 0, -1, 0, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL}
/** What a #pregrad_curve starts from: `struct_size` set, all else a default. */
#define PREGRAD_CURVE_INIT \
  {sizeof(pregrad_curve), NULL, 0, 0, NULL, 0, 0, 0, 0, 0, 0, 0, NULL, NULL, NULL, NULL, NULL, 0, 0, 0, 0}

/** What to compare.
 * @since 5 */
typedef struct pregrad_check_options {
  size_t struct_size;             /**< sizeof(pregrad_check_options) */
  const char* const* layers;      /**< `layer_count` names, as in #pregrad_attribution_options */
  size_t layer_count;             /**< at least 1 */
  pregrad_target target;          /**< which output */
  pregrad_output output;          /**< as what */
  int64_t target_index;           /**< only for #PREGRAD_TARGET_INDEX, else 0 */
  int64_t most_neurons;           /**< at most so many neurons of a layer are compared, evenly spaced; 0 takes 128 */
  const pregrad_reading* reading; /**< where y is read; NULL takes the defaults; since version 6 */
} pregrad_check_options;
/** What a #pregrad_check_options starts from: `struct_size` set, all else a default. */
#define PREGRAD_CHECK_OPTIONS_INIT \
  {sizeof(pregrad_check_options), NULL, 0, PREGRAD_TARGET_LABEL, PREGRAD_OUTPUT_LOGIT, 0, 0, NULL}

/** What became of one layer call. A unit is one sample and one neuron, positions summed.
 * @since 5 */
typedef struct pregrad_layer_check {
  size_t struct_size;          /**< sizeof(pregrad_layer_check) */
  const char* layer;           /**< canonical name */
  const char* op;              /**< the activation */
  int64_t call;                /**< call of the layer */
  int64_t samples;             /**< number of samples */
  int64_t neurons;             /**< how many of the layer's neurons were compared */
  int64_t compared;            /**< units compared with finite differences */
  int64_t at_kink;             /**< units left out because a kink of the model lies within the step */
  int32_t in_double_precision; /**< 1 if the model could be run in float64, else 0 */
  int32_t passed;              /**< 1 if `gradient_error` is within the tolerance and a unit was compared, else 0 */
  /** |sum of dy/dz - d| / |d| over the compared units, d the central difference of y by a shift of z */
  double gradient_error;
  double tolerance; /**< what `gradient_error` may be: 1e-6 in float64, 2e-2 in float32 */
  /** |sum of dy/da - sum of dy/dz| / |sum of dy/dz|: the error of a backward hook on the activation */
  double hook_error;
  double hook_differs; /**< share of the units in which that hook is off by over a thousandth of the largest |dy/dz| */
  double cancellation; /**< median over the neurons of |mean| / mean_abs of dy/dz; NaN where all are 0 */
} pregrad_layer_check;
/** What a #pregrad_layer_check starts from: `struct_size` set, all else a default. */
#define PREGRAD_LAYER_CHECK_INIT {sizeof(pregrad_layer_check), NULL, NULL, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}

/** @name The library
 * @{ */

/** The #PREGRAD_API_VERSION that the library was built with; a program needs at least its own. */
PREGRAD_API int32_t pregrad_api_version(void);
/** The library's version, e.g. `0.1.0`. The string lives as long as the library. */
PREGRAD_API const char* pregrad_version(void);
/** How the library was built, as a JSON object. The string lives as long as the library. */
PREGRAD_API const char* pregrad_build_info(void);
/** The message of this thread's last call that failed, "" if none did. Never NULL; valid until the next failing call
 * of this thread. */
PREGRAD_API const char* pregrad_last_error(void);
/** The name of a status, e.g. `layer`; `unknown` if it is none. Never NULL. */
PREGRAD_API const char* pregrad_status_name(pregrad_status status);

/** The name of a method as the command and files have it, e.g. `gradient-x-activation`.
 * @param[out] name lives as long as the library
 * @returns #PREGRAD_ERROR_ARGUMENT if `method` is none */
PREGRAD_API pregrad_status pregrad_method_name(pregrad_method method, const char** name);
/** The method of that name.
 * @returns #PREGRAD_ERROR_ARGUMENT, with a message that lists the methods, if there is none */
PREGRAD_API pregrad_status pregrad_method_named(const char* name, pregrad_method* method);
/** The output kind of that name: `logit`, `probability` or `log-probability`.
 * @returns #PREGRAD_ERROR_ARGUMENT, with a message that lists them, if there is none */
PREGRAD_API pregrad_status pregrad_output_named(const char* name, pregrad_output* output);
/** The name of an aggregate as the command and files have it, e.g. `mean_abs`.
 * @param[out] name lives as long as the library
 * @returns #PREGRAD_ERROR_ARGUMENT if `aggregate` is none
 * @since 5 */
PREGRAD_API pregrad_status pregrad_aggregate_name(pregrad_aggregate aggregate, const char** name);
/** The aggregate of that name.
 * @returns #PREGRAD_ERROR_ARGUMENT, with a message that lists the aggregates, if there is none
 * @since 5 */
PREGRAD_API pregrad_status pregrad_aggregate_named(const char* name, pregrad_aggregate* aggregate);
/** The removal of that name: `zero`, `zero-preactivation` or `mean`.
 * @returns #PREGRAD_ERROR_ARGUMENT, with a message that lists them, if there is none
 * @since 5 */
PREGRAD_API pregrad_status pregrad_removal_named(const char* name, pregrad_removal* removal);

/** @}
 * @name Models
 * @{ */

/** Reads an archive of torch.export.save, or a TorchScript file, scripted or traced; its content tells which.
 * @param      file    its path
 * @param      options NULL takes the defaults
 * @param[out] model   free it with pregrad_model_free()
 * @returns #PREGRAD_ERROR_MODEL if the file cannot be read or is no model, #PREGRAD_ERROR_UNSUPPORTED if the model
 *          cannot be attributed, #PREGRAD_ERROR_ARGUMENT if the device's name is none, #PREGRAD_ERROR_DEVICE if it is
 *          not there */
PREGRAD_API pregrad_status pregrad_model_load(const char* file, const pregrad_model_options* options,
                                              pregrad_model** model);
/** Ends the handle, not the attributions that were opened from it; NULL is left alone. */
PREGRAD_API void pregrad_model_free(pregrad_model* model);
/** Ends what runs on this model at the moment, in whatever thread, between two operators: those calls return
 * #PREGRAD_ERROR_CANCELLED. Calls that begin later run. NULL does nothing.
 * @since 7 */
PREGRAD_API void pregrad_model_cancel(const pregrad_model* model);

/** The same model with the elements of each floating-point weight, running statistics included, in an order drawn by
 * the seed: its values, mean and deviation stay, what was learned goes.
 * @param[out] randomised free it with pregrad_model_free()
 * @returns #PREGRAD_ERROR_UNSUPPORTED if it has no such weight
 * @since 8 */
PREGRAD_API pregrad_status pregrad_model_randomised(const pregrad_model* model, uint64_t seed,
                                                    pregrad_model** randomised);

/** The activation call sites as the model's graph shows them; shapes, and calls in loops, are known only after a run.
 * @param[out] layers free it with pregrad_layers_free() */
PREGRAD_API pregrad_status pregrad_model_layers(const pregrad_model* model, pregrad_layers** layers);
/** The activation calls in the order in which they run for an input of zeros, with shapes.
 * @param      shape  `rank` sizes of the input, batch axis first
 * @param[out] layers free it with pregrad_layers_free()
 * @returns #PREGRAD_ERROR_INPUT if the model cannot run on that shape */
PREGRAD_API pregrad_status pregrad_model_layers_for(const pregrad_model* model, const int64_t* shape, size_t rank,
                                                    pregrad_layers** layers);
/** The model's output, without gradients.
 * @param      inputs [N, ...]
 * @param[out] output [N, outputs]; free it with pregrad_result_free() */
PREGRAD_API pregrad_status pregrad_model_forward(const pregrad_model* model, const pregrad_tensor* inputs,
                                                 pregrad_result** output);

/** What goes into the model, in the order of its forward.
 * @param[out] inputs free it with pregrad_model_inputs_free()
 * @since 6 */
PREGRAD_API pregrad_status pregrad_model_inputs_of(const pregrad_model* model, pregrad_model_inputs** inputs);
/** The number of inputs.
 * @since 6 */
PREGRAD_API pregrad_status pregrad_model_inputs_count(const pregrad_model_inputs* inputs, size_t* count);
/** Input `index`, from 0. @param[in,out] input `struct_size` set by the caller; its pointers belong to `inputs`
 * @since 6 */
PREGRAD_API pregrad_status pregrad_model_inputs_get(const pregrad_model_inputs* inputs, size_t index,
                                                    pregrad_model_input* input);
/** Ends the handle and all pointers that came from it; NULL is left alone.
 * @since 6 */
PREGRAD_API void pregrad_model_inputs_free(pregrad_model_inputs* inputs);
/** All that the model returns for inputs by name, without gradients.
 * @param      inputs  `count` inputs
 * @param[out] outputs free it with pregrad_outputs_free()
 * @returns #PREGRAD_ERROR_INPUT if they do not fit the model
 * @since 6 */
PREGRAD_API pregrad_status pregrad_model_outputs(const pregrad_model* model, const pregrad_input* inputs, size_t count,
                                                 pregrad_outputs** outputs);
/** The number of outputs.
 * @since 6 */
PREGRAD_API pregrad_status pregrad_outputs_count(const pregrad_outputs* outputs, size_t* count);
/** Output `index`, from 0.
 * @param[out]    name   what is in a container is named `logits`, `0`, `detections.boxes`, a tensor alone ""; belongs
 * to `outputs`
 * @param[in,out] tensor `struct_size` set by the caller; its pointers belong to `outputs`
 * @since 6 */
PREGRAD_API pregrad_status pregrad_outputs_get(const pregrad_outputs* outputs, size_t index, const char** name,
                                               pregrad_tensor* tensor);
/** Ends the handle and all pointers that came from it; NULL is left alone.
 * @since 6 */
PREGRAD_API void pregrad_outputs_free(pregrad_outputs* outputs);
/** The calls of layers in the order in which they run for inputs by name, with shapes.
 * @param      inputs     `count` inputs
 * @param      names      `name_count` names, as in #pregrad_attribution_options; NULL lists the activations
 * @param      name_count number of names, or 0
 * @param[out] layers     free it with pregrad_layers_free()
 * @returns #PREGRAD_ERROR_INPUT if the inputs do not fit, #PREGRAD_ERROR_LAYER if a name fits nothing
 * @since 6 */
PREGRAD_API pregrad_status pregrad_model_layers_of(const pregrad_model* model, const pregrad_input* inputs,
                                                   size_t count, const char* const* names, size_t name_count,
                                                   pregrad_layers** layers);

/** A view of the result. @param[in,out] tensor `struct_size` set by the caller; its pointers belong to `result` */
PREGRAD_API pregrad_status pregrad_result_tensor(const pregrad_result* result, pregrad_tensor* tensor);
/** Ends the handle and all pointers that came from it; NULL is left alone. */
PREGRAD_API void pregrad_result_free(pregrad_result* result);

/** The number of layers. */
PREGRAD_API pregrad_status pregrad_layers_count(const pregrad_layers* layers, size_t* count);
/** Layer `index`, from 0. @param[in,out] layer `struct_size` set by the caller; its pointers belong to `layers` */
PREGRAD_API pregrad_status pregrad_layers_get(const pregrad_layers* layers, size_t index, pregrad_layer* layer);
/** Ends the handle and all pointers that came from it; NULL is left alone. */
PREGRAD_API void pregrad_layers_free(pregrad_layers* layers);

/** @}
 * @name Attribution
 * @{ */

/** Opens a computation of scores.
 * @param      options     what to compute; not kept
 * @param[out] attribution free it with pregrad_attribution_free()
 * @returns #PREGRAD_ERROR_LAYER if a name fits nothing or several things, #PREGRAD_ERROR_ARGUMENT for the rest */
PREGRAD_API pregrad_status pregrad_attribution_open(const pregrad_model* model,
                                                    const pregrad_attribution_options* options,
                                                    pregrad_attribution** attribution);
/** Adds a batch: one forward and one backward for all layers and methods. A batch that fails adds nothing. One that
 * does not fit into the memory of its device is added in halves, as far down as single samples.
 * @param inputs        [N, ...], the model's input, finite
 * @param labels        [N], each in [0, outputs); NULL if the target needs none
 * @param label_count   N, or 0 if `labels` is NULL
 * @param clusters      [N]; NULL puts all samples into cluster 0
 * @param cluster_count N, or 0 if `clusters` is NULL
 * @returns #PREGRAD_ERROR_INPUT, #PREGRAD_ERROR_UNSUPPORTED, #PREGRAD_ERROR_ARGUMENT or #PREGRAD_ERROR_DEVICE */
PREGRAD_API pregrad_status pregrad_attribution_add(pregrad_attribution* attribution, const pregrad_tensor* inputs,
                                                   const int64_t* labels, size_t label_count, const int64_t* clusters,
                                                   size_t cluster_count);
/** Adds a batch in which each sample is explained for K outputs. The scores are those of adding the batch once for each
 * of them, but one forward serves them all: another target costs a backward, or less. Methods that run the model again
 * do so per target.
 * @param inputs             [N, ...], as in pregrad_attribution_add()
 * @param targets            [N, K], the targets of a sample side by side, each in [0, outputs)
 * @param target_count       N·K
 * @param targets_per_sample K, at least 1
 * @param clusters           [N, K]; NULL puts everything into cluster 0
 * @param cluster_count      N·K, or 0 if `clusters` is NULL
 * @returns #PREGRAD_ERROR_INPUT, #PREGRAD_ERROR_UNSUPPORTED, or #PREGRAD_ERROR_ARGUMENT if the target is not the label
 */
PREGRAD_API pregrad_status pregrad_attribution_add_targets(pregrad_attribution* attribution,
                                                           const pregrad_tensor* inputs, const int64_t* targets,
                                                           size_t target_count, size_t targets_per_sample,
                                                           const int64_t* clusters, size_t cluster_count);
/** Adds a batch of inputs by name, as pregrad_attribution_add().
 * @param inputs   `count` inputs; optional ones may be left out; the mask of the #pregrad_reading is one of them
 * @param labels   int64 [N]; [N, K] for K labels per sample; [N, positions...] for an output with positions, -100 where
 *                 one does not count; floating [N, outputs] for #PREGRAD_TARGET_WEIGHTS; NULL if the target needs none
 * @param clusters int64 [N], or [N, K] with K labels per sample; NULL puts all samples into cluster 0
 * @returns #PREGRAD_ERROR_INPUT, #PREGRAD_ERROR_UNSUPPORTED, #PREGRAD_ERROR_ARGUMENT or #PREGRAD_ERROR_DEVICE
 * @since 6 */
PREGRAD_API pregrad_status pregrad_attribution_add_inputs(pregrad_attribution* attribution, const pregrad_input* inputs,
                                                          size_t count, const pregrad_tensor* labels,
                                                          const pregrad_tensor* clusters);
/** How often a batch, or a half of one, did not fit into the memory of its device and was cut in two since the
 * attribution was opened: 0 where all is well. A smaller batch from the start saves the runs that failed.
 * @since 3 */
PREGRAD_API pregrad_status pregrad_attribution_batches_split(const pregrad_attribution* attribution, int64_t* count);
/** How many batches were replayed from a CUDA graph since the attribution was opened: on a CUDA device the work of a
 * shape of batches that comes for the third time is recorded, for at most four shapes, unless `no_cuda_graphs` of the
 * options says otherwise. 0 where nothing is recorded.
 * @since 4 */
PREGRAD_API pregrad_status pregrad_attribution_batches_replayed(const pregrad_attribution* attribution, int64_t* count);
/** Why some batches cannot be recorded, in one line, though they are added all the same.
 * @param[out] reason "" where nothing was in the way so far; belongs to the attribution
 * @since 4 */
PREGRAD_API pregrad_status pregrad_attribution_graph_refusal(const pregrad_attribution* attribution,
                                                             const char** reason);
/** The scores of all batches added so far. @param[out] scores free it with pregrad_scores_free() */
PREGRAD_API pregrad_status pregrad_attribution_scores(const pregrad_attribution* attribution, pregrad_scores** scores);
/** The values per sample of a batch, which adds nothing to the scores: one entry per layer call and method. With
 * #PREGRAD_POSITIONS_EACH those methods that have a value at each position give one for each.
 * @param      inputs       [N, ...], the model's input, finite
 * @param      labels       [N], each in [0, outputs); NULL if the target needs none
 * @param      label_count  N, or 0 if `labels` is NULL
 * @param[out] explanations free it with pregrad_explanations_free()
 * @returns as pregrad_attribution_add(); #PREGRAD_ERROR_ARGUMENT for #PREGRAD_METHOD_GRADIENT_X_CENTRED_ACTIVATION
 *          where neither `means` of the options nor samples added before tell the mean
 * @since 8 */
PREGRAD_API pregrad_status pregrad_attribution_explain(const pregrad_attribution* attribution,
                                                       const pregrad_tensor* inputs, const int64_t* labels,
                                                       size_t label_count, pregrad_explanations** explanations);
/** The same of inputs by name.
 * @param      inputs       `count` inputs, as in pregrad_attribution_add_inputs()
 * @param      labels       as there, one per sample, or one per position; NULL if the target needs none
 * @param[out] explanations free it with pregrad_explanations_free()
 * @since 8 */
PREGRAD_API pregrad_status pregrad_attribution_explain_inputs(const pregrad_attribution* attribution,
                                                              const pregrad_input* inputs, size_t count,
                                                              const pregrad_tensor* labels,
                                                              pregrad_explanations** explanations);
/** The samples of the largest values among all that were added, `examples` of the options per layer call, cluster,
 * method and neuron, ordered by these and by rank; equal values by the lower number. Samples are numbered as their
 * batches were counted; those of a merged state follow on one's own. None of #PREGRAD_METHOD_RANDOM.
 * @param[out] examples free it with pregrad_examples_free()
 * @returns #PREGRAD_ERROR_ARGUMENT for a model of one output as long as no label is 1, if the target is the label
 * @since 8 */
PREGRAD_API pregrad_status pregrad_attribution_examples(const pregrad_attribution* attribution,
                                                        pregrad_examples** examples);
/** All that was added so far, to go on with later or in another process.
 * @param[out] state free it with pregrad_state_free()
 * @since 5 */
PREGRAD_API pregrad_status pregrad_attribution_save(const pregrad_attribution* attribution, pregrad_state** state);
/** Takes the place of all that was added so far. Scores go on to the last bit as if there had been no break.
 * @param bytes what pregrad_attribution_save() gave for the same layers, methods and options
 * @param size  number of bytes
 * @returns #PREGRAD_ERROR_ARGUMENT if it is not; nothing is changed then
 * @since 5 */
PREGRAD_API pregrad_status pregrad_attribution_restore(pregrad_attribution* attribution, const void* bytes,
                                                       size_t size);
/** Adds what another attribution has added, in this process or in another. Scores become those of one to which the
 * batches of both were added, to the last bit but for what rounds beyond the 100th bit of a sum: `merge` of
 * `pregrad::Attribution` says exactly when. The same states merged in the same order give the same bytes.
 * @param bytes what pregrad_attribution_save() gave for the same model, layers, methods and options
 * @param size  number of bytes
 * @returns #PREGRAD_ERROR_ARGUMENT if it is not, or if a layer has another number of neurons there; nothing is changed
 *          then
 * @since 5 */
PREGRAD_API pregrad_status pregrad_attribution_merge(pregrad_attribution* attribution, const void* bytes, size_t size);
/** Ends the handle, not the scores that were taken from it; NULL is left alone. */
PREGRAD_API void pregrad_attribution_free(pregrad_attribution* attribution);

/** @}
 * @name Scores
 * @{ */

/** The number of entries: one per layer call, cluster and method, and per position where each has its own. */
PREGRAD_API pregrad_status pregrad_scores_count(const pregrad_scores* scores, size_t* count);
/** Entry `index`, from 0, ordered by layer (execution order), call, cluster, method, position.
 * @param[in,out] score `struct_size` set by the caller; its pointers belong to `scores` */
PREGRAD_API pregrad_status pregrad_scores_get(const pregrad_scores* scores, size_t index, pregrad_score* score);
/** The entry of a layer, cluster and method.
 * @param         layer `name`, `name@call`, or an alias that was asked for
 * @param[in,out] score `struct_size` set by the caller; its pointers belong to `scores`
 * @returns #PREGRAD_ERROR_LAYER if the name fits no score or several calls, #PREGRAD_ERROR_ARGUMENT if the method or
 *          the cluster was not computed, or each position has an entry of its own */
PREGRAD_API pregrad_status pregrad_scores_of(const pregrad_scores* scores, const char* layer, int64_t cluster,
                                             pregrad_method method, pregrad_score* score);
/** The entry of a layer, cluster and method at one position, where each has its own, as pregrad_scores_of().
 * @param position row-major over the axes of positions, from 0
 * @returns #PREGRAD_ERROR_ARGUMENT also if the layer has no such position, or it counts for no sample of the cluster
 * @since 7 */
PREGRAD_API pregrad_status pregrad_scores_at(const pregrad_scores* scores, const char* layer, int64_t cluster,
                                             pregrad_method method, int64_t position, pregrad_score* score);
/** Ends the handle and all pointers that came from it; NULL is left alone. */
PREGRAD_API void pregrad_scores_free(pregrad_scores* scores);

/** How far the scores of every other cluster are from those of one.
 * @param      against     the cluster that the others are compared with
 * @param      aggregate   #PREGRAD_AGGREGATE_MEAN or #PREGRAD_AGGREGATE_MEAN_ABS
 * @param      confidence  of the intervals, between 0 and 1
 * @param[out] differences free it with pregrad_differences_free()
 * @returns #PREGRAD_ERROR_ARGUMENT if `against` is no cluster of the scores, or the aggregate or the confidence is
 *          another
 * @since 8 */
PREGRAD_API pregrad_status pregrad_differences_of(const pregrad_scores* scores, int64_t against,
                                                  pregrad_aggregate aggregate, double confidence,
                                                  pregrad_differences** differences);
/** The number of entries, ordered as the scores are.
 * @since 8 */
PREGRAD_API pregrad_status pregrad_differences_count(const pregrad_differences* differences, size_t* count);
/** Entry `index`, from 0. @param[in,out] difference `struct_size` set by the caller; its pointers belong to
 * `differences`
 * @since 8 */
PREGRAD_API pregrad_status pregrad_differences_get(const pregrad_differences* differences, size_t index,
                                                   pregrad_difference* difference);
/** Ends the handle and all pointers that came from it; NULL is left alone.
 * @since 8 */
PREGRAD_API void pregrad_differences_free(pregrad_differences* differences);

/** How selective neurons are over clusters of samples, `selectivity` of `pregrad/certainty.hpp` in C.
 * @param      values        [samples, neurons], row-major, finite
 * @param      samples       at least 1
 * @param      neurons       at least 1
 * @param      clusters      one per sample
 * @param      wanted        `wanted_count` clusters, each with a sample
 * @param      wanted_count  may be 0
 * @param[out] entropy       `neurons` values: of the shares |mean of a cluster| / their sum, in nats; NaN where all are
 * 0
 * @param[out] auroc         `wanted_count` times `neurons` values: the area under the receiver operating characteristic
 *                           of a cluster's samples against all others, exact; NaN where there are no others
 * @returns #PREGRAD_ERROR_ARGUMENT
 * @since 8 */
PREGRAD_API pregrad_status pregrad_selectivity(const double* values, size_t samples, size_t neurons,
                                               const int64_t* clusters, const int64_t* wanted, size_t wanted_count,
                                               double* entropy, double* auroc);

/** @}
 * @name Single samples
 * @{ */

/** The number of entries: one per layer call and method.
 * @since 8 */
PREGRAD_API pregrad_status pregrad_explanations_count(const pregrad_explanations* explanations, size_t* count);
/** Entry `index`, from 0, ordered by layer (execution order), call, method.
 * @param[in,out] explanation `struct_size` set by the caller; its pointers belong to `explanations`
 * @since 8 */
PREGRAD_API pregrad_status pregrad_explanations_get(const pregrad_explanations* explanations, size_t index,
                                                    pregrad_explanation* explanation);
/** Ends the handle and all pointers that came from it; NULL is left alone.
 * @since 8 */
PREGRAD_API void pregrad_explanations_free(pregrad_explanations* explanations);
/** The number of examples.
 * @since 8 */
PREGRAD_API pregrad_status pregrad_examples_count(const pregrad_examples* examples, size_t* count);
/** Example `index`, from 0. @param[in,out] example `struct_size` set by the caller; its pointers belong to `examples`
 * @since 8 */
PREGRAD_API pregrad_status pregrad_examples_get(const pregrad_examples* examples, size_t index,
                                                pregrad_example* example);
/** Ends the handle and all pointers that came from it; NULL is left alone.
 * @since 8 */
PREGRAD_API void pregrad_examples_free(pregrad_examples* examples);

/** @}
 * @name Saved states
 * @{ */

/** What was saved.
 * @param[out] bytes belong to the state
 * @param[out] size  number of bytes
 * @since 5 */
PREGRAD_API pregrad_status pregrad_state_bytes(const pregrad_state* state, const void** bytes, size_t* size);
/** Ends the handle and all pointers that came from it; NULL is left alone.
 * @since 5 */
PREGRAD_API void pregrad_state_free(pregrad_state* state);

/** @}
 * @name Removal orders
 * @{ */

/** The order of falling score of each entry and aggregate, ties by index.
 * @param      aggregates      `aggregate_count` of them
 * @param      aggregate_count at least 1
 * @param[out] orders          free it with pregrad_orders_free()
 * @returns #PREGRAD_ERROR_ARGUMENT if positions have entries of their own
 * @since 5 */
PREGRAD_API pregrad_status pregrad_orders_of_scores(const pregrad_scores* scores, const pregrad_aggregate* aggregates,
                                                    size_t aggregate_count, pregrad_orders** orders);
/** Orders drawn by a seed, of #PREGRAD_METHOD_RANDOM; the first is that of the scores of that method.
 * @param      layer   canonical name
 * @param      neurons how many the layer has
 * @param      repeats how many orders
 * @param[out] orders  free it with pregrad_orders_free()
 * @returns #PREGRAD_ERROR_ARGUMENT if a count is negative
 * @since 5 */
PREGRAD_API pregrad_status pregrad_orders_random(const char* layer, int64_t call, int64_t cluster, int64_t neurons,
                                                 int64_t repeats, uint64_t seed, pregrad_orders** orders);
/** A list of one order of your own; a measurement takes any number of lists.
 * @param      order  copied
 * @param[out] orders free it with pregrad_orders_free()
 * @returns #PREGRAD_ERROR_ARGUMENT if its method or aggregate is none; its neurons are looked at when it is measured
 * @since 5 */
PREGRAD_API pregrad_status pregrad_orders_of(const pregrad_order* order, pregrad_orders** orders);
/** The number of orders.
 * @since 5 */
PREGRAD_API pregrad_status pregrad_orders_count(const pregrad_orders* orders, size_t* count);
/** Order `index`, from 0. @param[in,out] order `struct_size` set by the caller; its pointers belong to `orders`
 * @since 5 */
PREGRAD_API pregrad_status pregrad_orders_get(const pregrad_orders* orders, size_t index, pregrad_order* order);
/** Ends the handle and all pointers that came from it; NULL is left alone.
 * @since 5 */
PREGRAD_API void pregrad_orders_free(pregrad_orders* orders);

/** @}
 * @name Removal curves
 * @{ */

/** Opens a measurement of removal curves.
 * @param      options  what to measure; not kept
 * @param[out] ablation free it with pregrad_ablation_free()
 * @returns #PREGRAD_ERROR_LAYER if the model has no such layer or call, #PREGRAD_ERROR_ARGUMENT for the rest: no order,
 *          an order that does not name every neuron once, means that are missing
 * @since 5 */
PREGRAD_API pregrad_status pregrad_ablation_open(const pregrad_model* model, const pregrad_ablation_options* options,
                                                 pregrad_ablation** ablation);
/** Measures all orders on a batch: the model runs up to each layer once, and from there on once per point. A batch that
 * fails adds nothing. One that does not fit into the memory of its device is measured in halves.
 * @param inputs        [N, ...], the model's input, finite
 * @param labels        [N], each in [0, outputs); NULL for a model of one output, which has no accuracy
 * @param label_count   N, or 0 if `labels` is NULL
 * @param clusters      [N]; NULL puts all samples into cluster 0
 * @param cluster_count N, or 0 if `clusters` is NULL
 * @returns #PREGRAD_ERROR_INPUT, #PREGRAD_ERROR_UNSUPPORTED, #PREGRAD_ERROR_ARGUMENT or #PREGRAD_ERROR_DEVICE
 * @since 5 */
PREGRAD_API pregrad_status pregrad_ablation_add(pregrad_ablation* ablation, const pregrad_tensor* inputs,
                                                const int64_t* labels, size_t label_count, const int64_t* clusters,
                                                size_t cluster_count);
/** Measures all orders on a batch of inputs by name, as pregrad_ablation_add().
 * @param inputs   `count` inputs, as in pregrad_attribution_add_inputs()
 * @param labels   int64 [N] or, for an output with positions, [N, positions...]; NULL as in pregrad_ablation_add()
 * @param clusters int64 [N]; NULL puts all samples into cluster 0
 * @since 6 */
PREGRAD_API pregrad_status pregrad_ablation_add_inputs(pregrad_ablation* ablation, const pregrad_input* inputs,
                                                       size_t count, const pregrad_tensor* labels,
                                                       const pregrad_tensor* clusters);
/** How often a batch, or a half of one, did not fit into the memory of its device and was cut in two.
 * @since 5 */
PREGRAD_API pregrad_status pregrad_ablation_batches_split(const pregrad_ablation* ablation, int64_t* count);
/** One curve per order, in their order. @param[out] curves free it with pregrad_curves_free()
 * @since 5 */
PREGRAD_API pregrad_status pregrad_ablation_curves(const pregrad_ablation* ablation, pregrad_curves** curves);
/** All that was measured so far, to go on with later or in another process.
 * @param[out] state free it with pregrad_state_free()
 * @since 5 */
PREGRAD_API pregrad_status pregrad_ablation_save(const pregrad_ablation* ablation, pregrad_state** state);
/** Takes the place of all that was measured so far.
 * @param bytes what pregrad_ablation_save() gave for the same orders and options
 * @param size  number of bytes
 * @returns #PREGRAD_ERROR_ARGUMENT if it is not; nothing is changed then
 * @since 5 */
PREGRAD_API pregrad_status pregrad_ablation_restore(pregrad_ablation* ablation, const void* bytes, size_t size);
/** Adds what another measurement has measured, in this process or in another, as pregrad_attribution_merge() does.
 * @param bytes what pregrad_ablation_save() gave for the same model, orders and options
 * @param size  number of bytes
 * @returns #PREGRAD_ERROR_ARGUMENT if it is not; nothing is changed then
 * @since 5 */
PREGRAD_API pregrad_status pregrad_ablation_merge(pregrad_ablation* ablation, const void* bytes, size_t size);
/** Ends the handle, not the curves that were taken from it; NULL is left alone.
 * @since 5 */
PREGRAD_API void pregrad_ablation_free(pregrad_ablation* ablation);

/** The number of curves.
 * @since 5 */
PREGRAD_API pregrad_status pregrad_curves_count(const pregrad_curves* curves, size_t* count);
/** Curve `index`, from 0. @param[in,out] curve `struct_size` set by the caller; its pointers belong to `curves`
 * @since 5 */
PREGRAD_API pregrad_status pregrad_curves_get(const pregrad_curves* curves, size_t index, pregrad_curve* curve);
/** Ends the handle and all pointers that came from it; NULL is left alone.
 * @since 5 */
PREGRAD_API void pregrad_curves_free(pregrad_curves* curves);

/** @}
 * @name Checks
 * @{ */

/** Opens a comparison of dy/dz with central finite differences of the model, and with what a backward hook would give.
 * @param      options what to compare; not kept
 * @param[out] check   free it with pregrad_check_free()
 * @returns #PREGRAD_ERROR_LAYER if a name fits nothing or several things, #PREGRAD_ERROR_ARGUMENT for the rest
 * @since 5 */
PREGRAD_API pregrad_status pregrad_check_open(const pregrad_model* model, const pregrad_check_options* options,
                                              pregrad_check** check);
/** Compares on a batch; every neuron costs two runs of the model behind the layer. A batch that fails adds nothing. One
 * that does not fit into the memory of its device is compared in halves.
 * @param inputs      [N, ...], the model's input, finite
 * @param labels      [N], each in [0, outputs); NULL if the target needs none
 * @param label_count N, or 0 if `labels` is NULL
 * @returns #PREGRAD_ERROR_INPUT, #PREGRAD_ERROR_UNSUPPORTED, #PREGRAD_ERROR_ARGUMENT or #PREGRAD_ERROR_DEVICE
 * @since 5 */
PREGRAD_API pregrad_status pregrad_check_add(pregrad_check* check, const pregrad_tensor* inputs, const int64_t* labels,
                                             size_t label_count);
/** Compares on a batch of inputs by name, as pregrad_check_add().
 * @param inputs `count` inputs, as in pregrad_attribution_add_inputs()
 * @param labels int64 [N] or, for an output with positions, [N, positions...]; NULL if the target needs none
 * @since 6 */
PREGRAD_API pregrad_status pregrad_check_add_inputs(pregrad_check* check, const pregrad_input* inputs, size_t count,
                                                    const pregrad_tensor* labels);
/** One result per layer call, in the order of execution, over all batches.
 * @param[out] results free it with pregrad_layer_checks_free()
 * @since 5 */
PREGRAD_API pregrad_status pregrad_check_results(const pregrad_check* check, pregrad_layer_checks** results);
/** Ends the handle, not the results that were taken from it; NULL is left alone.
 * @since 5 */
PREGRAD_API void pregrad_check_free(pregrad_check* check);

/** The number of results.
 * @since 5 */
PREGRAD_API pregrad_status pregrad_layer_checks_count(const pregrad_layer_checks* results, size_t* count);
/** Result `index`, from 0. @param[in,out] result `struct_size` set by the caller; its pointers belong to `results`
 * @since 5 */
PREGRAD_API pregrad_status pregrad_layer_checks_get(const pregrad_layer_checks* results, size_t index,
                                                    pregrad_layer_check* result);
/** Ends the handle and all pointers that came from it; NULL is left alone.
 * @since 5 */
PREGRAD_API void pregrad_layer_checks_free(pregrad_layer_checks* results);

/** @}
 * @name Probes
 * Scores for a model that is not a file, but runs in the caller's hands through a binding of LibTorch. In its forward,
 * pass each pre-activation through pregrad_probe_tap() and go on with the result; after the forward,
 * pregrad_probe_add() runs one backward; after a backward of the program's own, as in training, pregrad_probe_collect()
 * takes what that left. Taps and add or collect of one forward belong to the thread that runs it. A network that does
 * not run on LibTorch has no gradients for a probe to take.
 * @{ */

/** Opens a probe.
 * @param      options what to compute; `layer_count` may be 0, which takes every tapped layer; not kept. Methods that
 *             run the model again are none of a probe's: the path methods and the ablation
 * @param[out] probe   free it with pregrad_probe_free()
 * @returns #PREGRAD_ERROR_ARGUMENT
 * @since 5 */
PREGRAD_API pregrad_status pregrad_probe_open(const pregrad_attribution_options* options, pregrad_probe** probe);
/** Names a pre-activation.
 * @param         layer       its name
 * @param         z           [N, ...]
 * @param         neuron_axis axis of z that counts neurons; 0 takes 1 for rank 2, 4 and 5, and the last for rank 3
 * @param[in,out] tapped      an existing tensor, which may be `z`; becomes the one to use instead of z: equal to it,
 *                            and safe to be changed in place
 * @returns #PREGRAD_ERROR_INPUT if z has no batch axis or is not floating point, #PREGRAD_ERROR_STATE if gradients are
 *          switched off
 * @since 5 */
PREGRAD_API pregrad_status pregrad_probe_tap(pregrad_probe* probe, const char* layer, const pregrad_torch_tensor* z,
                                             int64_t neuron_axis, pregrad_torch_tensor* tapped);
/** Names the activation that belongs to this thread's last tap of that layer, for methods that need it.
 * @param[in,out] tapped an existing tensor, which may be `a`; becomes the one to use instead of a
 * @returns #PREGRAD_ERROR_STATE if the layer was not tapped
 * @since 5 */
PREGRAD_API pregrad_status pregrad_probe_activation(pregrad_probe* probe, const char* layer,
                                                    const pregrad_torch_tensor* a, pregrad_torch_tensor* tapped);
/** Ends the forward of this thread: one backward from the logits, statistics of every tapped layer.
 * @param logits        [N, outputs]
 * @param labels        [N], each in [0, outputs); NULL if the target needs none
 * @param label_count   N, or 0 if `labels` is NULL
 * @param clusters      [N]; NULL puts all samples into cluster 0
 * @param cluster_count N, or 0 if `clusters` is NULL
 * @returns #PREGRAD_ERROR_INPUT, #PREGRAD_ERROR_STATE if nothing was tapped, #PREGRAD_ERROR_ARGUMENT if a method needs
 *          an activation that was not named
 * @since 5 */
PREGRAD_API pregrad_status pregrad_probe_add(pregrad_probe* probe, const pregrad_torch_tensor* logits,
                                             const int64_t* labels, size_t label_count, const int64_t* clusters,
                                             size_t cluster_count);
/** Ends the forward of this thread after the program's own backward, and adds what that left at the taps: the gradient
 * of its loss in the place of that of an output. No backward is run. Samples may interact. Where gradients are
 * accumulated, call it after each backward or once after the last: a tap after a backward begins another forward, and
 * the clusters are those of all forwards, one after the other. Every backward since the forward counts.
 * @param clusters      [N]; NULL puts all samples into cluster 0
 * @param cluster_count N, or 0 if `clusters` is NULL
 * @param scale         what the gradients are multiplied with; 1 leaves them, N undoes a mean over N samples, 1/S the S
 * of a loss scaler
 * @returns #PREGRAD_ERROR_STATE if nothing was tapped or no backward ran, #PREGRAD_ERROR_LAYER if the loss does not
 * depend on a layer, #PREGRAD_ERROR_INPUT if a gradient is NaN or infinite, #PREGRAD_ERROR_ARGUMENT if the scale is 0
 * or not finite, or a method needs an activation that was not named. Nothing is added then
 * @since 6 */
PREGRAD_API pregrad_status pregrad_probe_collect(pregrad_probe* probe, const int64_t* clusters, size_t cluster_count,
                                                 double scale);
/** Forgets what this thread tapped since its last add or collect, e.g. after a forward that failed.
 * @since 5 */
PREGRAD_API pregrad_status pregrad_probe_discard(pregrad_probe* probe);
/** The layers tapped in the forward of this thread since its last add or collect, in order.
 * @param[out] layers free it with pregrad_layers_free()
 * @since 5 */
PREGRAD_API pregrad_status pregrad_probe_layers(const pregrad_probe* probe, pregrad_layers** layers);
/** The scores of all forwards added so far. @param[out] scores free it with pregrad_scores_free()
 * @since 5 */
PREGRAD_API pregrad_status pregrad_probe_scores(const pregrad_probe* probe, pregrad_scores** scores);
/** Ends the handle, not the scores that were taken from it; NULL is left alone.
 * @since 5 */
PREGRAD_API void pregrad_probe_free(pregrad_probe* probe);

/** @} */

#ifdef __cplusplus
}
#endif

#endif

/* Which neurons of a layer matter most to the classes that a model predicts, in C.
 *
 *   attribute_c MODEL.pt LAYER SIZE...
 *
 * SIZE... is the shape of the inputs, batch axis first, e.g. 256 1 8 8. The inputs are random. */

#include <stdio.h>
#include <stdlib.h>

#include <pregrad/pregrad.h>

enum { max_rank = 8 };

/* Fills `shape` and gives the number of elements, or 0 if a size is none. */
static size_t parse_shape(char** sizes, size_t rank, int64_t* shape) {
  size_t elements = 1;
  size_t axis;
  for (axis = 0; axis < rank; ++axis) {
    char* end = NULL;
    const long size = strtol(sizes[axis], &end, 10);
    if (end == sizes[axis] || *end != '\0' || size < 1 || (size_t)size > SIZE_MAX / sizeof(float) / elements) {
      fprintf(stderr, "the size '%s' is none; write positive numbers like 256 1 8 8\n", sizes[axis]);
      return 0;
    }
    shape[axis] = size;
    elements *= (size_t)size;
  }
  return elements;
}

static void print_top_neuron(const pregrad_score* score) {
  size_t best = 0;
  size_t neuron;
  const char* method = NULL;
  pregrad_method_name(score->method, &method);
  for (neuron = 1; neuron < score->neurons; ++neuron) {
    if (score->mean_abs[neuron] > score->mean_abs[best]) {
      best = neuron;
    }
  }
  printf("%s@%lld, %s, %lld samples: of %zu neurons, %zu is first with mean %g, mean_abs %g\n", score->layer,
         (long long)score->call, method, (long long)score->count, score->neurons, best, score->mean[best],
         score->mean_abs[best]);
}

static pregrad_status attribute(const char* file, const char* layer, const pregrad_tensor* inputs) {
  const pregrad_method methods[] = {PREGRAD_METHOD_GRADIENT, PREGRAD_METHOD_GRADIENT_X_ACTIVATION};
  pregrad_attribution_options options = PREGRAD_ATTRIBUTION_OPTIONS_INIT;
  pregrad_model* model = NULL;
  pregrad_attribution* attribution = NULL;
  pregrad_scores* scores = NULL;
  size_t count = 0;
  size_t entry;
  pregrad_status status;

  options.layers = &layer;
  options.layer_count = 1;
  options.methods = methods;
  options.method_count = sizeof methods / sizeof methods[0];
  options.target = PREGRAD_TARGET_PREDICTED;

  status = pregrad_model_load(file, NULL, &model);
  if (status == PREGRAD_OK) {
    status = pregrad_attribution_open(model, &options, &attribution);
  }
  if (status == PREGRAD_OK) {
    status = pregrad_attribution_add(attribution, inputs, NULL, 0, NULL, 0); /* again for more batches */
  }
  if (status == PREGRAD_OK) {
    status = pregrad_attribution_scores(attribution, &scores);
  }
  if (status == PREGRAD_OK) {
    status = pregrad_scores_count(scores, &count);
  }
  for (entry = 0; status == PREGRAD_OK && entry < count; ++entry) {
    pregrad_score score = PREGRAD_SCORE_INIT;
    status = pregrad_scores_get(scores, entry, &score);
    if (status == PREGRAD_OK) {
      print_top_neuron(&score);
    }
  }
  if (status != PREGRAD_OK) {
    fprintf(stderr, "%s\n", pregrad_last_error());
  }
  pregrad_scores_free(scores);
  pregrad_attribution_free(attribution);
  pregrad_model_free(model);
  return status;
}

int main(int argc, char** argv) {
  int64_t shape[max_rank];
  pregrad_tensor inputs = PREGRAD_TENSOR_INIT;
  float* values = NULL;
  size_t elements = 0;
  size_t i;
  pregrad_status status;

  if (argc < 4 || argc > 3 + max_rank) {
    fprintf(stderr, "usage: %s MODEL.pt LAYER SIZE...\n", argv[0]);
    return 2;
  }
  inputs.shape = shape;
  inputs.rank = (size_t)(argc - 3);
  elements = parse_shape(argv + 3, inputs.rank, shape);
  if (elements == 0) {
    return 2;
  }
  values = malloc(elements * sizeof *values);
  if (values == NULL) {
    fprintf(stderr, "out of memory; use a smaller shape\n");
    return 1;
  }
  for (i = 0; i < elements; ++i) {
    values[i] = (float)rand() / (float)RAND_MAX;
  }
  inputs.data = values;
  status = attribute(argv[1], argv[2], &inputs);
  free(values);
  if (status == PREGRAD_OK) {
    return 0;
  }
  return status == PREGRAD_ERROR_INTERNAL ? 1 : 2;
}

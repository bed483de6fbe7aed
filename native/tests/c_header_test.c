/* pregrad.h in plain C99, and what the interface says without a model: versions, names, and refusals. */

#include <stdio.h>
#include <string.h>

#include <pregrad/pregrad.h>

static int failures = 0;

static void check(int holds, const char* what, int line) {
  if (!holds) {
    fprintf(stderr, "c_header_test.c:%d: %s\n", line, what);
    ++failures;
  }
}
#define CHECK(condition) check(condition, #condition, __LINE__)

/* Every refusal gives its status and a message that names what is wrong. */
static void check_refusal(pregrad_status got, pregrad_status wanted, const char* named, int line) {
  if (got != wanted || strstr(pregrad_last_error(), named) == NULL || strchr(pregrad_last_error(), '\n') != NULL) {
    fprintf(stderr, "c_header_test.c:%d: wanted %s with '%s', got %s with '%s'\n", line, pregrad_status_name(wanted),
            named, pregrad_status_name(got), pregrad_last_error());
    ++failures;
  }
}
#define CHECK_REFUSAL(call, wanted, named) check_refusal(call, wanted, named, __LINE__)

static void describes_itself(void) {
  CHECK(pregrad_api_version() == PREGRAD_API_VERSION);
  CHECK(strchr(pregrad_version(), '.') != NULL);
  CHECK(strstr(pregrad_build_info(), pregrad_version()) != NULL);
  CHECK(strcmp(pregrad_last_error(), "") == 0);
  CHECK(strcmp(pregrad_status_name(PREGRAD_OK), "ok") == 0);
  CHECK(strcmp(pregrad_status_name(PREGRAD_ERROR_LAYER), "layer") == 0);
  CHECK(strcmp(pregrad_status_name(PREGRAD_ERROR_DEVICE), "device") == 0);
}

static void names_methods(void) {
  pregrad_method method = -1;
  pregrad_output output = -1;
  const char* name = NULL;
  int count = 0;
  while (pregrad_method_name(count, &name) == PREGRAD_OK) {
    CHECK(pregrad_method_named(name, &method) == PREGRAD_OK);
    CHECK(method == count);
    ++count;
  }
  CHECK(count == PREGRAD_METHOD_RANDOM + 1);
  CHECK(pregrad_method_named("gradient-x-activation", &method) == PREGRAD_OK);
  CHECK(method == PREGRAD_METHOD_GRADIENT_X_ACTIVATION);
  CHECK(pregrad_output_named("log-probability", &output) == PREGRAD_OK);
  CHECK(output == PREGRAD_OUTPUT_LOG_PROBABILITY);

  CHECK_REFUSAL(pregrad_method_named("grad", &method), PREGRAD_ERROR_ARGUMENT, "grad");
  CHECK(method == PREGRAD_METHOD_GRADIENT_X_ACTIVATION);
  CHECK_REFUSAL(pregrad_method_named(NULL, &method), PREGRAD_ERROR_ARGUMENT, "NULL");
  CHECK_REFUSAL(pregrad_method_named("gradient", NULL), PREGRAD_ERROR_ARGUMENT, "NULL");
  CHECK_REFUSAL(pregrad_method_name(-1, &name), PREGRAD_ERROR_ARGUMENT, "-1");
  CHECK_REFUSAL(pregrad_method_name(PREGRAD_METHOD_GRADIENT, NULL), PREGRAD_ERROR_ARGUMENT, "NULL");
  CHECK_REFUSAL(pregrad_output_named("probabilities", &output), PREGRAD_ERROR_ARGUMENT, "probabilities");
}

static void refuses_files(void) {
  pregrad_model* model = NULL;
  pregrad_model_options options = PREGRAD_MODEL_OPTIONS_INIT;
  CHECK_REFUSAL(pregrad_model_load("no-such-file.pt", NULL, &model), PREGRAD_ERROR_MODEL, "no-such-file.pt");
  CHECK(model == NULL);
  CHECK_REFUSAL(pregrad_model_load(NULL, NULL, &model), PREGRAD_ERROR_ARGUMENT, "NULL");
  CHECK_REFUSAL(pregrad_model_load("no-such-file.pt", NULL, NULL), PREGRAD_ERROR_ARGUMENT, "NULL");
  options.device = "gpu";
  CHECK_REFUSAL(pregrad_model_load("no-such-file.pt", &options, &model), PREGRAD_ERROR_ARGUMENT, "gpu");
  options.device = "meta";
  CHECK_REFUSAL(pregrad_model_load("no-such-file.pt", &options, &model), PREGRAD_ERROR_ARGUMENT, "meta");
  options.device = "cuda:99";
  CHECK_REFUSAL(pregrad_model_load("no-such-file.pt", &options, &model), PREGRAD_ERROR_DEVICE, "cuda:99");
  options.struct_size = 0;
  CHECK_REFUSAL(pregrad_model_load("no-such-file.pt", &options, &model), PREGRAD_ERROR_ARGUMENT, "struct_size");
}

static void refuses_null(void) {
  const int64_t shape[] = {1, 2};
  pregrad_tensor tensor = PREGRAD_TENSOR_INIT;
  pregrad_attribution_options options = PREGRAD_ATTRIBUTION_OPTIONS_INIT;
  pregrad_layer layer = PREGRAD_LAYER_INIT;
  pregrad_score score = PREGRAD_SCORE_INIT;
  pregrad_layers* layers = NULL;
  pregrad_result* result = NULL;
  pregrad_attribution* attribution = NULL;
  pregrad_scores* scores = NULL;
  size_t count = 0;
  int64_t splits = 0;
  const char* reason = NULL;
  CHECK_REFUSAL(pregrad_model_layers(NULL, &layers), PREGRAD_ERROR_ARGUMENT, "pregrad_model");
  CHECK_REFUSAL(pregrad_model_layers_for(NULL, shape, 2, &layers), PREGRAD_ERROR_ARGUMENT, "pregrad_model");
  CHECK_REFUSAL(pregrad_model_forward(NULL, &tensor, &result), PREGRAD_ERROR_ARGUMENT, "pregrad_model");
  CHECK_REFUSAL(pregrad_result_tensor(NULL, &tensor), PREGRAD_ERROR_ARGUMENT, "pregrad_result");
  CHECK_REFUSAL(pregrad_layers_count(NULL, &count), PREGRAD_ERROR_ARGUMENT, "pregrad_layers");
  CHECK_REFUSAL(pregrad_layers_get(NULL, 0, &layer), PREGRAD_ERROR_ARGUMENT, "pregrad_layers");
  CHECK_REFUSAL(pregrad_attribution_open(NULL, &options, &attribution), PREGRAD_ERROR_ARGUMENT, "pregrad_model");
  CHECK_REFUSAL(pregrad_attribution_add(NULL, &tensor, NULL, 0, NULL, 0), PREGRAD_ERROR_ARGUMENT, "pregrad_attr");
  CHECK_REFUSAL(pregrad_attribution_batches_split(NULL, &splits), PREGRAD_ERROR_ARGUMENT, "pregrad_attribution");
  CHECK_REFUSAL(pregrad_attribution_batches_replayed(NULL, &splits), PREGRAD_ERROR_ARGUMENT, "pregrad_attribution");
  CHECK_REFUSAL(pregrad_attribution_graph_refusal(NULL, &reason), PREGRAD_ERROR_ARGUMENT, "pregrad_attribution");
  CHECK_REFUSAL(pregrad_attribution_scores(NULL, &scores), PREGRAD_ERROR_ARGUMENT, "pregrad_attribution");
  CHECK_REFUSAL(pregrad_scores_count(NULL, &count), PREGRAD_ERROR_ARGUMENT, "pregrad_scores");
  CHECK_REFUSAL(pregrad_scores_get(NULL, 0, &score), PREGRAD_ERROR_ARGUMENT, "pregrad_scores");
  CHECK_REFUSAL(pregrad_scores_of(NULL, "act", 0, PREGRAD_METHOD_GRADIENT, &score), PREGRAD_ERROR_ARGUMENT,
                "pregrad_scores");
  CHECK(layers == NULL && result == NULL && attribution == NULL && scores == NULL && reason == NULL);
  pregrad_model_free(NULL);
  pregrad_layers_free(NULL);
  pregrad_result_free(NULL);
  pregrad_attribution_free(NULL);
  pregrad_scores_free(NULL);
}

int c_header_test_failures(void);

/* Called from c_api_test.cpp in a fresh thread, which has no message yet. */
int c_header_test_failures(void) {
  failures = 0;
  describes_itself();
  names_methods();
  refuses_files();
  refuses_null();
  return failures;
}

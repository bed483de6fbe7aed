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
  CHECK(count == PREGRAD_METHOD_PATCHING + 1);
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
  pregrad_aggregate aggregate = -1;
  pregrad_removal removal = -1;
  count = 0;
  while (pregrad_aggregate_name(count, &name) == PREGRAD_OK) {
    CHECK(pregrad_aggregate_named(name, &aggregate) == PREGRAD_OK);
    CHECK(aggregate == count);
    ++count;
  }
  CHECK(count == PREGRAD_AGGREGATE_CANCELLATION + 1);
  CHECK(pregrad_removal_named("zero-preactivation", &removal) == PREGRAD_OK);
  CHECK(removal == PREGRAD_REMOVAL_ZERO_PREACTIVATION);
  CHECK_REFUSAL(pregrad_aggregate_named("median", &aggregate), PREGRAD_ERROR_ARGUMENT, "median");
  CHECK_REFUSAL(pregrad_aggregate_name(-1, &name), PREGRAD_ERROR_ARGUMENT, "-1");
  CHECK_REFUSAL(pregrad_removal_named("one", &removal), PREGRAD_ERROR_ARGUMENT, "one");

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
  pregrad_explanation explanation = PREGRAD_EXPLANATION_INIT;
  pregrad_example example = PREGRAD_EXAMPLE_INIT;
  pregrad_examples* examples = NULL;
  CHECK_REFUSAL(pregrad_attribution_examples(NULL, &examples), PREGRAD_ERROR_ARGUMENT, "pregrad_attribution");
  CHECK_REFUSAL(pregrad_explanations_get(NULL, 0, &explanation), PREGRAD_ERROR_ARGUMENT, "pregrad_explanations");
  CHECK_REFUSAL(pregrad_examples_get(NULL, 0, &example), PREGRAD_ERROR_ARGUMENT, "pregrad_examples");
  CHECK(examples == NULL);
  pregrad_explanations_free(NULL);
  pregrad_examples_free(NULL);
  CHECK(layers == NULL && result == NULL && attribution == NULL && scores == NULL && reason == NULL);
  pregrad_model_free(NULL);
  pregrad_layers_free(NULL);
  pregrad_result_free(NULL);
  pregrad_attribution_free(NULL);
  pregrad_scores_free(NULL);
}

/* The same of what removes neurons, checks, probes and saves. */
static void refuses_null_of_the_rest(void) {
  pregrad_tensor tensor = PREGRAD_TENSOR_INIT;
  pregrad_ablation_options ablation_options = PREGRAD_ABLATION_OPTIONS_INIT;
  pregrad_check_options check_options = PREGRAD_CHECK_OPTIONS_INIT;
  pregrad_order order = PREGRAD_ORDER_INIT;
  pregrad_curve curve = PREGRAD_CURVE_INIT;
  pregrad_layer_check result = PREGRAD_LAYER_CHECK_INIT;
  const pregrad_aggregate aggregate = PREGRAD_AGGREGATE_MEAN;
  pregrad_orders* orders = NULL;
  pregrad_ablation* ablation = NULL;
  pregrad_curves* curves = NULL;
  pregrad_check* opened = NULL;
  pregrad_layer_checks* results = NULL;
  pregrad_probe* probe = NULL;
  pregrad_layers* layers = NULL;
  pregrad_scores* scores = NULL;
  pregrad_state* state = NULL;
  const void* bytes = NULL;
  size_t count = 0;
  int64_t splits = 0;
  CHECK_REFUSAL(pregrad_attribution_save(NULL, &state), PREGRAD_ERROR_ARGUMENT, "pregrad_attribution");
  CHECK_REFUSAL(pregrad_attribution_restore(NULL, "", 0), PREGRAD_ERROR_ARGUMENT, "pregrad_attribution");
  CHECK_REFUSAL(pregrad_attribution_merge(NULL, "", 0), PREGRAD_ERROR_ARGUMENT, "pregrad_attribution");
  CHECK_REFUSAL(pregrad_state_bytes(NULL, &bytes, &count), PREGRAD_ERROR_ARGUMENT, "pregrad_state");
  CHECK_REFUSAL(pregrad_orders_of_scores(NULL, &aggregate, 1, &orders), PREGRAD_ERROR_ARGUMENT, "pregrad_scores");
  CHECK_REFUSAL(pregrad_orders_random(NULL, 0, 0, 4, 1, 0, &orders), PREGRAD_ERROR_ARGUMENT, "name");
  CHECK_REFUSAL(pregrad_orders_random("act", 0, 0, 4, -1, 0, &orders), PREGRAD_ERROR_ARGUMENT, "-1");
  CHECK_REFUSAL(pregrad_orders_of(NULL, &orders), PREGRAD_ERROR_ARGUMENT, "pregrad_order");
  CHECK_REFUSAL(pregrad_orders_of(&order, &orders), PREGRAD_ERROR_ARGUMENT, "name");
  CHECK_REFUSAL(pregrad_orders_count(NULL, &count), PREGRAD_ERROR_ARGUMENT, "pregrad_orders");
  CHECK_REFUSAL(pregrad_orders_get(NULL, 0, &order), PREGRAD_ERROR_ARGUMENT, "pregrad_orders");
  CHECK_REFUSAL(pregrad_ablation_open(NULL, &ablation_options, &ablation), PREGRAD_ERROR_ARGUMENT, "pregrad_model");
  CHECK_REFUSAL(pregrad_ablation_add(NULL, &tensor, NULL, 0, NULL, 0), PREGRAD_ERROR_ARGUMENT, "pregrad_ablation");
  CHECK_REFUSAL(pregrad_ablation_batches_split(NULL, &splits), PREGRAD_ERROR_ARGUMENT, "pregrad_ablation");
  CHECK_REFUSAL(pregrad_ablation_curves(NULL, &curves), PREGRAD_ERROR_ARGUMENT, "pregrad_ablation");
  CHECK_REFUSAL(pregrad_ablation_save(NULL, &state), PREGRAD_ERROR_ARGUMENT, "pregrad_ablation");
  CHECK_REFUSAL(pregrad_ablation_restore(NULL, "", 0), PREGRAD_ERROR_ARGUMENT, "pregrad_ablation");
  CHECK_REFUSAL(pregrad_ablation_merge(NULL, "", 0), PREGRAD_ERROR_ARGUMENT, "pregrad_ablation");
  CHECK_REFUSAL(pregrad_curves_count(NULL, &count), PREGRAD_ERROR_ARGUMENT, "pregrad_curves");
  CHECK_REFUSAL(pregrad_curves_get(NULL, 0, &curve), PREGRAD_ERROR_ARGUMENT, "pregrad_curves");
  CHECK_REFUSAL(pregrad_check_open(NULL, &check_options, &opened), PREGRAD_ERROR_ARGUMENT, "pregrad_model");
  CHECK_REFUSAL(pregrad_check_add(NULL, &tensor, NULL, 0), PREGRAD_ERROR_ARGUMENT, "pregrad_check");
  CHECK_REFUSAL(pregrad_check_results(NULL, &results), PREGRAD_ERROR_ARGUMENT, "pregrad_check");
  CHECK_REFUSAL(pregrad_layer_checks_count(NULL, &count), PREGRAD_ERROR_ARGUMENT, "pregrad_layer_checks");
  CHECK_REFUSAL(pregrad_layer_checks_get(NULL, 0, &result), PREGRAD_ERROR_ARGUMENT, "pregrad_layer_checks");
  CHECK_REFUSAL(pregrad_probe_open(NULL, &probe), PREGRAD_ERROR_ARGUMENT, "pregrad_attribution_options");
  CHECK_REFUSAL(pregrad_probe_tap(NULL, "fc", NULL, 0, NULL), PREGRAD_ERROR_ARGUMENT, "NULL");
  CHECK_REFUSAL(pregrad_probe_activation(NULL, "fc", NULL, NULL), PREGRAD_ERROR_ARGUMENT, "NULL");
  CHECK_REFUSAL(pregrad_probe_add(NULL, NULL, NULL, 0, NULL, 0), PREGRAD_ERROR_ARGUMENT, "pregrad_probe");
  CHECK_REFUSAL(pregrad_probe_collect(NULL, NULL, 0, 1), PREGRAD_ERROR_ARGUMENT, "pregrad_probe");
  CHECK_REFUSAL(pregrad_probe_discard(NULL), PREGRAD_ERROR_ARGUMENT, "pregrad_probe");
  CHECK_REFUSAL(pregrad_probe_layers(NULL, &layers), PREGRAD_ERROR_ARGUMENT, "pregrad_probe");
  CHECK_REFUSAL(pregrad_probe_scores(NULL, &scores), PREGRAD_ERROR_ARGUMENT, "pregrad_probe");
  CHECK(orders == NULL && ablation == NULL && curves == NULL && opened == NULL && results == NULL && probe == NULL &&
        layers == NULL && scores == NULL && state == NULL && bytes == NULL);
  pregrad_state_free(NULL);
  pregrad_orders_free(NULL);
  pregrad_ablation_free(NULL);
  pregrad_curves_free(NULL);
  pregrad_check_free(NULL);
  pregrad_layer_checks_free(NULL);
  pregrad_probe_free(NULL);
}

/* A C program sets what it knows of a struct, and the library takes the rest as 0. */
static void refuses_orders(void) {
  const int64_t neurons[] = {1, 0};
  pregrad_orders* orders = NULL;
  pregrad_order order = PREGRAD_ORDER_INIT;
  pregrad_order seen = PREGRAD_ORDER_INIT;
  size_t count = 0;
  order.layer = "act";
  order.neurons = neurons;
  order.neuron_count = 2;
  order.method = 99;
  CHECK_REFUSAL(pregrad_orders_of(&order, &orders), PREGRAD_ERROR_ARGUMENT, "the method 99");
  order.method = PREGRAD_METHOD_ACTIVATION;
  order.aggregate = 7;
  CHECK_REFUSAL(pregrad_orders_of(&order, &orders), PREGRAD_ERROR_ARGUMENT, "the aggregate 7");
  order.aggregate = PREGRAD_AGGREGATE_RMS;
  order.neurons = NULL;
  CHECK_REFUSAL(pregrad_orders_of(&order, &orders), PREGRAD_ERROR_ARGUMENT, "neurons");
  CHECK(orders == NULL);
  order.neurons = neurons;
  order.cluster = -4;
  CHECK(pregrad_orders_of(&order, &orders) == PREGRAD_OK);
  CHECK(pregrad_orders_count(orders, &count) == PREGRAD_OK && count == 1);
  CHECK(pregrad_orders_get(orders, 0, &seen) == PREGRAD_OK);
  CHECK(strcmp(seen.layer, "act") == 0 && seen.layer != order.layer && seen.cluster == -4);
  CHECK(seen.neuron_count == 2 && seen.neurons[0] == 1 && seen.neurons[1] == 0);
  CHECK(seen.method == PREGRAD_METHOD_ACTIVATION && seen.aggregate == PREGRAD_AGGREGATE_RMS);
  CHECK_REFUSAL(pregrad_orders_get(orders, 1, &seen), PREGRAD_ERROR_ARGUMENT, "no order 1");
  pregrad_orders_free(orders);
}

int c_header_test_failures(void);

/* Called from c_api_test.cpp in a fresh thread, which has no message yet. */
int c_header_test_failures(void) {
  failures = 0;
  describes_itself();
  names_methods();
  refuses_files();
  refuses_null();
  refuses_null_of_the_rest();
  refuses_orders();
  return failures;
}

// What describes the library itself: versions, messages, names.

#include <pregrad/pregrad.h>
#include <pregrad/options.hpp>
#include <pregrad/version.hpp>

#include "arguments.hpp"
#include "guard.hpp"

#ifdef __clang__
#define COMPILER __VERSION__
#else
#define COMPILER "GCC " __VERSION__
#endif
#ifdef NDEBUG
#define ASSERTIONS "false"
#else
#define ASSERTIONS "true"
#endif

namespace c_api = pregrad::c_api;

int32_t pregrad_api_version(void) { return PREGRAD_API_VERSION; }

const char* pregrad_version(void) { return PREGRAD_VERSION_STRING; }

const char* pregrad_build_info(void) {
  return "{\"version\": \"" PREGRAD_VERSION_STRING "\", \"libtorch\": \"" PREGRAD_LIBTORCH_VERSION
         "\", \"compiler\": \"" COMPILER "\", \"assertions\": " ASSERTIONS "}";
}

const char* pregrad_last_error(void) { return c_api::last_error(); }

const char* pregrad_status_name(pregrad_status status) {
  switch (status) {
    case PREGRAD_OK:
      return "ok";
    case PREGRAD_ERROR_INTERNAL:
      return "internal";
    case PREGRAD_ERROR_ARGUMENT:
      return "argument";
    case PREGRAD_ERROR_MODEL:
      return "model";
    case PREGRAD_ERROR_UNSUPPORTED:
      return "unsupported";
    case PREGRAD_ERROR_LAYER:
      return "layer";
    case PREGRAD_ERROR_INPUT:
      return "input";
    case PREGRAD_ERROR_STATE:
      return "state";
    case PREGRAD_ERROR_DEVICE:
      return "device";
    case PREGRAD_ERROR_CANCELLED:
      return "cancelled";
  }
  return "unknown";
}

pregrad_status pregrad_method_name(pregrad_method method, const char** name) {
  return c_api::guarded([&] {
    // The names are literals, hence null-terminated.
    c_api::required(name, "the out parameter") = pregrad::name_of(c_api::method(method)).data();
  });
}

pregrad_status pregrad_method_named(const char* name, pregrad_method* method) {
  return c_api::guarded([&] {
    auto& out = c_api::required(method, "the out parameter");
    out = static_cast<pregrad_method>(pregrad::method_named(&c_api::required(name, "the method's name")));
  });
}

pregrad_status pregrad_output_named(const char* name, pregrad_output* output) {
  return c_api::guarded([&] {
    auto& out = c_api::required(output, "the out parameter");
    out = static_cast<pregrad_output>(pregrad::output_named(&c_api::required(name, "the output's name")));
  });
}

pregrad_status pregrad_aggregate_name(pregrad_aggregate aggregate, const char** name) {
  return c_api::guarded(
      [&] { c_api::required(name, "the out parameter") = pregrad::name_of(c_api::aggregate(aggregate)).data(); });
}

pregrad_status pregrad_aggregate_named(const char* name, pregrad_aggregate* aggregate) {
  return c_api::guarded([&] {
    auto& out = c_api::required(aggregate, "the out parameter");
    out = static_cast<pregrad_aggregate>(pregrad::aggregate_named(&c_api::required(name, "the aggregate's name")));
  });
}

pregrad_status pregrad_removal_named(const char* name, pregrad_removal* removal) {
  return c_api::guarded([&] {
    auto& out = c_api::required(removal, "the out parameter");
    out = static_cast<pregrad_removal>(pregrad::removal_named(&c_api::required(name, "the removal's name")));
  });
}

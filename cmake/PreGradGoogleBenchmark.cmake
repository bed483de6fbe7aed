# Google Benchmark as benchmark::benchmark: installed, else Debian's package unpacked into the cache (no root needed), else
# the release that CMake downloads.
find_package(benchmark QUIET)
if(TARGET benchmark::benchmark)
  return()
endif()

include(PreGradDebianPackage)
pregrad_debian_package(libbenchmark-dev _pregrad_benchmark)
pregrad_debian_package(libbenchmark1debian _pregrad_benchmark_run_time)
set(_pregrad_benchmark_library "")
if(_pregrad_benchmark AND _pregrad_benchmark_run_time)
  # The version's own file: the symbolic links of the development package lead nowhere.
  file(GLOB_RECURSE _pregrad_benchmark_library "${_pregrad_benchmark_run_time}/usr/lib/libbenchmark.so.*.*")
endif()
if(_pregrad_benchmark_library)
  list(GET _pregrad_benchmark_library 0 _pregrad_benchmark_library)
  find_package(Threads REQUIRED)
  add_library(benchmark::benchmark UNKNOWN IMPORTED)
  set_target_properties(
    benchmark::benchmark PROPERTIES IMPORTED_LOCATION "${_pregrad_benchmark_library}" INTERFACE_LINK_LIBRARIES Threads::Threads
                                    INTERFACE_INCLUDE_DIRECTORIES "${_pregrad_benchmark}/usr/include")
elseif(PREGRAD_FETCH)
  include(FetchContent)
  set(BENCHMARK_ENABLE_TESTING OFF)
  set(BENCHMARK_ENABLE_INSTALL OFF)
  FetchContent_Declare(benchmark GIT_REPOSITORY https://github.com/google/benchmark.git GIT_TAG v1.7.1 GIT_SHALLOW ON)
  FetchContent_MakeAvailable(benchmark)
else()
  message(FATAL_ERROR "Google Benchmark is missing: install it (Debian: apt-get install libbenchmark-dev), or set PREGRAD_BENCHMARKS to OFF")
endif()

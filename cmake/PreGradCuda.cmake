# The CUDA kernels, as the target pregrad_cuda (objects).
# PREGRAD_CUDA: AUTO (on where nvcc and a LibTorch for CUDA are found), ON, CHECK, OFF.
#
# Sets PREGRAD_HAS_CUDA where the kernels become part of the library. Where it is CHECK, or AUTO with a LibTorch for CPUs,
# they are compiled if there is nvcc, so that mistakes in them show, and linked with nothing.
set(PREGRAD_CUDA AUTO CACHE STRING "Build the CUDA kernels: AUTO, ON, CHECK, OFF")
set_property(CACHE PREGRAD_CUDA PROPERTY STRINGS AUTO ON CHECK OFF)
set(PREGRAD_HAS_CUDA FALSE)
string(REGEX MATCH "^(AUTO|CHECK)$" _pregrad_cuda_may_fail "${PREGRAD_CUDA}")
if(NOT _pregrad_cuda_may_fail AND NOT PREGRAD_CUDA)
  return()
endif()
set(_pregrad_oldest_nvcc 12.8) # the first that compiles for compute capability 10.0 and 12.0

# What is missing is an error where the user asked for CUDA, and else a word about it where only a part is missing.
macro(_pregrad_without_cuda reason)
  if(NOT _pregrad_cuda_may_fail)
    message(FATAL_ERROR "PREGRAD_CUDA is on, but ${reason}, or set PREGRAD_CUDA to OFF")
  elseif(LibTorch_HAS_CUDA OR PREGRAD_CUDA STREQUAL "CHECK")
    message(STATUS "Building without the CUDA kernels: ${reason}")
  endif()
  return()
endmacro()

if(NOT _pregrad_cuda_may_fail AND NOT LibTorch_HAS_CUDA)
  _pregrad_without_cuda("'${LibTorch_DIR}' is a LibTorch for CPUs, without lib/libtorch_cuda.so and lib/libc10_cuda.so: set LIBTORCH to one for CUDA")
endif()
find_program(PREGRAD_NVCC nvcc HINTS "$ENV{CUDA_PATH}/bin" "$ENV{CUDA_HOME}/bin" /usr/local/cuda/bin)
mark_as_advanced(PREGRAD_NVCC)
if(NOT PREGRAD_NVCC AND NOT CMAKE_CUDA_COMPILER AND NOT DEFINED ENV{CUDACXX})
  _pregrad_without_cuda("there is no nvcc: install a CUDA toolkit and put nvcc on the PATH")
endif()
if(NOT CMAKE_CUDA_COMPILER AND NOT DEFINED ENV{CUDACXX})
  set(ENV{CUDACXX} "${PREGRAD_NVCC}")
endif()
# An attempt that failed once may go well now.
if(NOT CMAKE_CUDA_COMPILER)
  unset(CMAKE_CUDA_COMPILER CACHE)
endif()
include(CheckLanguage)
check_language(CUDA)
if(NOT CMAKE_CUDA_COMPILER)
  _pregrad_without_cuda("'$ENV{CUDACXX}' compiles nothing: name a host compiler that it takes in CUDAHOSTCXX")
endif()

# CMake itself would name processors that a new nvcc no longer knows.
if(CMAKE_CUDA_ARCHITECTURES)
  set(_pregrad_architectures "${CMAKE_CUDA_ARCHITECTURES}")
elseif(LibTorch_HAS_CUDA AND NOT PREGRAD_CUDA STREQUAL "CHECK")
  set(_pregrad_architectures 75-real 80-real 86-real 89-real 90-real 100-real 120)
else()
  set(_pregrad_architectures 75-real 90-real) # those that nvcc is done with soon
endif()
if(NOT CMAKE_CUDA_ARCHITECTURES)
  set(CMAKE_CUDA_ARCHITECTURES 75)
endif()
enable_language(CUDA)
set(CMAKE_CUDA_VISIBILITY_PRESET hidden)
set(CMAKE_CUDA_RUNTIME_LIBRARY Shared)
find_package(CUDAToolkit QUIET)
if(CMAKE_CUDA_COMPILER_VERSION VERSION_LESS _pregrad_oldest_nvcc)
  _pregrad_without_cuda("nvcc is version ${CMAKE_CUDA_COMPILER_VERSION}: install a CUDA toolkit of version ${_pregrad_oldest_nvcc} or later")
endif()
if(NOT TARGET CUDA::cudart)
  _pregrad_without_cuda("the CUDA toolkit of '${CMAKE_CUDA_COMPILER}' has no libcudart.so: install its runtime library")
endif()

file(GLOB _pregrad_cuda_sources CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/src/cuda/*.cu" "${PROJECT_SOURCE_DIR}/src/cuda/*.cpp")
add_library(pregrad_cuda OBJECT ${_pregrad_cuda_sources})
target_include_directories(pregrad_cuda PRIVATE "${PROJECT_SOURCE_DIR}/src")
target_link_libraries(pregrad_cuda PRIVATE LibTorch::LibTorch CUDA::cudart pregrad_warnings)
# CMake before 3.26 knows no later standard of CUDA; only kernels are in that language.
set_target_properties(pregrad_cuda PROPERTIES CUDA_STANDARD 17 CUDA_STANDARD_REQUIRED ON CUDA_EXTENSIONS OFF
                                              CUDA_ARCHITECTURES "${_pregrad_architectures}")
# Without fused multiplication the kernels give the same bits on a device and on the host.
target_compile_options(pregrad_cuda PRIVATE "$<$<COMPILE_LANGUAGE:CUDA>:-fmad=false;SHELL:-Werror all-warnings>")
target_compile_definitions(pregrad_cuda PUBLIC PREGRAD_CUDA)
if(NOT EXISTS "${LibTorch_DIR}/include/c10/cuda/impl/cuda_cmake_macros.h")
  target_compile_definitions(pregrad_cuda PUBLIC C10_CUDA_NO_CMAKE_CONFIGURE_FILE)
endif()
if(LibTorch_HAS_CUDA AND NOT PREGRAD_CUDA STREQUAL "CHECK")
  set(PREGRAD_HAS_CUDA TRUE)
  # Nothing calls libtorch_cuda.so by name, but without it LibTorch knows no CUDA.
  target_link_libraries(
    pregrad_cuda
    INTERFACE LibTorch::c10_cuda CUDA::cudart
              "-Wl,--push-state,--no-as-needed,${LibTorch_LIBRARY_DIR}/libtorch_cuda.so,--pop-state")
  target_include_directories(pregrad_cuda SYSTEM INTERFACE ${CUDAToolkit_INCLUDE_DIRS})
  message(STATUS "CUDA: kernels for compute capabilities ${_pregrad_architectures}, by nvcc ${CMAKE_CUDA_COMPILER_VERSION}")
else()
  message(STATUS "CUDA: the kernels are compiled, and are no part of this library for CPUs")
endif()

# Finds the LibTorch SDK (headers and libraries of LibTorch 2.11 to 2.14), in this order:
#   1. LIBTORCH (CMake or environment variable), Torch_DIR, CMAKE_PREFIX_PATH
#   2. the Python package torch of the python3 on the PATH
#   3. PreGrad's own cache: PREGRAD_CACHE, else $XDG_CACHE_HOME/pregrad, else ~/.cache/pregrad
#   4. where LibTorch_FETCH is on: the wheel that pip knows, unpacked into that cache
#
# Defines LibTorch_FOUND, LibTorch_VERSION, LibTorch_DIR, LibTorch_LIBRARY_DIR and the targets LibTorch::c10,
# LibTorch::torch_cpu and LibTorch::LibTorch (both and the headers). Where the SDK is one for CUDA, LibTorch_HAS_CUDA is
# true and there are LibTorch::c10_cuda and LibTorch::torch_cuda too.
#
# find_package(Torch) is not used: the one in a CUDA wheel fails where no CUDA toolkit is installed, and the one in any
# wheel links far more than the core needs.

set(LibTorch_OLDEST 2.11)
set(LibTorch_NEWEST 2.14)
set(LibTorch_FETCH_VERSION 2.13.0)

# Sets `result` to the version of the SDK in `root`, or to an empty string where there is none.
function(_libtorch_version root result)
  set(${result} "" PARENT_SCOPE)
  if(NOT EXISTS "${root}/include/ATen/ATen.h" OR NOT EXISTS "${root}/lib/libtorch_cpu.so")
    return()
  endif()
  foreach(header IN ITEMS torch/headeronly/version.h torch/csrc/api/include/torch/version.h)
    if(EXISTS "${root}/include/${header}")
      file(READ "${root}/include/${header}" text)
      if(text MATCHES "TORCH_VERSION_MAJOR ([0-9]+).*TORCH_VERSION_MINOR ([0-9]+).*TORCH_VERSION_PATCH ([0-9]+)")
        set(${result} "${CMAKE_MATCH_1}.${CMAKE_MATCH_2}.${CMAKE_MATCH_3}" PARENT_SCOPE)
        return()
      endif()
    endif()
  endforeach()
endfunction()

function(_libtorch_supported version result)
  string(REGEX MATCH "^[0-9]+\\.[0-9]+" minor "${version}")
  if(minor VERSION_GREATER_EQUAL LibTorch_OLDEST AND minor VERSION_LESS_EQUAL LibTorch_NEWEST)
    set(${result} TRUE PARENT_SCOPE)
  else()
    set(${result} FALSE PARENT_SCOPE)
  endif()
endfunction()

# What the user named must be right: falling back to another LibTorch would hide the mistake.
function(_libtorch_take_given what root)
  _libtorch_version("${root}" version)
  if(NOT version)
    message(FATAL_ERROR "${what} is '${root}', which holds no LibTorch SDK: name a folder with include/ATen/ATen.h and lib/libtorch_cpu.so")
  endif()
  _libtorch_supported("${version}" supported)
  if(NOT supported)
    message(FATAL_ERROR "${what} '${root}' is LibTorch ${version}, and PreGrad needs ${LibTorch_OLDEST} to ${LibTorch_NEWEST}: name one of these, or none to let PreGrad find it")
  endif()
  set(LibTorch_DIR "${root}" CACHE PATH "Folder of the LibTorch SDK" FORCE)
endfunction()

function(_libtorch_find_given)
  foreach(value IN ITEMS "${LIBTORCH}" "$ENV{LIBTORCH}")
    if(value)
      _libtorch_take_given(LIBTORCH "${value}")
      return()
    endif()
  endforeach()
  foreach(value IN ITEMS "${Torch_DIR}" "$ENV{Torch_DIR}")
    if(value AND NOT value MATCHES "NOTFOUND$")
      get_filename_component(root "${value}/../../.." ABSOLUTE)
      _libtorch_take_given(Torch_DIR "${root}")
      return()
    endif()
  endforeach()
  string(REPLACE ":" ";" environment_prefixes "$ENV{CMAKE_PREFIX_PATH}")
  # A prefix path holds many other packages, so one without LibTorch is no mistake.
  foreach(prefix IN LISTS CMAKE_PREFIX_PATH environment_prefixes)
    _libtorch_version("${prefix}" version)
    if(version)
      _libtorch_take_given(CMAKE_PREFIX_PATH "${prefix}")
      return()
    endif()
  endforeach()
endfunction()

function(_libtorch_find_python)
  find_program(LibTorch_PYTHON NAMES python3 python)
  mark_as_advanced(LibTorch_PYTHON)
  if(NOT LibTorch_PYTHON)
    return()
  endif()
  # find_spec locates the package without importing it.
  execute_process(
    COMMAND "${LibTorch_PYTHON}" -c "import importlib.util as u; s = u.find_spec('torch'); print(s.submodule_search_locations[0] if s else '')"
    OUTPUT_VARIABLE root ERROR_QUIET OUTPUT_STRIP_TRAILING_WHITESPACE)
  if(NOT root)
    return()
  endif()
  _libtorch_version("${root}" version)
  # Nobody named it, and the library has to run on the LibTorch of the presets too.
  string(REGEX MATCH "^[0-9]+\\.[0-9]+" wanted "${LibTorch_FETCH_VERSION}")
  if(version MATCHES "^${wanted}\\.")
    set(LibTorch_DIR "${root}" CACHE PATH "Folder of the LibTorch SDK" FORCE)
  elseif(version)
    message(STATUS "LibTorch: passing over the Python package torch ${version} (PreGrad takes ${wanted})")
  endif()
endfunction()

function(_libtorch_cache result)
  if(PREGRAD_CACHE)
    set(cache "${PREGRAD_CACHE}")
  elseif(DEFINED ENV{PREGRAD_CACHE})
    set(cache "$ENV{PREGRAD_CACHE}")
  elseif(DEFINED ENV{XDG_CACHE_HOME})
    set(cache "$ENV{XDG_CACHE_HOME}/pregrad")
  else()
    set(cache "$ENV{HOME}/.cache/pregrad")
  endif()
  set(${result} "${cache}" PARENT_SCOPE)
endfunction()

# The wheel of a public index is one for CUDA, whose libraries need CUDA's, many times their size. There the libraries of
# the JavaCPP presets, same version and same ABI, take their place, where the build passes LibTorch_PRESETS (jars).
function(_libtorch_replace_unloadable root)
  execute_process(COMMAND ldd "${root}/lib/libtorch_cpu.so" OUTPUT_VARIABLE needs ERROR_QUIET)
  if(NOT needs MATCHES "=> not found")
    return()
  endif()
  if(NOT LibTorch_PRESETS)
    message(WARNING "The LibTorch that pip fetched needs libraries of CUDA: programs will not run without them; set LIBTORCH to a LibTorch for CPUs to mend it")
    return()
  endif()
  message(STATUS "LibTorch: the wheel is one for CUDA, so its libraries give way to those of the presets")
  foreach(jar IN LISTS LibTorch_PRESETS)
    file(ARCHIVE_EXTRACT INPUT "${jar}" DESTINATION "${root}/presets" PATTERNS "*.so*")
  endforeach()
  file(GLOB unwanted "${root}/lib/*.so*")
  file(REMOVE ${unwanted})
  foreach(library IN ITEMS libc10.so libtorch.so libtorch_cpu.so libgomp.so.1 libopenblas.so.0 libgfortran.so.5 libquadmath.so.0)
    file(GLOB_RECURSE file "${root}/presets/${library}")
    if(file)
      file(COPY ${file} DESTINATION "${root}/lib")
    endif()
  endforeach()
  file(REMOVE_RECURSE "${root}/presets")
endfunction()

# Unpacks the wheel beside its final place and renames it, so that an interrupted build leaves no half SDK behind and two
# builds at once do no harm.
function(_libtorch_fetch cache root)
  set(by_hand "or set LIBTORCH to the folder of a LibTorch ${LibTorch_FETCH_VERSION} SDK")
  if(NOT LibTorch_PYTHON)
    message(FATAL_ERROR "No python3 on the PATH, and pip is what fetches the LibTorch SDK: install Python with pip, ${by_hand}")
  endif()
  execute_process(COMMAND "${LibTorch_PYTHON}" -m pip --version RESULT_VARIABLE failed OUTPUT_QUIET ERROR_QUIET)
  if(failed)
    message(FATAL_ERROR "${LibTorch_PYTHON} has no pip, which fetches the LibTorch SDK: install pip (Debian: apt-get install python3-pip), ${by_hand}")
  endif()
  string(RANDOM LENGTH 8 suffix)
  set(work "${cache}/.libtorch-${suffix}")
  file(MAKE_DIRECTORY "${work}/wheel")
  message(STATUS "LibTorch: pip fetches torch ${LibTorch_FETCH_VERSION} into ${cache} (once)")
  execute_process(
    COMMAND "${LibTorch_PYTHON}" -m pip download --quiet --no-deps --only-binary=:all: --retries 1
            --disable-pip-version-check --dest "${work}/wheel" "torch==${LibTorch_FETCH_VERSION}"
    RESULT_VARIABLE failed ERROR_VARIABLE errors)
  file(GLOB wheel "${work}/wheel/torch-*.whl")
  if(failed OR NOT wheel)
    file(REMOVE_RECURSE "${work}")
    message(STATUS "${errors}")
    message(FATAL_ERROR "pip cannot fetch torch ${LibTorch_FETCH_VERSION} (its words are above): mend pip's access to its index, ${by_hand}")
  endif()
  execute_process(COMMAND "${CMAKE_COMMAND}" -E tar xf "${wheel}" torch/include torch/lib torch/share/cmake
                  WORKING_DIRECTORY "${work}" RESULT_VARIABLE failed ERROR_VARIABLE errors)
  if(failed)
    file(REMOVE_RECURSE "${work}")
    string(STRIP "${errors}" errors)
    message(FATAL_ERROR "The LibTorch SDK cannot be unpacked in '${cache}' (${errors}): free space there or set PREGRAD_CACHE to another folder")
  endif()
  file(GLOB unwanted "${work}/torch/lib/*.a" "${work}/torch/lib/libtorch_python.so")
  if(unwanted)
    file(REMOVE ${unwanted})
  endif()
  _libtorch_replace_unloadable("${work}/torch")
  if(NOT EXISTS "${root}")
    file(RENAME "${work}/torch" "${root}" RESULT failed)
  endif()
  file(REMOVE_RECURSE "${work}")
  _libtorch_version("${root}" version)
  if(NOT version)
    message(FATAL_ERROR "The LibTorch SDK could not be put at '${root}' (${failed}): free space there or set PREGRAD_CACHE to another folder")
  endif()
endfunction()

if(LibTorch_DIR)
  _libtorch_version("${LibTorch_DIR}" LibTorch_VERSION)
  if(NOT LibTorch_VERSION)
    unset(LibTorch_DIR CACHE)
    unset(LibTorch_DIR)
  endif()
endif()
# What the user names wins over what an earlier run of CMake found.
_libtorch_find_given()
if(NOT LibTorch_DIR)
  _libtorch_find_python()
endif()
if(NOT LibTorch_DIR)
  _libtorch_cache(_libtorch_cache_dir)
  set(_libtorch_root "${_libtorch_cache_dir}/libtorch-${LibTorch_FETCH_VERSION}")
  _libtorch_version("${_libtorch_root}" _libtorch_cached)
  if(NOT _libtorch_cached AND LibTorch_FETCH)
    _libtorch_fetch("${_libtorch_cache_dir}" "${_libtorch_root}")
    set(_libtorch_cached TRUE)
  endif()
  if(_libtorch_cached)
    set(LibTorch_DIR "${_libtorch_root}" CACHE PATH "Folder of the LibTorch SDK" FORCE)
  endif()
endif()

set(LibTorch_LIBRARY_DIR "${LibTorch_DIR}/lib")
_libtorch_version("${LibTorch_DIR}" LibTorch_VERSION)

set(LibTorch_HAS_CUDA FALSE)
if(EXISTS "${LibTorch_LIBRARY_DIR}/libtorch_cuda.so" AND EXISTS "${LibTorch_LIBRARY_DIR}/libc10_cuda.so")
  set(LibTorch_HAS_CUDA TRUE)
endif()

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(
  LibTorch
  REQUIRED_VARS LibTorch_DIR
  VERSION_VAR LibTorch_VERSION
  REASON_FAILURE_MESSAGE "set LIBTORCH to the folder of a LibTorch ${LibTorch_OLDEST} to ${LibTorch_NEWEST} SDK, or install the Python package torch ${LibTorch_FETCH_VERSION}")

if(LibTorch_FOUND AND NOT TARGET LibTorch::LibTorch)
  set(_libtorch_libraries c10 torch_cpu)
  if(LibTorch_HAS_CUDA)
    list(APPEND _libtorch_libraries c10_cuda torch_cuda)
  endif()
  foreach(library IN LISTS _libtorch_libraries)
    add_library(LibTorch::${library} SHARED IMPORTED)
    set_target_properties(
      LibTorch::${library}
      PROPERTIES IMPORTED_LOCATION "${LibTorch_LIBRARY_DIR}/lib${library}.so"
                 IMPORTED_SONAME "lib${library}.so"
                 INTERFACE_SYSTEM_INCLUDE_DIRECTORIES "${LibTorch_DIR}/include;${LibTorch_DIR}/include/torch/csrc/api/include"
                 INTERFACE_INCLUDE_DIRECTORIES "${LibTorch_DIR}/include;${LibTorch_DIR}/include/torch/csrc/api/include"
                 INTERFACE_COMPILE_DEFINITIONS "$<$<COMPILE_LANGUAGE:CXX>:_GLIBCXX_USE_CXX11_ABI=1>")
  endforeach()
  add_library(LibTorch::LibTorch INTERFACE IMPORTED)
  set_target_properties(LibTorch::LibTorch PROPERTIES INTERFACE_LINK_LIBRARIES "LibTorch::torch_cpu;LibTorch::c10")
endif()

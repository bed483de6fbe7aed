# nlohmann/json, headers only, as nlohmann_json::nlohmann_json: installed, else Debian's package unpacked into the cache
# (no root needed), else the release that CMake fetches.
include(PreGradDebianPackage)

set(_pregrad_json_oldest 3.11)
find_package(nlohmann_json ${_pregrad_json_oldest} QUIET)
if(TARGET nlohmann_json::nlohmann_json)
  return()
endif()

pregrad_debian_package(nlohmann-json3-dev _pregrad_json)
if(EXISTS "${_pregrad_json}/usr/include/nlohmann/json.hpp")
  add_library(nlohmann_json::nlohmann_json INTERFACE IMPORTED)
  target_include_directories(nlohmann_json::nlohmann_json SYSTEM INTERFACE "${_pregrad_json}/usr/include")
elseif(PREGRAD_FETCH)
  include(FetchContent)
  set(JSON_BuildTests OFF CACHE INTERNAL "")
  set(JSON_Install OFF CACHE INTERNAL "")
  # v3.11.3
  FetchContent_Declare(nlohmann_json GIT_REPOSITORY https://github.com/nlohmann/json.git
                       GIT_TAG 9cca280a4d0ccf0c08f47a99aa71d1b0e52f8d03)
  FetchContent_MakeAvailable(nlohmann_json)
else()
  message(FATAL_ERROR "nlohmann/json ${_pregrad_json_oldest} or later is missing: install it (Debian: apt-get install nlohmann-json3-dev), or set PREGRAD_FETCH to ON")
endif()

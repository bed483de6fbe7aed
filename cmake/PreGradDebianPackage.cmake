# pregrad_debian_package(PACKAGE RESULT): unpacks Debian's PACKAGE into the cache, no root needed, and sets RESULT to the
# folder; to an empty string where there is no apt or fetching is not allowed.
find_program(PREGRAD_APT_GET apt-get)
find_program(PREGRAD_DPKG_DEB dpkg-deb)
mark_as_advanced(PREGRAD_APT_GET PREGRAD_DPKG_DEB)

function(pregrad_debian_package package result)
  _libtorch_cache(cache)
  set(folder "${cache}/${package}-debian")
  if(NOT EXISTS "${folder}" AND PREGRAD_FETCH AND PREGRAD_APT_GET AND PREGRAD_DPKG_DEB)
    string(RANDOM LENGTH 8 suffix)
    set(work "${cache}/.${package}-${suffix}")
    file(MAKE_DIRECTORY "${work}/tree")
    execute_process(COMMAND "${PREGRAD_APT_GET}" download -qq "${package}" WORKING_DIRECTORY "${work}"
                    OUTPUT_QUIET ERROR_QUIET)
    file(GLOB packages "${work}/*.deb")
    if(packages)
      execute_process(COMMAND "${PREGRAD_DPKG_DEB}" -x "${packages}" "${work}/tree")
      # Someone else may have been faster.
      file(RENAME "${work}/tree" "${folder}" RESULT ignored)
    endif()
    file(REMOVE_RECURSE "${work}")
  endif()
  if(EXISTS "${folder}")
    set(${result} "${folder}" PARENT_SCOPE)
  else()
    set(${result} "" PARENT_SCOPE)
  endif()
endfunction()

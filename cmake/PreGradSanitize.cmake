# PREGRAD_SANITIZE: a list of address, thread, undefined; address and thread exclude each other.
set(PREGRAD_SANITIZE "" CACHE STRING "Sanitizers to build with: address, thread, undefined, or a list of them")
if(PREGRAD_SANITIZE)
  foreach(sanitizer IN LISTS PREGRAD_SANITIZE)
    if(NOT sanitizer MATCHES "^(address|thread|undefined)$")
      message(FATAL_ERROR "PREGRAD_SANITIZE has '${sanitizer}': it takes address, thread, undefined")
    endif()
  endforeach()
  list(JOIN PREGRAD_SANITIZE "," _pregrad_sanitizers)
  # nvcc has other words for its options, and its kernels no use for these.
  add_compile_options(
    "$<$<COMPILE_LANGUAGE:C,CXX>:-fsanitize=${_pregrad_sanitizers};-fno-omit-frame-pointer;-fno-sanitize-recover=all>")
  add_link_options(-fsanitize=${_pregrad_sanitizers})
  if("undefined" IN_LIST PREGRAD_SANITIZE)
    # It would want the type information of classes that LibTorch keeps to itself.
    add_compile_options("$<$<COMPILE_LANGUAGE:C,CXX>:-fno-sanitize=vptr>")
  endif()
endif()

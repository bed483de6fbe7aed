# Warnings are errors in our own code; LibTorch's headers are system headers and stay out of it.
add_library(pregrad_warnings INTERFACE)
target_compile_options(
  pregrad_warnings INTERFACE $<$<COMPILE_LANGUAGE:C,CXX>:-Wall;-Wextra;-Wpedantic;-Wshadow;-Wconversion;-Werror>
                             $<$<COMPILE_LANGUAGE:CXX>:-Wnon-virtual-dtor;-Woverloaded-virtual>)

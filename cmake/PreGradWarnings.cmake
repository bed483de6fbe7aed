# Warnings are errors in our own code; LibTorch's headers are system headers and stay out of it. GCC's analyses of string
# bounds blame our lines for what it inlines from std::string, without ground.
add_library(pregrad_warnings INTERFACE)
target_compile_options(
  pregrad_warnings
  INTERFACE $<$<COMPILE_LANGUAGE:C,CXX>:-Wall;-Wextra;-Wpedantic;-Wshadow;-Wconversion;-Werror>
            $<$<COMPILE_LANGUAGE:CXX>:-Wnon-virtual-dtor;-Woverloaded-virtual>
            $<$<COMPILE_LANG_AND_ID:CXX,GNU>:-Wno-stringop-overflow;-Wno-restrict>)

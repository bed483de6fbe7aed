#include "support/open_mp.hpp"

#include <dlfcn.h>

namespace pregrad::support {

namespace {

template <class Function>
void find(void* scope, const char* name, Function& function) {
  function = reinterpret_cast<Function>(dlsym(scope, name));
}

}  // namespace

LibTorchsOpenMp::LibTorchsOpenMp() {
  // Never unloaded: it is there already. What is asked of it is asked of all that it needs.
  void* const library = dlopen("libtorch_cpu.so", RTLD_LAZY | RTLD_NOLOAD);
  void* const scope = library == nullptr ? RTLD_DEFAULT : library;
  find(scope, "GOMP_parallel", parallel_);
  find(scope, "omp_get_num_threads", threads_);
  find(scope, "omp_get_thread_num", thread_);
  find(scope, "omp_in_parallel", inside_);
}

const LibTorchsOpenMp& open_mp() {
  static const LibTorchsOpenMp found;
  return found;
}

}  // namespace pregrad::support

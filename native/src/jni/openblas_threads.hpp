#pragma once

namespace pregrad::jni {

/// Lets OpenBLAS, which the presets' LibTorch multiplies matrices with, run its jobs on the OpenMP threads of LibTorch.
/// Left alone it wakes threads of its own, which wait for a processor until LibTorch's have spun long enough:
/// milliseconds per product.
/// @returns whether it does: not with a LibTorch without OpenBLAS, or with an OpenBLAS of another kind
bool join_openblas_threads();

/// Sets how many threads OpenBLAS uses, where there is one.
void set_openblas_threads(int threads);

}  // namespace pregrad::jni

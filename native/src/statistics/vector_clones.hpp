#pragma once

/// Before a function: also compiled for processors with AVX2 and with AVX-512, which has twice as many registers to add
/// up in, and chosen when the library is loaded. Without fused multiplication, see -ffp-contract, all give the same
/// bits. The function must be local to its file: GCC exports the choice between the clones of any other, whatever its
/// visibility.
#if defined(__x86_64__) && defined(__gnu_linux__) && defined(__GNUC__) && !defined(__clang__) && \
    !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#if __GNUC__ >= 12
#define PREGRAD_VECTOR_CLONES __attribute__((target_clones("arch=x86-64-v4", "avx2", "default")))
#else
#define PREGRAD_VECTOR_CLONES __attribute__((target_clones("avx2", "default")))
#endif
#else
#define PREGRAD_VECTOR_CLONES
#endif

/// Before a function that such a function calls, to be compiled with it.
#define PREGRAD_INLINE inline __attribute__((always_inline))

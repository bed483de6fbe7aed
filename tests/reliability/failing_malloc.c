// LD_PRELOAD: the allocation that a program names fails, as it does where memory has run out.

#define _GNU_SOURCE
#include <errno.h>
#include <stdatomic.h>
#include <stddef.h>

extern void* __libc_malloc(size_t size);
extern void* __libc_calloc(size_t count, size_t size);
extern void* __libc_realloc(void* memory, size_t size);
extern void* __libc_memalign(size_t alignment, size_t size);

#define EXPORTED __attribute__((visibility("default")))

static atomic_long made;
static atomic_long fails_at;

// The n-th allocation from now on fails, of all threads together; 0 lets all succeed.
EXPORTED void pregrad_fail_allocation(long n) {
  atomic_store(&made, 0);
  atomic_store(&fails_at, n);
}

// How many were asked for since.
EXPORTED long pregrad_allocations(void) { return atomic_load(&made); }

static int fails(void) {
  if (atomic_fetch_add(&made, 1) + 1 != atomic_load(&fails_at)) {
    return 0;
  }
  errno = ENOMEM;
  return 1;
}

EXPORTED void* malloc(size_t size) { return fails() ? NULL : __libc_malloc(size); }
EXPORTED void* calloc(size_t count, size_t size) { return fails() ? NULL : __libc_calloc(count, size); }
EXPORTED void* realloc(void* memory, size_t size) { return fails() ? NULL : __libc_realloc(memory, size); }
EXPORTED void* memalign(size_t alignment, size_t size) { return fails() ? NULL : __libc_memalign(alignment, size); }
EXPORTED void* aligned_alloc(size_t alignment, size_t size) { return memalign(alignment, size); }
EXPORTED int posix_memalign(void** memory, size_t alignment, size_t size) {
  if (fails()) {
    return ENOMEM;
  }
  *memory = __libc_memalign(alignment, size);
  return *memory == NULL ? ENOMEM : 0;
}

// SPDX-License-Identifier: Apache-2.0
#include "allocation_count.h"

#include <errno.h>
#include <stddef.h>

#ifdef __GLIBC__

// The program's own malloc takes the place of the C library's for all libraries in the process, and counts. A new
// place for an array that grows (realloc) counts as well.
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *memory, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);

static __thread int64_t taken;

void *malloc(size_t size) {
    taken += 1;
    return __libc_malloc(size);
}

void *calloc(size_t count, size_t size) {
    taken += 1;
    return __libc_calloc(count, size);
}

void *realloc(void *memory, size_t size) {
    taken += 1;
    return __libc_realloc(memory, size);
}

void *aligned_alloc(size_t alignment, size_t size) {
    taken += 1;
    return __libc_memalign(alignment, size);
}

int posix_memalign(void **memory, size_t alignment, size_t size) {
    taken += 1;
    *memory = __libc_memalign(alignment, size);
    return *memory == NULL ? ENOMEM : 0;
}

int64_t allocation_count(void) { return taken; }

#else

int64_t allocation_count(void) { return -1; }

#endif

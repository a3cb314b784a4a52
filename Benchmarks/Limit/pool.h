// SPDX-License-Identifier: Apache-2.0
/* pool.h - single-threaded size-class allocator.
 *
 * One pool belongs to one thread and is never locked.  Blocks up to 1 KiB are
 * carved from slabs in 16-byte steps, larger ones are rounded up to a power of
 * two and kept after free.  pool_mem() wraps a pool as an nghttp2 allocator.
 */
#ifndef LIMIT_POOL_H
#define LIMIT_POOL_H

#include <nghttp2/nghttp2.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum {
  POOL_STEP = 16,
  POOL_SMALL_MAX = 1024,
  POOL_SMALL_CLASSES = POOL_SMALL_MAX / POOL_STEP,
  POOL_KEEP_MAX_LOG2 = 21, /* blocks above 2 MiB go straight to malloc */
  POOL_CLASSES = POOL_SMALL_CLASSES + POOL_KEEP_MAX_LOG2 - 9,
  POOL_HUGE = 0xffff,
  POOL_SLAB = 64 * 1024,
};

struct pool_block {
  uint64_t size_class;
  uint64_t size; /* usable bytes */
  union {
    struct pool_block *next; /* while on a free list */
    uint8_t data[1];
  };
};
enum { POOL_HEADER = offsetof(struct pool_block, data) };
_Static_assert(POOL_HEADER == 16, "keeps data 16-byte aligned");

struct pool {
  struct pool_block *free[POOL_CLASSES];
  uint8_t *slab, *slab_end;
};

static inline uint32_t pool_class(size_t size, size_t *usable) {
  if (size <= POOL_SMALL_MAX) {
    uint32_t c = size ? (uint32_t)((size - 1) / POOL_STEP) : 0;
    *usable = (c + 1) * POOL_STEP;
    return c;
  }
  uint32_t log2 = 64 - (uint32_t)__builtin_clzll(size - 1);
  if (log2 > POOL_KEEP_MAX_LOG2) {
    *usable = size;
    return POOL_HUGE;
  }
  *usable = (size_t)1 << log2;
  return POOL_SMALL_CLASSES + log2 - 11;
}

static __attribute__((noinline)) void *pool_refill(struct pool *p, uint32_t c, size_t usable) {
  struct pool_block *b;
  size_t need = POOL_HEADER + usable;
  if (c >= POOL_SMALL_CLASSES) {
    b = (struct pool_block *)malloc(need);
    if (!b) abort();
  } else {
    if ((size_t)(p->slab_end - p->slab) < need) {
      p->slab = (uint8_t *)malloc(POOL_SLAB);
      if (!p->slab) abort();
      p->slab_end = p->slab + POOL_SLAB;
    }
    b = (struct pool_block *)p->slab;
    p->slab += need;
  }
  b->size_class = c;
  b->size = usable;
  return b->data;
}

static inline void *pool_alloc(struct pool *p, size_t size) {
  size_t usable;
  uint32_t c = pool_class(size, &usable);
  if (__builtin_expect(c != POOL_HUGE && p->free[c] != NULL, 1)) {
    struct pool_block *b = p->free[c];
    p->free[c] = b->next;
    return b->data;
  }
  return pool_refill(p, c, usable);
}

static inline void pool_free(struct pool *p, void *ptr) {
  if (!ptr) return;
  struct pool_block *b = (struct pool_block *)((uint8_t *)ptr - POOL_HEADER);
  uint64_t c = b->size_class;
  if (c == POOL_HUGE) {
    free(b);
    return;
  }
  b->next = p->free[c];
  p->free[c] = b;
}

static void *pool_mem_malloc(size_t size, void *p) { return pool_alloc((struct pool *)p, size); }
static void pool_mem_free(void *ptr, void *p) { pool_free((struct pool *)p, ptr); }
static void *pool_mem_calloc(size_t n, size_t size, void *p) {
  void *ptr = pool_alloc((struct pool *)p, n * size);
  return memset(ptr, 0, n * size);
}
static void *pool_mem_realloc(void *ptr, size_t size, void *p) {
  if (!ptr) return pool_alloc((struct pool *)p, size);
  struct pool_block *b = (struct pool_block *)((uint8_t *)ptr - POOL_HEADER);
  if (size <= b->size) return ptr;
  void *n = pool_alloc((struct pool *)p, size);
  memcpy(n, ptr, b->size);
  pool_free((struct pool *)p, ptr);
  return n;
}

static inline nghttp2_mem pool_mem(struct pool *p) {
  return (nghttp2_mem){p, pool_mem_malloc, pool_mem_free, pool_mem_calloc, pool_mem_realloc};
}

#endif

// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stdlib.h>

// mallinfo2 is in no module that Swift's Glibc covers. Elsewhere there is nothing like it: 0, always.
#ifdef __GLIBC__
#include <malloc.h>
static inline size_t apus_malloc_in_use(void) { struct mallinfo2 info = mallinfo2(); return info.uordblks + info.hblkhd; }
#else
static inline size_t apus_malloc_in_use(void) { return 0; }
#endif

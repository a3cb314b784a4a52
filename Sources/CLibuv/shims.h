// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <uv.h>

// malloc.h is in no module that Swift's Glibc covers. Other systems' allocators give memory back by themselves.
#ifdef __GLIBC__
#include <malloc.h>
static inline void apus_return_memory(void) { malloc_trim(0); }
#else
static inline void apus_return_memory(void) {}
#endif

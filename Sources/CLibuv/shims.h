// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <uv.h>

#ifdef __linux__
// glibc declares accept4 only under _GNU_SOURCE, which a module that was built before cannot be given. Linux alone can
// make the accepted descriptor non-blocking and close-on-exec in the same call.
static inline int apus_accept(int listener, struct sockaddr *peer, socklen_t *length) {
    int accept4(int, struct sockaddr *, socklen_t *, int);
    return accept4(listener, peer, length, SOCK_NONBLOCK | SOCK_CLOEXEC);
}
#endif

// malloc.h is in no module that Swift's Glibc covers. Other systems' allocators give memory back by themselves.
#ifdef __GLIBC__
#include <malloc.h>
static inline void apus_return_memory(void) { malloc_trim(0); }
#else
static inline void apus_return_memory(void) {}
#endif

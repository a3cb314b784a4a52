// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stddef.h>
#include <nghttp2/nghttp2.h>

// nghttp2 1.60 introduced mem_recv2/mem_send2 (nghttp2_ssize for ssize_t) and deprecated the old pair.
// Debian 12 has 1.52, which knows the old pair only. These two bridge both.
static inline ptrdiff_t apus_nghttp2_mem_recv(nghttp2_session *session, const uint8_t *in, size_t inlen) {
#if NGHTTP2_VERSION_NUM >= 0x013c00
    return nghttp2_session_mem_recv2(session, in, inlen);
#else
    return nghttp2_session_mem_recv(session, in, inlen);
#endif
}

static inline ptrdiff_t apus_nghttp2_mem_send(nghttp2_session *session, const uint8_t **data_ptr) {
#if NGHTTP2_VERSION_NUM >= 0x013c00
    return nghttp2_session_mem_send2(session, data_ptr);
#else
    return nghttp2_session_mem_send(session, data_ptr);
#endif
}

// Limits that came with 1.57 (resets), 1.61 (continuations) and 1.67 (glitches), and that distributions carried back
// to older versions, so that no version number tells of them. Weak: absent ones are null.
#if defined(__ELF__)
void nghttp2_option_set_stream_reset_rate_limit(nghttp2_option *, uint64_t, uint64_t) __attribute__((weak));
void nghttp2_option_set_max_continuations(nghttp2_option *, size_t) __attribute__((weak));
void nghttp2_option_set_glitch_rate_limit(nghttp2_option *, uint64_t, uint64_t) __attribute__((weak));
#define APUS_HAS(function, version) (function != 0)
#else
#define APUS_HAS(function, version) (NGHTTP2_VERSION_NUM >= version)
#endif

static inline void apus_nghttp2_set_backstops(nghttp2_option *option) {
#if defined(__ELF__) || NGHTTP2_VERSION_NUM >= 0x013900
    if (APUS_HAS(nghttp2_option_set_stream_reset_rate_limit, 0x013900))
        nghttp2_option_set_stream_reset_rate_limit(option, 10000, 1000);
#endif
#if defined(__ELF__) || NGHTTP2_VERSION_NUM >= 0x013d00
    // 1.61 counts reads, not frames: 8 frames whose heads come byte by byte are 72.
    if (APUS_HAS(nghttp2_option_set_max_continuations, 0x013d00))
        nghttp2_option_set_max_continuations(option, 80);
#endif
#if defined(__ELF__) || NGHTTP2_VERSION_NUM >= 0x014300
    if (APUS_HAS(nghttp2_option_set_glitch_rate_limit, 0x014300))
        nghttp2_option_set_glitch_rate_limit(option, 10000, 330);
#endif
}

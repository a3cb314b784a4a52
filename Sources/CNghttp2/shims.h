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

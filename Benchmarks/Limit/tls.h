// SPDX-License-Identifier: Apache-2.0
/* tls.h - TLS for limit-server: OpenSSL right on the socket, one record for all
 * small output of a wakeup.
 */
#ifndef LIMIT_TLS_H
#define LIMIT_TLS_H

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>

#include "out.h"

enum { TLS_RECORD = 16 * 1024 };

static SSL_CTX *tls_context; /* none: cleartext */

static int tls_select_h2(SSL *ssl, const unsigned char **chosen, unsigned char *length, const unsigned char *offered,
                         unsigned int offered_length, void *arg) {
  (void)ssl, (void)arg;
  if (SSL_select_next_proto((unsigned char **)chosen, length, (const unsigned char *)"\x02h2", 3, offered,
                            offered_length) != OPENSSL_NPN_NEGOTIATED)
    return SSL_TLSEXT_ERR_ALERT_FATAL;
  return SSL_TLSEXT_ERR_OK;
}

static void tls_start(const char *certificate, const char *key) {
  SSL_CTX *context = SSL_CTX_new(TLS_server_method());
  if (!context || SSL_CTX_use_certificate_chain_file(context, certificate) != 1 ||
      SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) != 1) {
    ERR_print_errors_fp(stderr);
    exit(1);
  }
  SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_alpn_select_cb(context, tls_select_h2, NULL);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  /* Many records in one read of the socket. */
  SSL_CTX_set_read_ahead(context, 1);
  SSL_CTX_set_default_read_buffer_len(context, 8 * TLS_RECORD);
  tls_context = context;
}

static SSL *tls_open(int fd) {
  SSL *ssl = SSL_new(tls_context);
  if (!ssl || SSL_set_fd(ssl, fd) != 1) abort();
  SSL_set_accept_state(ssl);
  return ssl;
}

/* Whether the socket has to become ready first. */
static inline bool tls_waits(SSL *ssl, int result) {
  int error = SSL_get_error(ssl, result);
  return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE;
}

/* As recv. */
static inline ssize_t tls_recv(SSL *ssl, uint8_t *p, size_t n) {
  size_t have = 0;
  ERR_clear_error();
  while (have < n) {
    int r = SSL_read(ssl, p + have, (int)(n - have));
    if (r > 0) {
      have += (size_t)r;
      continue;
    }
    if (have) break; /* the next call says why */
    if (!tls_waits(ssl, r)) return 0;
    errno = EAGAIN;
    return -1;
  }
  return (ssize_t)have;
}

/* The output's next bytes as one piece of at most a record, unless they are long in place already. */
static inline const uint8_t *tls_next(const struct out *o, uint8_t *record, size_t *length) {
  const struct iovec *v = o->iov + o->at, *end = o->iov + o->niov;
  if (v->iov_len >= TLS_RECORD || v + 1 == end) {
    *length = v->iov_len;
    return v->iov_base;
  }
  size_t n = 0;
  for (; v < end && n < TLS_RECORD; v++) {
    size_t k = v->iov_len < TLS_RECORD - n ? v->iov_len : TLS_RECORD - n;
    memcpy(record + n, v->iov_base, k);
    n += k;
  }
  *length = n;
  return record;
}

/* As out_flush. */
static inline int tls_flush(struct out *o, SSL *ssl, struct pool *pool) {
  uint8_t record[TLS_RECORD];
  ERR_clear_error();
  while (o->at < o->niov) {
    size_t length;
    const uint8_t *p = tls_next(o, record, &length);
    int n = SSL_write(ssl, p, (int)length);
    if (n <= 0) return tls_waits(ssl, n) ? 0 : -1;
    out_advance(o, (size_t)n);
  }
  out_release(o, pool);
  return 1;
}

#endif

// SPDX-License-Identifier: Apache-2.0
/* out.h - output gathered during one wakeup and written with one system call.
 *
 * Small pieces are copied into a linear buffer, large ones referenced in
 * place.  Referenced messages that the stream has given up are freed through
 * `garbage` once everything has been written.
 */
#ifndef LIMIT_OUT_H
#define LIMIT_OUT_H

#include <errno.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "pool.h"

enum {
  OUT_HIGH = 256 * 1024,    /* flush once this much is gathered */
  OUT_FRAME_MAX = 128 * 1024, /* largest DATA frame appended after that check */
  OUT_CAP = OUT_HIGH + OUT_FRAME_MAX + 64 * 1024,
  OUT_REF_MIN = 2048,       /* copy anything smaller */
  OUT_IOV = 256,
  OUT_IOV_HIGH = 160,
};

/* A length-prefixed gRPC message (or a run of them) queued on a stream. */
struct msg {
  struct msg *next;
  uint32_t len;
  uint32_t referenced; /* an iovec points into data */
  uint8_t data[];
};

struct out {
  struct out *next_free;
  struct msg *garbage;
  size_t total; /* bytes gathered */
  size_t used;  /* bytes of buf in use */
  int niov, at; /* at: first iovec not fully written */
  struct iovec iov[OUT_IOV];
  uint8_t buf[OUT_CAP];
};

static inline struct out *out_new(void) {
  struct out *o = (struct out *)malloc(sizeof(*o));
  if (!o) abort();
  memset(o, 0, offsetof(struct out, iov));
  return o;
}

static inline bool out_full(const struct out *o) {
  return o->total >= OUT_HIGH || o->niov >= OUT_IOV_HIGH;
}

/* Reserves n bytes of the linear buffer as part of the output. */
static inline uint8_t *out_reserve(struct out *o, size_t n) {
  uint8_t *p = o->buf + o->used;
  struct iovec *next = o->iov + o->niov;
  if (o->niov && (uint8_t *)next[-1].iov_base + next[-1].iov_len == p) {
    next[-1].iov_len += n;
  } else {
    next->iov_base = p;
    next->iov_len = n;
    o->niov++;
  }
  o->used += n;
  o->total += n;
  return p;
}

static inline void out_copy(struct out *o, const void *p, size_t n) {
  memcpy(out_reserve(o, n), p, n);
}

/* References n bytes in place, or copies them when short; true if referenced. */
static inline bool out_add(struct out *o, const void *p, size_t n) {
  if (n < OUT_REF_MIN || o->niov > OUT_IOV - 4) {
    out_copy(o, p, n);
    return false;
  }
  o->iov[o->niov].iov_base = (void *)p;
  o->iov[o->niov++].iov_len = n;
  o->total += n;
  return true;
}

static inline void out_release(struct out *o, struct pool *pool) {
  while (o->garbage) {
    struct msg *m = o->garbage;
    o->garbage = m->next;
    pool_free(pool, m);
  }
  o->total = o->used = 0;
  o->niov = o->at = 0;
}

/* The first n bytes are written. */
static inline void out_advance(struct out *o, size_t n) {
  while (o->at < o->niov && n >= o->iov[o->at].iov_len) {
    n -= o->iov[o->at].iov_len;
    o->at++;
  }
  if (n) {
    o->iov[o->at].iov_base = (uint8_t *)o->iov[o->at].iov_base + n;
    o->iov[o->at].iov_len -= n;
  }
}

/* 1: all written and reset, 0: socket full, -1: error. */
static inline int out_flush(struct out *o, int fd, struct pool *pool) {
  while (o->at < o->niov) {
    ssize_t n;
    if (o->niov - o->at == 1) {
      n = send(fd, o->iov[o->at].iov_base, o->iov[o->at].iov_len, MSG_NOSIGNAL);
    } else {
      struct msghdr h = {.msg_iov = o->iov + o->at, .msg_iovlen = (size_t)(o->niov - o->at)};
      n = sendmsg(fd, &h, MSG_NOSIGNAL);
    }
    if (n < 0) {
      if (errno == EINTR) continue;
      return errno == EAGAIN || errno == EWOULDBLOCK ? 0 : -1;
    }
    out_advance(o, (size_t)n);
  }
  out_release(o, pool);
  return 1;
}

#endif

// SPDX-License-Identifier: Apache-2.0
/* limit-server - the bench.Echo service with as little as possible between
 * epoll, nghttp2 and protobuf-c: what any server over these libraries can do
 * at best.
 *
 *   limit-server --port P [--threads T] [--tls-cert FILE --tls-key FILE]
 *
 * Each thread has its own epoll, SO_REUSEPORT listener, memory pool, read
 * buffer and output buffer.  A wakeup reads once, feeds nghttp2, runs the
 * handlers inside the callbacks and writes everything gathered in one call.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <getopt.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "bench/echo.pb-c.h"
#include "out.h"
#include "tls.h"

#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

enum {
  READ_SIZE = 256 * 1024,
  WINDOW = 16 * 1024 * 1024,
  FRAME_MAX = 1024 * 1024,        /* what we let peers send */
  MESSAGE_MAX = 64 * 1024 * 1024,
  DOWNLOAD_BLOCK = 16 * 1024,     /* small download messages are packed into runs of this size */
  EVENTS = 256,
};

enum method { ECHO, DOWNLOAD, UPLOAD, CHAT };

enum grpc_status { GRPC_OK = 0, GRPC_RESOURCE_EXHAUSTED = 8, GRPC_UNIMPLEMENTED = 12, GRPC_INTERNAL = 13 };

struct thread;

struct stream {
  struct stream *next, **prev; /* streams of the connection */
  int32_t id;
  uint8_t method;
  bool half_closed;    /* END_STREAM received */
  bool started;        /* response headers submitted */
  bool data_active;    /* a DATA item is queued in nghttp2 */
  bool done;           /* trailers submitted */
  /* Request: message prefix and, when it spans chunks, the assembled bytes. */
  uint8_t prefix_have;
  uint8_t prefix[5];
  uint32_t in_len, in_have;
  uint8_t *in;
  uint32_t messages_in;
  /* Response messages waiting for nghttp2. */
  struct msg *head, **tail;
  uint32_t head_off;
  size_t queued;
  /* Download: messages still to produce.  Upload: sums. */
  int64_t left, size, sent;
  int64_t upload_bytes;
};

struct conn {
  int fd;
  SSL *ssl; /* none: cleartext */
  bool more; /* on the thread's `more` list: there may be more to read */
  struct thread *t;
  nghttp2_session *session;
  struct out *blocked; /* output the socket did not take */
  struct conn *next_more;
  struct stream *streams;
  struct stream *last; /* stream of the frame seen last */
  int32_t last_id;
  uint32_t largest; /* largest response message: sizes DATA frames */
};

struct thread {
  struct pool pool;
  int epfd, listener;
  atomic_int conns;
  struct out *out;
  struct out *free_outs;
  struct conn *more;
  uint8_t *arena, *arena_at, *arena_end; /* bump allocator for unpacked requests */
  ProtobufCAllocator pb;
  uint8_t *zeros; /* download payload */
  size_t zeros_len;
  pthread_t pthread;
  uint8_t in[READ_SIZE];
};

static struct thread **threads;
static int nthreads = 1;
static nghttp2_session_callbacks *callbacks;
static nghttp2_option *option;

#define NV(n, v) \
  {(uint8_t *)(n), (uint8_t *)(v), sizeof(n) - 1, sizeof(v) - 1, \
   NGHTTP2_NV_FLAG_NO_COPY_NAME | NGHTTP2_NV_FLAG_NO_COPY_VALUE}

static const nghttp2_nv headers_nv[] = {NV(":status", "200"), NV("content-type", "application/grpc")};
static const nghttp2_nv trailers_nv[] = {NV("grpc-status", "0")};

/* ---- bump allocator ---------------------------------------------------- */

static void *arena_alloc(void *data, size_t size) {
  struct thread *t = data;
  uint8_t *p = t->arena_at;
  size = (size + 15) & ~(size_t)15;
  if (unlikely(size > (size_t)(t->arena_end - p))) return NULL;
  t->arena_at = p + size;
  return p;
}

static void arena_free(void *data, void *p) { (void)data, (void)p; }

/* Empties the arena and makes it large enough to unpack a message of n bytes. */
static inline void arena_reset(struct thread *t, size_t n) {
  if (unlikely((size_t)(t->arena_end - t->arena) < 2 * n + 4096)) {
    size_t cap = 4 * n + 64 * 1024;
    free(t->arena);
    t->arena = malloc(cap);
    if (!t->arena) abort();
    t->arena_end = t->arena + cap;
  }
  t->arena_at = t->arena;
}

/* ---- response side ----------------------------------------------------- */

static inline void put_prefix(uint8_t *p, uint32_t len) {
  p[0] = 0;
  len = htonl(len);
  memcpy(p + 1, &len, 4);
}

static inline void enqueue(struct conn *c, struct stream *st, struct msg *m) {
  m->next = NULL;
  m->referenced = false;
  *st->tail = m;
  st->tail = &m->next;
  st->queued += m->len;
  if (m->len > c->largest) c->largest = m->len;
}

static inline void push_message(struct conn *c, struct stream *st, const ProtobufCMessage *message) {
  size_t n = protobuf_c_message_get_packed_size(message);
  struct msg *m = pool_alloc(&c->t->pool, sizeof(*m) + 5 + n);
  put_prefix(m->data, (uint32_t)n);
  protobuf_c_message_pack(message, m->data + 5);
  m->len = (uint32_t)n + 5;
  enqueue(c, st, m);
}

/* Produces the next run of download messages. */
static void produce_download(struct conn *c, struct stream *st) {
  struct thread *t = c->t;
  if (unlikely(t->zeros_len < (size_t)st->size)) {
    /* Earlier payloads have been packed already, so the old block can go. */
    free(t->zeros);
    t->zeros_len = (size_t)st->size;
    t->zeros = calloc(1, t->zeros_len);
    if (!t->zeros) abort();
  }
  Bench__EchoResponse rs = BENCH__ECHO_RESPONSE__INIT;
  rs.payload.len = (size_t)st->size;
  rs.payload.data = t->zeros;
  size_t bound = (size_t)st->size + 5 + 32; /* prefix, tags, lengths, id */
  size_t cap = bound > DOWNLOAD_BLOCK ? bound : DOWNLOAD_BLOCK;
  struct msg *m = pool_alloc(&t->pool, sizeof(*m) + cap);
  m->len = 0;
  do {
    rs.id = st->sent++;
    uint8_t *p = m->data + m->len;
    size_t n = protobuf_c_message_pack(&rs.base, p + 5);
    put_prefix(p, (uint32_t)n);
    m->len += (uint32_t)n + 5;
  } while (--st->left > 0 && m->len + bound <= cap);
  enqueue(c, st, m);
}

static inline void free_messages(struct conn *c, struct stream *st) {
  struct msg *m = st->head;
  while (m) {
    struct msg *next = m->next;
    if (m->referenced) {
      struct out *o = c->blocked ? c->blocked : c->t->out;
      m->next = o->garbage;
      o->garbage = m;
    } else {
      pool_free(&c->t->pool, m);
    }
    m = next;
  }
  st->head = NULL;
  st->tail = &st->head;
  st->queued = 0;
}

static ssize_t on_read(nghttp2_session *session, int32_t id, uint8_t *buf, size_t len, uint32_t *flags,
                       nghttp2_data_source *source, void *user_data) {
  struct conn *c = user_data;
  struct stream *st = source->ptr;
  (void)buf;
  if (unlikely(out_full(c->t->out))) return NGHTTP2_ERR_PAUSE;
  c->last = st; /* the stream often closes next */
  c->last_id = id;
  while (st->left > 0 && st->queued < len) produce_download(c, st);
  *flags = NGHTTP2_DATA_FLAG_NO_COPY;
  if (st->queued > len) return (ssize_t)len;
  if (st->left > 0) return (ssize_t)st->queued;
  *flags |= NGHTTP2_DATA_FLAG_EOF | NGHTTP2_DATA_FLAG_NO_END_STREAM;
  st->data_active = false;
  if (st->half_closed) {
    st->done = true;
    nghttp2_submit_trailer(session, id, trailers_nv, 1);
  }
  return (ssize_t)st->queued;
}

static int on_send_data(nghttp2_session *session, nghttp2_frame *frame, const uint8_t *framehd, size_t length,
                        nghttp2_data_source *source, void *user_data) {
  struct conn *c = user_data;
  struct stream *st = source->ptr;
  struct out *o = c->t->out;
  (void)session, (void)frame;
  out_copy(o, framehd, 9);
  st->queued -= length;
  while (length) {
    struct msg *m = st->head;
    size_t k = m->len - st->head_off;
    if (k > length) k = length;
    if (out_add(o, m->data + st->head_off, k)) m->referenced = true;
    length -= k;
    st->head_off += (uint32_t)k;
    if (st->head_off == m->len) {
      st->head_off = 0;
      st->head = m->next;
      if (!st->head) st->tail = &st->head;
      if (m->referenced) {
        m->next = o->garbage;
        o->garbage = m;
      } else {
        pool_free(&c->t->pool, m);
      }
    }
  }
  return 0;
}

static ssize_t on_read_length(nghttp2_session *session, uint8_t frame_type, int32_t id, int32_t session_window,
                              int32_t stream_window, uint32_t max_frame, void *user_data) {
  struct conn *c = user_data;
  (void)session, (void)frame_type, (void)id, (void)session_window, (void)stream_window, (void)max_frame;
  if (c->largest <= 16384) return 16384;
  return c->largest < OUT_FRAME_MAX ? (ssize_t)c->largest : OUT_FRAME_MAX;
}

/* Queued messages are there to be sent: get nghttp2 to ask for them. */
static inline void kick(struct conn *c, struct stream *st) {
  nghttp2_data_provider provider = {.source.ptr = st, .read_callback = on_read};
  if (!st->started) {
    st->started = st->data_active = true;
    nghttp2_submit_response(c->session, st->id, headers_nv, 2, &provider);
  } else if (!st->data_active) {
    st->data_active = true;
    nghttp2_submit_data(c->session, NGHTTP2_FLAG_NONE, st->id, &provider);
  }
}

static __attribute__((noinline)) void fail(struct conn *c, struct stream *st, enum grpc_status status) {
  if (st->done) return;
  char value[4];
  nghttp2_nv nv[3] = {headers_nv[0], headers_nv[1], NV("grpc-status", "")};
  nv[2].value = (uint8_t *)value;
  nv[2].valuelen = (size_t)snprintf(value, sizeof(value), "%d", status);
  nv[2].flags = NGHTTP2_NV_FLAG_NONE;
  st->done = true;
  if (!st->started)
    nghttp2_submit_response(c->session, st->id, nv, 3, NULL);
  else
    nghttp2_submit_rst_stream(c->session, NGHTTP2_FLAG_NONE, st->id, NGHTTP2_INTERNAL_ERROR);
}

/* ---- handlers ---------------------------------------------------------- */

static inline void on_message(struct conn *c, struct stream *st, const uint8_t *data, size_t len) {
  struct thread *t = c->t;
  st->messages_in++;
  arena_reset(t, len);
  if (likely(st->method == ECHO || st->method == CHAT)) {
    Bench__EchoRequest *rq = bench__echo_request__unpack(&t->pb, len, data);
    if (unlikely(!rq)) return fail(c, st, GRPC_INTERNAL);
    Bench__EchoResponse rs = BENCH__ECHO_RESPONSE__INIT;
    rs.payload = rq->payload;
    rs.name = rq->name;
    rs.id = rq->id;
    push_message(c, st, &rs.base);
    if (st->method == CHAT) kick(c, st);
  } else if (st->method == UPLOAD) {
    Bench__EchoRequest *rq = bench__echo_request__unpack(&t->pb, len, data);
    if (unlikely(!rq)) return fail(c, st, GRPC_INTERNAL);
    st->upload_bytes += (int64_t)rq->payload.len;
  } else {
    Bench__DownloadRequest *rq = bench__download_request__unpack(&t->pb, len, data);
    if (unlikely(!rq || rq->count < 0 || rq->size < 0 || rq->size > MESSAGE_MAX)) return fail(c, st, GRPC_INTERNAL);
    st->left = rq->count;
    st->size = rq->size;
  }
}

static inline void on_half_close(struct conn *c, struct stream *st) {
  if (unlikely(st->done)) return;
  st->half_closed = true;
  switch (st->method) {
    case ECHO:
      if (unlikely(st->messages_in != 1)) return fail(c, st, GRPC_INTERNAL);
      kick(c, st);
      return;
    case DOWNLOAD:
      if (unlikely(st->messages_in != 1)) return fail(c, st, GRPC_INTERNAL);
      if (st->left > 1) {
        /* Let concurrent downloads take turns instead of running in order. */
        nghttp2_extpri pri = {.urgency = 3, .inc = 1};
        nghttp2_session_change_extpri_stream_priority(c->session, st->id, &pri, 1);
      }
      kick(c, st);
      return;
    case UPLOAD: {
      Bench__UploadSummary rs = BENCH__UPLOAD_SUMMARY__INIT;
      rs.messages = st->messages_in;
      rs.bytes = st->upload_bytes;
      push_message(c, st, &rs.base);
      kick(c, st);
      return;
    }
    case CHAT:
      if (st->data_active) return; /* on_read adds the trailers */
      if (!st->started) return kick(c, st);
      st->done = true;
      nghttp2_submit_trailer(c->session, st->id, trailers_nv, 1);
  }
}

/* ---- request side ------------------------------------------------------ */

static inline struct stream *find_stream(struct conn *c, int32_t id) {
  if (c->last_id == id) return c->last;
  c->last = nghttp2_session_get_stream_user_data(c->session, id);
  c->last_id = id;
  return c->last;
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name, size_t namelen,
                     const uint8_t *value, size_t valuelen, uint8_t flags, void *user_data) {
  struct conn *c = user_data;
  (void)flags;
  if (namelen != 5 || memcmp(name, ":path", 5) != 0 || frame->headers.cat != NGHTTP2_HCAT_REQUEST) return 0;
  int method = -1;
  if (valuelen == 16 && memcmp(value, "/bench.Echo/Echo", 16) == 0)
    method = ECHO;
  else if (valuelen == 16 && memcmp(value, "/bench.Echo/Chat", 16) == 0)
    method = CHAT;
  else if (valuelen == 18 && memcmp(value, "/bench.Echo/Upload", 18) == 0)
    method = UPLOAD;
  else if (valuelen == 20 && memcmp(value, "/bench.Echo/Download", 20) == 0)
    method = DOWNLOAD;

  struct stream *st = pool_alloc(&c->t->pool, sizeof(*st));
  memset(st, 0, sizeof(*st));
  st->id = frame->hd.stream_id;
  st->method = (uint8_t)method;
  st->tail = &st->head;
  st->next = c->streams;
  if (st->next) st->next->prev = &st->next;
  st->prev = &c->streams;
  c->streams = st;
  c->last = st;
  c->last_id = st->id;
  nghttp2_session_set_stream_user_data(session, st->id, st);
  if (unlikely(method < 0)) fail(c, st, GRPC_UNIMPLEMENTED);
  return 0;
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t id, const uint8_t *p, size_t n,
                   void *user_data) {
  struct conn *c = user_data;
  struct stream *st = find_stream(c, id);
  (void)session, (void)flags;
  if (unlikely(!st)) return 0;
  while (n && !st->done) {
    if (st->prefix_have < 5) {
      if (likely(st->prefix_have == 0 && n >= 5)) {
        memcpy(st->prefix, p, 5);
        st->prefix_have = 5;
        p += 5;
        n -= 5;
      } else {
        while (n && st->prefix_have < 5) st->prefix[st->prefix_have++] = *p++, n--;
        if (st->prefix_have < 5) return 0;
      }
      memcpy(&st->in_len, st->prefix + 1, 4);
      st->in_len = ntohl(st->in_len);
      if (unlikely(st->prefix[0] != 0)) return fail(c, st, GRPC_UNIMPLEMENTED), 0; /* compressed */
      if (unlikely(st->in_len > MESSAGE_MAX)) return fail(c, st, GRPC_RESOURCE_EXHAUSTED), 0;
      if (likely(n >= st->in_len)) { /* the whole message lies in this chunk */
        st->prefix_have = 0;
        on_message(c, st, p, st->in_len);
        p += st->in_len;
        n -= st->in_len;
        continue;
      }
      st->in = pool_alloc(&c->t->pool, st->in_len);
      st->in_have = 0;
    }
    size_t k = st->in_len - st->in_have;
    if (k > n) k = n;
    memcpy(st->in + st->in_have, p, k);
    st->in_have += (uint32_t)k;
    p += k;
    n -= k;
    if (st->in_have == st->in_len) {
      uint8_t *in = st->in;
      st->in = NULL;
      st->prefix_have = 0;
      on_message(c, st, in, st->in_len);
      pool_free(&c->t->pool, in);
    }
  }
  return 0;
}

static int on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *user_data) {
  struct conn *c = user_data;
  if (!(frame->hd.flags & NGHTTP2_FLAG_END_STREAM) ||
      (frame->hd.type != NGHTTP2_DATA && frame->hd.type != NGHTTP2_HEADERS))
    return 0;
  struct stream *st = find_stream(c, frame->hd.stream_id);
  if (likely(st != NULL))
    on_half_close(c, st);
  else
    nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, frame->hd.stream_id, NGHTTP2_PROTOCOL_ERROR);
  return 0;
}

static inline void stream_free(struct conn *c, struct stream *st) {
  if (unlikely(st->head != NULL)) free_messages(c, st);
  if (unlikely(st->in != NULL)) pool_free(&c->t->pool, st->in);
  *st->prev = st->next;
  if (st->next) st->next->prev = st->prev;
  pool_free(&c->t->pool, st);
}

static int on_stream_close(nghttp2_session *session, int32_t id, uint32_t error, void *user_data) {
  struct conn *c = user_data;
  struct stream *st = find_stream(c, id);
  (void)session, (void)error;
  if (st) stream_free(c, st);
  c->last_id = 0;
  return 0;
}

/* ---- connections ------------------------------------------------------- */

static void conn_close(struct conn *c) {
  struct thread *t = c->t;
  while (c->streams) stream_free(c, c->streams);
  if (c->session) nghttp2_session_del(c->session);
  /* The session's frames are copied, so only messages can still be referenced. */
  struct out *o = c->blocked ? c->blocked : t->out;
  out_release(o, &t->pool);
  if (c->blocked) {
    o->next_free = t->free_outs;
    t->free_outs = o;
  }
  if (c->ssl) SSL_free(c->ssl);
  close(c->fd);
  free(c);
  atomic_fetch_sub_explicit(&t->conns, 1, memory_order_relaxed);
}

static bool conn_open(struct conn *c) {
  static const nghttp2_settings_entry settings[] = {
      {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, WINDOW},
      {NGHTTP2_SETTINGS_MAX_FRAME_SIZE, FRAME_MAX},
      {NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1}, /* cheaper scheduling */
  };
  nghttp2_mem mem = pool_mem(&c->t->pool);
  if (nghttp2_session_server_new3(&c->session, callbacks, c, option, &mem) != 0) return false;
  return nghttp2_submit_settings(c->session, NGHTTP2_FLAG_NONE, settings, sizeof(settings) / sizeof(*settings)) == 0 &&
         nghttp2_session_set_local_window_size(c->session, NGHTTP2_FLAG_NONE, 0, WINDOW) == 0;
}

static inline int conn_flush(struct conn *c, struct out *o) {
  return likely(!c->ssl) ? out_flush(o, c->fd, &c->t->pool) : tls_flush(o, c->ssl, &c->t->pool);
}

/* Gathers what nghttp2 has to say and writes it; false to close. */
static inline bool conn_send(struct conn *c) {
  struct thread *t = c->t;
  if (unlikely(c->blocked != NULL)) return true;
  for (;;) {
    struct out *o = t->out;
    const uint8_t *p;
    ssize_t n;
    do {
      n = nghttp2_session_mem_send(c->session, &p);
      if (n <= 0) break;
      out_copy(o, p, (size_t)n);
    } while (!out_full(o));
    if (unlikely(n < 0)) return false;
    if (o->total == 0) return true;
    bool full = out_full(o);
    int r = conn_flush(c, o);
    if (unlikely(r < 0)) return false;
    if (unlikely(r == 0)) {
      c->blocked = o;
      if (t->free_outs) {
        t->out = t->free_outs;
        t->free_outs = t->out->next_free;
      } else {
        t->out = out_new();
      }
      return true;
    }
    if (!full) return true;
  }
}

static inline void read_again(struct conn *c) {
  c->more = true;
  c->next_more = c->t->more;
  c->t->more = c;
}

/* One wakeup of a connection; false to close. */
static inline bool conn_run(struct conn *c) {
  struct thread *t = c->t;
  if (unlikely(!c->session) && !conn_open(c)) return false;
  if (unlikely(c->blocked != NULL)) {
    int r = conn_flush(c, c->blocked);
    if (r < 0) return false;
    if (r == 1) {
      c->blocked->next_free = t->free_outs;
      t->free_outs = c->blocked;
      c->blocked = NULL;
    }
  }
  ssize_t n = likely(!c->ssl) ? recv(c->fd, t->in, READ_SIZE, 0) : tls_recv(c->ssl, t->in, READ_SIZE);
  if (n > 0) {
    if (unlikely(nghttp2_session_mem_recv(c->session, t->in, (size_t)n) != n)) return false;
    if (unlikely(n == READ_SIZE)) read_again(c);
  } else if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
    return false;
  }
  if (!conn_send(c)) return false;
  return nghttp2_session_want_read(c->session) || nghttp2_session_want_write(c->session) || c->blocked;
}

static void run(struct conn *c, uint32_t events) {
  if (c->more) return; /* runs from the list right after the events */
  if (unlikely(!conn_run(c))) {
    if (c->more) c->t->more = c->next_more; /* it was just pushed */
    conn_close(c);
  } else if (unlikely((events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) && !c->more)) {
    read_again(c); /* there is no further edge for the end of the stream */
  }
}

static void accept_all(struct thread *t) {
  for (;;) {
    int fd = accept4(t->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) return;
    int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    /* SO_REUSEPORT spreads by hash; even that out. */
    struct thread *to = t;
    for (int i = 0; i < nthreads; i++)
      if (atomic_load_explicit(&threads[i]->conns, memory_order_relaxed) <
          atomic_load_explicit(&to->conns, memory_order_relaxed))
        to = threads[i];
    atomic_fetch_add_explicit(&to->conns, 1, memory_order_relaxed);
    struct conn *c = calloc(1, sizeof(*c));
    if (!c) abort();
    c->fd = fd;
    c->t = to;
    if (tls_context) c->ssl = tls_open(fd);
    /* Edge-triggered; the first EPOLLOUT makes the owner open the session. */
    struct epoll_event ev = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data.ptr = c};
    if (epoll_ctl(to->epfd, EPOLL_CTL_ADD, fd, &ev) != 0) abort();
  }
}

static void *thread_main(void *arg) {
  struct thread *t = arg;
  struct epoll_event events[EVENTS];
  for (;;) {
    int n = epoll_wait(t->epfd, events, EVENTS, t->more ? 0 : -1);
    struct conn *more = t->more;
    t->more = NULL;
    for (int i = 0; i < n; i++) {
      if (unlikely(events[i].data.ptr == NULL))
        accept_all(t);
      else
        run(events[i].data.ptr, events[i].events);
    }
    while (more) {
      struct conn *c = more;
      more = c->next_more;
      c->more = false;
      run(c, 0);
    }
  }
  return NULL;
}

static struct thread *thread_new(uint16_t port) {
  struct thread *t = aligned_alloc(4096, (sizeof(*t) + 4095) & ~(size_t)4095);
  if (!t) abort();
  memset(t, 0, offsetof(struct thread, in));
  t->out = out_new();
  t->pb = (ProtobufCAllocator){arena_alloc, arena_free, t};
  t->listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  int on = 1;
  setsockopt(t->listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  setsockopt(t->listener, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on));
  struct sockaddr_in addr = {
      .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  if (bind(t->listener, (struct sockaddr *)&addr, sizeof(addr)) != 0 || listen(t->listener, 4096) != 0) {
    perror("limit-server: listen");
    exit(1);
  }
  t->epfd = epoll_create1(EPOLL_CLOEXEC);
  struct epoll_event ev = {.events = EPOLLIN, .data.ptr = NULL};
  epoll_ctl(t->epfd, EPOLL_CTL_ADD, t->listener, &ev);
  return t;
}

int main(int argc, char **argv) {
  static const struct option options[] = {
      {"port", required_argument, NULL, 'p'}, {"threads", required_argument, NULL, 't'},
      {"tls-cert", required_argument, NULL, 'c'}, {"tls-key", required_argument, NULL, 'k'}, {NULL, 0, NULL, 0}};
  const char *certificate = NULL, *key = NULL;
  int port = 0, o;
  while ((o = getopt_long(argc, argv, "", options, NULL)) != -1) {
    if (o == 'p')
      port = atoi(optarg);
    else if (o == 't')
      nthreads = atoi(optarg);
    else if (o == 'c')
      certificate = optarg;
    else if (o == 'k')
      key = optarg;
    else
      return 2;
  }
  if (port <= 0 || port > 65535 || nthreads < 1 || !certificate != !key) {
    fprintf(stderr, "usage: limit-server --port P [--threads T] [--tls-cert FILE --tls-key FILE]\n");
    return 2;
  }

  if (certificate) tls_start(certificate, key);
  nghttp2_session_callbacks_new(&callbacks);
  nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
  nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
  nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
  nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_stream_close);
  nghttp2_session_callbacks_set_send_data_callback(callbacks, on_send_data);
  nghttp2_session_callbacks_set_data_source_read_length_callback(callbacks, on_read_length);
  nghttp2_option_new(&option);
  nghttp2_option_set_no_http_messaging(option, 1);
  nghttp2_option_set_no_closed_streams(option, 1);

  threads = calloc((size_t)nthreads, sizeof(*threads));
  for (int i = 0; i < nthreads; i++) threads[i] = thread_new((uint16_t)port);
  printf("limit-server listening on 127.0.0.1:%d with %d thread(s)\n", port, nthreads);
  fflush(stdout);
  for (int i = 1; i < nthreads; i++)
    if (pthread_create(&threads[i]->pthread, NULL, thread_main, threads[i]) != 0) abort();
  thread_main(threads[0]);
}

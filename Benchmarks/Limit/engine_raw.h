// SPDX-License-Identifier: Apache-2.0
/* engine_raw.h - HTTP/2 for client.c by hand: just the frames a gRPC client
 * needs, with nghttp2's HPACK decoder.
 *
 * Two reasons to exist: a call costs a fraction of what an nghttp2 session
 * spends on it, and :path goes into the peer's HPACK table after the first
 * call, as with grpc-core, grpc-go and the others; nghttp2 never indexes it, so
 * that servers decode it from Huffman code every time.
 */

enum { DATA = 0, HEADERS = 1, RST_STREAM = 3, SETTINGS = 4, PUSH_PROMISE = 5, PING = 6, GOAWAY = 7, WINDOW_UPDATE = 8,
       CONTINUATION = 9 };
enum { END_STREAM = 0x1, ACK = 0x1, END_HEADERS = 0x4, PADDED = 0x8, PRIORITY = 0x20 };
enum { CANCEL = 8, HEADER_MAX = 512 * 1024 };

struct bytes {
  uint8_t *p;
  size_t len, cap;
};

struct conn {
  CONN_COMMON;
  /* Sending. */
  uint32_t next_id, open, max_open, max_frame;
  int64_t window;         /* of the connection */
  int32_t initial_window; /* of new streams */
  uint32_t table_size;    /* the peer's HPACK table */
  bool table_changed;     /* announce it with the next header block */
  bool indexed;           /* our fields are in the table: `block` says it all */
  struct slot *queue, **queue_end; /* with something to send */
  struct slot *waiting;            /* for a stream below max_open */
  struct bytes control;            /* frames to send first */
  /* Receiving. */
  enum { FRAME_HEADER, PAD_LENGTH, PAYLOAD_DATA, PADDING, PAYLOAD } state;
  uint8_t header[9];
  uint8_t header_have, type, flags, pad;
  uint32_t id, left;
  uint32_t received;   /* DATA bytes not yet given back */
  struct slot *slot;   /* of the DATA frame being read */
  struct bytes payload; /* of another frame that spans reads */
  struct bytes block;  /* of HEADERS waiting for CONTINUATION */
  bool block_ends_stream;
  nghttp2_hd_inflater *inflater;
  uint64_t block_plain, block_ok; /* fully indexed blocks decoded before: without and with grpc-status 0 */
  struct slot **streams;          /* by stream id */
};

static uint32_t streams_mask;
static uint8_t literals[256]; /* header block that fills the peer's table */
static size_t literals_len;
static const uint8_t indexed_block[] = {0x83, 0x86, 0xc2, 0xc1, 0xc0, 0xbf, 0xbe};

static void protocol_error(const char *what) {
  errno = 0;
  fprintf(stderr, "limit-client: protocol error by the server: ");
  die(what);
}

static void append(struct bytes *b, const void *p, size_t n) {
  if (b->len + n > b->cap) {
    b->cap = 2 * (b->len + n) + 64;
    b->p = realloc(b->p, b->cap);
    if (!b->p) die("out of memory");
  }
  if (n) memcpy(b->p + b->len, p, n);
  b->len += n;
}

static inline void put32(uint8_t *p, uint32_t v) {
  v = htonl(v);
  memcpy(p, &v, 4);
}

static inline uint32_t get32(const uint8_t *p) {
  uint32_t v;
  memcpy(&v, p, 4);
  return ntohl(v);
}

static inline void put_frame_header(uint8_t *p, size_t len, uint8_t type, uint8_t flags, uint32_t id) {
  put32(p, (uint32_t)len << 8 | type);
  p[4] = flags;
  put32(p + 5, id);
}

static void control(struct conn *c, uint8_t type, uint8_t flags, uint32_t id, const void *p, size_t n) {
  uint8_t header[9];
  put_frame_header(header, n, type, flags, id);
  append(&c->control, header, 9);
  append(&c->control, p, n);
}

static void control32(struct conn *c, uint8_t type, uint32_t id, uint32_t value) {
  uint8_t v[4];
  put32(v, value);
  control(c, type, 0, id, v, 4);
}

/* ---- sending ------------------------------------------------------------- */

static inline void enqueue(struct conn *c, struct slot *s) {
  if (s->engine.queued) return;
  s->engine.queued = true;
  s->engine.next = NULL;
  *c->queue_end = s;
  c->queue_end = &s->engine.next;
}

static inline void dequeue(struct conn *c) {
  struct slot *s = c->queue;
  s->engine.queued = false;
  c->queue = s->engine.next;
  if (!c->queue) c->queue_end = &c->queue;
}

static void engine_start(struct slot *s) {
  s->engine.open = false;
  enqueue(s->c, s);
}

static void engine_send_again(struct slot *s) { enqueue(s->c, s); }

/* An HPACK literal with incremental indexing; index 0 spells out the name. */
static uint8_t *put_literal(uint8_t *p, uint8_t index, const char *name, const char *value) {
  *p++ = 0x40 | index;
  if (!index) {
    *p++ = (uint8_t)strlen(name);
    p = (uint8_t *)stpcpy((char *)p, name);
  }
  *p++ = (uint8_t)strlen(value);
  return (uint8_t *)stpcpy((char *)p, value);
}

static void make_literals(void) {
  uint8_t *p = literals;
  *p++ = 0x83; /* :method POST */
  *p++ = 0x86; /* :scheme http */
  p = put_literal(p, 4, ":path", path);
  p = put_literal(p, 1, ":authority", authority);
  p = put_literal(p, 0, "te", "trailers");
  p = put_literal(p, 31, "content-type", "application/grpc");
  p = put_literal(p, 58, "user-agent", user_agent);
  literals_len = (size_t)(p - literals);
}

/* The first header block of a connection, or after a change of table size. */
static __attribute__((noinline)) size_t put_first_block(struct conn *c, uint8_t *p) {
  uint8_t *start = p;
  if (c->table_changed) {
    uint32_t size = c->table_size < 4096 ? c->table_size : 4096;
    *p++ = 0x20; /* empty the table, then its new size */
    if (size < 31) {
      *p++ = (uint8_t)(0x20 | size);
    } else {
      *p++ = 0x3f;
      p = put_varint(p, size - 31);
    }
    c->table_changed = false;
  }
  memcpy(p, literals, literals_len);
  c->indexed = c->table_size >= 512;
  return (size_t)(p - start) + literals_len;
}

static inline void open_stream(struct conn *c, struct slot *s) {
  uint32_t id = c->next_id;
  while (unlikely(c->streams[(id >> 1) & streams_mask] != NULL)) id += 2;
  if (unlikely(id > 0x7fffffff)) errno = 0, die("stream ids exhausted");
  c->streams[(id >> 1) & streams_mask] = s;
  c->next_id = id + 2;
  c->open++;
  s->stream_id = (int32_t)id;
  s->engine.open = true;
  s->engine.send_window = c->initial_window;
  s->engine.received = 0;
  if (likely(c->indexed)) {
    uint8_t *p = out_reserve(out, 9 + sizeof(indexed_block));
    put_frame_header(p, sizeof(indexed_block), HEADERS, END_HEADERS, id);
    memcpy(p + 9, indexed_block, sizeof(indexed_block));
  } else {
    uint8_t p[9 + 16 + sizeof(literals)];
    size_t n = put_first_block(c, p + 9);
    put_frame_header(p, n, HEADERS, END_HEADERS, id);
    out_copy(out, p, 9 + n);
  }
}

static bool engine_gather(struct conn *c) {
  if (unlikely(c->control.len)) {
    out_add(out, c->control.p, c->control.len < OUT_REF_MIN ? c->control.len : OUT_REF_MIN - 1);
    size_t sent = c->control.len < OUT_REF_MIN ? c->control.len : OUT_REF_MIN - 1;
    memmove(c->control.p, c->control.p + sent, c->control.len -= sent);
    if (c->control.len) return true;
  }
  while (c->queue && !out_full(out)) {
    struct slot *s = c->queue;
    if (!s->engine.open) {
      if (unlikely(c->open >= c->max_open)) {
        dequeue(c);
        s->engine.next = c->waiting;
        c->waiting = s;
        continue;
      }
      open_stream(c, s);
    }
    size_t left = body_total - s->tx_off;
    while (left && !out_full(out)) {
      int64_t n = (int64_t)left;
      if (n > c->max_frame) n = c->max_frame;
      if (n > s->engine.send_window) n = s->engine.send_window;
      if (n > c->window) n = c->window;
      if (unlikely(n <= 0)) {
        if (c->window <= 0) return false;
        break; /* WINDOW_UPDATE of the stream queues it again */
      }
      left -= (size_t)n;
      c->window -= n;
      s->engine.send_window -= (int32_t)n;
      put_frame_header(out_reserve(out, 9), (size_t)n, DATA, left || opt.mode == LG_CHAT ? 0 : END_STREAM,
                       (uint32_t)s->stream_id);
      put_body(s, (size_t)n);
    }
    if (left && out_full(out)) return true;
    dequeue(c);
  }
  return out_full(out);
}

/* ---- receiving ----------------------------------------------------------- */

static inline struct slot *find_slot(struct conn *c, uint32_t id) {
  struct slot *s = c->streams[(id >> 1) & streams_mask];
  return s && (uint32_t)s->stream_id == id ? s : NULL;
}

static void end_stream(struct conn *c, struct slot *s, uint32_t error) {
  c->streams[((uint32_t)s->stream_id >> 1) & streams_mask] = NULL;
  c->open--;
  if (unlikely(!error && (s->tx_off < body_total || opt.mode == LG_CHAT)))
    control32(c, RST_STREAM, (uint32_t)s->stream_id, CANCEL); /* our side was still open */
  if (unlikely(c->waiting != NULL)) {
    struct slot *w = c->waiting;
    c->waiting = w->engine.next;
    enqueue(c, w);
  }
  on_end(s, error);
}

static void header_block(struct conn *c, uint32_t id, bool ends_stream, const uint8_t *p, size_t n) {
  struct slot *s = find_slot(c, id);
  /* Indexed fields alone leave the decoder as it is: remember what they said. */
  uint64_t key = 0;
  if (n <= 8) {
    memcpy(&key, p, n);
    for (size_t i = 0; i < n; i++)
      if (p[i] <= 0x80 || p[i] == 0xff) key = 0, i = n;
  }
  if (likely(key && key == c->block_plain)) {
  } else if (likely(key && key == c->block_ok)) {
    if (s) s->status_ok = true;
  } else {
    bool before = s && s->status_ok;
    if (s) s->status_ok = false;
    for (;;) {
      nghttp2_nv nv;
      int flags = 0;
      ssize_t k = nghttp2_hd_inflate_hd2(c->inflater, &nv, &flags, p, n, 1);
      if (k < 0) protocol_error(nghttp2_strerror((int)k));
      p += k;
      n -= (size_t)k;
      if (flags & NGHTTP2_HD_INFLATE_EMIT && s) on_field(s, nv.name, nv.namelen, nv.value, nv.valuelen);
      if (flags & NGHTTP2_HD_INFLATE_FINAL) break;
      if (!n && !(flags & NGHTTP2_HD_INFLATE_EMIT)) protocol_error("truncated header block");
    }
    nghttp2_hd_inflate_end_headers(c->inflater);
    if (!key)
      c->block_plain = c->block_ok = 0; /* the table may have changed */
    else if (s && s->status_ok)
      c->block_ok = key;
    else if (s && !s->broken)
      c->block_plain = key;
    if (before) s->status_ok = true;
  }
  if (ends_stream && s) end_stream(c, s, 0);
}

static void settings(struct conn *c, const uint8_t *p, size_t n) {
  if (n % 6) protocol_error("SETTINGS of odd length");
  for (; n; p += 6, n -= 6) {
    uint32_t value = get32(p + 2);
    switch (p[0] << 8 | p[1]) {
      case NGHTTP2_SETTINGS_HEADER_TABLE_SIZE:
        if (value == c->table_size) break;
        c->table_size = value;
        c->table_changed = true;
        c->indexed = false;
        break;
      case NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS:
        c->max_open = value;
        break;
      case NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE:
        for (uint32_t i = 0; i <= streams_mask; i++) {
          struct slot *s = c->streams[i];
          if (!s) continue;
          s->engine.send_window += (int32_t)value - c->initial_window;
          if (s->tx_off < body_total) enqueue(c, s);
        }
        c->initial_window = (int32_t)value;
        break;
      case NGHTTP2_SETTINGS_MAX_FRAME_SIZE:
        c->max_frame = value < OUT_FRAME_MAX ? value : OUT_FRAME_MAX;
        break;
    }
  }
  control(c, SETTINGS, ACK, 0, NULL, 0);
  if (!c->ready) {
    c->ready = true;
    conns_ready++;
  }
}

/* A whole frame other than DATA. */
static void frame(struct conn *c, const uint8_t *p, size_t n) {
  switch (c->type) {
    case HEADERS: {
      if (unlikely(c->flags & (PADDED | PRIORITY))) {
        size_t pad = 0, skip = (c->flags & PADDED ? 1u : 0u) + (c->flags & PRIORITY ? 5u : 0u);
        if (n && c->flags & PADDED) pad = p[0];
        if (n < skip + pad) protocol_error("HEADERS too short");
        p += skip;
        n -= skip + pad;
      }
      if (likely(c->flags & END_HEADERS)) return header_block(c, c->id, c->flags & END_STREAM, p, n);
      c->block.len = 0;
      c->block_ends_stream = c->flags & END_STREAM;
      append(&c->block, p, n);
      return;
    }
    case CONTINUATION:
      if (c->block.len + n > HEADER_MAX) protocol_error("header block too long");
      append(&c->block, p, n);
      if (c->flags & END_HEADERS) header_block(c, c->id, c->block_ends_stream, c->block.p, c->block.len);
      return;
    case RST_STREAM: {
      struct slot *s = find_slot(c, c->id);
      if (n != 4) protocol_error("RST_STREAM of odd length");
      if (s) end_stream(c, s, get32(p));
      return;
    }
    case SETTINGS:
      if (!(c->flags & ACK)) settings(c, p, n);
      return;
    case PING:
      if (n != 8) protocol_error("PING of odd length");
      if (!(c->flags & ACK)) control(c, PING, ACK, 0, p, n);
      return;
    case GOAWAY:
      if (n < 8) protocol_error("GOAWAY too short");
      fprintf(stderr, "limit-client: GOAWAY %u %.*s\n", get32(p + 4), (int)(n - 8), p + 8);
      errno = 0;
      die("the server closes the connection");
      return;
    case WINDOW_UPDATE: {
      if (n != 4) protocol_error("WINDOW_UPDATE of odd length");
      uint32_t increment = get32(p) & 0x7fffffff;
      if (c->id == 0) {
        c->window += increment;
        return;
      }
      struct slot *s = find_slot(c, c->id);
      if (!s) return;
      s->engine.send_window += (int32_t)increment;
      if (s->tx_off < body_total) enqueue(c, s);
      return;
    }
    case PUSH_PROMISE:
      protocol_error("PUSH_PROMISE");
  }
}

/* The header of a DATA frame has arrived: account for all of its payload. */
static inline void data_header(struct conn *c) {
  struct slot *s = c->slot = find_slot(c, c->id);
  c->pad = 0;
  c->received += c->left;
  if (unlikely(c->received >= WINDOW / 2)) {
    control32(c, WINDOW_UPDATE, 0, c->received);
    c->received = 0;
  }
  if (likely(s != NULL)) {
    s->engine.received += c->left;
    if (unlikely(s->engine.received >= WINDOW / 2 && !(c->flags & END_STREAM))) {
      control32(c, WINDOW_UPDATE, c->id, s->engine.received);
      s->engine.received = 0;
    }
  }
  c->state = c->flags & PADDED ? PAD_LENGTH : PAYLOAD_DATA;
}

static void engine_input(struct conn *c, const uint8_t *p, size_t n) {
  const uint8_t *end = p + n;
  for (;;) {
    size_t have = (size_t)(end - p);
    switch (c->state) {
      case FRAME_HEADER: {
        const uint8_t *h = p;
        if (likely(c->header_have == 0 && have >= 9)) {
          p += 9;
        } else {
          size_t k = 9u - c->header_have < have ? 9u - c->header_have : have;
          memcpy(c->header + c->header_have, p, k);
          p += k;
          c->header_have = (uint8_t)(c->header_have + k);
          if (c->header_have < 9) return;
          c->header_have = 0;
          h = c->header;
        }
        c->left = get32(h) >> 8;
        c->type = h[3];
        c->flags = h[4];
        c->id = get32(h + 5) & 0x7fffffff;
        if (unlikely(c->left > (uint32_t)opt.max_frame)) protocol_error("frame too long");
        if (c->type == DATA) {
          data_header(c);
        } else {
          c->payload.len = 0;
          c->state = PAYLOAD;
        }
        break;
      }
      case PAD_LENGTH:
        if (!have) return;
        c->pad = *p++;
        if (c->left < 1u + c->pad) protocol_error("padding too long");
        c->left -= 1u + c->pad;
        c->state = PAYLOAD_DATA;
        break;
      case PAYLOAD_DATA: {
        size_t k = have < c->left ? have : c->left;
        if (likely(c->slot != NULL)) read_messages(c->slot, p, k);
        p += k;
        c->left -= (uint32_t)k;
        if (c->left) return;
        c->left = c->pad;
        c->state = PADDING;
      }
      /* fall through */
      case PADDING: {
        have = (size_t)(end - p);
        size_t k = have < c->left ? have : c->left;
        p += k;
        c->left -= (uint32_t)k;
        if (c->left) return;
        c->state = FRAME_HEADER;
        if (unlikely(c->flags & END_STREAM && c->slot)) end_stream(c, c->slot, 0);
        break;
      }
      case PAYLOAD:
        if (likely(c->payload.len == 0 && have >= c->left)) {
          c->state = FRAME_HEADER;
          frame(c, p, c->left);
          p += c->left;
        } else {
          size_t k = c->left - c->payload.len < have ? c->left - c->payload.len : have;
          append(&c->payload, p, k);
          p += k;
          if (c->payload.len < c->left) return;
          c->state = FRAME_HEADER;
          frame(c, c->payload.p, c->left);
        }
        break;
    }
    if (p == end && c->state == FRAME_HEADER) return;
  }
}

/* ---- set-up -------------------------------------------------------------- */

static void engine_init(void) {
  uint32_t per_connection = (uint32_t)((opt.concurrency + opt.connections - 1) / opt.connections);
  streams_mask = 63;
  while (streams_mask < 4 * per_connection) streams_mask = 2 * streams_mask + 1;
  make_literals();
}

static void engine_open(struct conn *c) {
  static const uint16_t ids[] = {NGHTTP2_SETTINGS_ENABLE_PUSH, NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE,
                                 NGHTTP2_SETTINGS_MAX_FRAME_SIZE};
  const uint32_t values[] = {0, WINDOW, (uint32_t)opt.max_frame};
  uint8_t entries[sizeof(ids) / sizeof(*ids) * 6];
  for (size_t i = 0; i < sizeof(ids) / sizeof(*ids); i++) {
    entries[6 * i] = 0;
    entries[6 * i + 1] = (uint8_t)ids[i];
    put32(entries + 6 * i + 2, values[i]);
  }
  c->next_id = 1;
  c->max_open = UINT32_MAX;
  c->max_frame = 16384;
  c->window = c->initial_window = 65535;
  c->table_size = 4096;
  c->queue_end = &c->queue;
  c->streams = calloc(streams_mask + 1, sizeof(*c->streams));
  if (!c->streams || nghttp2_hd_inflate_new(&c->inflater) != 0) die("out of memory");
  append(&c->control, NGHTTP2_CLIENT_MAGIC, NGHTTP2_CLIENT_MAGIC_LEN);
  control(c, SETTINGS, 0, 0, entries, sizeof(entries));
  control32(c, WINDOW_UPDATE, 0, WINDOW - 65535);
}

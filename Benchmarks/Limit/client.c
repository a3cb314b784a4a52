// SPDX-License-Identifier: Apache-2.0
/* limit-client, limit-rawclient - closed-loop load generators for any server
 * of bench.Echo, spending as little CPU per call as possible.
 *
 *   limit-client --port P --mode unary|chat|download|upload --concurrency C --connections K
 *                 --seconds S --payload N [--pid SERVERPID] [--max-frame BYTES]
 *   limit-client --port P --mode ... --calls N: N operations and no warm-up, for counting instructions
 *   limit-client --port P --mode idle --connections K --concurrency CALLS_FIRST --seconds S --pid SERVERPID
 *
 * C calls (unary, download, upload) or streams (chat) stay in flight, spread
 * evenly over K connections, all on one thread.  1 s of warm-up, S seconds of
 * measurement, one JSON line.  Every reply is checked: grpc-status 0, number
 * of messages, payload length and, where requests carry one, the echoed id.
 * Errors are counted, described on stderr and make the exit status 1.
 *
 * idle opens K connections, makes CALLS_FIRST unary calls over them, waits S
 * seconds and reports the server's resident memory before and after.
 *
 * This file holds everything but HTTP/2, which ENGINE provides:
 *   engine_nghttp2.h  an nghttp2 session                        (limit-client)
 *   engine_raw.h      frames by hand, HPACK decoder of nghttp2  (limit-rawclient)
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stddef.h>
#include <sys/epoll.h>

#include "loadgen.h"
#include "out.h"

#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

enum {
  READ_SIZE = 256 * 1024,
  WINDOW = 16 * 1024 * 1024,
  EVENTS = 256,
  ID_BYTES = 5, /* ids lie in [2^28, 2^29): always five bytes as a varint */
  MAX_ERRORS = 1000,
};

/* Incremental reader of length-prefixed messages: keeps varints and the
 * lengths of length-delimited values of fields 1 to 3, skips the bytes. */
struct reader {
  uint8_t prefix_have;
  uint8_t prefix[5];
  uint8_t state; /* enum reader_state */
  uint8_t shift;
  uint8_t field;
  uint32_t left; /* bytes left of the message */
  uint64_t varint;
  uint64_t skip;
  uint64_t value[4];
};

enum reader_state { TAG, VARINT, LENGTH, SKIP };

/* One of the C calls in flight. */
struct slot {
  struct conn *c;
  int32_t stream_id;
  bool status_ok, broken;
  uint32_t messages; /* received */
  uint64_t start;
  uint64_t id;
  uint8_t id_bytes[ID_BYTES];
  size_t tx_off; /* request bytes handed over */
  struct reader in;
  struct slot_engine {
    struct slot *next;
    int32_t send_window;
    uint32_t received; /* bytes not yet given back to the peer's window */
    bool open, queued;
  } engine;
};

static struct lg_options opt;
static struct pool pool;
static struct out *out, *free_outs;
static int epfd;
static struct conn *conns, *more;
static struct slot *slots;
static int conns_ready;

static char authority[32];
static const char *path;
static const char user_agent[] = "grpc-c-limit/1.0";

/* Request bytes: `body` repeated until `body_total`; the last `body_patch`
 * bytes are the id of the call. */
static uint8_t *body;
static size_t body_len, body_total, body_patch;

static uint64_t now, next_id;
static uint64_t ops, calls, errors;
static struct lg_histogram latency;
static bool idle_calls_only;
static int idle_calls_left;

static void die(const char *what) {
  fprintf(stderr, "limit-client: %s%s%s\n", what, errno ? ": " : "", errno ? strerror(errno) : "");
  exit(1);
}

/* What the engine offers.  The fields every connection has come first. */
#define CONN_COMMON          \
  int fd;                    \
  bool ready, more;          \
  struct out *blocked;       \
  struct conn *next_more

static void engine_init(void);
static void engine_open(struct conn *c);                            /* preface, SETTINGS, window */
static void engine_input(struct conn *c, const uint8_t *p, size_t n);
static bool engine_gather(struct conn *c);                          /* fill `out`; true when it got full */
static void engine_start(struct slot *s);                           /* new stream with the body */
static void engine_send_again(struct slot *s);                      /* the body once more (chat) */

/* ---- requests ------------------------------------------------------------ */

static uint8_t *put_varint(uint8_t *p, uint64_t v) {
  while (v >= 0x80) *p++ = (uint8_t)(v | 0x80), v >>= 7;
  *p++ = (uint8_t)v;
  return p;
}

static uint8_t *put_echo_request(uint8_t *p, size_t payload, uint64_t id) {
  uint8_t *start = p;
  p += 5;
  if (payload) {
    *p++ = 0x0a;
    p = put_varint(p, payload);
    memset(p, 'x', payload);
    p += payload;
  }
  *p++ = 0x12;
  p = put_varint(p, sizeof(LG_NAME) - 1);
  memcpy(p, LG_NAME, sizeof(LG_NAME) - 1);
  p += sizeof(LG_NAME) - 1;
  *p++ = 0x18;
  p = put_varint(p, id);
  uint32_t n = htonl((uint32_t)(p - start - 5));
  start[0] = 0;
  memcpy(start + 1, &n, 4);
  return p;
}

static void make_body(void) {
  size_t one = opt.payload + 64;
  if (opt.mode == LG_UPLOAD) {
    /* A run of whole messages, long enough to be referenced in place. */
    size_t copies = 64 * 1024 / one + 1;
    while (LG_STREAM_MESSAGES % copies) copies--;
    uint8_t *p = body = malloc(copies * one);
    if (!p) die("out of memory");
    for (size_t i = 0; i < copies; i++) p = put_echo_request(p, opt.payload, 1u << 28);
    body_len = (size_t)(p - body);
    body_total = body_len * (LG_STREAM_MESSAGES / copies);
    return;
  }
  uint8_t *p = body = malloc(one);
  if (!p) die("out of memory");
  if (opt.mode == LG_DOWNLOAD) {
    memset(p, 0, 5);
    p += 5;
    *p++ = 0x08;
    p = put_varint(p, LG_STREAM_MESSAGES);
    if (opt.payload) {
      *p++ = 0x10;
      p = put_varint(p, opt.payload);
    }
    body[4] = (uint8_t)(p - body - 5);
  } else {
    p = put_echo_request(p, opt.payload, 1u << 28);
    body_patch = ID_BYTES;
  }
  body_len = body_total = (size_t)(p - body);
}

static inline void next_request(struct slot *s) {
  s->tx_off = 0;
  s->start = now;
  if (body_patch) {
    s->id = (1u << 28) + (next_id++ & ((1u << 28) - 1));
    put_varint(s->id_bytes, s->id);
  }
}

/* Appends the next n request bytes of a slot to the output. */
static inline void put_body(struct slot *s, size_t n) {
  size_t fixed = body_len - body_patch;
  while (n) {
    size_t at = s->tx_off % body_len, k;
    if (at < fixed) {
      k = fixed - at < n ? fixed - at : n;
      out_add(out, body + at, k);
    } else {
      k = body_len - at < n ? body_len - at : n;
      out_copy(out, s->id_bytes + (at - fixed), k);
    }
    s->tx_off += k;
    n -= k;
  }
}

static void start_call(struct slot *s) {
  s->status_ok = s->broken = false;
  s->messages = 0;
  memset(&s->in, 0, offsetof(struct reader, varint));
  next_request(s);
  engine_start(s);
}

/* ---- replies ------------------------------------------------------------- */

static __attribute__((noinline)) void bad(struct slot *s, const char *what, const uint8_t *detail, size_t n) {
  if (!s->broken) errors++;
  s->broken = true;
  if (errors <= 5) fprintf(stderr, "limit-client: stream %d: %s %.*s\n", s->stream_id, what, (int)n, detail);
  if (errors >= MAX_ERRORS) errno = 0, die("too many errors");
}

/* A response header or trailer. */
static inline void on_field(struct slot *s, const uint8_t *name, size_t namelen, const uint8_t *value,
                            size_t valuelen) {
  if (namelen < 11 || memcmp(name, "grpc-", 5) != 0) return;
  if (likely(namelen == 11 && memcmp(name, "grpc-status", 11) == 0)) {
    if (likely(valuelen == 1 && value[0] == '0'))
      s->status_ok = true;
    else
      bad(s, "grpc-status", value, valuelen);
  } else if (namelen == 12 && memcmp(name, "grpc-message", 12) == 0 && valuelen && errors <= 5) {
    fprintf(stderr, "limit-client: stream %d: grpc-message %.*s\n", s->stream_id, (int)valuelen, value);
  }
}

static inline void on_message(struct slot *s) {
  const uint64_t *v = s->in.value;
  s->messages++;
  if (unlikely(s->in.state != TAG || s->in.shift)) return bad(s, "malformed message", NULL, 0);
  switch (opt.mode) {
    case LG_DOWNLOAD:
      if (unlikely(v[1] != opt.payload)) bad(s, "wrong payload length", NULL, 0);
      ops++;
      return;
    case LG_UPLOAD:
      if (unlikely(v[1] != LG_STREAM_MESSAGES || v[2] != LG_STREAM_MESSAGES * opt.payload))
        bad(s, "wrong upload summary", NULL, 0);
      return;
    default:
      if (unlikely(v[1] != opt.payload)) return bad(s, "wrong payload length", NULL, 0);
      if (unlikely(v[2] != sizeof(LG_NAME) - 1 || v[3] != s->id)) return bad(s, "wrong name or id", NULL, 0);
  }
  if (opt.mode == LG_CHAT) {
    if (unlikely(s->tx_off != body_total)) return bad(s, "reply before the request was sent", NULL, 0);
    ops++;
    lg_record(&latency, now - s->start);
    next_request(s);
    engine_send_again(s);
  }
}

static inline void read_messages(struct slot *s, const uint8_t *p, size_t n) {
  struct reader *r = &s->in;
  while (n) {
    if (r->prefix_have < 5) {
      r->prefix[r->prefix_have++] = *p++;
      n--;
      if (r->prefix_have < 5) continue;
      uint32_t len;
      memcpy(&len, r->prefix + 1, 4);
      r->left = ntohl(len);
      r->state = TAG;
      r->shift = 0;
      r->varint = 0;
      memset(r->value, 0, sizeof(r->value));
      if (unlikely(r->prefix[0])) bad(s, "compressed message", NULL, 0);
    }
    const uint8_t *end = p + (n < r->left ? n : r->left);
    n -= (size_t)(end - p);
    r->left -= (uint32_t)(end - p);
    while (p < end) {
      if (r->state == SKIP) {
        size_t k = (size_t)(end - p) < r->skip ? (size_t)(end - p) : r->skip;
        p += k;
        r->skip -= k;
        if (r->skip == 0) r->state = TAG;
        continue;
      }
      uint8_t b = *p++;
      r->varint |= (uint64_t)(b & 0x7f) << (r->shift & 63);
      if (b & 0x80) {
        r->shift = (uint8_t)(r->shift + 7);
        continue;
      }
      uint64_t v = r->varint;
      r->varint = 0;
      r->shift = 0;
      switch (r->state) {
        case TAG:
          r->field = v >> 3 <= 3 ? (uint8_t)(v >> 3) : 0;
          switch (v & 7) {
            case 0: r->state = VARINT; break;
            case 1: r->state = SKIP, r->skip = 8; break;
            case 2: r->state = LENGTH; break;
            case 5: r->state = SKIP, r->skip = 4; break;
            default: bad(s, "malformed message", NULL, 0);
          }
          break;
        case VARINT:
          r->value[r->field] = v;
          r->state = TAG;
          break;
        case LENGTH:
          r->value[r->field] = v;
          r->skip = v;
          r->state = v ? SKIP : TAG;
          break;
      }
    }
    if (r->left == 0) {
      r->prefix_have = 0;
      on_message(s);
    }
  }
}

/* The stream is closed; error is the RST_STREAM code or 0. */
static inline void on_end(struct slot *s, uint32_t error) {
  if (unlikely(error)) {
    const char *what = nghttp2_http2_strerror(error);
    bad(s, "reset:", (const uint8_t *)what, strlen(what));
  }
  if (unlikely(s->broken)) {
  } else if (unlikely(opt.mode == LG_CHAT)) {
    bad(s, "chat ended early", NULL, 0);
  } else if (unlikely(!s->status_ok)) {
    bad(s, "no grpc-status", NULL, 0);
  } else if (unlikely(s->messages != (opt.mode == LG_DOWNLOAD ? LG_STREAM_MESSAGES : 1) || s->in.prefix_have)) {
    bad(s, "wrong number of messages", NULL, 0);
  } else {
    calls++;
    if (opt.mode != LG_DOWNLOAD) ops += opt.mode == LG_UPLOAD ? LG_STREAM_MESSAGES : 1;
    lg_record(&latency, now - s->start);
  }
  if (unlikely(idle_calls_only))
    idle_calls_left--;
  else
    start_call(s);
}

#include ENGINE

/* ---- connections --------------------------------------------------------- */

static void conn_send(struct conn *c) {
  bool full;
  if (unlikely(c->blocked != NULL)) return;
  do {
    full = engine_gather(c);
    if (out->total == 0) return;
    int r = out_flush(out, c->fd, &pool);
    if (unlikely(r < 0)) die("write");
    if (unlikely(r == 0)) {
      c->blocked = out;
      out = free_outs ? free_outs : out_new();
      free_outs = out->next_free;
      return;
    }
  } while (full);
}

static void conn_run(struct conn *c) {
  static uint8_t in[READ_SIZE] __attribute__((aligned(4096)));
  if (unlikely(c->blocked != NULL)) {
    int r = out_flush(c->blocked, c->fd, &pool);
    if (r < 0) die("write");
    if (r == 1) {
      c->blocked->next_free = free_outs;
      free_outs = c->blocked;
      c->blocked = NULL;
    }
  }
  ssize_t n = recv(c->fd, in, READ_SIZE, 0);
  now = lg_now();
  if (n > 0) {
    engine_input(c, in, (size_t)n);
    if (unlikely(n == READ_SIZE)) {
      c->more = true;
      c->next_more = more;
      more = c;
    }
  } else if (n == 0) {
    errno = 0;
    die("connection closed by the server");
  } else if (errno != EAGAIN && errno != EINTR) {
    die("read");
  }
  conn_send(c);
}

static void conn_open(struct conn *c) {
  struct sockaddr_in addr = {
      .sin_family = AF_INET, .sin_port = htons((uint16_t)opt.port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  int on = 1;
  c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (c->fd < 0 || connect(c->fd, (struct sockaddr *)&addr, sizeof(addr)) != 0) die("connect");
  setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  fcntl(c->fd, F_SETFL, O_NONBLOCK);
  engine_open(c);
  struct epoll_event ev = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data.ptr = c};
  if (epoll_ctl(epfd, EPOLL_CTL_ADD, c->fd, &ev) != 0) die("epoll_ctl");
  conn_send(c);
}

static void poll_once(int timeout_ms) {
  struct epoll_event events[EVENTS];
  int n = epoll_wait(epfd, events, EVENTS, more ? 0 : timeout_ms);
  struct conn *list = more;
  more = NULL;
  for (int i = 0; i < n; i++) {
    struct conn *c = events[i].data.ptr;
    if (!c->more) conn_run(c);
  }
  while (list) {
    struct conn *c = list;
    list = c->next_more;
    c->more = false;
    conn_run(c);
  }
  if (n <= 0) now = lg_now();
}

static void poll_until(uint64_t end) {
  while (now < end) poll_once(10);
}

/* Waits for a condition, at most 30 s. */
#define POLL_WHILE(condition, what)                                   \
  do {                                                                \
    uint64_t limit = lg_now() + 30000000000u;                         \
    while (condition) {                                               \
      poll_once(10);                                                  \
      if (now > limit) errno = 0, die("timed out waiting for " what); \
    }                                                                 \
  } while (0)

int main(int argc, char **argv) {
  static const char *const paths[] = {"/bench.Echo/Echo", "/bench.Echo/Chat", "/bench.Echo/Download",
                                      "/bench.Echo/Upload", "/bench.Echo/Echo"};
  opt = lg_parse(argc, argv);
  path = paths[opt.mode];
  snprintf(authority, sizeof(authority), "127.0.0.1:%d", opt.port);
  make_body();
  engine_init();
  out = out_new();
  epfd = epoll_create1(EPOLL_CLOEXEC);
  conns = calloc((size_t)opt.connections, sizeof(*conns));
  slots = calloc((size_t)opt.concurrency + 1, sizeof(*slots));
  if (!conns || !slots) die("out of memory");

  long rss_before = lg_rss_kb(opt.pid);
  for (int i = 0; i < opt.connections; i++) conn_open(&conns[i]);
  POLL_WHILE(conns_ready < opt.connections, "server SETTINGS");

  idle_calls_only = opt.mode == LG_IDLE;
  idle_calls_left = opt.concurrency;
  now = lg_now();
  for (int i = 0; i < opt.concurrency; i++) {
    slots[i].c = &conns[i % opt.connections];
    start_call(&slots[i]);
  }
  for (int i = 0; i < opt.connections; i++) conn_send(&conns[i]);

  if (opt.mode == LG_IDLE) {
    POLL_WHILE(idle_calls_left > 0, "the first calls");
    struct lg_sample from = lg_sample_take(&opt);
    poll_until(lg_now() + (uint64_t)(opt.seconds * 1e9));
    struct lg_sample to = lg_sample_take(&opt);
    long rss_after = lg_rss_kb(opt.pid);
    printf("{\"mode\":\"idle\",\"connections\":%d,\"calls\":%d,\"rss_before_kb\":%ld,\"rss_after_kb\":%ld,"
           "\"kb_per_connection\":%.2f,\"server_cpu_us_per_s\":%.1f,\"errors\":%llu}\n",
           opt.connections, opt.concurrency, rss_before, rss_after,
           (double)(rss_after - rss_before) / opt.connections, (to.server_cpu - from.server_cpu) / opt.seconds,
           (unsigned long long)errors);
    return errors != 0;
  }

  if (!opt.calls) poll_until(now + 1000000000u);
  memset(&latency, 0, sizeof(latency));
  ops = calls = 0;
  struct lg_sample from = lg_sample_take(&opt);
  if (opt.calls)
    while (ops < opt.calls) poll_once(10);
  else
    poll_until(from.at + (uint64_t)(opt.seconds * 1e9));
  struct lg_sample to = lg_sample_take(&opt);
  lg_report(&opt, &latency, ops, calls, errors, from, to);
  return errors != 0;
}

// SPDX-License-Identifier: Apache-2.0
/* engine_nghttp2.h - HTTP/2 for client.c by an nghttp2 session. */

struct conn {
  CONN_COMMON;
  nghttp2_session *session;
  struct slot *last; /* slot of the frame seen last */
  int32_t last_id;
};

static nghttp2_session_callbacks *callbacks;
static nghttp2_option *option;

#define NV(n, v) \
  {(uint8_t *)(n), (uint8_t *)(v), sizeof(n) - 1, sizeof(v) - 1, \
   NGHTTP2_NV_FLAG_NO_COPY_NAME | NGHTTP2_NV_FLAG_NO_COPY_VALUE}
static nghttp2_nv request_nv[] = {NV(":method", "POST"),
                                  NV(":scheme", "http"),
                                  NV(":path", ""),
                                  NV(":authority", ""),
                                  NV("te", "trailers"),
                                  NV("content-type", "application/grpc"),
                                  NV("user-agent", "")};
enum { NV_PATH = 2, NV_AUTHORITY = 3, NV_USER_AGENT = 6, NV_COUNT = 7 };

static ssize_t on_read(nghttp2_session *session, int32_t id, uint8_t *buf, size_t len, uint32_t *flags,
                       nghttp2_data_source *source, void *user_data) {
  struct slot *s = source->ptr;
  size_t left = body_total - s->tx_off;
  (void)session, (void)id, (void)buf, (void)user_data;
  if (unlikely(out_full(out))) return NGHTTP2_ERR_PAUSE;
  *flags = NGHTTP2_DATA_FLAG_NO_COPY;
  if (left > len) return (ssize_t)len;
  *flags |= NGHTTP2_DATA_FLAG_EOF;
  if (opt.mode == LG_CHAT) *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
  return (ssize_t)left;
}

static int on_send_data(nghttp2_session *session, nghttp2_frame *frame, const uint8_t *framehd, size_t length,
                        nghttp2_data_source *source, void *user_data) {
  (void)session, (void)frame, (void)user_data;
  out_copy(out, framehd, 9);
  put_body(source->ptr, length);
  return 0;
}

static ssize_t on_read_length(nghttp2_session *session, uint8_t frame_type, int32_t id, int32_t session_window,
                              int32_t stream_window, uint32_t max_frame, void *user_data) {
  (void)session, (void)frame_type, (void)id, (void)session_window, (void)stream_window, (void)max_frame;
  (void)user_data;
  return body_len <= 16384 ? 16384 : body_len < OUT_FRAME_MAX ? (ssize_t)body_len : OUT_FRAME_MAX;
}

static void engine_start(struct slot *s) {
  nghttp2_data_provider provider = {.source.ptr = s, .read_callback = on_read};
  s->stream_id = nghttp2_submit_request(s->c->session, NULL, request_nv, NV_COUNT, &provider, s);
  if (s->stream_id < 0) errno = 0, die(nghttp2_strerror(s->stream_id));
}

static void engine_send_again(struct slot *s) {
  nghttp2_data_provider provider = {.source.ptr = s, .read_callback = on_read};
  int r = nghttp2_submit_data(s->c->session, NGHTTP2_FLAG_NONE, s->stream_id, &provider);
  if (unlikely(r != 0)) bad(s, nghttp2_strerror(r), NULL, 0);
}

static inline struct slot *find_slot(struct conn *c, int32_t id) {
  if (c->last_id == id) return c->last;
  c->last = nghttp2_session_get_stream_user_data(c->session, id);
  c->last_id = id;
  return c->last;
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name, size_t namelen,
                     const uint8_t *value, size_t valuelen, uint8_t flags, void *user_data) {
  (void)session, (void)flags;
  if (namelen < 11 || name[0] != 'g') return 0;
  struct slot *s = find_slot(user_data, frame->hd.stream_id);
  if (likely(s != NULL)) on_field(s, name, namelen, value, valuelen);
  return 0;
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t id, const uint8_t *p, size_t n,
                   void *user_data) {
  struct slot *s = find_slot(user_data, id);
  (void)session, (void)flags;
  if (likely(s != NULL)) read_messages(s, p, n);
  return 0;
}

static int on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *user_data) {
  struct conn *c = user_data;
  (void)session;
  if (unlikely(frame->hd.type == NGHTTP2_SETTINGS && !(frame->hd.flags & NGHTTP2_FLAG_ACK) && !c->ready)) {
    c->ready = true;
    conns_ready++;
  } else if (unlikely(frame->hd.type == NGHTTP2_GOAWAY)) {
    fprintf(stderr, "limit-client: GOAWAY %u %.*s\n", frame->goaway.error_code, (int)frame->goaway.opaque_data_len,
            frame->goaway.opaque_data);
  }
  return 0;
}

static int on_stream_close(nghttp2_session *session, int32_t id, uint32_t error, void *user_data) {
  struct conn *c = user_data;
  struct slot *s = find_slot(c, id);
  (void)session;
  c->last_id = 0;
  if (likely(s != NULL)) on_end(s, error);
  return 0;
}

static void engine_init(void) {
  request_nv[NV_PATH].value = (uint8_t *)path;
  request_nv[NV_PATH].valuelen = strlen(path);
  request_nv[NV_AUTHORITY].value = (uint8_t *)authority;
  request_nv[NV_AUTHORITY].valuelen = strlen(authority);
  request_nv[NV_USER_AGENT].value = (uint8_t *)user_agent;
  request_nv[NV_USER_AGENT].valuelen = strlen(user_agent);
  nghttp2_session_callbacks_new(&callbacks);
  nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
  nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
  nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
  nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_stream_close);
  nghttp2_session_callbacks_set_send_data_callback(callbacks, on_send_data);
  nghttp2_session_callbacks_set_data_source_read_length_callback(callbacks, on_read_length);
  nghttp2_option_new(&option);
  nghttp2_option_set_no_http_messaging(option, 1);
}

static void engine_open(struct conn *c) {
  const nghttp2_settings_entry settings[] = {
      {NGHTTP2_SETTINGS_ENABLE_PUSH, 0},
      {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, WINDOW},
      {NGHTTP2_SETTINGS_MAX_FRAME_SIZE, (uint32_t)opt.max_frame},
      {NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1}, /* cheaper scheduling on our side */
  };
  nghttp2_mem mem = pool_mem(&pool);
  if (nghttp2_session_client_new3(&c->session, callbacks, c, option, &mem) != 0 ||
      nghttp2_submit_settings(c->session, NGHTTP2_FLAG_NONE, settings, sizeof(settings) / sizeof(*settings)) != 0 ||
      nghttp2_session_set_local_window_size(c->session, NGHTTP2_FLAG_NONE, 0, WINDOW) != 0)
    errno = 0, die("cannot set up an nghttp2 session");
}

static void engine_input(struct conn *c, const uint8_t *p, size_t n) {
  ssize_t r = nghttp2_session_mem_recv(c->session, p, n);
  if (unlikely(r != (ssize_t)n)) errno = 0, die(r < 0 ? nghttp2_strerror((int)r) : "input left");
}

static bool engine_gather(struct conn *c) {
  const uint8_t *p;
  ssize_t n;
  do {
    n = nghttp2_session_mem_send(c->session, &p);
    if (n <= 0) break;
    out_copy(out, p, (size_t)n);
  } while (!out_full(out));
  if (unlikely(n < 0)) errno = 0, die(nghttp2_strerror((int)n));
  if (unlikely(!out->total && !nghttp2_session_want_read(c->session))) errno = 0, die("HTTP/2 session ended");
  return out_full(out);
}

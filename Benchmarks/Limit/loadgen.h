// SPDX-License-Identifier: Apache-2.0
/* loadgen.h - what the load generators in C and C++ share: flags, the latency
 * histogram, CPU accounting and the JSON line.  Valid C11 and C++17.
 *
 * What counts as one operation: a call (unary), a message there and back
 * (chat), a message received (download) or sent (upload).  Latency is that of
 * the operation for unary and chat, of the whole call for download and upload.
 */
#ifndef LOADGEN_H
#define LOADGEN_H

#include <getopt.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum lg_mode { LG_UNARY, LG_CHAT, LG_DOWNLOAD, LG_UPLOAD, LG_IDLE };

enum { LG_STREAM_MESSAGES = 1000 }; /* messages of a download or upload call */

/* Every request carries this name. */
#define LG_NAME "benchmark"

struct lg_options {
  int port;
  enum lg_mode mode;
  const char *mode_name;
  int concurrency, connections;
  double seconds;
  uint64_t calls; /* end after so many operations, without a warm-up: what instruction counts need; 0: by time */
  size_t payload;
  int pid;
  int max_frame; /* the plain C clients: SETTINGS_MAX_FRAME_SIZE */
  int threads;   /* the C++ client: completion queues, one thread each */
};

static inline void lg_usage(const char *program) {
  fprintf(stderr,
          "usage: %s --port P [--mode unary|chat|download|upload|idle] [--concurrency C] [--connections K]\n"
          "       [--seconds S] [--payload N] [--pid SERVERPID] [--calls N] [--max-frame BYTES] [--threads N]\n",
          program);
  exit(2);
}

static inline struct lg_options lg_parse(int argc, char **argv) {
  static const struct option options[] = {
      {"port", required_argument, NULL, 'p'},        {"mode", required_argument, NULL, 'm'},
      {"concurrency", required_argument, NULL, 'c'}, {"connections", required_argument, NULL, 'k'},
      {"seconds", required_argument, NULL, 's'},     {"payload", required_argument, NULL, 'n'},
      {"pid", required_argument, NULL, 'i'},         {"max-frame", required_argument, NULL, 'f'},
      {"threads", required_argument, NULL, 't'},     {"calls", required_argument, NULL, 'l'},
      {NULL, 0, NULL, 0}};
  static const char *const names[] = {"unary", "chat", "download", "upload", "idle"};
  struct lg_options o;
  int ch;
  memset(&o, 0, sizeof(o));
  o.mode_name = "unary";
  o.concurrency = o.connections = o.threads = 1;
  o.seconds = 5;
  o.payload = 16;
  o.max_frame = 16384;
  while ((ch = getopt_long(argc, argv, "", options, NULL)) != -1) {
    switch (ch) {
      case 'p': o.port = atoi(optarg); break;
      case 'm': o.mode_name = optarg; break;
      case 'c': o.concurrency = atoi(optarg); break;
      case 'k': o.connections = atoi(optarg); break;
      case 's': o.seconds = atof(optarg); break;
      case 'n': o.payload = strtoul(optarg, NULL, 10); break;
      case 'i': o.pid = atoi(optarg); break;
      case 'f': o.max_frame = atoi(optarg); break;
      case 't': o.threads = atoi(optarg); break;
      case 'l': o.calls = strtoull(optarg, NULL, 10); break;
      default: lg_usage(argv[0]);
    }
  }
  int mode = -1;
  for (int i = 0; i < 5; i++)
    if (strcmp(names[i], o.mode_name) == 0) mode = i;
  if (mode < 0 || o.port <= 0 || o.port > 65535 || o.concurrency < 0 || o.connections < 1 || o.seconds <= 0 ||
      o.payload > (64u << 20) - 64 || o.max_frame < 16384 || o.max_frame > 16777215 || o.threads < 1 ||
      (o.concurrency == 0 && mode != LG_IDLE))
    lg_usage(argv[0]);
  o.mode = (enum lg_mode)mode;
  return o;
}

static inline uint64_t lg_now(void) {
  struct timespec ts;
  clock_gettime(CLOCK_MONOTONIC, &ts);
  return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

/* ---- latency histogram: 128 linear steps per power of two (under 0.8%) -- */

enum { LG_SUB_BITS = 7, LG_SUB = 1 << LG_SUB_BITS, LG_BUCKETS = (64 - LG_SUB_BITS + 1) * LG_SUB };

struct lg_histogram {
  uint64_t n;
  uint64_t count[LG_BUCKETS];
};

static inline void lg_record(struct lg_histogram *h, uint64_t ns) {
  unsigned i = (unsigned)ns;
  if (ns >= LG_SUB) {
    unsigned e = 63u - (unsigned)__builtin_clzll(ns) - LG_SUB_BITS;
    i = ((e + 1) << LG_SUB_BITS) + (unsigned)((ns >> e) & (LG_SUB - 1));
  }
  h->count[i]++;
  h->n++;
}

static inline double lg_percentile_us(const struct lg_histogram *h, double p) {
  uint64_t rank = (uint64_t)(p * (double)h->n), seen = 0;
  if (rank >= h->n && h->n) rank = h->n - 1;
  for (unsigned i = 0; i < LG_BUCKETS; i++) {
    seen += h->count[i];
    if (seen > rank) {
      unsigned e = i >> LG_SUB_BITS, m = i & (LG_SUB - 1);
      double ns = e == 0 ? m : (double)((uint64_t)(m + LG_SUB) << (e - 1)) + (double)((1ull << (e - 1)) - 1) / 2;
      return ns / 1000;
    }
  }
  return 0;
}

/* ---- CPU and memory of processes ---------------------------------------- */

/* utime + stime of all threads of a process in microseconds; -1 if unknown. */
static inline double lg_process_cpu_us(int pid) {
  char path[64], buf[1024];
  unsigned long utime, stime;
  if (pid <= 0) return -1;
  snprintf(path, sizeof(path), "/proc/%d/stat", pid);
  FILE *f = fopen(path, "r");
  if (!f) return -1;
  size_t n = fread(buf, 1, sizeof(buf) - 1, f);
  fclose(f);
  buf[n] = 0;
  char *p = strrchr(buf, ')'); /* the command name may hold anything */
  if (!p || sscanf(p + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &utime, &stime) != 2) return -1;
  return (double)(utime + stime) * 1e6 / (double)sysconf(_SC_CLK_TCK);
}

static inline double lg_own_cpu_us(void) {
  struct rusage u;
  getrusage(RUSAGE_SELF, &u);
  return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1e6 + (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec);
}

static inline long lg_rss_kb(int pid) {
  char path[64], line[256];
  long kb = -1;
  snprintf(path, sizeof(path), "/proc/%d/status", pid);
  FILE *f = pid > 0 ? fopen(path, "r") : NULL;
  if (!f) return -1;
  while (fgets(line, sizeof(line), f))
    if (sscanf(line, "VmRSS: %ld", &kb) == 1) break;
  fclose(f);
  return kb;
}

/* ---- one measurement ----------------------------------------------------- */

struct lg_sample {
  uint64_t at;
  double client_cpu, server_cpu;
};

static inline struct lg_sample lg_sample_take(const struct lg_options *o) {
  struct lg_sample s;
  s.server_cpu = lg_process_cpu_us(o->pid);
  s.client_cpu = lg_own_cpu_us();
  s.at = lg_now();
  return s;
}

static inline void lg_number(const char *name, double value, bool known) {
  if (known)
    printf("\"%s\":%.3f,", name, value);
  else
    printf("\"%s\":null,", name);
}

static inline void lg_report(const struct lg_options *o, const struct lg_histogram *h, uint64_t ops, uint64_t calls,
                             uint64_t errors, struct lg_sample from, struct lg_sample to) {
  double s = (double)(to.at - from.at) / 1e9, n = (double)ops;
  printf("{");
  lg_number("rps", n / s, true);
  lg_number("p50_us", lg_percentile_us(h, 0.50), h->n > 0);
  lg_number("p90_us", lg_percentile_us(h, 0.90), h->n > 0);
  lg_number("p99_us", lg_percentile_us(h, 0.99), h->n > 0);
  lg_number("p999_us", lg_percentile_us(h, 0.999), h->n > 0);
  lg_number("client_cpu_us_per_op", (to.client_cpu - from.client_cpu) / n, ops > 0);
  lg_number("server_cpu_us_per_op", (to.server_cpu - from.server_cpu) / n,
            ops > 0 && from.server_cpu >= 0 && to.server_cpu >= 0);
  printf("\"mode\":\"%s\",\"concurrency\":%d,\"connections\":%d,\"payload\":%zu,\"seconds\":%.3f,"
         "\"ops\":%llu,\"calls\":%llu,\"errors\":%llu}\n",
         o->mode_name, o->concurrency, o->connections, o->payload, s, (unsigned long long)ops,
         (unsigned long long)calls, (unsigned long long)errors);
  fflush(stdout);
}

#endif

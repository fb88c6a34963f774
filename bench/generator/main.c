/* The phases of a run: open the streams, settle, warm up, measure, drain; then one JSON object on standard output. */
#include "generator.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MAX_EVENTS 1024
#define SECOND_NS 1000000000UL
#define MS_NS 1000000UL
/*
 * A stream that never reads: as little room as the kernel gives, and the segments of an Ethernet. With those of the
 * loopback, of 64 KB, the server's kernel would take in some megabytes before it lets the server know.
 */
#define SMALL_RECEIVE_BUFFER 2048
#define SMALL_SEGMENT 1448
/* While a phase waits for something, how often it looks. */
#define LOOK_NS (20 * MS_NS)

struct options options = {
    .parallel = 64, .settle_ms = 300, .drain_ms = 10000, .partitions = 6, .samples = 40, .limit_ms = 60000, .run = "000000"};
int poller;
bool measuring;

static struct buffer memory; /* resident bytes, a number a second */
static uint64_t next_second_ns;

void fail(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  vfprintf(stderr, format, arguments);
  va_end(arguments);
  fputc('\n', stderr);
  exit(1);
}

void append(struct buffer *buffer, const void *bytes, size_t length) {
  if (buffer->length + length > buffer->capacity) {
    buffer->capacity = (buffer->length + length) * 2;
    buffer->bytes = realloc(buffer->bytes, buffer->capacity);
  }
  if (length > 0) memcpy(buffer->bytes + buffer->length, bytes, length);
  buffer->length += length;
}

void appendf(struct buffer *buffer, const char *format, ...) {
  char text[1024];
  va_list arguments;
  va_start(arguments, format);
  int length = vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  if (length < 0 || (size_t)length >= sizeof text) fail("Too long a text");
  append(buffer, text, (size_t)length);
}

char *read_whole(const char *path, size_t *length) {
  struct buffer text = {0};
  char bytes[65536];
  FILE *file = fopen(path, "r");
  if (!file) fail("%s: %s", path, strerror(errno));
  for (size_t count; (count = fread(bytes, 1, sizeof bytes, file)) > 0;) append(&text, bytes, count);
  fclose(file);
  append(&text, "", 1);
  *length = text.length - 1;
  return text.bytes;
}

int connect_to(const char *host, int port, const char *from, bool small) {
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), on = 1, receive_buffer = SMALL_RECEIVE_BUFFER, segment = SMALL_SEGMENT;
  if (fd < 0) fail("No socket: %s", strerror(errno));
  if (small) {
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
    setsockopt(fd, IPPROTO_TCP, TCP_MAXSEG, &segment, sizeof segment);
  }
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (from) {
    /* Which port is left to the connect, so that one may serve towards several servers. */
    struct sockaddr_in own = {.sin_family = AF_INET};
    setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
    if (inet_pton(AF_INET, from, &own.sin_addr) != 1 || bind(fd, (struct sockaddr *)&own, sizeof own) < 0)
      fail("Not an address of this machine: %s", from);
  }
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
  inet_pton(AF_INET, host, &address.sin_addr);
  if (connect(fd, (struct sockaddr *)&address, sizeof address) < 0 && errno != EINPROGRESS)
    fail("No connection to %s:%d: %s", host, port, strerror(errno));
  return fd;
}

static void read_options(int count, char **arguments) {
  for (int i = 1; i < count; i++) {
    char *value = strchr(arguments[i], '=');
    if (!value) fail("Not an option: %s", arguments[i]);
    *value++ = 0;
#define TEXT(name) if (!strcmp(arguments[i], #name)) { options.name = value; continue; }
#define NUMBER(name) if (!strcmp(arguments[i], #name)) { options.name = atol(value); continue; }
    TEXT(target) TEXT(source) TEXT(requests) TEXT(templates) TEXT(feed) TEXT(run) TEXT(pids)
    NUMBER(parallel) NUMBER(settle_ms) NUMBER(warm_ms) NUMBER(measure_ms) NUMBER(drain_ms) NUMBER(window)
    NUMBER(idle_ms) NUMBER(core) NUMBER(partitions) NUMBER(stalled) NUMBER(samples) NUMBER(limit_ms) NUMBER(count) NUMBER(hold) NUMBER(freeze)
    NUMBER(made) NUMBER(resume)
    if (!strcmp(arguments[i], "rate")) { options.rate = atof(value); continue; }
    fail("Not an option: %s", arguments[i]);
  }
  if (strlen(options.run) != RUN_LENGTH) fail("A run has %d digits", RUN_LENGTH);
  if (options.partitions < 1 || options.partitions > MAX_PARTITIONS) fail("1 to %d partitions", MAX_PARTITIONS);
}

static bool all_open(void) { return totals.open + totals.refused + totals.closed >= totals.streams; }
static bool all_caught_up(void) { return totals.caught_up + totals.refused + totals.closed >= totals.streams; }
static bool all_sent(void) { return (!options.count || events_sent >= options.count) && feed_settled(); }
static bool all_arrived(void) { return totals.deliveries + totals.order_faults >= deliveries_due && feed_settled(); }

/* Serves sockets and the feed until `done` says so, or for `ms`. Returns whether it was done. */
static bool serve(bool (*done)(void), long ms) {
  struct epoll_event events[MAX_EVENTS];
  uint64_t end = monotonic_ns() + (uint64_t)ms * MS_NS;
  for (;;) {
    if (done && done()) return true;
    uint64_t now = monotonic_ns();
    if (now >= end) return false;
    if (now >= next_second_ns) {
      next_second_ns = now + SECOND_NS;
      if (measuring) appendf(&memory, "%s%lu", memory.length ? "," : "", server_rss_bytes());
      streams_check_stalled();
    }
    int64_t wait = (int64_t)(end - now), due = feed_tick();
    if (done && wait > (int64_t)LOOK_NS) wait = LOOK_NS;
    if (due >= 0 && due < wait) wait = due;
    struct timespec timeout = {wait / (int64_t)SECOND_NS, wait % (int64_t)SECOND_NS};
    int count = epoll_pwait2(poller, events, MAX_EVENTS, &timeout, NULL);
    for (int i = 0; i < count; i++) {
      if (events[i].data.u64 == FEED_EVENT) feed_event(events[i].events);
      else streams_event(events[i].data.u64, events[i].events);
    }
    streams_open_more();
  }
}

struct measure {
  uint64_t at_ns, server_us, each_us[MAX_SERVERS], own_us, core_us, deliveries, bytes, events;
};

static struct measure measure_now(void) {
  struct measure now = {.at_ns = monotonic_ns(), .own_us = own_cpu_us(), .core_us = core_busy_us(),
                        .deliveries = totals.deliveries, .bytes = totals.bytes, .events = events_sent};
  now.server_us = server_cpu_us(now.each_us);
  return now;
}

static double idle_share; /* of a core, that the server took before the first event */

static double since_first_open(uint64_t us) { return us ? (double)(us - totals.first_open_us) / 1000 : 0; }

static void write_result(struct measure from, struct measure to, bool drained, uint64_t thawed_us) {
  struct buffer json = {0};
  double seconds = (double)(to.at_ns - from.at_ns) / 1e9;
  appendf(&json, "{\"streams\":%zu,\"open\":%zu,\"closed\":%lu,\"refused\":%lu,\"reconnects\":%lu,\"openMs\":%.3f,",
          totals.streams, totals.open, totals.closed, totals.refused, totals.reconnects,
          (double)(totals.last_open_us - totals.first_open_us) / 1000);
  appendf(&json, "\"seconds\":%.6f,\"events\":%lu,\"deliveries\":%lu,\"bytes\":%lu,\"serverCpuMs\":%.3f,\"ownCpuMs\":%.3f,\"coreBusyMs\":%.3f,",
          seconds, to.events - from.events, to.deliveries - from.deliveries, to.bytes - from.bytes,
          (double)(to.server_us - from.server_us) / 1000, (double)(to.own_us - from.own_us) / 1000,
          (double)(to.core_us - from.core_us) / 1000);
  append(&json, "\"eachCpuMs\":[", 13);
  for (int i = 0; i < servers(); i++)
    appendf(&json, "%s%.3f", i ? "," : "", (double)(to.each_us[i] - from.each_us[i]) / 1000);
  append(&json, "],", 2);
  appendf(&json, "\"allEvents\":%lu,\"allDeliveries\":%lu,\"deliveriesDue\":%lu,\"foreign\":%lu,\"orderFaults\":%lu,",
          events_sent, totals.deliveries, deliveries_due, totals.foreign, totals.order_faults);
  appendf(&json, "\"incomplete\":%zu,\"drained\":%s,\"thawedAtMs\":%.3f,\"idleShare\":%.6f,", streams_incomplete(),
          drained ? "true" : "false", (double)thawed_us / 1000, idle_share);
  appendf(&json, "\"caughtUp\":%zu,\"firstEventMs\":%.3f,\"caughtUpMs\":%.3f,", totals.caught_up,
          since_first_open(totals.first_event_us), since_first_open(totals.caught_up_us));
  latency_write(&json);
  append(&json, ",\"rssBytes\":[", 13);
  append(&json, memory.bytes, memory.length);
  append(&json, "],", 2);
  streams_samples(&json);
  append(&json, "}\n", 2);
  /* Before the word: whoever hears it may end us, and an ordinary close would hold the port for a minute. */
  if (!options.hold) streams_close();
  fwrite(json.bytes, 1, json.length, stdout);
  fflush(stdout);
}

/* What has come to streams that are held, since the first, and since the last reset. */
static void write_report(void) {
  struct buffer json = {0};
  appendf(&json, "{\"open\":%zu,\"closed\":%lu,\"deliveries\":%lu,\"orderFaults\":%lu,\"leastHeartbeats\":%u,",
          totals.open, totals.closed, totals.deliveries, totals.order_faults, streams_least_heartbeats());
  latency_write(&json);
  append(&json, ",", 1);
  streams_samples(&json);
  append(&json, "}\n", 2);
  fwrite(json.bytes, 1, json.length, stdout);
  fflush(stdout);
  free(json.bytes);
}

/* Keeps the streams until standard input ends. A line on it is answered with a report; `reset` counts anew from there. */
static void hold(void) {
  fcntl(0, F_SETFL, O_NONBLOCK);
  measuring = true;
  bool reset = false;
  for (char byte;;) {
    ssize_t length = read(0, &byte, 1);
    if (length == 0) break;
    if (length < 0) serve(NULL, 20);
    else if (byte == 'r') reset = true;
    else if (byte == '\n') {
      write_report();
      if (reset) {
        latency_reset();
        streams_reset_heartbeats();
      }
      reset = false;
    }
  }
  streams_close();
}

/* All streams come back at once, while events go on: measured until each has what there was before. */
static void come_back(void) {
  struct measure from = measure_now();
  measuring = true;
  if (options.feed) feed_start(options.rate);
  streams_open_more();
  serve(all_caught_up, options.limit_ms);
  struct measure to = measure_now();
  measuring = false;
  feed_stop();
  bool drained = serve(all_arrived, options.drain_ms);
  serve(NULL, options.settle_ms); /* anything that comes twice */
  write_result(from, to, drained, 0);
}

int main(int count, char **arguments) {
  struct rlimit files;
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  read_options(count, arguments);
  poller = epoll_create1(0);
  servers_prepare();
  feed_prepare();
  streams_prepare();
  if (options.resume) {
    come_back();
    return 0;
  }
  streams_open_more();

  if (!serve(all_open, options.limit_ms)) fail("Only %zu of %zu streams opened", totals.open, totals.streams);
  if (options.hold) {
    struct measure now = measure_now();
    write_result(now, now, true, 0);
    hold();
    return 0;
  }
  serve(NULL, options.settle_ms);
  if (options.idle_ms) {
    struct measure from = measure_now();
    serve(NULL, options.idle_ms);
    struct measure to = measure_now();
    idle_share = (double)(to.server_us - from.server_us) * 1000 / (double)(to.at_ns - from.at_ns);
  }

  uint64_t thawed_us = 0;
  if (options.freeze) {
    kill((pid_t)options.freeze, SIGSTOP);
    feed_start(0);
    bool sent = serve(all_sent, options.limit_ms);
    thawed_us = now_us();
    kill((pid_t)options.freeze, SIGCONT);
    if (!sent) fail("Only %lu of %lu events were taken", events_sent, options.count);
  } else if (options.feed) {
    feed_start(options.rate);
    serve(NULL, options.warm_ms);
  }

  latency_reset();
  measuring = true;
  struct measure from = measure_now();
  bool counted = options.count > 0;
  serve(options.freeze ? all_arrived : counted ? all_sent : NULL, counted ? options.limit_ms : options.measure_ms);
  struct measure to = measure_now();
  measuring = false;
  feed_stop();
  bool drained = serve(all_arrived, options.drain_ms);
  serve(NULL, 20); /* anything that comes twice */
  write_result(from, to, drained, thawed_us);
  return 0;
}

/* Makes events at a rate, and sends them where the system under test takes them: Kafka, HTTP, or lines. */
#include "generator.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* What is sent and not yet answered, so that neither a broker's queue nor our own memory grows. */
#define MAX_UNANSWERED 8
/* At once: about 200 KB. */
#define MAX_BURST 500
#define MARK '@'

enum sink { NO_SINK, KAFKA, HTTP, LINES };

struct template {
  const char *before, *after;
  size_t before_length, after_length;
  uint64_t sent[MAX_PARTITIONS], sent_before[MAX_PARTITIONS];
};

uint64_t events_sent, deliveries_due;
size_t keys;
static struct template *templates;
static enum sink sink;
static int feed_socket = -1;
static char place[256]; /* Kafka: the topic; HTTP: the path */
static struct buffer out, in, event;
static size_t out_at;
static uint64_t unanswered, made;
static struct kafka_batch batches[MAX_PARTITIONS];
static bool running, wants_write;
static double rate;
static uint64_t started_ns, base;

static void read_templates(void) {
  size_t length;
  char *text = read_whole(options.templates, &length);
  for (size_t i = 0; i < length; i++) keys += text[i] == '\n';
  templates = calloc(keys, sizeof *templates);
  char *line = text;
  for (size_t i = 0; i < keys; i++) {
    char *end = strchr(line, '\n'), *mark = memchr(line, MARK, end - line);
    if (!mark) fail("A template without %c", MARK);
    templates[i] = (struct template){line, mark + 1, mark - line, end - mark - 1, {0}, {0}};
    line = end + 1;
  }
}

static size_t key_of(uint64_t number) { return number % keys; }
static int partition_of(uint64_t number) { return (int)((number / keys) % (uint64_t)options.partitions); }

/* Goes on with the numbers where the process before us ended. */
static void skip_made(void) {
  for (; made < options.made; made++) {
    templates[key_of(made)].sent[partition_of(made)]++;
    templates[key_of(made)].sent_before[partition_of(made)]++;
  }
}

void feed_prepare(void) {
  if (options.templates) read_templates();
  if (keys > 0) skip_made();
  if (!options.feed) return;
  char kind[16], host[64];
  int port;
  if (sscanf(options.feed, "%15[^:]:%63[^:]:%d:%255s", kind, host, &port, place) < 3) fail("Not a feed: %s", options.feed);
  sink = !strcmp(kind, "kafka") ? KAFKA : !strcmp(kind, "http") ? HTTP : LINES;
  feed_socket = connect_to(host, port, NULL, false);
  struct epoll_event wanted = {.events = EPOLLIN, .data.u64 = FEED_EVENT};
  epoll_ctl(poller, EPOLL_CTL_ADD, feed_socket, &wanted);
}

uint64_t feed_sent(size_t key, int partition) { return templates ? templates[key].sent[partition] : 0; }
uint64_t feed_sent_before(size_t key, int partition) { return templates ? templates[key].sent_before[partition] : 0; }

void feed_start(double new_rate) {
  running = true;
  rate = new_rate;
  started_ns = monotonic_ns();
  base = events_sent;
}

void feed_stop(void) { running = false; }

bool feed_settled(void) { return out_at == out.length && (unanswered == 0 || sink == LINES); }

static void make_event(void) {
  struct template *template = &templates[key_of(made)];
  int partition = partition_of(made);
  made++;
  char id[ID_LENGTH + 1];
  snprintf(id, sizeof id, "ord_%s_%d_%09lu_%016lu", options.run, partition, template->sent[partition]++, now_us());
  event.length = 0;
  append(&event, template->before, template->before_length);
  append(&event, id, ID_LENGTH);
  append(&event, template->after, template->after_length);
  if (sink == KAFKA) kafka_record(&batches[partition], event.bytes, event.length);
  else if (sink == LINES) {
    appendf(&out, "%d ", partition);
    append(&out, event.bytes, event.length);
    append(&out, "\n", 1);
  } else {
    appendf(&out, "POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n",
            place, event.length);
    append(&out, event.bytes, event.length);
    unanswered++;
  }
  events_sent++;
  deliveries_due += streams_of(template - templates);
}

static void write_out(void) {
  while (out_at < out.length) {
    ssize_t written = send(feed_socket, out.bytes + out_at, out.length - out_at, MSG_NOSIGNAL);
    if (written < 0 && errno != EAGAIN) fail("The feed's connection broke: %s", strerror(errno));
    if (written <= 0) break;
    out_at += (size_t)written;
  }
  if (out_at == out.length) out_at = out.length = 0;
  bool blocked = out.length > 0;
  if (blocked == wants_write) return;
  wants_write = blocked;
  struct epoll_event wanted = {.events = EPOLLIN | (blocked ? EPOLLOUT : 0), .data.u64 = FEED_EVENT};
  epoll_ctl(poller, EPOLL_CTL_MOD, feed_socket, &wanted);
}

/* How many may be sent by the clock, by the window, by the count, and by what the sink has answered. */
static uint64_t allowed(void) {
  uint64_t most = MAX_BURST;
  if (out.length > 0) return 0;
  if (sink == KAFKA && unanswered >= MAX_UNANSWERED) return 0;
  if (sink == HTTP && most > 2 * MAX_UNANSWERED - unanswered) most = unanswered < 2 * MAX_UNANSWERED ? 2 * MAX_UNANSWERED - unanswered : 0;
  if (options.count && options.count - events_sent < most) most = options.count - events_sent;
  if (options.window && totals.wanted > 0) {
    uint64_t fan_out = totals.wanted / keys ? totals.wanted / keys : 1;
    uint64_t outstanding = deliveries_due > totals.deliveries ? (deliveries_due - totals.deliveries) / fan_out : 0;
    uint64_t room = outstanding < (uint64_t)options.window ? (uint64_t)options.window - outstanding : 0;
    if (room < most) most = room;
  }
  if (rate > 0) {
    double due = (double)(monotonic_ns() - started_ns) / 1e9 * rate - (double)(events_sent - base);
    if (due < 1) return 0;
    if (due < (double)most) most = (uint64_t)due;
  }
  return most;
}

int64_t feed_tick(void) {
  if (!running || feed_socket < 0) return -1;
  uint64_t count = allowed();
  for (uint64_t i = 0; i < count; i++) make_event();
  if (count > 0) {
    if (sink == KAFKA) {
      kafka_request(&out, place, batches, (int)options.partitions);
      unanswered++;
    }
    write_out();
  }
  if (rate <= 0) return count > 0 ? 0 : -1;
  /* What the window held back is let go, and not sent in a burst later. */
  double due_ns = (double)(events_sent - base + 1) / rate * 1e9 - (double)(monotonic_ns() - started_ns);
  if (due_ns < -100e6) {
    started_ns = monotonic_ns();
    base = events_sent;
  }
  return due_ns > 0 ? (int64_t)due_ns : 1000000;
}

void feed_event(uint32_t events) {
  char bytes[65536];
  if (events & EPOLLOUT) write_out();
  for (;;) {
    ssize_t length = recv(feed_socket, bytes, sizeof bytes, MSG_DONTWAIT);
    if (length < 0 && errno == EAGAIN) break;
    if (length <= 0) fail("The feed's connection was closed");
    append(&in, bytes, (size_t)length);
  }
  if (sink == KAFKA) unanswered -= (uint64_t)kafka_answers(&in);
  if (sink == HTTP) {
    /* An answer is 201 or 202; its body has no such line. */
    char *at = in.bytes, *found, *end = in.bytes + in.length;
    while ((found = memmem(at, end - at, "HTTP/1.1 ", 9)) && end - found >= 12) {
      if (memcmp(found + 9, "20", 2) != 0) fail("The feed was answered %.3s", found + 9);
      unanswered--;
      at = found + 12;
    }
    size_t rest = end - at;
    if (rest > 11) at = end - 11, rest = 11;
    memmove(in.bytes, at, rest);
    in.length = rest;
  }
}

/*
 * The load generator: makes events, sends them to where the system under test takes them, reads every stream, and checks
 * that each stream got each of its events, in order, once. One process, one thread, one clock.
 *
 * An event is a template of its key with an id put in: `ord_RRRRRR_P_SSSSSSSSS_UUUUUUUUUUUUUUUU`: the run, the partition,
 * the number within key and partition from 0, and the microsecond at which it was made. A stream subscribes to one key.
 *
 * With `hold` the streams stay, and what comes is made by another process with the same run: see main.c.
 *
 * With `resume` the streams come back: `made` events were made before, by another process with the same run, and each stream has
 * to get those from a position of its own on, and what is made meanwhile.
 */
#ifndef GENERATOR_H
#define GENERATOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>

#define MAX_PARTITIONS 8
#define ID_LENGTH 39
#define RUN_LENGTH 6

struct buffer {
  char *bytes;
  size_t length, capacity;
};

/* main.c */
struct options {
  const char *target, *source, *requests, *templates, *feed, *run, *pids;
  long parallel, settle_ms, idle_ms, warm_ms, measure_ms, drain_ms, window, partitions, stalled, samples, limit_ms, freeze, core;
  double rate;
  uint64_t count, made;
  bool hold, resume;
};
extern struct options options;
extern int poller;
extern bool measuring;
void fail(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));
void append(struct buffer *buffer, const void *bytes, size_t length);
void appendf(struct buffer *buffer, const char *format, ...) __attribute__((format(printf, 2, 3)));
char *read_whole(const char *path, size_t *length);
/* `from` is an address of this machine, or NULL: any. */
int connect_to(const char *host, int port, const char *from, bool small);
/* What an epoll event is about: the feed, or a connection by its number. */
#define FEED_EVENT UINT64_MAX

/* streams.c */
struct stream_totals {
  uint64_t deliveries, bytes, measured, foreign, order_faults, closed, refused, reconnects;
  size_t streams, open, wanted;
  uint64_t first_open_us, last_open_us;
  /* With `resume`: streams that have all that was made before, and when the last of them had it. */
  size_t caught_up;
  uint64_t first_event_us, caught_up_us;
};
extern struct stream_totals totals;
void streams_prepare(void);
void streams_open_more(void);
void streams_event(uint64_t number, uint32_t events);
void streams_check_stalled(void);
/* How many healthy streams subscribe to a key. */
uint64_t streams_of(size_t key);
/* Streams that miss events of theirs, given what was sent. */
size_t streams_incomplete(void);
/* Of the stream that has had the fewest since the last reset. */
unsigned streams_least_heartbeats(void);
void streams_reset_heartbeats(void);
void streams_samples(struct buffer *json);
void streams_close(void);

/* feed.c */
extern uint64_t events_sent, deliveries_due;
extern size_t keys;
void feed_prepare(void);
void feed_start(double rate);
void feed_stop(void);
/* Sends what is due; returns nanoseconds until more is, or -1. */
int64_t feed_tick(void);
void feed_event(uint32_t events);
bool feed_settled(void);
uint64_t feed_sent(size_t key, int partition);
/* What had been sent by whoever made the events before us. */
uint64_t feed_sent_before(size_t key, int partition);

/* kafka.c */
struct kafka_batch {
  struct buffer records;
  int32_t count;
  int64_t first_ms;
};
void kafka_record(struct kafka_batch *batch, const char *value, size_t length);
void kafka_request(struct buffer *out, const char *topic, struct kafka_batch *batches, int partitions);
/* Takes answers from `in`; returns how many there were. Fails if one is an error. */
int kafka_answers(struct buffer *in);

/* peer.c */
bool peer_established(const char *host, int server_port, int own_port);

/* numbers.c */
uint64_t now_us(void);
uint64_t monotonic_ns(void);
uint64_t own_cpu_us(void);
/* The processes under test, of `pids`. */
#define MAX_SERVERS 16
void servers_prepare(void);
int servers(void);
/* Of all of them; and of each, in their order. */
uint64_t server_cpu_us(uint64_t each[MAX_SERVERS]);
uint64_t server_rss_bytes(void);
/* What everybody, the server included, took of the server's core; in ticks of 10 ms. */
uint64_t core_busy_us(void);
void latency_record(uint64_t microseconds);
void latency_reset(void);
void latency_write(struct buffer *json);

#endif

/* Opens the streams, reads them, and checks that each gets each of its events, in order, once. */
#include "generator.h"
#include <ctype.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>
#include <zlib.h>

#define READ_BYTES (512 * 1024)
#define MAX_LINE (64 * 1024)
#define GZIP_WINDOW (16 + MAX_WBITS)
#define SAMPLE_EVERY 997

enum state { CLOSED, CONNECTING, HEAD, OPEN };

struct request {
  size_t key, length;
  const char *bytes;
};

struct stream {
  int socket;
  uint8_t state;
  bool stalled, chunked, has_size;
  uint32_t chunk_size, chunk_left;
  uint32_t request, port;
  uint32_t carried, heartbeats;
  char *carry;
  z_stream *gunzip; /* of a compressed body */
  uint64_t next[MAX_PARTITIONS];
  uint64_t behind; /* events it has not got of those that were made before us */
};

struct stream_totals totals;
static struct request *requests;
static size_t request_count, started, opening;
static struct stream *streams;
static uint64_t *by_key;
static char *reading, *packed;
static char target_host[64];
static int target_port;
static struct buffer samples;
static long sampled;

/* `N,N,…`: the number of the next event of each partition, for streams that come back; or nothing. */
static void read_position(char *text, uint64_t *next) {
  for (int p = 0; p < (int)options.partitions && *text != '\n'; p++) {
    next[p] = strtoull(text, &text, 10);
    if (*text == ',') text++;
  }
}

/* Each request: a line `KEY STREAMS LENGTH [POSITION]`, then that many bytes. */
static size_t read_requests(void) {
  size_t length, wanted = 0;
  char *text = read_whole(options.requests, &length), *end = text + length;
  for (char *at = text; at < end;) {
    size_t key, count, bytes;
    int header;
    char *line_end = memchr(at, '\n', end - at);
    if (!line_end || sscanf(at, "%zu %zu %zu%n", &key, &count, &bytes, &header) != 3) fail("Not a request file");
    struct stream stream = {.socket = -1, .request = (uint32_t)request_count};
    read_position(at + header, stream.next);
    requests = realloc(requests, (request_count + 1) * sizeof *requests);
    requests[request_count++] = (struct request){key, bytes, line_end + 1};
    at = line_end + 1 + bytes;
    streams = realloc(streams, (wanted + count) * sizeof *streams);
    for (size_t i = 0; i < count; i++) streams[wanted++] = stream;
  }
  return wanted;
}

static void come_from_behind(struct stream *stream, size_t key) {
  for (int p = 0; p < (int)options.partitions; p++) {
    if (stream->next[p] > feed_sent_before(key, p)) fail("A position that was never made");
    stream->behind += feed_sent_before(key, p) - stream->next[p];
  }
  deliveries_due += stream->behind;
  if (stream->behind == 0) totals.caught_up++;
}

void streams_prepare(void) {
  if (!options.requests) return;
  if (sscanf(options.target, "%63[^:]:%d", target_host, &target_port) != 2) fail("Not an address: %s", options.target);
  totals.streams = read_requests();
  size_t all = keys > 0 ? keys : 1;
  by_key = calloc(all, sizeof *by_key);
  reading = malloc(READ_BYTES + MAX_LINE);
  packed = malloc(READ_BYTES);
  for (size_t i = 0; i < totals.streams; i++) {
    streams[i].stalled = i < (size_t)options.stalled;
    if (streams[i].stalled) continue;
    totals.wanted++;
    size_t key = requests[streams[i].request].key;
    if (key < all) by_key[key]++;
    if (options.resume) come_from_behind(&streams[i], key);
  }
}

uint64_t streams_of(size_t key) { return by_key ? by_key[key] : 0; }

static void open_stream(size_t number) {
  struct stream *stream = &streams[number];
  stream->socket = connect_to(target_host, target_port, options.source, stream->stalled);
  stream->state = CONNECTING;
  struct sockaddr_in own;
  socklen_t length = sizeof own;
  getsockname(stream->socket, (struct sockaddr *)&own, &length);
  stream->port = ntohs(own.sin_port);
  struct epoll_event wanted = {.events = EPOLLOUT, .data.u64 = number};
  epoll_ctl(poller, EPOLL_CTL_ADD, stream->socket, &wanted);
  opening++;
}

void streams_open_more(void) {
  if (started == 0 && totals.streams > 0) totals.first_open_us = now_us();
  while (started < totals.streams && opening < (size_t)options.parallel) open_stream(started++);
}

/* With a reset: thousands of closed connections would else hold their ports for a minute. */
static void close_stream(struct stream *stream) {
  if (stream->state == CLOSED) return;
  struct linger reset = {.l_onoff = 1, .l_linger = 0};
  setsockopt(stream->socket, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
  close(stream->socket);
  if (stream->state != OPEN) opening--;
  else totals.open--;
  stream->socket = -1;
  stream->state = CLOSED;
  stream->carried = stream->chunk_size = stream->chunk_left = 0;
  stream->chunked = stream->has_size = false;
  if (stream->gunzip) inflateEnd(stream->gunzip);
  free(stream->gunzip);
  stream->gunzip = NULL;
}

static void opened(struct stream *stream) {
  stream->state = OPEN;
  opening--;
  totals.open++;
  totals.last_open_us = now_us();
}

static uint64_t number_at(const char *digits, int length) {
  uint64_t value = 0;
  for (int i = 0; i < length; i++) value = value * 10 + (uint64_t)(digits[i] - '0');
  return value;
}

/* The latencies are those of streams, until each has what was made before. */
static void caught_one(struct stream *stream, uint64_t now) {
  if (!totals.first_event_us) totals.first_event_us = now;
  if (--stream->behind > 0) return;
  totals.caught_up++;
  totals.caught_up_us = now;
  latency_record(now - totals.first_open_us);
}

static void take_event(struct stream *stream, const char *line, size_t length, uint64_t now) {
  const char *id = memmem(line, length, "\"ord_", 5);
  if (!id || (size_t)(line + length - id) < ID_LENGTH + 2) {
    totals.order_faults++;
    return;
  }
  id += 5;
  if (memcmp(id, options.run, RUN_LENGTH) != 0) {
    totals.foreign++;
    return;
  }
  int partition = id[RUN_LENGTH + 1] - '0';
  uint64_t number = number_at(id + RUN_LENGTH + 3, 9);
  if (partition < 0 || partition >= MAX_PARTITIONS || number != stream->next[partition]) {
    totals.order_faults++;
    if (partition >= 0 && partition < MAX_PARTITIONS) stream->next[partition] = number + 1;
    return;
  }
  stream->next[partition] = number + 1;
  totals.deliveries++;
  if (stream->behind > 0 && number < feed_sent_before(requests[stream->request].key, partition)) caught_one(stream, now);
  if (measuring && !options.resume) {
    totals.measured++;
    uint64_t made = number_at(id + RUN_LENGTH + 13, 16);
    latency_record(now > made ? now - made : 0);
  }
}

/* Lines of the event stream; ids and comments are passed over. Empty data is a heartbeat's, or an opening's. Returns what was taken. */
static size_t take_lines(struct stream *stream, char *bytes, size_t length, uint64_t now) {
  char *at = bytes, *end = bytes + length, *line_end;
  while ((line_end = memchr(at, '\n', end - at))) {
    if (line_end - at > 6 && at[0] == 'd' && at[6] == '{' && memcmp(at, "data: ", 6) == 0)
      take_event(stream, at + 6, line_end - at - 6, now);
    else if (line_end - at == 5 && memcmp(at, "data:", 5) == 0) stream->heartbeats++;
    at = line_end + 1;
  }
  return at - bytes;
}

/* Takes the framing of chunks out of what one read brought, wherever it cuts lines. Returns the length that is left. */
static size_t without_chunks(struct stream *stream, char *bytes, size_t length) {
  size_t kept = 0;
  for (size_t at = 0; at < length;) {
    if (stream->chunk_left > 0) {
      size_t part = length - at < stream->chunk_left ? length - at : stream->chunk_left;
      memmove(bytes + kept, bytes + at, part);
      kept += part;
      at += part;
      stream->chunk_left -= (uint32_t)part;
      continue;
    }
    char byte = bytes[at++];
    if (isxdigit((unsigned char)byte)) {
      stream->chunk_size = stream->chunk_size * 16 + (uint32_t)(byte <= '9' ? byte - '0' : (byte | 0x20) - 'a' + 10);
      stream->has_size = true;
    } else if (byte == '\n' && stream->has_size) {
      stream->chunk_left = stream->chunk_size;
      stream->chunk_size = 0;
      stream->has_size = false;
    } else if (byte != '\r' && byte != '\n') fail("Not a chunk's size");
  }
  return kept;
}

static bool has_header(const char *head, size_t length, const char *line) {
  size_t size = strlen(line);
  for (size_t i = 0; i + size < length; i++)
    if (!strncasecmp(head + i, line, size)) return true;
  return false;
}

/* What one read brought, as it came but for chunks, for the caller to parse in full. */
static void sample(struct stream *stream, const char *bytes, size_t length) {
  static uint64_t reads;
  if (sampled >= options.samples || reads++ % SAMPLE_EVERY != 0) return;
  if (length > MAX_LINE) length = MAX_LINE;
  appendf(&samples, "%s{\"request\":%u,\"text\":\"", sampled++ ? "," : "", stream->request);
  for (size_t i = 0; i < length; i++) {
    unsigned char byte = (unsigned char)bytes[i];
    if (byte == '"' || byte == '\\' || byte < 0x20) appendf(&samples, "\\u%04x", byte);
    else append(&samples, &byte, 1);
  }
  appendf(&samples, "\"}");
}

void streams_samples(struct buffer *json) {
  append(json, "\"samples\":[", 11);
  append(json, samples.bytes, samples.length);
  append(json, "]", 1);
}

/* Keeps what is no whole line yet. Room only for as long as something is carried over: few streams are in the middle of a line. */
static void carry_over(struct stream *stream, const char *rest, size_t length) {
  if (length > MAX_LINE) fail("A line of more than %d bytes", MAX_LINE);
  if (length > stream->carried || !stream->carry) stream->carry = realloc(stream->carry, length ? length : 1);
  memcpy(stream->carry, rest, length);
  stream->carried = (uint32_t)length;
}

/* Decodes what one read brought, and takes its lines. `bytes` are not in `reading`. */
static void take_packed(struct stream *stream, const char *bytes, size_t length) {
  z_stream *gunzip = stream->gunzip;
  gunzip->next_in = (Bytef *)bytes;
  gunzip->avail_in = (uInt)length;
  do {
    memcpy(reading, stream->carry, stream->carried);
    gunzip->next_out = (Bytef *)reading + stream->carried;
    gunzip->avail_out = READ_BYTES;
    int outcome = inflate(gunzip, Z_SYNC_FLUSH);
    if (outcome != Z_OK && outcome != Z_BUF_ERROR) fail("Not gzip: %s", gunzip->msg ? gunzip->msg : "it ended");
    size_t available = (size_t)((char *)gunzip->next_out - reading);
    if (measuring && stream->carried == 0) sample(stream, reading, available);
    size_t taken = take_lines(stream, reading, available, now_us());
    carry_over(stream, reading + taken, available - taken);
  } while (gunzip->avail_out == 0);
}

static void begin_packed(struct stream *stream) {
  stream->gunzip = calloc(1, sizeof *stream->gunzip);
  if (inflateInit2(stream->gunzip, GZIP_WINDOW) != Z_OK) fail("No memory");
}

static void read_stream(struct stream *stream) {
  bool is_packed = stream->gunzip != NULL;
  if (!is_packed) memcpy(reading, stream->carry, stream->carried);
  ssize_t length = recv(stream->socket, is_packed ? packed : reading + stream->carried, READ_BYTES, 0);
  if (length < 0 && errno == EAGAIN) return;
  if (length <= 0) {
    totals.closed++;
    close_stream(stream);
    return;
  }
  totals.bytes += (uint64_t)length;
  if (is_packed) {
    size_t size = stream->chunked ? without_chunks(stream, packed, (size_t)length) : (size_t)length;
    take_packed(stream, packed, size);
    return;
  }
  size_t available = stream->carried + (size_t)length, taken = 0;
  if (stream->state == HEAD) {
    char *body = memmem(reading, available, "\r\n\r\n", 4);
    if (body && memcmp(reading, "HTTP/1.1 200", 12) != 0) {
      totals.refused++;
      close_stream(stream);
      return;
    }
    if (body && body + 4 < reading + available) {
      taken = body + 4 - reading;
      opened(stream);
      stream->chunked = has_header(reading, taken, "\ntransfer-encoding: chunked");
      if (stream->chunked) available = taken + without_chunks(stream, reading + taken, available - taken);
      if (has_header(reading, taken, "\ncontent-encoding: gzip")) {
        memcpy(packed, reading + taken, available - taken);
        begin_packed(stream);
        stream->carried = 0;
        take_packed(stream, packed, available - taken);
        return;
      }
    }
  } else if (stream->chunked)
    available = stream->carried + without_chunks(stream, reading + stream->carried, (size_t)length);
  if (stream->state == OPEN) {
    if (measuring && stream->carried == 0) sample(stream, reading + taken, available - taken);
    taken += take_lines(stream, reading + taken, available - taken, now_us());
  }
  carry_over(stream, reading + taken, available - taken);
}

void streams_event(uint64_t number, uint32_t events) {
  struct stream *stream = &streams[number];
  if (stream->state == CLOSED) return;
  if (stream->state == CONNECTING) {
    struct request *request = &requests[stream->request];
    ssize_t sent = send(stream->socket, request->bytes, request->length, MSG_NOSIGNAL);
    if (sent != (ssize_t)request->length) {
      totals.refused++;
      close_stream(stream);
      return;
    }
    stream->state = HEAD;
    /* Who never reads is only watched for its end. */
    struct epoll_event wanted = {.events = stream->stalled ? EPOLLRDHUP : EPOLLIN, .data.u64 = number};
    epoll_ctl(poller, EPOLL_CTL_MOD, stream->socket, &wanted);
    if (stream->stalled) opened(stream);
    return;
  }
  if (!stream->stalled) {
    read_stream(stream);
    return;
  }
  if (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) {
    close_stream(stream);
    totals.reconnects++;
    open_stream(number);
  }
}

void streams_check_stalled(void) {
  for (size_t i = 0; i < (size_t)options.stalled; i++) {
    if (streams[i].state != OPEN || peer_established(target_host, target_port, (int)streams[i].port)) continue;
    close_stream(&streams[i]);
    totals.reconnects++;
    open_stream(i);
  }
}

size_t streams_incomplete(void) {
  size_t incomplete = 0;
  for (size_t i = 0; i < totals.streams; i++) {
    if (streams[i].stalled) continue;
    bool whole = streams[i].state == OPEN;
    for (int p = 0; p < options.partitions; p++)
      if (streams[i].next[p] != feed_sent(requests[streams[i].request].key, p)) whole = false;
    incomplete += !whole;
  }
  return incomplete;
}

unsigned streams_least_heartbeats(void) {
  unsigned least = UINT32_MAX;
  for (size_t i = 0; i < totals.streams; i++)
    if (streams[i].heartbeats < least) least = streams[i].heartbeats;
  return least;
}

void streams_reset_heartbeats(void) {
  for (size_t i = 0; i < totals.streams; i++) streams[i].heartbeats = 0;
}

void streams_close(void) {
  for (size_t i = 0; i < totals.streams; i++) close_stream(&streams[i]);
}

/*
 * As much of Kafka's protocol as a producer needs: Produce version 3, with record batches of version 2 ("magic 2"),
 * uncompressed, without keys. https://kafka.apache.org/protocol, https://kafka.apache.org/documentation/#recordbatch
 */
#include "generator.h"
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#define PRODUCE 0
#define PRODUCE_VERSION 3
#define ACKS_LEADER 1
#define TIMEOUT_MS 10000

static void put(struct buffer *out, uint64_t value, int bytes) {
  char big[8];
  for (int i = 0; i < bytes; i++) big[i] = (char)(value >> (8 * (bytes - 1 - i)));
  append(out, big, bytes);
}

static void set32(struct buffer *out, size_t at, uint32_t value) {
  value = htonl(value);
  memcpy(out->bytes + at, &value, 4);
}

static void put_varint(struct buffer *out, int64_t value) {
  uint64_t zigzag = ((uint64_t)value << 1) ^ (uint64_t)(value >> 63);
  char bytes[10];
  int length = 0;
  for (; zigzag >= 0x80; zigzag >>= 7) bytes[length++] = (char)(zigzag | 0x80);
  bytes[length++] = (char)zigzag;
  append(out, bytes, length);
}

static int varint_length(int64_t value) {
  uint64_t zigzag = ((uint64_t)value << 1) ^ (uint64_t)(value >> 63);
  int length = 1;
  for (; zigzag >= 0x80; zigzag >>= 7) length++;
  return length;
}

/* CRC-32C (Castagnoli), eight bits at a time: some 0.5 us for a record of 300 bytes. */
static uint32_t crc32c(const char *bytes, size_t length) {
  static uint32_t table[256];
  if (!table[1])
    for (uint32_t i = 0; i < 256; i++) {
      uint32_t crc = i;
      for (int bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >> 1) ^ 0x82f63b78 : crc >> 1;
      table[i] = crc;
    }
  uint32_t crc = 0xffffffff;
  for (size_t i = 0; i < length; i++) crc = table[(crc ^ (unsigned char)bytes[i]) & 0xff] ^ (crc >> 8);
  return crc ^ 0xffffffff;
}

void kafka_record(struct kafka_batch *batch, const char *value, size_t length) {
  if (batch->count == 0) batch->first_ms = (int64_t)(now_us() / 1000);
  int32_t offset = batch->count++;
  /* attributes, timestamp delta, offset delta, no key, value, no headers */
  int64_t body = 1 + 1 + varint_length(offset) + varint_length(-1) + varint_length((int64_t)length) + (int64_t)length + 1;
  put_varint(&batch->records, body);
  put(&batch->records, 0, 1);
  put_varint(&batch->records, 0);
  put_varint(&batch->records, offset);
  put_varint(&batch->records, -1);
  put_varint(&batch->records, (int64_t)length);
  append(&batch->records, value, length);
  put_varint(&batch->records, 0);
}

static void put_batch(struct buffer *out, struct kafka_batch *batch) {
  size_t size_at = out->length;
  put(out, 0, 4); /* size of the records, set below */
  put(out, 0, 8); /* base offset */
  size_t length_at = out->length;
  put(out, 0, 4);
  put(out, (uint64_t)-1, 4); /* partition leader epoch */
  put(out, 2, 1);            /* magic */
  size_t crc_at = out->length;
  put(out, 0, 4);
  put(out, 0, 2); /* attributes */
  put(out, (uint64_t)(batch->count - 1), 4);
  put(out, (uint64_t)batch->first_ms, 8);
  put(out, (uint64_t)batch->first_ms, 8);
  put(out, (uint64_t)-1, 8); /* producer id */
  put(out, (uint64_t)-1, 2); /* its epoch */
  put(out, (uint64_t)-1, 4); /* base sequence */
  put(out, (uint64_t)batch->count, 4);
  append(out, batch->records.bytes, batch->records.length);
  set32(out, crc_at, crc32c(out->bytes + crc_at + 4, out->length - crc_at - 4));
  set32(out, length_at, (uint32_t)(out->length - length_at - 4));
  set32(out, size_at, (uint32_t)(out->length - size_at - 4));
  batch->records.length = 0;
  batch->count = 0;
}

void kafka_request(struct buffer *out, const char *topic, struct kafka_batch *batches, int partitions) {
  static int32_t correlation;
  int filled = 0;
  for (int i = 0; i < partitions; i++) filled += batches[i].count > 0;
  size_t start = out->length;
  put(out, 0, 4);
  put(out, PRODUCE, 2);
  put(out, PRODUCE_VERSION, 2);
  put(out, (uint64_t)correlation++, 4);
  put(out, 5, 2);
  append(out, "bench", 5);
  put(out, (uint64_t)-1, 2); /* no transaction */
  put(out, ACKS_LEADER, 2);
  put(out, TIMEOUT_MS, 4);
  put(out, 1, 4);
  put(out, strlen(topic), 2);
  append(out, topic, strlen(topic));
  put(out, (uint64_t)filled, 4);
  for (int i = 0; i < partitions; i++) {
    if (batches[i].count == 0) continue;
    put(out, (uint64_t)i, 4);
    put_batch(out, &batches[i]);
  }
  set32(out, start, (uint32_t)(out->length - start - 4));
}

static uint64_t get(const char *bytes, int length) {
  uint64_t value = 0;
  for (int i = 0; i < length; i++) value = value << 8 | (unsigned char)bytes[i];
  return value;
}

int kafka_answers(struct buffer *in) {
  int answers = 0;
  size_t at = 0;
  while (in->length - at >= 4) {
    size_t size = get(in->bytes + at, 4);
    if (in->length - at - 4 < size) break;
    const char *answer = in->bytes + at + 4;
    /* correlation id, topics, the topic's name, partitions: (index, error, base offset, log append time) each */
    size_t position = 8;
    position += 2 + get(answer + position, 2);
    size_t partitions = get(answer + position, 4);
    for (size_t i = 0; i < partitions; i++) {
      int16_t error = (int16_t)get(answer + position + 4 + i * 22 + 4, 2);
      if (error != 0) fail("Kafka refused records with error %d", error);
    }
    at += 4 + size;
    answers++;
  }
  memmove(in->bytes, in->bytes + at, in->length - at);
  in->length -= at;
  return answers;
}

import { type EventHeaders, NO_HEADERS, type RawRecord, type StreamEvent } from '../event.ts'
import type { Topic } from './topic.ts'

/** Why a record is not a valid event. */
export type DecodeFailure = {
  readonly reason: 'null_value' | 'too_large' | 'codec' | 'schema'
  /** For the log and the dead letter: the reason, never the value itself. */
  readonly detail: string
}

/**
 * Size limit of a value: a larger one is skipped. Decoded and sent to every member of every group it would cost as much
 * as thousands of events. Kafka's default limit is 1 MiB.
 */
export const MAX_EVENT_BYTES = 512 * 1024

/**
 * Depth limit of a value: a deeper one is skipped. Recursive walks (a schema, the size estimate, JSON.stringify) would
 * overflow the stack at some thousands of levels and fail the topic's reader.
 */
const MAX_DEPTH = 100

/**
 * Decodes a record to a typed event, once for all groups. Total: an invalid record is a returned failure, never a
 * throw. The event retains no buffer of the record, since each is a slice of a whole fetch response.
 */
export function decode<V>(topic: Topic<V>, record: RawRecord): StreamEvent<V> | DecodeFailure {
  try {
    return decodeUnguarded(topic, record)
  } catch {
    // A codec's values may throw when their properties are read.
    return { reason: 'codec', detail: 'The record cannot be read' }
  }
}

function decodeUnguarded<V>(topic: Topic<V>, record: RawRecord): StreamEvent<V> | DecodeFailure {
  const { partition, offset, timestamp, value: bytes } = record
  if (bytes === null) return { reason: 'null_value', detail: 'The record has no value' }
  if (bytes.length > MAX_EVENT_BYTES) {
    return { reason: 'too_large', detail: `The value has ${bytes.length} bytes, more than ${MAX_EVENT_BYTES}` }
  }
  let plain: unknown
  try {
    plain = topic.codec(bytes)
  } catch (error) {
    return {
      reason: 'codec',
      detail: error instanceof TypeError ? 'The value is not valid UTF-8' : 'The value is not valid JSON',
    }
  }
  if (isDeeper(plain, MAX_DEPTH)) return { reason: 'schema', detail: `value: Nested deeper than ${MAX_DEPTH} levels` }
  const parsed = validate(topic, plain)
  if ('reason' in parsed) return parsed
  return {
    kind: 'event',
    topic: topic.name,
    partition,
    offset,
    timestamp,
    key: record.key === null ? null : record.key.toString(),
    headers: record.headers === undefined ? NO_HEADERS : textHeaders(record.headers),
    value: parsed.value,
  }
}

function validate<V>(topic: Topic<V>, plain: unknown): { readonly value: V } | DecodeFailure {
  try {
    const parsed = topic.schema.safeParse(plain)
    if (parsed.success) return { value: parsed.data }
    const issue = parsed.error.issues[0]
    return { reason: 'schema', detail: `${issue?.path.join('.') || 'value'}: ${issue?.message ?? 'invalid'}` }
  } catch {
    // A transform or a refinement threw. The error may quote the value, so it is not logged.
    return { reason: 'schema', detail: 'value: The schema failed on it' }
  }
}

function isDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false
  if (levels === 0) return true
  for (const key in value) if (isDeeper((value as Record<string, unknown>)[key], levels - 1)) return true
  return false
}

function textHeaders(raw: NonNullable<RawRecord['headers']>): EventHeaders {
  const names = Object.keys(raw)
  if (names.length === 0) return NO_HEADERS
  const headers: Record<string, string> = {}
  for (const name of names) {
    const last = [raw[name]].flat().at(-1)
    // Null, though its type does not say so: a header without a value, among several of one name.
    if (last !== undefined && last !== null) headers[name] = last.toString()
  }
  return headers
}

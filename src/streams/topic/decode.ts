import { type EventHeaders, NO_HEADERS, type RawRecord, type StreamEvent } from '../event.ts'
import type { Topic } from './topic.ts'

/** Why a record is no event of the API. */
export type DecodeFailure = {
  readonly reason: 'null_value' | 'too_large' | 'codec' | 'schema'
  /** For the log and the dead letter: what was wrong, never the value itself. */
  readonly detail: string
}

/**
 * Larger values are skipped: one of them, decoded and then sent to every member of every group, would cost what
 * thousands of events cost. Kafka's own default limit is 1 MiB.
 */
export const MAX_EVENT_BYTES = 512 * 1024

/**
 * Deeper values are skipped: whoever walks one by recursion (a schema, the estimate of its size, JSON.stringify) would
 * run out of stack some thousands of levels down, and the reader of the topic with it.
 */
const MAX_DEPTH = 100

/**
 * Turns a record's bytes into a typed event, once for everybody. Total: what cannot be read is a failure, not a throw.
 * Nothing of the record's buffers is kept, since each is a slice that would keep a whole fetch response alive.
 */
export function decode<V>(topic: Topic<V>, record: RawRecord): StreamEvent<V> | DecodeFailure {
  try {
    return decodeUnguarded(topic, record)
  } catch {
    // A codec's values may throw where they are looked into.
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
    // A transform or a refinement threw. What it threw may quote the value, so it is not repeated.
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

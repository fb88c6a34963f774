import type { EventHeaders, RawRecord, StreamEvent } from './event.ts'
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

const NO_HEADERS: EventHeaders = Object.freeze({})

/**
 * Turns a record's bytes into a typed event, once for everybody. Total: what cannot be read is a failure, not a throw.
 * Nothing of the record's buffers is kept, since each is a slice that would keep a whole fetch response alive.
 */
export function decode<V>(topic: Topic<V>, record: RawRecord): StreamEvent<V> | DecodeFailure {
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
  const parsed = topic.schema.safeParse(plain)
  if (!parsed.success) {
    const issue = parsed.error.issues[0]
    return { reason: 'schema', detail: `${issue?.path.join('.') || 'value'}: ${issue?.message ?? 'invalid'}` }
  }
  return {
    kind: 'event',
    topic: topic.name,
    partition,
    offset,
    timestamp,
    key: record.key === null ? null : record.key.toString(),
    headers: record.headers === undefined ? NO_HEADERS : textHeaders(record.headers),
    value: parsed.data,
  }
}

function textHeaders(raw: NonNullable<RawRecord['headers']>): EventHeaders {
  const names = Object.keys(raw)
  if (names.length === 0) return NO_HEADERS
  const headers: Record<string, string> = {}
  for (const name of names) {
    const last = [raw[name]].flat().at(-1)
    if (last !== undefined) headers[name] = last.toString()
  }
  return headers
}

import { type EventHeaders, NO_HEADERS, type RawRecord, type StreamEvent } from '../event.ts'
import { CodecFailure, decodeValue, json, TOMBSTONE } from './codec.ts'
import type { IndexFailed } from './computed.ts'
import type { Topic } from './topic.ts'

/** Why a record is not a valid event. */
export type DecodeFailure = {
  readonly reason: 'too_large' | 'codec' | 'schema' | 'tombstone'
  /** For the log and the dead letter: the reason, never the value itself. */
  readonly detail: string
}

/** A record without a value, of a topic that skips these: neither an event nor a failure. */
export interface Skipped {
  readonly skipped: 'tombstone'
}

const SKIPPED: Skipped = { skipped: 'tombstone' }

/**
 * Default size limit of a value, in bytes as the codec gets them: a larger one is skipped. It is the default of Kafka's
 * `message.max.bytes`, 1 MiB and the 12 bytes of a record batch's offset and length. A cluster with that limit holds
 * larger values only compressed.
 */
export const MAX_EVENT_BYTES = 1024 * 1024 + 12

/**
 * Depth limit of a value, where its schema takes any depth: a deeper one is skipped. Recursive walks (a schema, the
 * size, JSON.stringify) would overflow the stack at some thousands of levels and fail the topic's reader. Most schemas
 * have a depth of their own, and are spared the search: nothing looks into what is deeper, and it is dropped.
 */
const MAX_DEPTH = 100

export interface DecodeOptions {
  /** Size limit of a value. */
  readonly maxBytes?: number | undefined
  /** Called for each index function that fails. The event remains one. */
  readonly indexFailed?: IndexFailed
}

/**
 * Decodes a record to a typed event, once for all groups. Total: an invalid record is a returned failure, never a
 * throw. The event retains no buffer of the record, since each is a slice of a whole fetch response.
 */
export function decode<V>(
  topic: Topic<V>,
  record: RawRecord,
  options: DecodeOptions = {},
): StreamEvent<V> | DecodeFailure | Skipped {
  try {
    return decodeUnguarded(topic, record, options)
  } catch {
    // A codec's values may throw when their properties are read.
    return { reason: record.value === null ? 'tombstone' : 'codec', detail: 'The record cannot be read' }
  }
}

/** An event whose value is not decoded yet: until then it is the record that the topic's functions get. */
type Draft<V> = { -readonly [P in keyof StreamEvent<V>]: StreamEvent<V>[P] }

function decodeUnguarded<V>(
  topic: Topic<V>,
  record: RawRecord,
  { maxBytes = MAX_EVENT_BYTES, indexFailed = ignore }: DecodeOptions,
): StreamEvent<V> | DecodeFailure | Skipped {
  const { partition, offset, timestamp } = record
  const length = record.valueLength ?? record.value?.length ?? NO_VALUE
  if (length === NO_VALUE && topic.tombstone === undefined) return SKIPPED
  if (length > maxBytes) {
    return { reason: 'too_large', detail: `The value has ${length} bytes, more than ${maxBytes}` }
  }
  const event: Draft<V> = {
    kind: 'event',
    topic: topic.name,
    partition,
    offset,
    timestamp,
    key: record.keyText ? record.keyText() : (record.key?.toString() ?? null),
    headers: record.headers === undefined ? NO_HEADERS : textHeaders(record.headers),
    value: undefined as V,
  }
  let isTombstone = length === NO_VALUE
  let plain: unknown
  try {
    if (!isTombstone) plain = decodeValue(topic, record, event)
    if (plain === TOMBSTONE) {
      if (topic.tombstone === undefined) return SKIPPED
      isTombstone = true
    }
    if (isTombstone) plain = topic.tombstone?.(event)
    demandValue(plain)
  } catch (error) {
    if (isTombstone) return { reason: 'tombstone', detail: 'The function for tombstones failed on it' }
    return { reason: 'codec', detail: codecDetail(topic, error) }
  }
  const parsed = validated(topic, plain)
  if ('reason' in parsed) return isTombstone ? { ...parsed, reason: 'tombstone' } : parsed
  event.value = parsed.value
  if (topic.indexedValues !== undefined) event.indexed = topic.indexedValues(event, indexFailed)
  return event
}

const ignore = (): void => {}

/** Length of the value of a tombstone. */
const NO_VALUE = -1

/** @throws TypeError for a promise: decoding does not wait. Its rejection would be unhandled. */
function demandValue(plain: unknown): void {
  if (typeof (plain as PromiseLike<unknown> | null | undefined)?.then !== 'function') return
  Promise.resolve(plain).catch(() => {})
  throw new TypeError('A promise is no value')
}

function codecDetail<V>({ codec }: Topic<V>, error: unknown): string {
  if (error instanceof CodecFailure) return error.message
  if (codec !== json) return 'The codec failed on it'
  return error instanceof TypeError ? 'The value is not valid UTF-8' : 'The value is not valid JSON'
}

function validated<V>(topic: Topic<V>, plain: unknown): { readonly value: V } | DecodeFailure {
  if (!topic.validator.isBounded && isDeeper(plain, MAX_DEPTH))
    return { reason: 'schema', detail: `value: Nested deeper than ${MAX_DEPTH} levels` }
  return validate(topic, plain)
}

function validate<V>(topic: Topic<V>, plain: unknown): { readonly value: V } | DecodeFailure {
  try {
    const parsed = topic.validator.validate(plain)
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

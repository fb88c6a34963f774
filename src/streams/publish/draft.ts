import { SluiceError } from '../../errors/codes.ts'
import type { EventHeaders, StreamEvent } from '../event.ts'
import type { OutgoingRecord } from '../source/port.ts'
import { decode } from '../topic/decode.ts'
import type { Topic } from '../topic/topic.ts'

/** An event that is about to be published. It has no partition and offset yet: both are -1. */
export interface Draft<V> {
  readonly event: StreamEvent<V>
  readonly record: OutgoingRecord
  /** Of key, value and headers. */
  readonly bytes: number
}

export interface DraftOptions {
  readonly headers: EventHeaders
  /** Milliseconds since the epoch. */
  readonly timestamp: number
  readonly maxBytes: number | undefined
}

/**
 * The record of a value, and the event that every reader will make of it: the value is encoded, and decoded by the same
 * steps as the records of the log, so that nothing is published that a reader would refuse.
 * @throws SluiceError `BAD_USER_INPUT`, which names the property that the topic's schema refuses; `EVENT_TOO_LARGE`
 */
export function draftOf<V>(topic: Topic<V>, value: unknown, { headers, timestamp, maxBytes }: DraftOptions): Draft<V> {
  const { encode } = topic.codec
  if (!encode || !topic.keyOf) throw new TypeError(`Nothing can be published to the topic "${topic.name}"`)
  const encoded = Buffer.from((encode(value) ?? '') as string)
  const raw = { partition: -1, offset: -1, timestamp, key: null, value: encoded, headers }
  const decoded = decode(topic, raw, { maxBytes })
  if (!('kind' in decoded)) throw refused(decoded)
  const key = topic.keyOf(decoded.value)
  // Index functions may read the key.
  const event = key === null ? decoded : { ...decoded, key }
  const indexed = topic.indexedValues?.(event, () => {})
  return {
    event: indexed ? { ...event, indexed } : event,
    record: { key, value: encoded, headers, timestamp },
    bytes: encoded.length + (key?.length ?? 0) + JSON.stringify(headers).length,
  }
}

function refused(failure: Exclude<ReturnType<typeof decode>, StreamEvent>): Error {
  if (!('reason' in failure)) return new TypeError('The codec made no bytes of the value')
  const { reason, detail } = failure
  if (reason === 'too_large') return new SluiceError('EVENT_TOO_LARGE', `The event is too large. ${detail}`)
  if (reason === 'schema') return new SluiceError('BAD_USER_INPUT', `The event does not fit its topic: ${detail}`)
  return new TypeError(`The codec cannot read what it has written: ${detail}`)
}

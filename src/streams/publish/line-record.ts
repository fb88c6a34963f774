import { z } from 'zod'
import type { OutgoingRecord } from '../source/port.ts'
import type { Topic } from '../topic/topic.ts'

/** What lines of JSON are. */
export interface LineFormat {
  /** Each line is `{"key","value","headers","timestamp","partition"}`; otherwise it is a value. */
  readonly isRecord: boolean
  /** Name of the value's property that is the record's key. Without it: what the topic's definition says. */
  readonly key?: string | undefined
  /** By whose schema and codec values are checked and encoded; without it they are sent as they are. */
  readonly topic?: Topic | undefined
}

/** A line that is no record. The message says why, without the value. */
export class LineRefused extends Error {
  override readonly name = 'LineRefused'
}

const Envelope = z.strictObject({
  key: z.string().nullable().optional(),
  value: z.unknown(),
  headers: z.record(z.string(), z.string()).optional(),
  timestamp: z.int().nonnegative().optional(),
  partition: z.int().nonnegative().optional(),
})

const utf8 = new TextDecoder('utf-8', { fatal: true })

/** @throws LineRefused that says what is wrong with the line. */
export function recordOfLine(line: Uint8Array, { isRecord, key, topic }: LineFormat): OutgoingRecord {
  const text = textOf(line)
  const json = parse(text)
  if (!isRecord) return { key: keyOf(json, key, topic), value: encoded(json, text, topic) }
  const { success, data, error } = Envelope.safeParse(json)
  if (!success) throw new LineRefused(`It is no record: ${sentenceOf(error)}`)
  const { value, headers, timestamp, partition } = data
  return {
    key: data.key === undefined ? keyOf(value, key, topic) : data.key,
    value: value === null || value === undefined ? null : encoded(value, JSON.stringify(value), topic),
    ...(headers && { headers }),
    ...(timestamp !== undefined && { timestamp }),
    ...(partition !== undefined && { partition }),
  }
}

function textOf(line: Uint8Array): string {
  try {
    return utf8.decode(line)
  } catch {
    throw new LineRefused('It is not UTF-8')
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new LineRefused('It is not JSON')
  }
}

function encoded(value: unknown, text: string, topic: Topic | undefined): string | Buffer {
  if (!topic) return text
  const parsed = validated(value, topic)
  const { encode } = topic.codec
  if (!encode) throw new LineRefused(`The codec of the topic "${topic.name}" does not encode`)
  // JSON goes out as it was written: its numbers may have more digits than a double.
  if (topic.codec.fromText) return text
  try {
    return encode(parsed)
  } catch {
    throw new LineRefused('The codec cannot encode it')
  }
}

function validated(value: unknown, topic: Topic): unknown {
  const parsed = topic.validator.validate(value)
  if (parsed.success) return value
  throw new LineRefused(`The schema refuses it: ${sentenceOf(parsed.error)}`)
}

function sentenceOf({ issues }: Pick<z.ZodError, 'issues'>): string {
  const [issue] = issues
  return `${issue?.path.join('.') || 'value'}: ${issue?.message ?? 'invalid'}`
}

function keyOf(value: unknown, property: string | undefined, topic: Topic | undefined): string | null {
  if (property === undefined) return topic?.keyOf?.(value) ?? null
  const own = Object(value)[property] as unknown
  if (typeof own === 'string' || typeof own === 'number' || typeof own === 'boolean') return String(own)
  throw new LineRefused(`It has no "${property}" that can be a key`)
}

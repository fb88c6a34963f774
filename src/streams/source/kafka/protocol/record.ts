import type { RawRecord } from '../../../event.ts'

/** A record as kafkajs decodes it. */
export interface KafkaRecord {
  readonly offset: string
  readonly timestamp: string
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers?: Record<string, Buffer | string | (Buffer | string)[] | undefined>
}

export function rawRecord(partition: number, { offset, timestamp, key, value, headers }: KafkaRecord): RawRecord {
  // A header without a value is null on the wire, contrary to the types.
  for (const name in headers) if (headers[name] === null) headers[name] = undefined
  return { partition, offset: Number(offset), timestamp: Number(timestamp), key, value, headers }
}

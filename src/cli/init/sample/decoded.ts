import type { EventRecord, RawRecord } from '../../../streams/event.ts'

export interface Decoded {
  readonly value: unknown
  readonly key: string | null
  readonly record: RawRecord
}

/** Records that a codec decodes, with their values; the others are left out. */
export function decodeAll(
  records: readonly RawRecord[],
  codec: (bytes: Buffer, record: EventRecord) => unknown,
): Decoded[] {
  return records.flatMap((record) => {
    const key = record.key === null ? null : record.key.toString()
    const { partition, offset, timestamp } = record
    try {
      return [{ value: codec(record.value as Buffer, { partition, offset, timestamp, key, headers: {} }), key, record }]
    } catch {
      return [] // counted by the caller: such records are skipped by the gateway, too
    }
  })
}

import { z } from 'zod'
import type { RawRecord } from '../../src/streams/event.ts'
import { Feed } from '../../src/streams/feed/feed.ts'
import type { WindowLimits } from '../../src/streams/feed/window.ts'
import type { Batch } from '../../src/streams/source/port.ts'
import { defineTopic } from '../../src/streams/topic/topic.ts'
import { silentLog } from './log-lines.ts'

/** A small event for tests of the streams: `n` tells one from another and is ordered, `color` and `size` are indexed. */
export const Paint = z.object({ n: z.int(), color: z.string(), size: z.string().optional() })
export type Paint = z.output<typeof Paint>
export const paints = defineTopic('paints', { schema: Paint, index: ['color', 'size'], ordered: ['n'] })

export const ROOMY: WindowLimits = { maxBytes: 64 * 1024 * 1024, maxAgeMs: 3600_000 }

/** A feed of paints that has begun to read empty partitions. */
export function paintFeed({
  partitions = 1,
  limits = ROOMY,
  log = silentLog,
  epoch = 1,
  cursorVersion = 1,
} = {}): Feed<Paint> {
  const feed = new Feed(paints, { limits, log, epoch, cursorVersion })
  const ranges = Array.from({ length: partitions }, (_, partition) => ({ partition, earliest: 0, next: 0 }))
  feed.begin(ranges, new Map(ranges.map(({ partition }) => [partition, 0])))
  return feed
}

/** A record that holds this value as JSON, or these bytes. */
export function recordOf(partition: number, offset: number, value: object | Buffer | null): RawRecord {
  return {
    partition,
    offset,
    timestamp: Date.now(),
    key: null,
    value: value === null || Buffer.isBuffer(value) ? value : Buffer.from(JSON.stringify(value)),
    headers: undefined,
  }
}

/** A batch of these records, which ends right behind the last of them. */
export function batchOf(partition: number, records: readonly RawRecord[], nextOffset?: number): Batch {
  const next = nextOffset ?? (records.at(-1)?.offset ?? -1) + 1
  return { topic: 'paints', partition, records, nextOffset: next, endOffset: next }
}

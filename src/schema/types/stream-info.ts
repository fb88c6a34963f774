import type { Feed } from 'sluice'
import { builder } from './builder.ts'

interface PartitionInfo {
  readonly partition: number
  readonly newestOffset: number
  readonly passedOffset: number
}

const Partition = builder.objectRef<PartitionInfo>('Partition').implement({
  fields: (t) => ({
    partition: t.exposeInt('partition'),
    newestOffset: t.float({
      nullable: true,
      description: 'Offset of the newest record that the log is known to have; null: it is empty.',
      resolve: ({ newestOffset }) => (newestOffset < 0 ? null : newestOffset),
    }),
    passedOffset: t.float({
      nullable: true,
      description: 'Offset of the newest record that this instance has passed.',
      resolve: ({ passedOffset }) => (passedOffset < 0 ? null : passedOffset),
    }),
  }),
})

const WindowSpan = builder.objectRef<Feed>('WindowSpan').implement({
  description: 'The events that this instance holds in memory.',
  fields: (t) => ({
    events: t.int({ resolve: ({ window }) => window.nextSeq - window.firstSeq }),
    bytes: t.float({ description: 'An estimate of what they take.', resolve: ({ window }) => window.bytes }),
    oldest: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'Timestamp of the first of them; null: there is none, or its timestamp is no date.',
      resolve: ({ window }) => dateOf(window.at(window.firstSeq)),
    }),
    newest: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'Timestamp of the last of them; null: there is none, or its timestamp is no date.',
      resolve: ({ window }) => dateOf(window.at(window.nextSeq - 1)),
    }),
  }),
})

export const StreamInfo = builder.objectRef<Feed>('StreamInfo').implement({
  description: 'A topic, as this instance sees it.',
  fields: (t) => ({
    topic: t.string({ resolve: (feed) => feed.topic.name }),
    partitions: t.field({
      type: [Partition],
      resolve: (feed) =>
        feed.head.map((next, partition) => ({
          partition,
          newestOffset: Math.max(feed.ends[partition] ?? 0, next) - 1,
          passedOffset: next - 1,
        })),
    }),
    window: t.field({ type: WindowSpan, resolve: (feed) => feed }),
    eventsPerSecond: t.float({
      description: 'Records read a second, over the last ten seconds.',
      resolve: (feed) => feed.rate.perSecond(Date.now()),
    }),
  }),
})

/** RFC 3339 writes years of four digits; a timestamp in microseconds is beyond them. */
const FIRST_MS = Date.parse('0000-01-01T00:00:00Z')
const LAST_MS = Date.parse('9999-12-31T23:59:59.999Z')

function dateOf(event: { readonly timestamp: number } | undefined): Date | null {
  return event && event.timestamp >= FIRST_MS && event.timestamp <= LAST_MS ? new Date(event.timestamp) : null
}

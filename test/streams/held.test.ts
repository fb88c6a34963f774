import { describe, expect, it, onTestFinished } from 'vitest'
import { z } from 'zod'
import { type Codec, CodecUnavailable, defineTopic } from '../../src/index.ts'
import type { Feed } from '../../src/streams/feed/feed.ts'
import { createEmbeddedLog } from '../../src/streams/source/embedded/embedded.ts'
import type { Batch } from '../../src/streams/source/port.ts'
import { Streams } from '../../src/streams/streams.ts'
import { ROOMY } from '../kit/feeds.ts'
import { recordedLog } from '../kit/log-lines.ts'
import { until } from '../kit/until.ts'

const Event = z.object({ n: z.int() })

/** Values are `NEED:N`: they can be decoded when the need is there. */
function needyCodec() {
  const there = new Set<string>()
  let asked = 0
  let isDefinite = false
  const needOf = (bytes: Buffer) => bytes.toString().split(':')[0] as string
  const codec: Codec = Object.assign(
    (bytes: Buffer) => {
      const [need, n] = bytes.toString().split(':') as [string, string]
      if (!there.has(need)) throw new Error('Decoded too early')
      return { n: Number(n) }
    },
    {
      prepare: (values: readonly Buffer[]) => {
        const missing = values.map(needOf).find((need) => !there.has(need))
        if (missing === undefined) return undefined
        asked++
        return Promise.reject(new CodecUnavailable(`There is no ${missing}`, { isDefinite }))
      },
    },
  )
  return {
    codec,
    there,
    get asked() {
      return asked
    },
    set isDefinite(value: boolean) {
      isDefinite = value
    },
  }
}

interface Setup {
  readonly partitions?: number
  readonly before?: readonly (readonly [partition: number, value: string])[]
  readonly table?: boolean
}

async function setUp({ partitions = 3, before = [], table = false }: Setup = {}) {
  const needs = needyCodec()
  needs.there.add('a')
  const topic = defineTopic('needy', { schema: Event, codec: needs.codec, table })
  const calm = defineTopic('calm', { schema: Event })
  const embedded = createEmbeddedLog()
  embedded.createTopic('needy', partitions)
  embedded.createTopic('calm', 1)
  const produce = (...records: readonly (readonly [partition: number, value: string])[]) =>
    embedded.sink.send(
      'needy',
      records.map(([partition, value]) => ({ key: value, value, partition })),
    )
  await produce(...before)
  const { log, lines } = recordedLog()
  const streams = new Streams({
    topics: [topic, calm],
    source: embedded.source,
    sink: embedded.sink,
    limits: ROOMY,
    log,
  })
  streams.start()
  onTestFinished(() => streams.close())
  const feed = streams.feed(topic)
  const seen = (): string[] => [...eventsOf(feed)].map((event) => `${event.partition}:${event.value.n}`)
  const state = () => streams.states.get('needy')
  return { needs, streams, feed, produce, seen, state, lines, embedded, topic, calm }
}

function* eventsOf(feed: Feed<z.output<typeof Event>>) {
  for (let seq = feed.window.firstSeq; seq < feed.window.nextSeq; seq++) {
    const event = feed.window.at(seq)
    if (event) yield event
  }
}

describe('a partition whose records cannot be decoded yet', () => {
  it('is held, the others go on, and nothing is skipped or lost', async () => {
    const { needs, streams, feed, produce, seen, state, lines } = await setUp()
    await until('the topic is read', () => state()?.kind === 'ready')
    await produce([0, 'b:1'], [1, 'a:2'], [2, 'a:3'])
    await until('the others are delivered', () => seen().length === 2)
    await produce([0, 'a:4'], [1, 'a:5'])
    await until('they go on', () => seen().length === 3)
    expect(seen().toSorted()).toEqual(['1:2', '1:5', '2:3'])
    expect(feed.head[0]).toBe(0)

    // The topic is served, and says so; the other topic has nothing to say.
    await until('it is told', () => streams.states.get('needy')?.kind === 'ready' && feed.preparation?.held === 1)
    expect(state()).toEqual({ kind: 'ready', note: 'Partition 0 is held: There is no b' })
    expect(streams.readiness()).toEqual({ ready: true, notes: ['Topic "needy": Partition 0 is held: There is no b'] })
    const warning = {
      topic: 'needy',
      place: 'Partition 0',
      reason: 'There is no b',
      msg: 'Records are held until they can be decoded',
    }
    expect(lines.filter(({ level }) => level === 40)).toEqual([expect.objectContaining(warning)])

    needs.there.add('b')
    await until('all is delivered', () => seen().length === 5)
    expect(seen().filter((each) => each.startsWith('0'))).toEqual(['0:1', '0:4'])
    expect(state()).toEqual({ kind: 'ready' })
    expect(feed.poison.failures.size).toBe(0)
    expect(lines.at(-1)).toMatchObject({ msg: 'Its records are decoded again', place: 'Partition 0' })
  })

  it('delivers what is before them', async () => {
    const { needs, feed, seen, produce, state } = await setUp({ partitions: 1 })
    await until('the topic is read', () => state()?.kind === 'ready')
    await produce([0, 'a:1'], [0, 'a:2'], [0, 'b:3'], [0, 'a:4'], [0, 'c:5'])
    await until('the first are delivered', () => seen().length === 2)
    expect(feed.head[0]).toBe(2)
    needs.there.add('b')
    await until('more are delivered', () => seen().length === 4)
    expect(feed.head[0]).toBe(4)
    needs.there.add('c')
    await until('all are delivered', () => seen().length === 5)
    expect(seen()).toEqual(['0:1', '0:2', '0:3', '0:4', '0:5'])
  })

  it('ends with the reading', async () => {
    const { streams, produce, feed, state } = await setUp({ partitions: 1 })
    await until('the topic is read', () => state()?.kind === 'ready')
    await produce([0, 'b:1'])
    await until('it is held', () => feed.preparation?.held === 1)
    await streams.close()
    expect(feed.preparation?.held).toBe(0)
  })

  it('is asked for with backoff, and not for records without a value, or that are too large', async () => {
    const { needs, produce, feed, state, embedded } = await setUp({ partitions: 1 })
    await until('the topic is read', () => state()?.kind === 'ready')
    const large = { key: 'x', value: `b:${'1'.repeat(2 ** 20 + 100)}`, partition: 0 }
    await embedded.sink.send('needy', [{ key: 'x', value: null, partition: 0 }, large])
    await until('they are passed', () => feed.head[0] === 2)
    expect(needs.asked).toBe(0)
    await produce([0, 'b:1'])
    await until('it was tried again', () => needs.asked > 3)
    expect(needs.asked).toBeLessThan(20)
  })

  it('has a gap come after the records that are held', async () => {
    const { needs, feed, state } = await setUp({ partitions: 2 })
    await until('the topic is read', () => state()?.kind === 'ready')
    const record = { partition: 0, offset: 0, timestamp: 1, key: null, value: Buffer.from('b:1'), headers: undefined }
    const batch: Batch = { topic: 'needy', partition: 0, records: [record], nextOffset: 1, endOffset: 9 }
    const told: string[] = []
    feed.add({}, {
      onEvent: ({ offset }: { offset: number }) => void told.push(`event ${offset}`),
      onGap: ({ from, to }: { from: number; to: number }) => void told.push(`gap ${from} ${to}`),
      onProgress: () => {},
    } as never)
    const taken = feed.onBatch(batch)
    feed.onGap({ kind: 'gap', topic: 'needy', partition: 0, from: 1, to: 5, reason: 'retention' })
    feed.onGap({ kind: 'gap', topic: 'needy', partition: 1, from: 0, to: 3, reason: 'retention' })
    await until('that of the other partition is told', () => told.length === 1)
    needs.there.add('b')
    await taken
    await until('the gap is told', () => told.length === 3)
    expect(told).toEqual(['gap 0 3', 'event 0', 'gap 1 5'])
    expect(feed.head).toEqual([5, 3])
  })
})

describe('at the start', () => {
  it('a topic waits by name while what it needs cannot be had at all, and others are served', async () => {
    const { needs, streams, state, seen, calm, feed } = await setUp({
      before: [
        [0, 'b:1'],
        [1, 'a:2'],
      ],
    })
    await until('it waits', () => feed.preparation?.held === 1)
    expect(state()).toEqual({ kind: 'waiting', reason: 'Partition 0 is held: There is no b' })
    await until('the other is served', () => streams.readinessOf(calm).ready)
    expect(streams.readiness()).toMatchObject({
      ready: false,
      reason: 'Topic "needy": Partition 0 is held: There is no b',
    })
    needs.there.add('b')
    await until('it is read', () => state()?.kind === 'ready')
    expect(seen().toSorted()).toEqual(['0:1', '1:2'])
  })

  it('a window begins behind records that are unknown to who has others, and replays wait for them', async () => {
    const before = [
      [0, 'a:1'],
      [0, 'b:2'],
      [0, 'a:3'],
      [1, 'a:4'],
    ] as const
    const needs = { before }
    const { needs: codec, state, seen, feed, lines } = await setUp(needs)
    codec.isDefinite = true
    await until('it is read', () => state()?.kind === 'ready')
    expect(seen().toSorted()).toEqual(['0:3', '1:4'])

    const page = await feed.page(0, 0, () => true)
    expect(page).toMatchObject({ kind: 'page', from: 0, next: 1, events: [{ value: { n: 1 } }] })
    let isWanted = true
    const second = Promise.resolve(feed.page(0, 1, () => isWanted))
    await until('it is told', () => lines.some(({ place }) => place === 'A replay'))
    expect(state()).toEqual({ kind: 'ready', note: 'A replay waits: There is no b' })
    codec.there.add('b')
    expect(await second).toMatchObject({
      kind: 'page',
      next: 3,
      events: [{}, { value: { n: 2 } }, { value: { n: 3 } }],
    })
    isWanted = false
  })

  it('a table waits: it is whole, or not there', async () => {
    const { needs, streams, state, topic, feed } = await setUp({
      table: true,
      partitions: 1,
      before: [
        [0, 'a:1'],
        [0, 'b:2'],
      ],
    })
    await until('it waits', () => feed.preparation?.held === 1)
    expect(state()).toMatchObject({ reason: "The table's partition 0 is held: There is no b" })
    needs.there.add('b')
    await until('it is read', () => state()?.kind === 'ready')
    expect((await streams.table(topic).rows()).map(({ value }) => value.n)).toEqual([1, 2])
  })
})

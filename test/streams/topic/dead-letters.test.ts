import { afterEach, expect, test, vi } from 'vitest'
import { createBuilder } from '../../../src/schema/builder.ts'
import type { RawRecord } from '../../../src/streams/event.ts'
import { createEmbeddedLog } from '../../../src/streams/source/embedded/embedded.ts'
import type { OutgoingRecord, Sink } from '../../../src/streams/source/port.ts'
import { DeadLetters } from '../../../src/streams/topic/dead-letters.ts'
import { decode } from '../../../src/streams/topic/decode.ts'
import { defineTopic, type Topic } from '../../../src/streams/topic/topic.ts'
import { Paint, recordOf } from '../../kit/feeds.ts'
import { silentLog, startTestGateway } from '../../kit/gateway.ts'
import { recordedLog } from '../../kit/log-lines.ts'
import { RawStream } from '../../kit/raw-stream.ts'
import { until } from '../../kit/until.ts'

const watched = defineTopic('watched', { schema: Paint, index: ['color'], deadLetterTopic: 'watched-dead' })
const unwatched = defineTopic('unwatched', { schema: Paint })

afterEach(() => vi.useRealTimers())

/** A sink that answers when it is told to. */
function heldSink() {
  const sent: { topic: string; record: OutgoingRecord }[] = []
  const answers: { resolve: () => void; reject: (error: Error) => void }[] = []
  const sink: Sink = {
    send(topic, records) {
      for (const record of records) sent.push({ topic, record })
      const { promise, resolve, reject } = Promise.withResolvers<void>()
      answers.push({ resolve, reject })
      return promise
    },
    async close() {},
  }
  return { sink, sent, answers }
}

function take(letters: DeadLetters, record: RawRecord, topic: Topic = watched): void {
  const failure = decode(topic, record)
  if (!('reason' in failure)) throw new Error('The record was to be poison')
  letters.take(record, failure)
}

const poison = (offset: number, partition = 0) => recordOf(partition, offset, Buffer.from('poison'))

test('failures are counted by reason', () => {
  const letters = new DeadLetters(unwatched, undefined, silentLog)
  const values = [Buffer.from('?'), Buffer.from('!'), Buffer.alloc(2 * 1024 * 1024), {}]
  for (const value of values) take(letters, recordOf(0, 0, value))
  expect(Object.fromEntries(letters.failures)).toEqual({ codec: 2, too_large: 1, schema: 1 })
})

test('warnings come at most every ten seconds, and say how many were left out', () => {
  vi.useFakeTimers()
  const { log, lines } = recordedLog()
  const letters = new DeadLetters(unwatched, undefined, log)
  for (let offset = 0; offset < 1000; offset++) take(letters, poison(offset, 2))
  expect(lines).toHaveLength(1)
  expect(lines[0]).toMatchObject({
    level: 40,
    topic: 'unwatched',
    partition: 2,
    offset: 0,
    reason: 'codec',
    unlogged: 0,
  })
  vi.advanceTimersByTime(10_000)
  take(letters, poison(1000, 2))
  expect(lines).toHaveLength(2)
  expect(lines[1]).toMatchObject({ offset: 1000, unlogged: 999 })
})

test('a dead letter is keyed by topic, partition and offset, and holds the bytes as they were', async () => {
  const { sink, sent, answers } = heldSink()
  const letters = new DeadLetters(watched, sink, silentLog)
  const response = Buffer.from('before poison after')
  const record = { ...poison(7, 3), value: response.subarray(7, 13), timestamp: 1234 }
  take(letters, record)
  response.fill(0)
  expect(sent).toEqual([
    {
      topic: 'watched-dead',
      record: {
        key: 'watched:3:7',
        value: Buffer.from('poison'),
        headers: { reason: 'codec', detail: 'The value is not valid JSON', timestamp: '1234' },
      },
    },
  ])
  answers[0]?.resolve()
  await until('the letter was counted', () => letters.deadLetters.sent === 1)
})

test('no letters are sent for a topic without a dead-letter topic', () => {
  const { sink, sent } = heldSink()
  const letters = new DeadLetters(unwatched, sink, silentLog)
  take(letters, poison(0), unwatched)
  expect(sent).toEqual([])
})

test('at most 100 letters are on their way; those beyond are dropped and counted', async () => {
  const { sink, sent, answers } = heldSink()
  const letters = new DeadLetters(watched, sink, silentLog)
  for (let offset = 0; offset < 150; offset++) take(letters, poison(offset))
  expect(sent).toHaveLength(100)
  expect(letters.deadLetters).toEqual({ sent: 0, dropped: 50 })
  for (const { resolve } of answers) resolve()
  await until('all were sent', () => letters.deadLetters.sent === 100)
  take(letters, poison(150))
  expect(sent).toHaveLength(101)
})

test('letters on their way hold at most 16 MiB, and one that is larger goes alone', async () => {
  const { sink, sent, answers } = heldSink()
  const letters = new DeadLetters(watched, sink, silentLog)
  const large = (mebibytes: number) => recordOf(0, sent.length, Buffer.alloc(mebibytes * 1024 * 1024))
  take(letters, large(20))
  take(letters, large(1))
  expect(sent).toHaveLength(1)
  answers[0]?.resolve()
  await until('it was sent', () => letters.deadLetters.sent === 1)
  for (let i = 0; i < 20; i++) take(letters, large(5))
  expect(sent).toHaveLength(4)
  expect(letters.deadLetters).toEqual({ sent: 1, dropped: 18 })
})

test('a sink that fails costs the letter, a count and a warning, and nothing else', async () => {
  const { log, lines } = recordedLog()
  const { sink, sent, answers } = heldSink()
  const letters = new DeadLetters(watched, sink, log)
  take(letters, poison(0))
  answers[0]?.reject(new Error('No leader'))
  await until('it was counted', () => letters.deadLetters.dropped === 1)
  expect(lines.map(({ msg }) => msg)).toContain('A dead letter could not be sent')
  take(letters, poison(1))
  expect(sent).toHaveLength(2)
})

test('a sink that throws at once does no harm either', async () => {
  const sink: Sink = {
    send() {
      throw new Error('Closed')
    },
    async close() {},
  }
  const letters = new DeadLetters(watched, sink, silentLog)
  take(letters, poison(0))
  await until('it was counted', () => letters.deadLetters.dropped === 1)
})

test('a sink that fails for every letter warns now and then, not for each', async () => {
  const { log, lines } = recordedLog()
  const sink: Sink = { send: () => Promise.reject(new Error('No such topic')), close: async () => {} }
  const letters = new DeadLetters(watched, sink, log)
  for (let offset = 0; offset < 50; offset++) take(letters, poison(offset))
  await until('all were counted', () => letters.deadLetters.dropped === 50)
  expect(lines.filter(({ msg }) => msg === 'A dead letter could not be sent')).toHaveLength(1)
})

function paintSchema() {
  const builder = createBuilder()
  builder.queryType({ fields: (t) => ({ ok: t.boolean({ resolve: () => true }) }) })
  builder.subscriptionType({
    fields: (t) => ({
      paint: t.stream({ topic: watched, type: 'Int', resolve: ({ n }) => n }),
    }),
  })
  return builder.toSchema()
}

const POISON = [
  'not json',
  '{}',
  Buffer.from([0xff]),
  Buffer.alloc(2 * 1024 * 1024, 0x20),
  `${'['.repeat(100_000)}`,
  '{"__proto__":{"n":1}}',
] as const

test('poison between good events is counted, dead-lettered and skipped, and the stream goes on', async () => {
  const { log, lines } = recordedLog()
  const embedded = createEmbeddedLog()
  embedded.createTopic('watched', 1)
  embedded.createTopic('watched-dead', 1)
  const gateway = await startTestGateway({ schema: paintSchema(), topics: [watched], embedded, log })
  const stream = await RawStream.subscribe(gateway.graphql, 'subscription { paint }')
  await stream.untilBlocks(1)

  const good = (n: number) => ({ key: null, value: JSON.stringify({ n, color: 'red' }) })
  for (const [index, value] of POISON.entries()) {
    await embedded.sink.send('watched', [good(index), { key: null, value }])
  }
  await embedded.sink.send('watched', [good(POISON.length)])

  const results = await stream.untilResults(POISON.length + 1)
  expect(results).toEqual(Array.from({ length: POISON.length + 1 }, (_, n) => ({ data: { paint: n } })))
  for (const [reason, count] of Object.entries({ codec: 3, schema: 2, too_large: 1 })) {
    expect(await gateway.metric('sluice_decode_failures_total', { reason })).toBe(count)
  }
  expect(lines.filter(({ msg }) => msg === 'A record is no event of its topic and was skipped')).toHaveLength(1)

  const feed = [...gateway.streams.feeds][0]
  await until('the letters were sent', () => feed?.poison.deadLetters.sent === POISON.length)
  const dead: RawRecord[] = []
  const stop = new AbortController()
  void embedded.source.read(
    'watched-dead',
    new Map([[0, 0]]),
    { onBatch: ({ records }) => void dead.push(...records), onGap: () => {}, onState: () => {} },
    stop.signal,
  )
  await until('the letters were read', () => dead.length >= POISON.length)
  stop.abort()
  expect(dead.map(({ key }) => key?.toString())).toEqual(POISON.map((_, index) => `watched:0:${index * 2 + 1}`))
  expect(dead.map(({ value }) => value)).toEqual(POISON.map((value) => Buffer.from(value)))
})

test('a dead-letter topic that does not exist holds up no stream', async () => {
  const embedded = createEmbeddedLog()
  embedded.createTopic('watched', 1)
  const gateway = await startTestGateway({ schema: paintSchema(), topics: [watched], embedded })
  const stream = await RawStream.subscribe(gateway.graphql, 'subscription { paint }')
  await stream.untilBlocks(1)
  await embedded.sink.send('watched', [
    { key: null, value: 'poison' },
    { key: null, value: '{"n":1,"color":"red"}' },
  ])
  expect(await stream.untilResults(1)).toEqual([{ data: { paint: 1 } }])
  expect(await gateway.metric('sluice_dead_letters_total', { outcome: 'dropped' })).toBe(1)
})

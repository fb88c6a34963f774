import { type ExecutionResult, parse, subscribe } from 'graphql'
import { expect, onTestFinished, test } from 'vitest'
import { z } from 'zod'
import { createBuilder } from '../../src/schema/builder.ts'
import { ANONYMOUS } from '../../src/schema/context.ts'
import type { EventRecord } from '../../src/streams/event.ts'
import { createEmbeddedLog } from '../../src/streams/source/embedded/embedded.ts'
import type { OutgoingRecord } from '../../src/streams/source/port.ts'
import { Streams } from '../../src/streams/streams.ts'
import { defineTopic } from '../../src/streams/topic/topic.ts'
import { ROOMY } from '../kit/feeds.ts'
import { startTestGateway } from '../kit/gateway.ts'
import { silentLog } from '../kit/log-lines.ts'
import { RawStream } from '../kit/raw-stream.ts'
import { until } from '../kit/until.ts'

const Reading = z.object({ n: z.int(), unit: z.string() })
/** The unit is in a header, the sensor in the key. */
const readings = defineTopic('readings', {
  schema: Reading,
  codec: (bytes, { headers }) => ({ n: Number(bytes), unit: headers.unit }),
  index: { sensor: (_reading, { key }) => key },
})

const READING = `reading(sensor: "s_1", from: 0) { n unit key source place at }`

/** `reading` is looked up by the record's key, chosen by its offset, and has all of its record. */
function readingSchema(seen: EventRecord[] = []) {
  const builder = createBuilder()
  builder.queryType({ fields: (t) => ({ ok: t.boolean({ resolve: () => true }) }) })
  const ReadingType = builder.objectRef<z.output<typeof Reading> & { record: EventRecord }>('Reading').implement({
    fields: (t) => ({
      n: t.exposeInt('n'),
      unit: t.exposeString('unit'),
      key: t.string({ nullable: true, resolve: ({ record }) => record.key }),
      source: t.string({ nullable: true, resolve: ({ record }) => record.headers.source }),
      place: t.string({ resolve: ({ record }) => `${record.partition}:${record.offset}` }),
      at: t.field({ type: 'DateTime', resolve: ({ record }) => new Date(record.timestamp) }),
    }),
  })
  builder.subscriptionType({
    fields: (t) => ({
      reading: t.stream({
        topic: readings,
        type: ReadingType,
        args: { sensor: t.arg.string({ required: true }), from: t.arg.int({ required: true }) },
        where: ({ sensor }) => ({ sensor }),
        filter: (_reading, { from }, _context, { offset }) => offset >= from,
        resolve(reading, _args, _context, record) {
          seen.push(record)
          return { ...reading, record }
        },
      }),
      later: t.stream({
        topic: readings,
        type: 'String',
        resolve: async (_reading, _args, _context, { partition, offset }) => `${partition}:${offset}`,
      }),
    }),
  })
  return builder.toSchema()
}

const START = Date.parse('2026-11-27T10:15:30.000Z')

function readingOf(n: number, key: string | null = 's_1'): OutgoingRecord {
  const headers = { unit: 'K', ...(n % 2 === 0 && { source: 'roof' }) }
  return { key, value: String(n), partition: 0, timestamp: START + n, headers }
}

function expectedOf(n: number, offset = n) {
  const source = n % 2 === 0 ? 'roof' : null
  const at = new Date(START + n).toISOString()
  return { data: { reading: { n, unit: 'K', key: 's_1', source, place: `0:${offset}`, at } } }
}

async function startReadings(seen?: EventRecord[]) {
  const embedded = createEmbeddedLog()
  embedded.createTopic('readings', 1)
  const gateway = await startTestGateway({ schema: readingSchema(seen), topics: [readings], embedded })
  return { ...gateway, send: (...records: OutgoingRecord[]) => embedded.sink.send('readings', records) }
}

test('codec, where, filter and resolve have the key, headers, timestamp, partition and offset', async () => {
  const gateway = await startReadings()
  const stream = await RawStream.subscribe(gateway.graphql, `subscription { ${READING.replace('from: 0', 'from: 2')} }`)
  await stream.untilBlocks(1)
  await gateway.send(
    readingOf(0),
    readingOf(1, 's_2'),
    readingOf(2, null),
    readingOf(3),
    readingOf(4),
    readingOf(5, ''),
  )
  expect(await stream.untilResults(2)).toEqual([expectedOf(3), expectedOf(4)])
  // The last one that does not match is passed: nothing comes after these.
  await gateway.send(readingOf(6))
  expect(await stream.untilResults(3)).toEqual([expectedOf(3), expectedOf(4), expectedOf(6)])
})

test('the record is that of the event, for all members alike: what is shared stays shared', async () => {
  const seen: EventRecord[] = []
  const gateway = await startReadings(seen)
  const streams = await Promise.all(
    Array.from({ length: 5 }, () => RawStream.subscribe(gateway.graphql, `subscription { ${READING} }`)),
  )
  for (const stream of streams) await stream.untilBlocks(1)
  await gateway.send(readingOf(0), readingOf(1))
  for (const stream of streams) expect(await stream.untilResults(2)).toEqual([expectedOf(0), expectedOf(1)])
  expect(seen.map(({ offset }) => offset)).toEqual([0, 1])
  expect(await gateway.metric('sluice_groups')).toBe(1)
  expect(await gateway.metric('sluice_executions_total')).toBe(2)
})

test('results read the same before an operation is compiled, after it, and in a replay', async () => {
  const gateway = await startReadings()
  const query = `subscription { ${READING} }`
  const stream = await RawStream.subscribe(gateway.graphql, query)
  const [{ id: start } = { id: undefined }] = await stream.untilBlocks(1)
  const numbers = Array.from({ length: 300 }, (_, n) => n)
  await gateway.send(...numbers.map((n) => readingOf(n)))
  await stream.untilResults(300)
  await until('it is compiled', async () => (await gateway.metric('sluice_compiled_operations_total')) === 1)
  await gateway.send(...numbers.map((n) => readingOf(300 + n)))
  const expected = Array.from({ length: 600 }, (_, n) => expectedOf(n))
  expect(await stream.untilResults(600)).toEqual(expected)
  const again = await RawStream.subscribe(gateway.graphql, query, { headers: { 'last-event-id': String(start) } })
  expect(await again.untilResults(600)).toEqual(expected)
  const last = await RawStream.subscribe(
    gateway.graphql,
    `subscription { ${READING.replace('from: 0', 'from: 598, last: 5')} }`,
  )
  expect(await last.untilResults(2)).toEqual(expected.slice(-2))
})

test('a resolver that is asynchronous has the record too', async () => {
  const gateway = await startReadings()
  const stream = await RawStream.subscribe(gateway.graphql, 'subscription { later }')
  await stream.untilBlocks(1)
  await gateway.send(readingOf(0), readingOf(1), readingOf(2))
  expect(await stream.untilResults(3)).toEqual(['0:0', '0:1', '0:2'].map((later) => ({ data: { later } })))
})

test('plain graphql-js gives it to them as well', async () => {
  const embedded = createEmbeddedLog()
  embedded.createTopic('readings', 1)
  const { source, sink, epoch } = embedded
  const streams = new Streams({ topics: [readings], source, sink, epoch, limits: ROOMY, log: silentLog })
  onTestFinished(() => streams.close())
  streams.start()
  await until('the streams are ready', () => streams.readiness().ready)
  const open = async (query: string) =>
    (await subscribe({
      schema: readingSchema(),
      document: parse(`subscription { ${query} }`),
      contextValue: { audience: ANONYMOUS, streams },
    })) as AsyncGenerator<ExecutionResult>
  const results = await open(READING.replace('from: 0', 'from: 1'))
  await sink.send('readings', [readingOf(0), readingOf(1), readingOf(2, 's_2'), readingOf(3)])
  for (const n of [1, 3]) expect((await results.next()).value).toEqual(expectedOf(n))
  const last = await open(READING.replace('from: 0', 'from: 1, last: 1'))
  expect((await last.next()).value).toEqual(expectedOf(3))
})

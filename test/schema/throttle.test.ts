import { type ExecutionResult, parse, printType, subscribe } from 'graphql'
import { expect, onTestFinished, test } from 'vitest'
import { createBuilder } from '../../src/schema/builder.ts'
import { ANONYMOUS, type Context } from '../../src/schema/context.ts'
import { createEmbeddedLog } from '../../src/streams/source/embedded/embedded.ts'
import { Streams } from '../../src/streams/streams.ts'
import { type Paint, paints, ROOMY } from '../kit/feeds.ts'
import { silentLog } from '../kit/log-lines.ts'
import { until } from '../kit/until.ts'

function paintSchema() {
  const builder = createBuilder()
  builder.queryType({ fields: (t) => ({ ok: t.boolean({ resolve: () => true }) }) })
  const Size = builder.objectRef<{ readonly text: string }>('Size').implement({
    fields: (t) => ({
      text: t.exposeString('text'),
      upper: t.string({ args: { by: t.arg.int() }, resolve: ({ text }, { by }) => text.repeat(by ?? 1) }),
    }),
  })
  const Type = builder.objectRef<Paint>('Paint')
  Type.implement({
    fields: (t) => ({
      n: t.exposeInt('n'),
      color: t.exposeString('color'),
      parity: t.boolean({ resolve: ({ n }) => n % 2 === 0 }),
      size: t.field({
        type: Size,
        nullable: true,
        resolve: ({ size }) => (size === undefined ? null : { text: size }),
      }),
      letters: t.stringList({ resolve: ({ color }) => [...color] }),
      itself: t.field({ type: Type, resolve: (paint) => paint }),
      tier: t.string({ resolve: (_paint, _args, { audience }) => String(audience.claims.tier) }),
      slow: t.int({ resolve: async ({ n }) => n }),
      broken: t.string({
        nullable: true,
        resolve: () => {
          throw new Error('no')
        },
      }),
    }),
  })
  builder.subscriptionType({
    fields: (t) => ({
      paint: t.stream({ topic: paints, type: Type }),
      again: t.stream({ topic: paints, type: Type, resolve: ({ n, color }) => ({ n, color: `re-${color}` }) }),
      numbers: t.stream({ topic: paints, type: 'Int', resolve: ({ n }) => n }),
      asked: t.stream({ topic: paints, type: Type, resolve: (paint, _args, _context) => paint }),
    }),
  })
  return builder.toSchema()
}

const schema = paintSchema()

async function startStreams() {
  const embedded = createEmbeddedLog()
  embedded.createTopic(paints.name, 1)
  const { source, sink, epoch } = embedded
  const streams = new Streams({ topics: [paints], source, sink, epoch, limits: ROOMY, log: silentLog })
  onTestFinished(() => streams.close())
  streams.start()
  await until('the streams are ready', () => streams.readiness().ready)
  const context: Context = { audience: ANONYMOUS, streams }
  const produce = (...paint: Partial<Paint>[]) =>
    sink.send(
      paints.name,
      paint.map((one) => ({ key: null, value: JSON.stringify({ n: 0, color: 'red', ...one }), partition: 0 })),
    )
  return { context, streams, produce }
}

async function open(context: Context, query: string): Promise<AsyncGenerator<ExecutionResult>> {
  const opened = await subscribe({ schema, document: parse(query), contextValue: context })
  if (!(Symbol.asyncIterator in opened)) throw opened.errors?.[0] ?? new Error('It did not open')
  onTestFinished(async () => void (await opened.return(undefined)))
  return opened as AsyncGenerator<ExecutionResult>
}

/** The number of the next result, or its error's message. */
async function next(results: AsyncGenerator<ExecutionResult>): Promise<unknown> {
  const { value } = await results.next()
  const { data, errors } = value as ExecutionResult
  return errors?.[0]?.message ?? (data?.paint as { n: number } | undefined)?.n
}

test('the types of the argument say what may be given', () => {
  expect(printType(schema.getType('Throttle') as never)).toContain('everyMs: Int!')
  expect(printType(schema.getType('Throttle') as never)).toContain('mode: ThrottleMode! = LATEST')
  expect(printType(schema.getType('ThrottleMode') as never)).toMatch(/FIRST.*LATEST/s)
})

test('with any executor: the first at once, then the latest of each key, also when nothing follows', async () => {
  const { context, produce } = await startStreams()
  const results = await open(context, 'subscription { paint(throttle: { everyMs: 100, by: "color" }) { n } }')
  const first = next(results)
  await produce({ n: 1 })
  expect(await first).toBe(1)
  await produce({ n: 2 }, { n: 3 }, { n: 4, color: 'blue' }, { n: 5 }, { n: 6, color: 'blue' })
  expect([await next(results), await next(results), await next(results)].toSorted()).toEqual([4, 5, 6])
})

test('with any executor: FIRST drops what follows within the interval', async () => {
  const { context, produce } = await startStreams()
  const results = await open(
    context,
    'subscription { paint(throttle: { everyMs: 3600000, mode: FIRST, by: "color" }) { n } }',
  )
  await produce({ n: 1 }, { n: 2 }, { n: 3, color: 'blue' }, { n: 4 }, { n: 5, color: 'green' })
  expect([await next(results), await next(results), await next(results)]).toEqual([1, 3, 5])
})

test('with any executor: a gap comes after what is held before it', async () => {
  const { context, streams, produce } = await startStreams()
  const results = await open(context, 'subscription { paint(throttle: { everyMs: 3600000 }) { n } }')
  const first = next(results)
  await produce({ n: 1 }, { n: 2 })
  expect(await first).toBe(1)
  const second = next(results)
  await until('the second event has been read', () => streams.feed(paints).head[0] === 2)
  streams.feed(paints).onGap({ kind: 'gap', topic: 'paints', partition: 0, from: 2, to: 9, reason: 'retention' })
  expect([await second, await next(results)]).toEqual([2, 'Events between the cursor and what is retained are gone'])
})

test('with any executor: leaving the results ends the subscription to the topic, also while an event is held', async () => {
  const { context, streams, produce } = await startStreams()
  const results = await open(context, 'subscription { paint(throttle: { everyMs: 3600000 }) { n } }')
  const first = next(results)
  await produce({ n: 1 }, { n: 2 })
  await first
  const second = results.next()
  await results.return(undefined)
  expect((await second).done).toBe(true)
  expect(streams.feed(paints).interests).toBe(0)
})

const PATHS = '"broken", "color", "n", "parity", "itself.broken", "itself.color"'

test.each(['size', 'size.upper', 'letters', 'tier', 'slow', 'itself', 'nothing'])(
  'a path to "%s" is refused, with those that may be used',
  async (by) => {
    const { context } = await startStreams()
    const asked = open(context, `subscription { paint(throttle: { everyMs: 100, by: "${by}" }) { n } }`)
    await expect(asked).rejects.toThrow(`"throttle.by" is one of ${PATHS}`)
  },
)

test.each(['numbers', 'asked'])(
  'the field %s, whose value has no such fields or is computed, takes no path',
  async (field) => {
    const { context } = await startStreams()
    const selection = field === 'asked' ? '{ n }' : ''
    const asked = open(context, `subscription { ${field}(throttle: { everyMs: 100, by: "n" }) ${selection} }`)
    await expect(asked).rejects.toThrow('"throttle.by" is not for this field, whose values are computed')
  },
)

test('a path is read as its field is: by what resolvers make of the event, null where there is no object', async () => {
  const { context, produce } = await startStreams()
  const opened = ['"parity"', '"size.text"', '"itself.itself.n"', '"broken"'].map((by) =>
    open(context, `subscription { paint(throttle: { everyMs: 3600000, mode: FIRST, by: ${by} }) { n } }`),
  )
  const all = await Promise.all(opened)
  await produce({ n: 1 }, { n: 3, size: 'S' }, { n: 2, size: 'L' }, { n: 4, size: 'S' }, { n: 4 })
  const told = async (results: AsyncGenerator<ExecutionResult>, count: number) => {
    const numbers: unknown[] = []
    for (let i = 0; i < count; i++) numbers.push(await next(results))
    return numbers
  }
  expect(await told(all[0] as never, 2)).toEqual([1, 2])
  expect(await told(all[1] as never, 3)).toEqual([1, 3, 2])
  expect(await told(all[2] as never, 4)).toEqual([1, 3, 2, 4])
  expect(await told(all[3] as never, 1)).toEqual([1])
})

test('the path of a field whose value is made of the event alone is read from that value', async () => {
  const { context, produce } = await startStreams()
  const results = await open(
    context,
    'subscription { again(throttle: { everyMs: 3600000, mode: FIRST, by: "color" }) { n color } }',
  )
  await produce({ n: 1 }, { n: 2 }, { n: 3, color: 'blue' })
  const colors = [(await results.next()).value, (await results.next()).value]
  expect(colors.map(({ data }) => (data?.again as Paint | undefined)?.color)).toEqual(['re-red', 're-blue'])
})

import { expect, test } from 'vitest'
import { z } from 'zod'
import { createBuilder } from '../../../src/schema/builder.ts'
import { defineTopic } from '../../../src/streams/topic/topic.ts'
import { startTestGateway, type TestGateway } from '../../kit/gateway.ts'
import { RawStream } from '../../kit/raw-stream.ts'

const Reading = z.object({ sensor: z.string(), value: z.number() })
const readings = defineTopic('readings', { schema: Reading, index: ['sensor'] })

/** `readings(above:)` chooses by a filter; `value` counts how often it is resolved, and fails for negative values. */
async function startReadings(): Promise<
  TestGateway & { send(...values: number[]): Promise<void>; resolved: () => number }
> {
  let resolved = 0
  const builder = createBuilder()
  builder.queryType({ fields: (t) => ({ ok: t.boolean({ resolve: () => true }) }) })
  builder.subscriptionType({})
  const Type = builder.objectRef<z.output<typeof Reading>>('Reading').implement({
    fields: (t) => ({
      sensor: t.exposeString('sensor'),
      value: t.float({
        resolve: ({ value }) => {
          resolved++
          if (value < 0) throw new Error(`no sensor measures ${value}`)
          return value
        },
      }),
    }),
  })
  builder.subscriptionField('readings', (t) =>
    t.stream({
      topic: readings,
      type: Type,
      args: { above: t.arg.float({ required: true }) },
      filter: ({ value }, { above }) => Math.abs(value) > above,
    }),
  )
  const gateway = await startTestGateway({ schema: builder.toSchema(), topics: [readings] })
  return {
    ...gateway,
    resolved: () => resolved,
    async send(...values) {
      const records = values.map((value) => ({
        key: null,
        value: JSON.stringify({ sensor: 'a', value }),
        partition: 0,
      }))
      await gateway.embedded.sink.send('readings', records)
    },
  }
}

test('groups that differ only in their filter share one execution and one body of an event', async () => {
  const gateway = await startReadings()
  const all = await RawStream.subscribe(gateway.graphql, 'subscription { readings(above: 0) { value } }')
  const some = await RawStream.subscribe(gateway.graphql, 'subscription { readings(above: 5) { value } }')
  await gateway.send(1, 10, 2, 20)
  expect((await all.untilResults(4)).map(({ data }) => data?.readings)).toEqual([
    { value: 1 },
    { value: 10 },
    { value: 2 },
    { value: 20 },
  ])
  expect((await some.untilResults(2)).map(({ data }) => data?.readings)).toEqual([{ value: 10 }, { value: 20 }])
  expect(gateway.resolved()).toBe(4)
  expect(await gateway.metric('sluice_groups')).toBe(2)
  expect(await gateway.metric('sluice_executions_total')).toBe(4)
  expect(await gateway.metric('sluice_bodies_total')).toBe(4)
  expect(await gateway.metric('sluice_frames_total')).toBe(6)
})

test('a stream goes on through being compiled, and failed events read the same before and after', async () => {
  const gateway = await startReadings()
  const stream = await RawStream.subscribe(gateway.graphql, 'subscription { readings(above: 0) { sensor value } }')
  const count = 300
  await gateway.send(-1, ...Array.from({ length: count }, (_, i) => i + 1))
  await stream.untilResults(count + 1)
  await gateway.send(-1, ...Array.from({ length: count }, (_, i) => i + 1), -1)
  const results = await stream.untilResults(2 * count + 3)

  const failed = results.filter(({ errors }) => errors)
  expect(failed).toHaveLength(3)
  expect(failed[1]).toEqual(failed[0])
  expect(failed[2]).toEqual(failed[0])
  expect(failed[0]?.errors?.[0]).toMatchObject({ message: 'Unexpected error', path: ['readings', 'value'] })
  const values = results
    .filter(({ errors }) => !errors)
    .map(({ data }) => (data?.readings as { value: number } | undefined)?.value)
  const once = Array.from({ length: count }, (_, i) => i + 1)
  expect(values).toEqual([...once, ...once])
  expect(await gateway.metric('sluice_compiled_operations_total')).toBe(1)
})

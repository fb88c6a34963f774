import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import { createBuilder, defineTopic } from '../../src/index.ts'

/** An event whose index function throws. */
export const UNLUCKY = 13
/** Rows that the table holds: few, so that it is soon refused. */
export const MAX_ROWS = 3
/** What `slow` takes in trouble: more than the alert's second. */
const SLOW_MS = 1_200

const Reading = z.object({ id: z.string().min(1), sensor: z.string(), value: z.number() })
export type Reading = z.output<typeof Reading>

const Sale = z.object({ shop: z.string(), total: z.number() })

/** What the incident's shop has not: a table, dead letters, publishing, and hand-written subscriptions. */
export function oddShop() {
  const readings = defineTopic('readings', {
    schema: Reading,
    key: 'id',
    index: {
      sensor: ({ sensor }) => sensor,
      luck: ({ value }) => {
        if (value === UNLUCKY) throw new Error('as it is told to')
        return value
      },
    },
    deadLetterTopic: 'readings-dead',
    // A codec that may wait, and has nothing to wait for.
    codec: Object.assign((bytes: Buffer): unknown => JSON.parse(bytes.toString()), {
      encode: JSON.stringify,
      prepare: () => undefined,
    }),
  })
  const sales = defineTopic('sales', { schema: Sale, key: 'shop', table: { maxKeys: MAX_ROWS } })
  const state = { isSlow: false }
  const builder = createBuilder()
  builder.queryType({ fields: (t) => ({ hello: t.string({ resolve: () => 'hello' }) }) })
  const ReadingType = builder.objectRef<Reading>('Reading').implement({
    fields: (t) => ({
      id: t.exposeID('id'),
      sensor: t.exposeString('sensor'),
      value: t.exposeFloat('value'),
      slow: t.string({
        resolve: async () => {
          if (state.isSlow) await sleep(SLOW_MS)
          return 'done'
        },
      }),
      wrong: t.string({
        nullable: true,
        resolve: () => {
          if (state.isSlow) throw new Error('as it is told to')
          return null
        },
      }),
    }),
  })
  const SaleType = builder.objectRef<z.output<typeof Sale>>('Sale').implement({
    fields: (t) => ({ shop: t.exposeID('shop'), total: t.exposeFloat('total') }),
  })
  builder.mutationType({
    fields: (t) => ({
      publishReading: t.publish({
        topic: readings,
        type: ReadingType,
        args: { sensor: t.arg.string({ required: true }) },
        event: ({ sensor }, { id }) => ({ id, sensor, value: 1 }),
      }),
    }),
  })
  builder.subscriptionType({
    fields: (t) => ({
      readings: t.stream({ topic: readings, type: ReadingType, filters: true }),
      sales: t.table({ topic: sales, type: SaleType }),
      breaks: t.int({
        // biome-ignore lint/correctness/useYield: it fails before its first event
        subscribe: async function* (): AsyncGenerator<number> {
          throw new Error('as it is told to')
        },
        resolve: (value: unknown) => value as number,
      }),
    }),
  })
  return { schema: builder.toSchema(), topics: [readings, sales], state }
}

import { setTimeout as delay } from 'node:timers/promises'
import { type RunResult, run } from '../harness/generator.ts'
import { anOrder, type Load, oneRegion, REGIONS, WHOLE_ORDER } from '../harness/load.ts'
import { atMost, type Scenario, type Settings, told } from '../harness/scenario.ts'
import { paired, spreadOf } from '../harness/statistics.ts'
import type { System } from '../harness/system.ts'
import { manyFilters, openGroups, threeConjuncts } from '../systems/filters-alone.ts'
import { startSluice } from '../systems/start.ts'

const RATE = 1000
/** Each has a filter of its own. */
const SUBSCRIBERS = 5000
const SUBSCRIBERS_QUICK = 1000
/** Subscribers that an event matches. */
const MATCHES = 10
const EVENTS_ALONE = 4000
const GROUPS = 1000
const GROUPS_QUICK = 200
const GROUP_EVENTS = 200
const STREAMS = 5000
const STREAMS_QUICK = 2000
const AT_ONCE = 128
/** Until the server has let go of the streams of the run before. */
const REST_MS = 700

/** Each order has an amount of its own, and ten subscribers, whose ranges around it differ. */
function ranges(subscribers: number): Load {
  const keys = Array.from({ length: subscribers / MATCHES }, (_, key) => ({
    key,
    region: REGIONS[key % REGIONS.length] as string,
  }))
  return {
    asks: keys.flatMap(({ key, region }) =>
      Array.from({ length: MATCHES }, (_, i) => {
        const range = `{ gte: "${10 * key + i / 10}", lt: "${10 * key + 10 - i / 10}" }`
        const where = `{ region: { eq: ${region} }, total: { amount: ${range} } }`
        return { query: `subscription { orders(where: ${where}) { ${WHOLE_ORDER} } }`, key, streams: 1 }
      }),
    ),
    orders: keys.map(({ key, region }) => anOrder({ region, amount: `${10 * key + 5}.00` })),
  }
}

/** The same document and filter for all. */
function filtered(streams: number): Load {
  const where = '{ status: { in: [PLACED, PAID] }, total: { amount: { gte: "100" } } }'
  const query = `subscription { ordersByRegion(region: EUROPE, where: ${where}) { ${WHOLE_ORDER} } }`
  return { asks: [{ query, key: 0, streams }], orders: [anOrder()] }
}

/** Microseconds of a stream that is opened, while the server does nothing else. */
async function usOfJoining(system: System, load: Load): Promise<number> {
  const { openMs, open, faults } = await run(system, { load, idle: true, parallel: AT_ONCE, settleMs: 0, measureMs: 0 })
  await delay(REST_MS)
  if (faults.length > 0) throw new Error(faults.join('; '))
  return (1000 * openMs) / open
}

/** Microseconds of an event, without what the server takes when nothing happens. */
const cpuOfEvent = ({ serverCpuMs, idleShare, seconds, events }: RunResult): number =>
  (1000 * (serverCpuMs - idleShare * 1000 * seconds)) / events

interface Figures {
  readonly predicateNs: number[]
  readonly lookedUp: number[]
  readonly asked: number[]
  readonly served: number[]
  readonly shared: number[]
  readonly each: number[]
  readonly joined: number[]
  readonly joinedWithout: number[]
}

async function measure(settings: Settings, figures: Figures, notes: Set<string>): Promise<void> {
  const { quick, rounds, tree, profile, say } = settings
  const count = quick ? GROUPS_QUICK : GROUPS
  await using closing = new AsyncDisposableStack()
  const filtersOf = (i: number) => `orders(where: { id: { ne: "none_${i}" } }) { ${WHOLE_ORDER} }`
  const queries = (name: (i: number) => string) =>
    Array.from({ length: count }, (_, i) => `subscription { ${name(i)}${filtersOf(i)} }`)
  say(`  compiling ${count} operations`)
  const shared = await openGroups(
    queries(() => ''),
    1,
  )
  closing.defer(() => shared.close())
  const each = await openGroups(
    queries((i) => `o${i}: `),
    count,
  )
  closing.defer(() => each.close())
  const sluice = await startSluice({ embedded: true, tree, profile })
  closing.defer(() => sluice.stop())

  const subscribers = quick ? SUBSCRIBERS_QUICK : SUBSCRIBERS
  const streams = quick ? STREAMS_QUICK : STREAMS
  const load = ranges(subscribers)
  // The first round only warms up.
  for (let round = -1; round < rounds; round++) {
    const { lookedUp, asked } = manyFilters(SUBSCRIBERS, EVENTS_ALONE)
    const served = await run(sluice, { load, rate: RATE, warmMs: 1000, measureMs: quick ? 1500 : 3000, idleMs: 1000 })
    for (const fault of served.faults) notes.add(fault)
    const result = {
      predicateNs: threeConjuncts(),
      lookedUp,
      asked,
      served: cpuOfEvent(served),
      shared: await shared.cpuOf(GROUP_EVENTS),
      each: await each.cpuOf(GROUP_EVENTS),
      joined: await usOfJoining(sluice, filtered(streams)),
      joinedWithout: await usOfJoining(sluice, oneRegion(streams)),
    }
    if (round < 0) continue
    for (const name of Object.keys(result) as (keyof Figures)[]) figures[name].push(result[name])
    const told = Object.entries(result).map(([name, value]) => `${name} ${value.toFixed(2)}`)
    say(`  round ${round + 1}: ${told.join(', ')}`)
  }
}

export const filters: Scenario = {
  name: 'filters',
  load: '5,000 different filters of region and amount at 1,000 events/s; 1,000 groups that differ in their filter; joining with one; without Kafka',
  needs: ['generator'],
  quick: false,
  async run(settings) {
    const figures: Figures = {
      predicateNs: [],
      lookedUp: [],
      asked: [],
      served: [],
      shared: [],
      each: [],
      joined: [],
      joinedWithout: [],
    }
    const notes = new Set<string>()
    await measure(settings, figures, notes)
    const ratio = (a: keyof Figures, b: keyof Figures) =>
      spreadOf(paired(figures[a], figures[b], (one, other) => one / other))
    return {
      measures: [
        atMost('CPU an event of 5,000 filters, of asking each of them', ratio('lookedUp', 'asked'), 1 / 10),
        atMost('a predicate of three conjuncts', spreadOf(figures.predicateNs), 100, 'ns'),
        atMost('CPU an event and group with one body, of executing each', ratio('shared', 'each'), 1 / 5),
        atMost('time to join with a filter that is known, of without', ratio('joined', 'joinedWithout'), 1.2),
        told('CPU an event with all subscribers served', spreadOf(figures.served), 'µs', notes.size),
      ],
      own: [
        { what: 'own CPU an event, looked up', unit: 'µs', better: 'less', values: figures.lookedUp },
        { what: 'own CPU an event, served', unit: 'µs', better: 'less', values: figures.served },
      ],
      plot: {
        title: 'CPU an event of 5,000 filters',
        unit: 'µs',
        series: [
          { system: 'looked up', values: figures.lookedUp },
          { system: 'each asked', values: figures.asked },
        ],
      },
      notes: [...notes],
    }
  },
}

import { setTimeout as delay } from 'node:timers/promises'
import { brokers } from '../harness/broker.ts'
import { run } from '../harness/generator.ts'
import { type Ask, anOrder, type Load, postRequest, REGIONS, WHOLE_ORDER } from '../harness/load.ts'
import { atLeast, type Scenario } from '../harness/scenario.ts'
import { paired, spreadOf } from '../harness/statistics.ts'
import type { System } from '../harness/system.ts'
import { type Consumer, type Sluice, startConsumer, startSluice } from '../systems/start.ts'

const RECORDS = 300_000
const RECORDS_QUICK = 60_000
/** Seldom: a scrape of /metrics costs the gateway some milliseconds. */
const LOOK_EVERY_MS = 400
const TIMEOUT_MS = 120_000
const LABELS = ['Sluice', 'Sluice, one subscriber', 'kafkajs'] as const

const EUROPE: Ask = {
  query: `subscription { ordersByRegion(region: EUROPE) { ${WHOLE_ORDER} } }`,
  key: REGIONS.indexOf('EUROPE'),
  streams: 1,
}

function allRegions(asks: readonly Ask[]): Load {
  return { asks, orders: REGIONS.map((region) => anOrder({ region })) }
}

/** Records a second, from the moment at which the stopped reader goes on, all records being in the topic. */
async function rateOfSluice(sluice: Sluice, asks: readonly Ask[], count: number): Promise<[number, readonly string[]]> {
  const before = await sluice.metric('sluice_events_total')
  const running = run(sluice, { load: allRegions(asks), count, freeze: sluice.pids[0] as number, drainMs: TIMEOUT_MS })
  const seen: { at: number; records: number }[] = []
  for (let records = 0; records < count; ) {
    await delay(LOOK_EVERY_MS)
    records = (await sluice.metric('sluice_events_total')) - before
    seen.push({ at: Date.now(), records })
    const first = seen[0] as { at: number }
    if (Date.now() - first.at > TIMEOUT_MS) throw new Error(`Sluice read ${records} of ${count} records`)
  }
  const { thawedAtMs, faults } = await running
  // The end lies between the last two looks: where the pace so far leads to.
  const [last, previous] = [seen.at(-1)!, seen.at(-2)]
  const under = previous && previous.at > thawedAtMs && previous.records > 0 ? previous : undefined
  const end = under
    ? Math.min(last.at, under.at + ((count - under.records) * (under.at - thawedAtMs)) / under.records)
    : last.at
  return [(1000 * count) / (end - thawedAtMs), faults]
}

async function rateOfConsumer(consumer: Consumer, count: number): Promise<number> {
  await consumer.report()
  // Only its feed is of interest: there is nothing to open.
  const system: System = {
    name: 'kafkajs',
    port: 0,
    pids: [consumer.pid],
    feed: consumer.feed,
    request: postRequest,
    template: (order) => JSON.stringify(order),
    stop: () => consumer.stop(),
  }
  const { thawedAtMs } = await run(system, { load: allRegions([]), count, freeze: consumer.pid })
  for (let records = 0, since = Date.now(); ; ) {
    const report = await consumer.report()
    records += report.count
    if (records >= count) return (1000 * count) / (report.lastAt - thawedAtMs)
    if (Date.now() - since > TIMEOUT_MS) throw new Error(`The consumer read ${records} of ${count} records`)
    await delay(LOOK_EVERY_MS)
  }
}

export const ingest: Scenario = {
  name: 'ingest',
  load: '300,000 orders that wait in a Kafka topic, with nobody subscribed, then with one subscriber of one of six regions',
  needs: ['generator', 'kafka'],
  quick: false,
  async run(settings) {
    const count = settings.quick ? RECORDS_QUICK : RECORDS
    await using systems = new AsyncDisposableStack()
    const sluice = await startSluice({ brokers: await brokers(), tree: settings.tree, profile: settings.profile })
    systems.defer(() => sluice.stop())
    const consumer = await startConsumer({ brokers: await brokers() })
    systems.defer(() => consumer.stop())

    const rates: Record<(typeof LABELS)[number], number[]> = { Sluice: [], 'Sluice, one subscriber': [], kafkajs: [] }
    const notes = new Set<string>()
    // The first round only warms up.
    for (let round = -1; round < settings.rounds; round++) {
      for (let turn = 0; turn < LABELS.length; turn++) {
        const label = LABELS[(round + 1 + turn) % LABELS.length] as (typeof LABELS)[number]
        const asks = label === 'Sluice, one subscriber' ? [EUROPE] : []
        const [rate, faults] =
          label === 'kafkajs' ? [await rateOfConsumer(consumer, count), []] : await rateOfSluice(sluice, asks, count)
        for (const fault of faults) notes.add(`${label}: ${fault}`)
        if (round < 0) continue
        rates[label].push(rate)
        settings.say(`  round ${round + 1}, ${label}: ${Math.round(rate).toLocaleString('en-US')} records/s`)
      }
    }
    const ratio = (label: (typeof LABELS)[number]) => spreadOf(paired(rates[label], rates.kafkajs, (a, b) => a / b))
    return {
      measures: [
        atLeast('records/s with nobody subscribed, of kafkajs with JSON.parse', ratio('Sluice'), 1.1, '×', notes.size),
        atLeast('records/s with one subscriber, of the same', ratio('Sluice, one subscriber'), 1, '×', notes.size),
      ],
      plot: {
        title: 'Records read a second',
        unit: '/s',
        series: LABELS.map((label) => ({ system: label, values: rates[label] })),
      },
      notes: [...notes],
    }
  },
}

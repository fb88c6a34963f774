import { setTimeout as delay } from 'node:timers/promises'
import { expect } from 'vitest'
import { type Comparison, compare } from './cluster/compare.ts'
import type { Durations, Fault } from './cluster/faults.ts'
import { anyReady, type Readiness, readinessIn } from './cluster/readyz.ts'
import { flowing, longestDelay, longestSilence } from './cluster/silence.ts'
import type { Settled, World } from './cluster/world.ts'
import { TOPIC } from './cluster/world.ts'

/** A gateway may be silent for this many times as long as Kafka's own consumer, and so much longer. */
const SILENCE_FACTOR = 1.2
const SILENCE_MS = 1_000

/** Of each gateway's log, after a failure. */
const LINES_TOLD = 20

/** The times of one fault, ms. The two gateways come in their order. */
export interface Row {
  readonly fault: string
  readonly notes: readonly string[]
  readonly totals: Omit<Comparison, 'gaps'> & { readonly gaps: number }
  /** The longest silence of one partition: at the gateways' own clients, Kafka's own consumer, and the producer. */
  readonly silence: { readonly gateways: readonly number[]; readonly follower: number; readonly producer: number }
  /** The longest time from when an order was in the log to when it came. */
  readonly delay: { readonly gateways: readonly number[]; readonly follower: number }
  readonly readyz: { readonly gateways: readonly Readiness[]; readonly any: Readiness }
  /** What is not as promised of times and of `/readyz`; empty, if all is. */
  readonly late: readonly string[]
}

/**
 * Lets one fault happen to three brokers while orders flow, and expects each client to have got each order of the log
 * once, in the order of its partition, or a gap that names what it did not get. Times are only told, in the row that it
 * adds to the others.
 */
export async function surviveFault(world: World, fault: Fault, durations: Durations, rows: Row[]): Promise<Row> {
  try {
    return await survive(world, fault, durations, rows)
  } catch (error) {
    for (const { lines } of world.gateways) console.log(lines.slice(-LINES_TOLD).join('\n'))
    await world.repair().catch(() => {}) // the next fault fails of it, and says so
    throw error
  }
}

async function survive(world: World, fault: Fault, durations: Durations, rows: Row[]): Promise<Row> {
  await world.untilFlowing()
  world.readyz.takeReasons()
  const from = Date.now()
  const note = await fault.run(world, durations)
  await world.cluster.untilInSync(TOPIC)
  await delay(durations.calm) // for what comes late, and to see it go on
  const to = Date.now()
  const settled = await world.settle()

  const compared = settled.came.map((came) => compare(settled.log, came))
  const row = rowOf({ fault, note, world, settled, compared, window: [from, to] })
  rows.push(row)
  const faults = compared.map(({ lost, twice, disordered, unknown }) => ({ lost, twice, disordered, unknown }))
  expect(faults, fault.name).toEqual(faults.map(() => ({ lost: 0, twice: 0, disordered: 0, unknown: 0 })))
  expect(settled.errors, fault.name).toEqual([])
  expect(settled.unlogged, 'orders that were acknowledged, and are not in the log').toEqual([])
  for (const { gone, gaps } of compared) {
    // What the log has lost is named to whoever had it. A gap in the other partitions is named as well to a client
    // whose cursor has a lost order as its fingerprint: the topic could have been recreated.
    const named = new Set(gaps.map(({ partition, reason }) => `${partition} ${reason}`))
    if (gone > 0) expect([...named], fault.name).toContain('0 truncation')
    else expect([...named], fault.name).toEqual([])
  }
  for (const client of world.clients.slice(0, 2)) expect(client.opened, `streams of ${client.name}`).toBe(1)
  return row
}

function rowOf(seen: {
  readonly fault: Fault
  readonly note: string
  readonly world: World
  readonly settled: Settled
  readonly compared: readonly Comparison[]
  readonly window: readonly [number, number]
}): Row {
  const { fault, note, world, settled, compared, window } = seen
  const { followed, followedAll, acked } = settled
  // The third client moves between the gateways: its silences are its own.
  const arrivals = settled.arrivals.slice(0, world.gateways.length)
  const sum = (of: (comparison: Comparison) => number) => compared.reduce((total, each) => total + of(each), 0)
  const silence = {
    gateways: arrivals.map((each) => longestSilence(each, window)),
    follower: longestSilence(followed, window),
    producer: longestSilence(acked, window),
  }
  const flows = flowing(followedAll)
  const readyz = {
    gateways: world.readyz.samples.map((samples) => readinessIn(samples, window, flows)),
    any: readinessIn(anyReady(world.readyz.samples), window, () => true),
  }
  return {
    fault: fault.name,
    notes: [note, ...[...world.readyz.takeReasons()].map(([reason, times]) => `${times} × ${reason}`)],
    totals: {
      received: sum((each) => each.received),
      lost: sum((each) => each.lost),
      twice: sum((each) => each.twice),
      disordered: sum((each) => each.disordered),
      unknown: sum((each) => each.unknown),
      gone: sum((each) => each.gone),
      gaps: sum((each) => each.gaps.length),
    },
    silence,
    delay: {
      gateways: arrivals.map((each) => longestDelay(each, acked)),
      follower: longestDelay(followed, acked),
    },
    readyz,
    late: verdict(fault, silence, readyz),
  }
}

/** What is not as promised. */
function verdict({ isPlanned }: Fault, { gateways, follower }: Row['silence'], readyz: Row['readyz']): string[] {
  const bound = SILENCE_FACTOR * follower + SILENCE_MS
  const late = gateways.flatMap((ms, i) =>
    ms > bound ? [`g${i} was silent for ${seconds(ms)}, more than ${seconds(bound)}`] : [],
  )
  for (const [i, { notReady, longestMs }] of readyz.gateways.entries()) {
    if (notReady > 0) late.push(`g${i} was not ready for ${seconds(longestMs)} while events flowed`)
  }
  if (isPlanned && readyz.any.notReady > 0) late.push(`no gateway was ready for ${seconds(readyz.any.longestMs)}`)
  return late
}

const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`

const HEADS = [
  'fault',
  'received, lost, twice',
  'silence g0 / g1 / Kafka / producer',
  'delay g0 / g1 / Kafka',
  'not ready g0 / g1 / both',
]

/** A line for each fault, and what is not as promised under it. */
export function table(rows: readonly Row[]): string {
  const times = (all: readonly number[]) => all.map((ms) => (ms / 1000).toFixed(1)).join(' / ')
  const refusals = ({ notReady, longestMs }: Readiness) =>
    notReady === 0 ? '0' : `${Math.ceil(notReady * 100)} % (${seconds(longestMs)})`
  const cells = rows.map(({ fault, totals, silence, delay: late, readyz }) => [
    fault,
    [totals.received, totals.lost, totals.twice + totals.disordered].join(', '),
    times([...silence.gateways, silence.follower, silence.producer]),
    times([...late.gateways, late.follower]),
    [...readyz.gateways, readyz.any].map(refusals).join(' / '),
  ])
  const all = [HEADS, ...cells]
  const widths = HEADS.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)))
  const lineOf = (row: readonly string[]) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ')
  const notes = rows.map(({ notes: told, totals, late }) => [
    ...told,
    ...(totals.gone > 0 ? [`${totals.gone} orders came that the log has lost, ${totals.gaps} gaps were told`] : []),
    ...late.map((each) => `NOT AS PROMISED: ${each}`),
  ])
  return all
    .flatMap((row, i) => [lineOf(row), ...(notes[i - 1] ?? []).filter(Boolean).map((text) => `    ${text}`)])
    .join('\n')
}

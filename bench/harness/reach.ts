/** Many streams at once, by several load generators: heartbeats on all of them, and events that each is to get. */
import { setTimeout as delay } from 'node:timers/promises'
import { type Held, hold, newRun, type Report, run } from './generator.ts'
import { anOrder, oneRegion } from './load.ts'
import { checkSamples } from './samples.ts'
import type { System } from './system.ts'

/** One after another, each when the one before has reached all. */
export const EVENTS = 5
const LIMIT_MS = 120_000
const REACH_LIMIT_MS = 30_000
const LOOK_EVERY_MS = 50

/** Streams of one load generator, with an address of its own. */
interface Part {
  readonly system: System
  readonly streams: number
}

export interface Reached {
  readonly streams: number
  /** Those that got each event once and in order, if no stream got a heartbeat too few; else 0. */
  readonly reached: number
  /** Until an event was at the last of them, from its making; one for each event. */
  readonly allMs: readonly number[]
  readonly medianMs: readonly number[]
  readonly openMs: number
  readonly leastHeartbeats: number
  readonly faults: readonly string[]
}

interface Options {
  readonly parts: readonly Part[]
  /** Where events go in. */
  readonly feed: System
  readonly heartbeatMs: number
  /** Called when all are open. */
  readonly opened: () => Promise<void>
}

/** Opens streams, waits for a heartbeat on each, and sends events, each of which every stream is to get. */
export async function reach({ parts, feed, heartbeatMs, opened }: Options): Promise<Reached> {
  const name = newRun()
  const streams = parts.reduce((sum, part) => sum + part.streams, 0)
  await using closing = new AsyncDisposableStack()
  const since = performance.now()
  const helds = await Promise.all(
    parts.map(async (part, i): Promise<Held> => {
      const options = { load: oneRegion(part.streams), run: name, source: `127.0.0.${2 + i}`, limitMs: LIMIT_MS }
      const held = await hold(part.system, options)
      closing.defer(() => held.close())
      return held
    }),
  )
  const openMs = performance.now() - since
  await opened()
  const reports = (reset?: 'reset') => Promise.all(helds.map((held) => held.report(reset)))

  await reports('reset')
  await delay(1.5 * heartbeatMs)
  let last = await reports('reset')
  const leastHeartbeats = Math.min(...last.map((report) => report.leastHeartbeats))

  const allMs: number[] = []
  const medianMs: number[] = []
  for (let made = 0; made < EVENTS; made++) {
    await run(feed, { load: { asks: [], orders: [anOrder()] }, run: name, count: 1, made })
    last = await untilDelivered(reports, streams * (made + 1))
    await reports('reset')
    allMs.push(Math.max(...last.map(({ latencyMs }) => latencyMs.max)))
    // Of parts of equal size.
    medianMs.push(last.reduce((sum, { latencyMs }) => sum + latencyMs.p50, 0) / last.length)
  }
  const faults = [
    ...helds.flatMap(({ result }) => result.faults),
    ...last.flatMap(({ samples }) => checkSamples(samples, oneRegion(streams))),
  ]
  const sum = (of: (report: Report) => number) => last.reduce((all, report) => all + of(report), 0)
  const lost = streams * EVENTS - sum(({ deliveries }) => deliveries)
  if (lost !== 0) faults.push(`${lost} deliveries lost`)
  if (sum(({ orderFaults }) => orderFaults) > 0) faults.push('events out of order or twice')
  if (sum(({ open }) => open) !== streams) faults.push(`${streams - sum(({ open }) => open)} streams were closed`)
  if (leastHeartbeats === 0) faults.push('a stream got no heartbeat')
  return { streams, reached: faults.length === 0 ? streams : 0, allMs, medianMs, openMs, leastHeartbeats, faults }
}

async function untilDelivered(reports: () => Promise<Report[]>, wanted: number): Promise<Report[]> {
  for (const deadline = performance.now() + REACH_LIMIT_MS; ; ) {
    const now = await reports()
    if (now.reduce((sum, { deliveries }) => sum + deliveries, 0) >= wanted || performance.now() > deadline) return now
    await delay(LOOK_EVERY_MS)
  }
}

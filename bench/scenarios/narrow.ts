import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { newRun, run } from '../harness/generator.ts'
import { anOrder, type Load, type Position, REGIONS, WHOLE_ORDER } from '../harness/load.ts'
import { atMost, type Scenario, type Settings, told } from '../harness/scenario.ts'
import { spreadOf } from '../harness/statistics.ts'
import { positionNow, untilRead } from '../systems/position.ts'
import { type Sluice, startSluice } from '../systems/start.ts'

const GROUPS = 5_000
const GROUPS_QUICK = 500
/** What each group has missed, whichever merchant it is of: 20 orders are its own. */
const EVENTS = 100_000
const MIB = 1024 * 1024
/** All of them are in it: an order takes about 1 KB of a window. */
const WINDOW_BYTES = 512 * MIB
/** Orders a second while they are made: the embedded log keeps 1 MiB, so that a gateway that falls behind would lose some. */
const PRODUCE_RATE = 5_000
/** Being opened at any time. */
const AT_ONCE = 64
/** A gateway that looks at the whole window for each group takes a minute. */
const LIMIT_MS = 240_000
/** Until the gateway has let go of the streams of the run before. */
const REST_MS = 700
/** Queries one after another, of each kind in turn, so many times: the least counts, without what else there is to do. */
const QUERIES = 200
const TURNS = 7
const TARGET_MS = 0.5
const TARGET_LAST_US = 50
const MONITOR = join(import.meta.dirname, '..', 'systems', 'loop-monitor.ts')

/** No order is of the first region. */
const [NOWHERE, ...SOLD_IN] = REGIONS
const MERCHANT = /merchantId: "(\w+)"/

const merchantOf = (group: number) => `m_${100_000 + group}`

/** One order of each merchant. */
function ordersOf(groups: number): Load['orders'] {
  return Array.from({ length: groups }, (_, group) =>
    anOrder({ merchantId: merchantOf(group), region: SOLD_IN[group % SOLD_IN.length] as string }),
  )
}

/** One client of each merchant. By the alias they are other operations in each round, for which nothing is kept. */
function asksOf(groups: number, alias: string, resume?: Position): Load['asks'] {
  return Array.from({ length: groups }, (_, key) => ({
    query: `subscription { ${alias}: ordersByMerchant(merchantId: "${merchantOf(key)}") { ${WHOLE_ORDER} } }`,
    key,
    streams: 1,
    ...(resume && { resume }),
  }))
}

/** One document for all of them: the merchant is a variable. */
function request(query: string, lastEventId?: string): string {
  const merchantId = MERCHANT.exec(query)?.[1]
  const document = query
    .replace('subscription', 'subscription ($merchantId: ID!)')
    .replace(MERCHANT, 'merchantId: $merchantId')
  const body = JSON.stringify({ query: document, variables: { merchantId } })
  return (
    `POST /graphql HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n` +
    `${lastEventId === undefined ? '' : `Last-Event-ID: ${lastEventId}\r\n`}` +
    `Content-Type: application/json; charset=utf-8\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`
  )
}

/** Processor time of the gateway, in milliseconds, while this goes on. */
async function cpuOf(sluice: Sluice, act: () => Promise<unknown>): Promise<number> {
  await sluice.ask()
  await act()
  return JSON.parse(await sluice.ask()).cpuMs
}

async function query(sluice: Sluice, text: string, times: number): Promise<void> {
  const body = JSON.stringify({ query: text })
  const headers = { 'content-type': 'application/json', accept: 'application/json' }
  for (let i = 0; i < times; i++) {
    const response = await fetch(`http://127.0.0.1:${sluice.port}/graphql`, { method: 'POST', headers, body })
    const answer = JSON.stringify(await response.json())
    if (answer !== '{"data":{"recentOrders":[]}}') throw new Error(`Not the answer: ${answer}`)
  }
}

/** What a search of the window for the last ten takes where there are none, in microseconds: more than one for none. */
async function lastOfNone(sluice: Sluice): Promise<number> {
  const search = `{ recentOrders(region: ${NOWHERE}, last: 10) { id } }`
  const nothing = `{ recentOrders(region: ${NOWHERE}, last: 0) { id } }`
  const [bases, wholes]: [number[], number[]] = [[], []]
  for (let turn = 0; turn < TURNS; turn++) {
    bases.push(await cpuOf(sluice, () => query(sluice, nothing, QUERIES)))
    wholes.push(await cpuOf(sluice, () => query(sluice, search, QUERIES)))
  }
  return (1000 * (Math.min(...wholes) - Math.min(...bases))) / QUERIES
}

export const narrow: Scenario = {
  name: 'narrow',
  load: '5,000 groups, each of another merchant, come back to 100,000 orders in the window, 20 of which are theirs; no Kafka',
  needs: ['generator'],
  quick: false,
  async run(settings: Settings) {
    const groups = settings.clients ?? (settings.quick ? GROUPS_QUICK : GROUPS)
    await using closing = new AsyncDisposableStack()
    const { tree, profile } = settings
    const env = { WINDOW_BYTES: String(WINDOW_BYTES) }
    const sluice = await startSluice({ embedded: true, preload: MONITOR, env, tree, profile })
    closing.defer(() => sluice.stop())
    const system = { ...sluice, request }
    const position = await positionNow(sluice, NOWHERE)
    const name = newRun()
    const orders = ordersOf(groups)
    await run(system, { load: { asks: [], orders }, run: name, count: EVENTS, rate: PRODUCE_RATE })
    await untilRead(sluice, EVENTS)

    const resumed: number[] = []
    const opened: number[] = []
    const searched: number[] = []
    const notes = new Set<string>()
    let faulty = 0
    // The first round only warms up.
    for (let round = -1; round < settings.rounds; round++) {
      const last = await lastOfNone(sluice)
      const alias = `r${round + 1}`
      const plain = await cpuOf(sluice, () =>
        run(system, {
          load: { asks: asksOf(groups, `${alias}o`), orders },
          idle: true,
          parallel: AT_ONCE,
          settleMs: 0,
          measureMs: 0,
        }),
      )
      await delay(REST_MS)
      const { serverCpuMs, caughtUpMs, faults } = await run(system, {
        load: { asks: asksOf(groups, alias, position), orders },
        run: name,
        resumeAfter: EVENTS,
        idle: true,
        parallel: AT_ONCE,
        limitMs: LIMIT_MS,
      })
      await delay(REST_MS)
      if (round < 0) continue
      if (faults.length > 0) faulty++
      for (const fault of faults) notes.add(fault)
      resumed.push(serverCpuMs / groups)
      opened.push(plain / groups)
      searched.push(last)
      settings.say(
        `  round ${round + 1}: ${(serverCpuMs / groups).toFixed(3)} ms a group, ${(plain / groups).toFixed(3)} to open one at the head; ` +
          `all in ${(caughtUpMs / 1000).toFixed(2)} s; last of none ${last.toFixed(1)} µs`,
      )
    }
    if (settings.quick) notes.add(`${GROUPS_QUICK} groups only`)
    return {
      measures: [
        atMost('CPU a group that resumes', spreadOf(resumed), TARGET_MS, 'ms', faulty),
        told('CPU to open a stream at the head, and to close it', spreadOf(opened), 'ms'),
        atMost('CPU of `last: 10` that matches nothing', spreadOf(searched), TARGET_LAST_US, 'µs'),
      ],
      plot: { title: 'CPU of a group that resumes', unit: 'ms', series: [{ system: 'Sluice', values: resumed }] },
      notes: [...notes],
    }
  },
}

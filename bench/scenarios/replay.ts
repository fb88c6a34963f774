import { brokers } from '../harness/broker.ts'
import { newRun, type RunResult, run } from '../harness/generator.ts'
import { anOrder, type Load, type Position, WHOLE_ORDER } from '../harness/load.ts'
import { atLeast, figure, type Scenario } from '../harness/scenario.ts'
import { paired, quantile, spreadOf } from '../harness/statistics.ts'
import { positionNow, untilRead } from '../systems/position.ts'
import { type Reader, type Sluice, startReader, startSluice } from '../systems/start.ts'

const RECORDS = 300_000
const RECORDS_QUICK = 60_000
const TARGET = 0.5
const MIB = 1024 * 1024
/** All records are in it: an order takes about 1 KB of a window. */
const WHOLE_WINDOW_BYTES = 1024 * MIB
/** Some thousand of the newest records: what is older has to come from Kafka. */
const SMALL_WINDOW_BYTES = 2 * MIB
/** What a client may take of a gateway's time is not what is looked at here. */
const NO_LIMIT = '10000000'
const TIMEOUT_MS = 60_000

const FROM = ['window', 'Kafka', 'kafkajs', 'kafkajs with JSON.parse'] as const
type From = (typeof FROM)[number]

/**
 * One client that has missed everything. Its subscription is another one in each round, by an alias, so that no results of the
 * round before are kept for it.
 */
function comingBack(alias: string, resume: Position | undefined): Load {
  const query = `subscription { ${alias}: ordersByRegion(region: EUROPE) { ${WHOLE_ORDER} } }`
  return { asks: [{ query, key: 0, streams: 1, ...(resume && { resume }) }], orders: [anOrder()] }
}

export const replay: Scenario = {
  name: 'replay',
  load: 'one client comes back to 300,000 orders that it missed: from the window, and from Kafka beyond the window',
  needs: ['generator', 'kafka'],
  quick: false,
  async run(settings) {
    const count = settings.quick ? RECORDS_QUICK : RECORDS
    await using systems = new AsyncDisposableStack()
    const start = async (window: number): Promise<Sluice> => {
      const env = { WINDOW_BYTES: String(window), REPLAY_EVENTS_PER_SECOND: NO_LIMIT }
      const sluice = await startSluice({
        brokers: await brokers(),
        env,
        tree: settings.tree,
        profile: settings.profile,
      })
      systems.defer(() => sluice.stop())
      return sluice
    }
    const sluices = { window: await start(WHOLE_WINDOW_BYTES), Kafka: await start(SMALL_WINDOW_BYTES) }
    const reader: Reader = await startReader({ brokers: await brokers() })
    systems.defer(() => reader.stop())

    const position = await positionNow(sluices.window, 'EUROPE')
    const before = await Promise.all(Object.values(sluices).map((sluice) => sluice.metric('sluice_events_total')))
    const produced = { run: newRun(), resumeAfter: count }
    await run(sluices.window, { load: { asks: [], orders: [anOrder()] }, count, run: produced.run })
    await Promise.all(Object.values(sluices).map((sluice, i) => untilRead(sluice, (before[i] as number) + count)))

    const rates = new Map<From, number[]>(FROM.map((from) => [from, []]))
    const firsts = new Map<From, number[]>(FROM.map((from) => [from, []]))
    const notes = new Set<string>()
    const faulty = { window: 0, Kafka: 0 }
    const come = async (from: keyof typeof sluices, round: number): Promise<RunResult> => {
      const load = comingBack(`r${round + 1}`, position)
      const options = { load, ...produced, idle: true, limitMs: TIMEOUT_MS }
      const result = await run(sluices[from], options)
      if (result.faults.length > 0) faulty[from]++
      for (const fault of result.faults) notes.add(`From ${from}: ${fault}`)
      return result
    }
    // The first round only warms up.
    for (let round = -1; round < settings.rounds; round++) {
      for (let turn = 0; turn < FROM.length; turn++) {
        const from = FROM[(round + 1 + turn) % FROM.length] as From
        let ms: number
        let told = ''
        if (from === 'window' || from === 'Kafka') {
          const { firstEventMs, caughtUpMs, serverCpuMs } = await come(from, round)
          ms = caughtUpMs - firstEventMs
          told = `, the first after ${firstEventMs.toFixed(1)} ms, ${((1000 * serverCpuMs) / count).toFixed(2)} µs of CPU each`
          if (round >= 0) firsts.get(from)?.push(firstEventMs)
        } else {
          const { firstAt, lastAt } = await reader.read(count, from !== 'kafkajs')
          ms = lastAt - firstAt
        }
        if (round < 0) continue
        rates.get(from)?.push((1000 * count) / ms)
        const rate = Math.round((1000 * count) / ms).toLocaleString('en-US')
        settings.say(`  round ${round + 1}, ${from}: ${rate} events/s${told}`)
      }
    }
    // Where they came from, as the gateways tell it: who needed the log, and who did not.
    const runs = settings.rounds + 1
    const readLog = { window: 0, Kafka: runs }
    for (const [from, sluice] of Object.entries(sluices) as [keyof typeof sluices, Sluice][]) {
      const log = await sluice.metric('sluice_replays_total', 'kind="log"')
      if (log === readLog[from]) continue
      faulty[from]++
      notes.add(`From ${from}: ${log} of ${runs} replays read the log`)
    }
    const of = (from: From) => rates.get(from) ?? []
    const ratio = (from: From) => spreadOf(paired(of(from), of('kafkajs'), (a, b) => a / b))
    const parsed = (from: From) =>
      quantile(
        paired(of(from), of('kafkajs with JSON.parse'), (a, b) => a / b),
        0.5,
      )
    const first = (from: From) => `${quantile(firsts.get(from) ?? [], 0.5).toFixed(1)} ms`
    return {
      measures: [
        atLeast('events/s from the window, of a bare kafkajs read', ratio('window'), TARGET, '×', faulty.window),
        atLeast('events/s from Kafka, of the same', ratio('Kafka'), TARGET, '×', faulty.Kafka),
      ],
      plot: {
        title: 'Events replayed a second, to one client',
        unit: '/s',
        series: FROM.map((from) => ({
          system: from === 'window' || from === 'Kafka' ? `Sluice, ${from}` : from,
          values: of(from),
        })),
      },
      notes: [
        `Of kafkajs with JSON.parse: ${figure(parsed('window'))} × from the window, ${figure(parsed('Kafka'))} × from Kafka (medians)`,
        `The first event came after ${first('window')} from the window, after ${first('Kafka')} from Kafka (medians, from the connect on)`,
        ...notes,
      ],
    }
  },
}

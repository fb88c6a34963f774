import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { run } from '../harness/generator.ts'
import { anOrder, type Load, postRequest, WHOLE_ORDER } from '../harness/load.ts'
import { atMost, type Scenario, type Settings, told } from '../harness/scenario.ts'
import { paired, spreadOf } from '../harness/statistics.ts'
import { type Sluice, startSluice } from '../systems/start.ts'
import { makeSigner } from '../systems/tokens-alone.ts'

const STREAMS = 5000
const STREAMS_QUICK = 2000
const AT_ONCE = 128
/** Until the server has let go of the streams of the run before. */
const REST_MS = 700
/** Limits that all streams of one address and one principal are within. */
const NO_LIMITS = {
  MAX_STREAMS_PER_PRINCIPAL: '100000',
  MAX_STREAMS_PER_ADDRESS: '100000',
  NEW_STREAMS_PER_PRINCIPAL: '100000',
  NEW_STREAMS_PER_ADDRESS: '100000',
}

interface Figures {
  readonly anonymous: number[]
  readonly fresh: number[]
  readonly known: number[]
  readonly verifying: number[]
}

/** The same operation for all, so that what differs is who asks. */
function sameOperation(streams: number): Load {
  const query = `subscription { ordersByRegion(region: EUROPE) { ${WHOLE_ORDER} } }`
  return { asks: Array.from({ length: streams }, () => ({ query, key: 0, streams: 1 })), orders: [anOrder()] }
}

/**
 * Microseconds of the server's CPU for a stream: opened, and closed again.
 * @param tokens a token for each stream; undefined: none
 */
async function cpuOfOpening(sluice: Sluice, streams: number, tokens?: readonly string[]): Promise<number> {
  let next = 0
  const header = () => (tokens ? `Authorization: Bearer ${tokens[next++]}\r\n` : '')
  const system = { ...sluice, request: (query: string) => postRequest(query, undefined, header()) }
  const before = await sluice.metric('process_cpu_seconds_total')
  const options = { load: sameOperation(streams), idle: true, parallel: AT_ONCE, settleMs: 0, measureMs: 0 }
  const { open, faults } = await run(system, options)
  await delay(REST_MS)
  if (faults.length > 0) throw new Error(faults.join('; '))
  return (1e6 * ((await sluice.metric('process_cpu_seconds_total')) - before)) / open
}

async function measure(settings: Settings, figures: Figures): Promise<void> {
  const { quick, rounds, tree, profile, say } = settings
  const streams = quick ? STREAMS_QUICK : STREAMS
  await using closing = new AsyncDisposableStack()
  const folder = mkdtempSync(join(tmpdir(), 'sluice-bench-'))
  closing.defer(() => rmSync(folder, { recursive: true, force: true }))
  const signer = await makeSigner()
  const keyFile = join(folder, 'jwks.json')
  writeFileSync(keyFile, signer.keyFile)
  const env = { AUTH_KEY_FILE: keyFile, ...NO_LIMITS }
  const sluice = await startSluice({ tree, profile, env })
  closing.defer(() => sluice.stop())

  // The first round only warms up.
  for (let round = -1; round < rounds; round++) {
    const tokens = await signer.sign(streams)
    const result = {
      verifying: await signer.usOfVerifying(tokens),
      fresh: await cpuOfOpening(sluice, streams, tokens),
      known: await cpuOfOpening(sluice, streams, tokens),
      anonymous: await cpuOfOpening(sluice, streams),
    }
    if (round < 0) continue
    for (const name of Object.keys(result) as (keyof Figures)[]) figures[name].push(result[name])
    const said = Object.entries(result).map(([name, value]) => `${name} ${value.toFixed(1)} µs`)
    say(`  round ${round + 1}: ${said.join(', ')}`)
  }
}

export const admission: Scenario = {
  name: 'admission',
  load: '5,000 streams opened with a token of their own, with one that was seen before, and with none; the same operation, no events, no Kafka',
  needs: ['generator'],
  quick: false,
  async run(settings) {
    const figures: Figures = { anonymous: [], fresh: [], known: [], verifying: [] }
    await measure(settings, figures)
    const { anonymous, fresh, known, verifying } = figures
    const more = paired(fresh, anonymous, (a, b) => a - b)
    return {
      measures: [
        atMost(
          'CPU of a stream with a token of its own, beyond one without and verifying it alone',
          spreadOf(paired(more, verifying, (a, b) => a - b)),
          40,
          'µs',
        ),
        atMost(
          'CPU of a stream with a token seen before, beyond one without',
          spreadOf(paired(known, anonymous, (a, b) => a - b)),
          15,
          'µs',
        ),
        told('CPU of verifying a token alone', spreadOf(verifying), 'µs', 0),
        told('CPU of a stream without credentials', spreadOf(anonymous), 'µs', 0),
      ],
      own: [
        { what: 'CPU of a stream with a token of its own', unit: 'µs', better: 'less', values: fresh },
        { what: 'CPU of a stream with a token seen before', unit: 'µs', better: 'less', values: known },
        { what: 'CPU of a stream without credentials', unit: 'µs', better: 'less', values: anonymous },
      ],
      plot: {
        title: 'CPU of opening a stream',
        unit: 'µs',
        series: [
          { system: 'a token of its own', values: fresh },
          { system: 'a token seen before', values: known },
          { system: 'no credentials', values: anonymous },
        ],
      },
      notes: [],
    }
  },
}

/** Compiles and runs the load generator, and judges what it brings back. */
import { execFileSync } from 'node:child_process'
import { createHash, randomInt } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { Child } from './child.ts'
import { SERVER_CORE } from './cores.ts'
import { type Load, writeLoad } from './load.ts'
import { checkSamples, type Sample } from './samples.ts'
import type { System } from './system.ts'

const SOURCES = join(import.meta.dirname, '..', 'generator')
const PROJECT = join(import.meta.dirname, '..', '..')
const FLAGS = ['-O2', '-Wall', '-Wextra', '-Werror', '-D_GNU_SOURCE']

export interface RunOptions {
  readonly load: Load
  /** Events a second; without it, as many as the window lets through. */
  readonly rate?: number
  /** At most this many events are sent that have not arrived at all their streams. */
  readonly window?: number
  readonly warmMs?: number
  readonly measureMs?: number
  readonly drainMs?: number
  readonly settleMs?: number
  /** Looks for so long at what the server takes when nothing happens. */
  readonly idleMs?: number
  /** The address that streams come from: any of 127.0.0.0/8, each with ports of its own. */
  readonly source?: string
  /** How many streams are being opened at any time. */
  readonly parallel?: number
  /** This many of the streams never read, and come back whenever they are closed. */
  readonly stalled?: number
  /** Ends after as many events, instead of after a time. */
  readonly count?: number
  /** So many events were made before, by a run of the same name and load: numbers go on from there. */
  readonly made?: number
  /** Stops this process by a signal while the events are sent, and lets it go on when all are. */
  readonly freeze?: number
  /** No events. */
  readonly idle?: boolean
  /** Six digits in every id; made up, if absent. */
  readonly run?: string
  /**
   * The streams come back: this many events were made before, by a run of the same name and load, and each stream gets
   * them from its position on. Measured is until each has the last of them; meanwhile events are made at `rate`.
   */
  readonly resumeAfter?: number
  /** How long what is not timed may take: opening streams, sending a given number of events, catching up. */
  readonly limitMs?: number
}

/** What the generator says; the counts of the first rows are of the measured interval. */
export interface RunResult {
  readonly seconds: number
  readonly events: number
  readonly deliveries: number
  readonly bytes: number
  readonly serverCpuMs: number
  /** The same of each process, in the order of `pids`. */
  readonly eachCpuMs: readonly number[]
  readonly ownCpuMs: number
  /** What everybody, the server included, took of the server's core. */
  readonly coreBusyMs: number
  readonly latencyMs: {
    readonly count: number
    readonly p50: number
    readonly p90: number
    readonly p99: number
    readonly max: number
  }
  /** Of the server, once a second. */
  readonly rssBytes: readonly number[]
  readonly streams: number
  readonly open: number
  readonly openMs: number
  readonly reconnects: number
  /** Events sent, measured or not. */
  readonly allEvents: number
  /** Of streams that come back, from the first connect: the first event that one had, and the last that they missed. */
  readonly firstEventMs: number
  readonly caughtUpMs: number
  readonly thawedAtMs: number
  /** Of a core, before the first event; 0 unless asked for by `idleMs`. */
  readonly idleShare: number
  /** What is wrong with what arrived, in words; empty: every stream got each of its events, in order, once. */
  readonly faults: readonly string[]
}

interface RawResult extends Omit<RunResult, 'faults'> {
  readonly closed: number
  readonly refused: number
  readonly allDeliveries: number
  readonly deliveriesDue: number
  readonly orderFaults: number
  readonly incomplete: number
  readonly foreign: number
  readonly caughtUp: number
  readonly samples: readonly Sample[]
}

const LIMIT_MS = 150_000

let program: string | undefined

/** The generator's program, compiled when its sources have changed. */
function compiled(): string {
  if (program) return program
  const sources = readdirSync(SOURCES).filter((name) => /\.[ch]$/.test(name))
  const hash = createHash('sha256')
  for (const name of sources.sort()) hash.update(readFileSync(join(SOURCES, name)))
  const folder = join(process.env.SLUICE_CACHE || join(PROJECT, '.cache'), 'bench')
  const path = join(folder, `generator-${hash.digest('hex').slice(0, 12)}`)
  if (!existsSync(path)) {
    mkdirSync(folder, { recursive: true })
    const files = sources.filter((name) => name.endsWith('.c')).map((name) => join(SOURCES, name))
    execFileSync('gcc', [...FLAGS, '-o', `${path}.${process.pid}`, ...files, '-lz'], { stdio: 'inherit' })
    renameSync(`${path}.${process.pid}`, path)
  }
  program = path
  return path
}

/** Opens streams, feeds the system, and reads to the end. */
export async function run(system: System, options: RunOptions): Promise<RunResult> {
  const { warmMs = 0, measureMs = 0, drainMs = 0, idleMs = 0, limitMs = 0 } = options
  const files = writeLoad(options.load, system)
  const child = new Child({ program: compiled(), args: argumentsFor(system, options, files), measured: false })
  try {
    const line = await child.said('{"streams"', 0, warmMs + measureMs + drainMs + idleMs + limitMs + LIMIT_MS)
    return judged(line, options)
  } finally {
    await child.stop()
    files.remove()
  }
}

/** What has come to streams that are held, from events that another process makes: all there were, of the same run. */
export interface Report {
  readonly open: number
  readonly closed: number
  /** Events that were each the next of their stream; any other is an order fault. */
  readonly deliveries: number
  readonly orderFaults: number
  /** Of the stream that had the fewest, since the last reset. */
  readonly leastHeartbeats: number
  /** From the making of an event, since the last reset. */
  readonly latencyMs: RunResult['latencyMs']
  readonly samples: readonly Sample[]
}

export interface Held {
  readonly result: RunResult
  /** With `reset`, latencies and heartbeats count anew from then. */
  report(reset?: 'reset'): Promise<Report>
  close(): Promise<void>
}

/** Opens streams and keeps them, without making any event. */
export async function hold(system: System, options: RunOptions): Promise<Held> {
  const files = writeLoad(options.load, system)
  try {
    const args = [...argumentsFor(system, { ...options, idle: true }, files), 'hold=1']
    const child = new Child({ program: compiled(), args, measured: false })
    return {
      result: judged(await child.said('{"streams"', 0, (options.limitMs ?? 0) + LIMIT_MS), options),
      report: async (reset) => JSON.parse(await child.ask(reset)),
      close: () => child.end(),
    }
  } finally {
    files.remove()
  }
}

function argumentsFor(system: System, options: RunOptions, files: { requests: string; templates: string }): string[] {
  const values: Record<string, string | number | undefined> = {
    target: `127.0.0.1:${system.port}`,
    source: options.source,
    requests: files.requests,
    templates: files.templates,
    feed: options.idle ? undefined : system.feed,
    run: options.run ?? newRun(),
    pids: system.pids.join(','),
    rate: options.rate,
    window: options.window,
    warm_ms: options.warmMs,
    measure_ms: options.measureMs,
    drain_ms: options.drainMs,
    settle_ms: options.settleMs,
    idle_ms: options.idleMs,
    parallel: options.parallel,
    stalled: options.stalled,
    count: options.count,
    freeze: options.freeze,
    resume: options.resumeAfter === undefined ? undefined : 1,
    made: options.resumeAfter ?? options.made,
    limit_ms: options.limitMs,
    core: SERVER_CORE,
  }
  return Object.entries(values).flatMap(([name, value]) => (value === undefined ? [] : [`${name}=${value}`]))
}

/** The name of a run, by which its events are told from others in the topic. */
export function newRun(): string {
  return String(randomInt(1_000_000)).padStart(6, '0')
}

function judged(line: string, { load, resumeAfter }: RunOptions): RunResult {
  const result: RawResult = JSON.parse(line)
  const faults = checkSamples(result.samples, load)
  const count = (number: number, what: string) => number > 0 && faults.push(`${number} ${what}`)
  count(result.refused, 'streams were refused')
  count(result.closed, 'streams were closed')
  count(result.orderFaults, 'events out of order, twice, or after lost ones')
  count(result.incomplete, 'streams did not get all their events')
  count(result.deliveriesDue - result.allDeliveries, 'deliveries lost')
  if (resumeAfter !== undefined) {
    count(result.streams - result.caughtUp, 'streams were not caught up in time')
    count(result.foreign, 'events from before all positions')
  }
  return { ...result, faults }
}

/** What is seen of the healthy clients and of the gateway while an attack runs. */
import { readFileSync } from 'node:fs'
import type { State } from './child.ts'

export class Watch {
  readonly name: string
  runs = 0
  readonly counts = new Map<string, number>()
  readonly faults = new Set<string>()
  readonly latencies: number[] = []
  longestSilenceMs = 0
  logLines = 0
  state: State | undefined
  /** The longest delay of the gateway's event loop, in milliseconds. */
  loopMaxMs = 0

  constructor(name: string) {
    this.name = name
  }

  event(latencyMs: number, silentMs: number): void {
    this.latencies.push(latencyMs)
    this.longestSilenceMs = Math.max(this.longestSilenceMs, silentMs)
  }

  ended(counts: ReadonlyMap<string, number>, faults: readonly string[], state: State | undefined): void {
    this.runs++
    for (const [what, times] of counts) this.counts.set(what, (this.counts.get(what) ?? 0) + times)
    for (const fault of faults) this.faults.add(fault)
    this.state = state ?? this.state
    this.loopMaxMs = Math.max(this.loopMaxMs, state?.loopMaxMs ?? 0)
  }
}

export function percentile(values: readonly number[], part: number): number {
  if (values.length === 0) return Number.NaN
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))] as number
}

const MIB = 1024 * 1024

/** A row for each watch: how the healthy fared, what the gateway held, and how the attackers were answered. */
export function table(watches: readonly Watch[]): string {
  const head = ['attack', 'runs', 'p50', 'p99', 'silent', 'loop', 'heap', 'RSS', 'files', 'log', 'answers']
  const rows = watches.map(({ name, runs, latencies, longestSilenceMs, loopMaxMs, state, logLines, counts }) => [
    name,
    String(runs),
    ...[percentile(latencies, 0.5), percentile(latencies, 0.99), longestSilenceMs, loopMaxMs].map((ms) =>
      ms.toFixed(0),
    ),
    ...[(state?.heapUsed ?? Number.NaN) / MIB, (state?.rss ?? Number.NaN) / MIB].map((mib) => mib.toFixed(0)),
    String(state?.files ?? '-'),
    String(logLines),
    [...counts]
      .sort(([, a], [, b]) => b - a)
      .map(([what, times]) => `${what} ×${times}`)
      .join(', '),
  ])
  const widths = head.map((title, i) => Math.max(title.length, ...rows.map((row) => (row[i] as string).length)))
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, i) =>
        i === 0 || i === head.length - 1 ? cell.padEnd(widths[i] as number) : cell.padStart(widths[i] as number),
      )
      .join('  ')
      .trimEnd()
  return ['Milliseconds, MiB. Latency and silence are those of healthy clients.', ...[head, ...rows].map(line)].join(
    '\n',
  )
}

const LOOK_MS = 100

/** A process's largest resident memory, looked at from outside, since what fills it may keep it from answering. */
export function watchMemory(pid: number): { readonly peak: number; stop(): void } {
  let peak = 0
  const timer = setInterval(() => {
    try {
      const [, kib] = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
      peak = Math.max(peak, Number(kib ?? 0) * 1024)
    } catch {
      // Not Linux, or it has ended, which is noticed elsewhere.
    }
  }, LOOK_MS)
  return {
    get peak() {
      return peak
    },
    stop: () => clearInterval(timer),
  }
}

/**
 * Preloaded where a scenario wants to know what a process takes while nothing happens. Each line on the standard input is
 * answered with a line of JSON, on what there was since the line before: `watch` also watches for long turns of the
 * event loop from then on, by a timer that costs more than an idle gateway does.
 */
import { monitorEventLoopDelay, performance } from 'node:perf_hooks'
import { createInterface } from 'node:readline'

/** How long a turn may be without being seen at all. */
const RESOLUTION_MS = 1

const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS })
let cpu = process.cpuUsage()
let since = performance.now()

process.stdin.on('error', () => {})
createInterface({ input: process.stdin }).on('line', (line) => {
  const { user, system } = process.cpuUsage(cpu)
  const answer = {
    ms: performance.now() - since,
    cpuMs: (user + system) / 1000,
    // The histogram holds nanoseconds between two turns of its timer.
    longestTurnMs: delay.count === 0 ? 0 : Math.max(0, delay.max / 1e6 - RESOLUTION_MS),
  }
  delay.disable()
  delay.reset()
  if (line === 'watch') delay.enable()
  cpu = process.cpuUsage()
  since = performance.now()
  process.stdout.write(`${JSON.stringify(answer)}\n`)
})

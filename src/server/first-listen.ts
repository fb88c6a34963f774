import type { Readiness } from '../streams/streams.ts'

const LOOK_EVERY_MS = 20

/**
 * Resolves when a started gateway should listen: once it is ready. A proxy without health checks would send it clients
 * that it has to refuse, while a refused connect is retried at another instance. There is no limit for filling the
 * windows. If Kafka has been unreachable for `limitMs` milliseconds, the gateway listens all the same, to answer with
 * the reason.
 */
export async function untilFitToListen(readiness: () => Readiness, limitMs: number): Promise<void> {
  let waitingSince = performance.now()
  for (;;) {
    const state = readiness()
    if (state.ready) return
    const now = performance.now()
    if (state.isFilling) waitingSince = now
    else if (now - waitingSince >= limitMs) return
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS))
  }
}

import type { Readiness } from '../streams/streams.ts'

const LOOK_EVERY_MS = 20

/**
 * Resolves when a gateway that has just been started should take connections: once it is ready, for a proxy without
 * health checks would send it clients that it must refuse, while a connect that is refused goes to another instance.
 * Filling the windows takes the time it takes; where Kafka cannot be reached for `limitMs` milliseconds, clients had
 * better be told why.
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

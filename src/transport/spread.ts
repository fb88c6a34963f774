import { setTimeout as delay } from 'node:timers/promises'

const TICK_MS = 20
/** Where the event loop stood still for longer, what was missed is not made up for: it would be done all at once. */
const MAX_STEP_MS = 100

/**
 * Does something to each item, evenly over a time, each at a random moment of its own part of it. Never more in any
 * second than two parts' worth, however busy the process is: then it takes longer. When aborted, it does the rest at
 * once. `failed` is told what `take` throws.
 */
export async function spread<T>(
  items: readonly T[],
  overMs: number,
  take: (item: T) => void,
  failed: (error: unknown) => void,
  signal: AbortSignal,
): Promise<void> {
  const partMs = overMs / items.length
  let last = performance.now()
  let passed = 0
  for (const [index, item] of items.entries()) {
    const due = (index + Math.random()) * partMs
    while (passed < due && !signal.aborted) {
      await delay(TICK_MS, undefined, { signal }).catch(() => {}) // aborted: the loop sees it
      const now = performance.now()
      passed += Math.min(now - last, MAX_STEP_MS)
      last = now
    }
    try {
      take(item)
    } catch (error) {
      failed(error)
    }
  }
}

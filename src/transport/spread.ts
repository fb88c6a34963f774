import { setTimeout as delay } from 'node:timers/promises'

const TICK_MS = 20
/** Longest catch-up after a pause of the event loop: a longer one is not made up for, which would cause a burst. */
const MAX_STEP_MS = 100

/**
 * Visits the items evenly over a time, each at a random moment of its slot. Rate limit: never more than two slots'
 * worth in any second. A busy process takes longer instead. When aborted, it visits the rest at once. `failed` is
 * called with what `take` throws.
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
      await delay(TICK_MS, undefined, { signal }).catch(() => {}) // aborted: the loop checks it
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

/** The longest that a timer can take: beyond it, Node fires at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1

/** Resolves after `ms`, never before, or at once when `signal` aborts; which of them it was, the signal says. */
export function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve()
    const end = () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', end)
      resolve()
    }
    const timer = setTimeout(end, Math.min(Math.ceil(ms), LONGEST_TIMER_MS))
    signal.addEventListener('abort', end)
  })
}

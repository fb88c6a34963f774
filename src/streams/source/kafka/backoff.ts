/** Exponential backoff, from the first to the second: the maximum is how late a recovered broker is found. */
const FIRST_BACKOFF_MS = 100
const MAX_BACKOFF_MS = 2_000

/** Half of it is fixed, the rest is jitter, so that a fleet's instances do not reconnect in step. In ms. */
export function backoff(attempt: number): number {
  const full = Math.min(MAX_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** attempt)
  return full / 2 + (Math.random() * full) / 2
}

/** Resolves after that time, or at once when `signal` is aborted. */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const wake = () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', wake)
      resolve()
    }
    const timer = setTimeout(wake, ms)
    signal.addEventListener('abort', wake)
    if (signal.aborted) wake()
  })
}

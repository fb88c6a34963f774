/** The first wait after a failure, doubled up to the second: how late a broker that is back may be found, at most. */
const FIRST_BACKOFF_MS = 100
const MAX_BACKOFF_MS = 2_000

/** Half of it for certain, the rest by chance, so that the instances of a fleet do not come back in step. In ms. */
export function backoff(attempt: number): number {
  const full = Math.min(MAX_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** attempt)
  return full / 2 + (Math.random() * full) / 2
}

/** Resolves after that time, or at once when the reader is to stop. */
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

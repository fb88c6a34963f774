/** How much faster than the test's the clock of clients is: they wait minutes before they give up. */
export const SPEED = 20
/** Shorter timers are no waits for a server, and stay as they are. */
const SHORT_MS = 200

/** Makes the timers of this process, or page, that much shorter. */
export function hasten(): void {
  const set = globalThis.setTimeout
  const fast = (run: (...args: unknown[]) => void, ms = 0, ...args: unknown[]) =>
    set(run, ms > SHORT_MS ? ms / SPEED : ms, ...args)
  globalThis.setTimeout = Object.assign(fast, set) as typeof setTimeout
}

/** A client waits this long before it comes back, at random between the two, so that they do not come all at once. */
const RETRY_MIN_MS = 1_000
export const RETRY_MAX_MS = 5_000

/** For a `retry:` line. It sticks in the client, so every stream begins with a new one. */
export function retryMs(): number {
  return Math.round(RETRY_MIN_MS + Math.random() * (RETRY_MAX_MS - RETRY_MIN_MS))
}

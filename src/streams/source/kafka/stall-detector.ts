/**
 * Stall detector: tracks the successful fetches of each node. A consumer can stall without an error: a frozen broker, a
 * network that drops packets, a rebalance that never ends.
 */
export class StallDetector {
  readonly #stallMs: number
  readonly #forgetMs: number
  readonly #nodes = new Map<string, { begun: number; succeeded: number }>()
  #quietSince: number

  /** A node without a request for `forgetMs` is regarded as removed from the cluster. */
  constructor(options: { stallMs: number; forgetMs: number; now: number }) {
    this.#stallMs = options.stallMs
    this.#forgetMs = options.forgetMs
    this.#quietSince = options.now
  }

  began(node: string, now: number): void {
    const entry = this.#nodes.get(node)
    if (entry) entry.begun = now
    // A new node has `stallMs` from now.
    else this.#nodes.set(node, { begun: now, succeeded: now })
  }

  succeeded(node: string, now: number): void {
    this.#nodes.set(node, { begun: now, succeeded: now })
    this.#quietSince = now
  }

  /** Restarts the clocks: no fetch was possible up to now, for a reason of our own. */
  excuse(now: number): void {
    this.#quietSince = now
    for (const entry of this.#nodes.values()) entry.succeeded = Math.max(entry.succeeded, now)
  }

  /** Time since the last success of the slowest node, in ms, if that is a stall; otherwise undefined. */
  stalledFor(now: number): number | undefined {
    let longest = now - this.#quietSince
    for (const [node, { begun, succeeded }] of this.#nodes) {
      if (now - begun > this.#forgetMs) this.#nodes.delete(node)
      else longest = Math.max(longest, now - succeeded)
    }
    return longest > this.#stallMs ? longest : undefined
  }
}

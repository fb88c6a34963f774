/**
 * Tells whether fetches succeed, node by node. A consumer can stand still without an error: a broker that is frozen,
 * a network that swallows packets, a rebalance that never ends.
 */
export class StallDetector {
  readonly #stallMs: number
  readonly #forgetMs: number
  readonly #nodes = new Map<string, { begun: number; succeeded: number }>()
  #quietSince: number

  /** A node that nothing was asked of for `forgetMs` has left the cluster. */
  constructor(options: { stallMs: number; forgetMs: number; now: number }) {
    this.#stallMs = options.stallMs
    this.#forgetMs = options.forgetMs
    this.#quietSince = options.now
  }

  began(node: string, now: number): void {
    const entry = this.#nodes.get(node)
    if (entry) entry.begun = now
    // A node that is new has until `stallMs` from now.
    else this.#nodes.set(node, { begun: now, succeeded: now })
  }

  succeeded(node: string, now: number): void {
    this.#nodes.set(node, { begun: now, succeeded: now })
    this.#quietSince = now
  }

  /** Nothing could be fetched up to now, for a reason of our own. */
  excuse(now: number): void {
    this.#quietSince = now
    for (const entry of this.#nodes.values()) entry.succeeded = Math.max(entry.succeeded, now)
  }

  /** How long the slowest node has given nothing, in ms, where that is too long. */
  stalledFor(now: number): number | undefined {
    let longest = now - this.#quietSince
    for (const [node, { begun, succeeded }] of this.#nodes) {
      if (now - begun > this.#forgetMs) this.#nodes.delete(node)
      else longest = Math.max(longest, now - succeeded)
    }
    return longest > this.#stallMs ? longest : undefined
  }
}

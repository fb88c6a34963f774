/** How long a replica is read from before the leader is asked again: as long as Java's consumer does by default. */
const KEEP_MS = 5 * 60 * 1_000
/** How long only the leader is read from after a replica has failed: it would name the same one again at once. */
const AVOID_MS = 30_000

/**
 * Replicas that leaders have named as nearer to this client's rack (KIP-392). One that answers with an error is given
 * up for the leader.
 */
export class NearestReplicas {
  readonly #replicas = new Map<string, { readonly nodeId: number; readonly until: number }>()
  readonly #avoided = new Map<string, number>()

  /** Node to read a partition from, where it is not the leader. */
  of(topic: string, partition: number): number | undefined {
    const place = placeOf(topic, partition)
    const replica = this.#replicas.get(place)
    if (replica && replica.until > Date.now()) return replica.nodeId
    if (replica) this.#replicas.delete(place)
    return undefined
  }

  /** Only the leader is to be read from: it must not be told the rack. */
  isAvoided(topic: string, partition: number): boolean {
    return (this.#avoided.get(placeOf(topic, partition)) ?? 0) > Date.now()
  }

  prefer(topic: string, partition: number, nodeId: number): void {
    if (this.isAvoided(topic, partition)) return
    this.#replicas.set(placeOf(topic, partition), { nodeId, until: Date.now() + KEEP_MS })
  }

  /** The replica has failed. False: there was none. */
  avoid(topic: string, partition: number): boolean {
    const place = placeOf(topic, partition)
    if (!this.#replicas.delete(place)) return false
    this.#avoided.set(place, Date.now() + AVOID_MS)
    return true
  }
}

export function placeOf(topic: string, partition: number): string {
  return `${topic}/${partition}`
}

/** How long a replica is read from before the leader is asked again: as long as Java's consumer does by default. */
const KEEP_MS = 5 * 60 * 1_000

/**
 * Replicas that leaders have named as nearer to this client's rack (KIP-392). One that answers with an error is given
 * up for the leader.
 */
export class NearestReplicas {
  readonly #replicas = new Map<string, { readonly nodeId: number; readonly until: number }>()

  /** Node to read a partition from, where it is not the leader. */
  of(topic: string, partition: number): number | undefined {
    const place = placeOf(topic, partition)
    const replica = this.#replicas.get(place)
    if (replica && replica.until > Date.now()) return replica.nodeId
    if (replica) this.#replicas.delete(place)
    return undefined
  }

  prefer(topic: string, partition: number, nodeId: number): void {
    this.#replicas.set(placeOf(topic, partition), { nodeId, until: Date.now() + KEEP_MS })
  }

  forget(topic: string, partition: number): boolean {
    return this.#replicas.delete(placeOf(topic, partition))
  }
}

export function placeOf(topic: string, partition: number): string {
  return `${topic}/${partition}`
}

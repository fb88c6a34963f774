import { SluiceError } from '../../errors/codes.ts'
import { refusedRetryMs } from '../../errors/retry-hints.ts'
import type { ClientShare } from '../outlet.ts'

interface Ending {
  end(): void
}

interface Creator {
  readonly client: object | undefined
  readonly release: () => void
}

/**
 * Bounds groups: in all, and by the client that created them. A group counts for as long as it goes on, also while it
 * lingers without members. Groups that linger are ended first, the oldest before others: nobody is there to miss them.
 */
export class GroupLimit<G extends Ending> {
  readonly max: number
  /** Groups that were refused by the limit of all. */
  refused = 0
  readonly #creators = new Map<G, Creator>()

  constructor(max = Number.POSITIVE_INFINITY) {
    this.max = max
  }

  /**
   * Makes room for one more group.
   * @param size the number of groups. @param lingering those without members, the oldest first.
   * @throws SluiceError `RATE_LIMITED` where too many have members.
   */
  demandRoom(size: () => number, lingering: Iterable<G>, share: ClientShare | undefined): void {
    for (const group of lingering) {
      if (size() < this.max) break
      group.end()
    }
    if (size() >= this.max) {
      this.refused++
      const message = `This gateway has ${this.max} different subscriptions, as many as it may have (MAX_GROUPS)`
      throw new SluiceError('RATE_LIMITED', message, { limit: 'groups' }, refusedRetryMs('TOO_MANY_STREAMS'))
    }
    for (const group of lingering) {
      if (!share || share.mayCreateGroup) return
      if (this.#creators.get(group)?.client === share.client) group.end()
    }
    share?.demandGroup()
  }

  created(group: G, share: ClientShare | undefined): void {
    if (share) this.#creators.set(group, { client: share.client, release: share.takeGroup() })
  }

  ended(group: G): void {
    this.#creators.get(group)?.release()
    this.#creators.delete(group)
  }
}

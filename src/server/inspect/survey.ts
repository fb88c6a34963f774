import type { Engine } from '../../delivery/engine.ts'
import type { Group } from '../../delivery/group/group.ts'
import { inspectMember, type MemberInspection } from '../../delivery/group/member-inspection.ts'
import type { Subscriber } from '../../delivery/group/subscriber.ts'
import { type GroupRates, Rates } from './group-rates.ts'
import { Pace } from './pace.ts'
import { Top } from './top.ts'

/** Members that are not live, of each kind. */
const MAX_SHOWN_MEMBERS = 100

export interface SurveyQuery {
  /** Groups of each list. */
  readonly groups: number
  /** Which groups and members are shown. */
  readonly matches: (...texts: (string | null | undefined)[]) => boolean
}

export interface Surveyed {
  /** Groups with the most members, */
  readonly largest: readonly Group[]
  /** and those that cost the most CPU time now. */
  readonly costliest: readonly Group[]
  readonly rates: (group: Group) => GroupRates
  readonly slow: { readonly count: number; readonly members: readonly MemberInspection[] }
  readonly replays: { readonly count: number; readonly members: readonly MemberInspection[] }
  readonly compressed: number
  readonly cost: Pace
}

/**
 * One pass over all groups, some in each turn of the event loop: rates, the largest, the costliest, and the members that
 * are not live. Members are only looked at where a group has such. One pass at a time.
 */
export class Survey {
  readonly #engine: Iterable<Group> & Pick<Engine, 'groups'>
  readonly #rates = new Rates()
  #running: Promise<unknown> = Promise.resolve()

  constructor(engine: Iterable<Group> & Pick<Engine, 'groups'>) {
    this.#engine = engine
  }

  take(query: SurveyQuery): Promise<Surveyed> {
    const pass = this.#running.then(() => this.#pass(query))
    this.#running = pass.catch(() => {})
    return pass
  }

  async #pass({ groups, matches }: SurveyQuery): Promise<Surveyed> {
    const now = performance.now()
    const largest = new Top<Group>(groups)
    const costliest = new Top<Group>(groups)
    const slow = new Top<MemberInspection>(MAX_SHOWN_MEMBERS)
    const replays = new Top<MemberInspection>(MAX_SHOWN_MEMBERS)
    let compressed = 0
    const pace = new Pace()
    for (const group of this.#engine) {
      const { cpuMsPerSecond } = this.#rates.read(group, now)
      const { operation, stream, feed, renderer } = group
      const name = renderer.args.operation.name?.value ?? operation?.name
      if (matches(name, operation?.hash, stream.name, feed.topic.name, group.key)) {
        largest.offer(group, group.size)
        costliest.offer(group, cpuMsPerSecond)
      }
      if (pace.isTurnUsedUp()) await pace.next()
      if (!group.hasSlow) continue
      for (const member of group) {
        if (pace.isTurnUsedUp()) await pace.next()
        const { state, outlet } = member
        if (state.kind === 'live' || state.kind === 'closed') continue
        const owner = outlet.owner
        if (!matches(name, owner?.operation?.hash, owner?.address, owner?.requestId, owner?.identity.principal.id))
          continue
        this.#offer(group, member, slow, replays)
        if (outlet.isCompressed) compressed++
      }
    }
    return {
      largest: largest.items,
      costliest: costliest.items,
      rates: (group) => this.#rates.of(group),
      slow: { count: slow.count, members: slow.items },
      replays: { count: replays.count, members: replays.items },
      compressed,
      cost: pace,
    }
  }

  /** Whose socket is full is slow; a replay may be both. */
  #offer(group: Group, member: Subscriber, slow: Top<MemberInspection>, replays: Top<MemberInspection>): void {
    const inspection = inspectMember(group, member)
    const { fullMs, state, behind } = inspection
    if (fullMs !== null || state === 'lagging') slow.offer(inspection, behind.bytes)
    if (state === 'replaying' || state === 'following') replays.offer(inspection, inspection.replay?.offsetsBehind ?? 0)
  }
}

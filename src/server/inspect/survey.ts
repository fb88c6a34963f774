import type { Engine } from '../../delivery/engine.ts'
import type { Group } from '../../delivery/group/group.ts'
import { inspectMember, type MemberInspection } from '../../delivery/group/member-inspection.ts'
import { fullSinceOf, replayOf } from '../../delivery/group/member-state.ts'
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
  /** Whose sockets are full; a replay may be both. `count`: of all, whatever is shown. */
  readonly slow: { readonly count: number; readonly members: readonly MemberInspection[] }
  readonly replays: { readonly count: number; readonly members: readonly MemberInspection[] }
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
    const counts = { slow: 0, replays: 0 }
    const pace = new Pace()
    for (const group of this.#engine) {
      const { cpuMsPerSecond } = this.#rates.read(group, now)
      const { operation, stream, feed, renderer } = group
      const name = renderer.args.operation.name?.value ?? operation?.name
      const isShown = matches(name, operation?.hash, stream.name, feed.topic.name, group.key)
      if (isShown) {
        largest.offer(group, group.size)
        costliest.offer(group, cpuMsPerSecond)
      }
      if (pace.isTurnUsedUp()) await pace.next()
      if (!group.hasSlow) continue
      for (const member of group) {
        if (pace.isTurnUsedUp()) await pace.next()
        const { state, outlet } = member
        if (state.kind === 'live' || state.kind === 'closed') continue
        const isSlow = fullSinceOf(state) !== 0
        const isReplay = replayOf(state) !== undefined
        counts.slow += Number(isSlow)
        counts.replays += Number(isReplay)
        const { owner } = outlet
        if (!isShown && !matches(owner?.address, owner?.requestId, owner?.identity.principal.id)) continue
        const inspection = inspectMember(group, member)
        if (isSlow) slow.offer(inspection, inspection.behind.bytes)
        if (isReplay) replays.offer(inspection, inspection.replay?.offsetsBehind ?? 0)
      }
    }
    return {
      largest: largest.items,
      costliest: costliest.items,
      rates: (group) => this.#rates.of(group),
      slow: { count: counts.slow, members: slow.items },
      replays: { count: counts.replays, members: replays.items },
      cost: pace,
    }
  }
}

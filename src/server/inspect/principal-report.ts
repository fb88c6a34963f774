import type { Limits } from '../../admission/limits/limits.ts'
import type { Tally } from '../../admission/usage/tally.ts'
import type { Usage } from '../../admission/usage/usage.ts'
import { Pace } from './pace.ts'
import type { RefusalLog } from './refusal-log.ts'
import { Top } from './top.ts'

/** Principals that are shown: those with the most traffic. */
const MAX_SHOWN_PRINCIPALS = 50
/** The shortest time that a rate is of. */
const MIN_MS = 500

export interface PrincipalReport {
  readonly principal: string
  readonly kind: string
  readonly streams: number
  /** Groups that it has created, and that go on; null: it is counted by its address. */
  readonly groups: number | null
  /** Streams that it may have; null: as many as its address may. */
  readonly maxStreams: number | null
  readonly eventsPerSecond: number
  readonly bytesPerSecond: number
  /** Since the start. */
  readonly opened: number
  readonly events: number
  readonly bytes: number
  readonly queries: number
  readonly refusals: Readonly<Record<string, number>>
}

export interface PrincipalSources {
  readonly usage: Usage
  readonly limits: Limits
  readonly refusals: RefusalLog
}

interface Sample {
  readonly at: number
  readonly events: number
  readonly bytes: number
  readonly eventsPerSecond: number
  readonly bytesPerSecond: number
}

/** What each principal uses, and what it was refused. */
export class PrincipalReports {
  readonly #sources: PrincipalSources
  readonly #samples = new WeakMap<Tally, Sample>()

  constructor(sources: PrincipalSources) {
    this.#sources = sources
  }

  /** The principals with the most traffic, of those whose names match. */
  async read(
    matches: (name: string) => boolean,
  ): Promise<{ readonly count: number; readonly shown: readonly PrincipalReport[] }> {
    const { usage } = this.#sources
    await usage.measure()
    const now = performance.now()
    const top = new Top<Tally>(MAX_SHOWN_PRINCIPALS)
    const pace = new Pace()
    for (const [, tally] of usage.tallies) {
      this.#measure(tally, now)
      if (matches(tally.id)) top.offer(tally, tally.traffic)
      if (pace.isTurnUsedUp()) await pace.next()
    }
    return { count: usage.tallies.size, shown: top.items.map((tally) => this.#report(tally)) }
  }

  #report(tally: Tally): PrincipalReport {
    const { limits, refusals } = this.#sources
    const { id, kind, streams, total } = tally
    const account = kind === 'other' ? undefined : limits.accountOf({ kind, id })
    const { eventsPerSecond = 0, bytesPerSecond = 0 } = this.#samples.get(tally) ?? {}
    return {
      principal: id,
      kind,
      streams,
      groups: account?.groups ?? null,
      maxStreams: account?.quota.streams ?? null,
      eventsPerSecond,
      bytesPerSecond,
      opened: total.opened,
      events: total.events,
      bytes: total.bytes,
      queries: total.queries,
      refusals: kind === 'other' ? {} : refusals.of({ kind, id }),
    }
  }

  #measure(tally: Tally, now: number): void {
    const { events, bytes } = tally.total
    const before = this.#samples.get(tally)
    if (before && now - before.at < MIN_MS) return
    const perSecond = (count: number, counted = count): number =>
      before ? Math.round(((count - counted) / (now - before.at)) * 10_000) / 10 : 0
    this.#samples.set(tally, {
      at: now,
      events,
      bytes,
      eventsPerSecond: perSecond(events, before?.events),
      bytesPerSecond: perSecond(bytes, before?.bytes),
    })
  }
}

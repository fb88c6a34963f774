import { hostname } from 'node:os'
import { print } from 'graphql'
import type { Control } from '../../admission/control/control.ts'
import type { Config } from '../../config.ts'
import type { Engine } from '../../delivery/engine.ts'
import type { Group } from '../../delivery/group/group.ts'
import { type GroupInspection, inspectGroup } from '../../delivery/group/group-inspection.ts'
import type { Readiness, Streams } from '../../streams/streams.ts'
import type { Units } from '../../transport/gzip/units.ts'
import { VERSION } from '../../version.ts'
import type { Capacity } from '../capacity.ts'
import { reportConfig } from './config-report.ts'
import { reportControl } from './control-report.ts'
import type { GroupRates } from './group-rates.ts'
import { reportLimits } from './limit-report.ts'
import { openStreamsOf, type StreamSources } from './open-streams.ts'
import { PrincipalReports, type PrincipalSources } from './principal-report.ts'
import { type InspectionQuery, matcher, readQuery } from './query.ts'
import type { RefusalLog } from './refusal-log.ts'
import { reportRestart } from './restart.ts'
import type { StreamEndsLog } from './stream-ends-log.ts'
import { Survey, type Surveyed } from './survey.ts'
import { reportTopic } from './topic-report.ts'
import type { Watch } from './watch.ts'

/** Ends and refusals that are shown, of those that are remembered, */
const MAX_SHOWN = 100
/** and of one request. */
const MAX_OF_REQUEST = 20

export type ShownGroup = GroupInspection & GroupRates

export interface InspectionSources extends StreamSources, Omit<PrincipalSources, 'refusals'> {
  readonly config: Config
  readonly control: Control
  readonly streams: Pick<Streams, 'feeds' | 'states'>
  readonly engine: Engine
  readonly ends: StreamEndsLog
  readonly refusals: RefusalLog
  readonly watch: Watch
  readonly capacity: Capacity
  readonly units: Units
  readonly readiness: () => Readiness
  readonly isLeaving: () => boolean
  readonly pulling: () => number
  readonly connections: () => Readonly<Record<string, { readonly size: number; readonly max: number }>>
}

export type Inspection = Awaited<ReturnType<Inspections['read']>>

/** What an instance does at the moment, as plain JSON: for people and their tools. */
export class Inspections {
  readonly #sources: InspectionSources
  readonly #survey: Survey
  readonly #principals: PrincipalReports
  readonly #startedAt = Date.now() - Math.round(process.uptime() * 1_000)
  readonly #openedAt = Date.now()

  constructor(sources: InspectionSources) {
    this.#sources = sources
    this.#survey = new Survey(sources.engine)
    this.#principals = new PrincipalReports(sources)
  }

  /** @throws RangeError that says what a parameter may be, if it is something else. */
  async read(parameters: URLSearchParams) {
    const query = readQuery(parameters)
    const matches = matcher(query.search)
    const { config, streams, engine, control, capacity, connections, units, watch, ends, refusals } = this.#sources
    const surveyed = await this.#survey.take({ groups: query.groups, matches })
    const principals = await this.#principals.read(matches)
    const topics = Array.from(streams.feeds, (feed) =>
      reportTopic(feed, streams.states.get(feed.topic.name), config.WINDOW_BYTES),
    )
    const shown = (group: Group): ShownGroup => ({ ...inspectGroup(group), ...surveyed.rates(group) })
    const { plainBytes, codedBytes } = units.stats
    watch.look()
    return {
      at: new Date().toISOString(),
      instance: this.#instance(),
      health: this.#health(),
      restart: this.#restart(surveyed, topics),
      topics,
      groups: {
        count: engine.groups,
        largest: surveyed.largest.map(shown),
        costliest: surveyed.costliest.map(shown),
      },
      compression: { streamBytes: plainBytes, sentBytes: codedBytes },
      slow: surveyed.slow,
      replays: { ...surveyed.replays, waiting: engine.shared.replaysWaiting },
      principals,
      limits: reportLimits([
        ...capacity.all(),
        {
          name: 'groups',
          used: engine.groups,
          limit: config.MAX_GROUPS,
          isNear: engine.groups >= 0.8 * config.MAX_GROUPS,
        },
      ]),
      connections: Object.fromEntries(
        Object.entries(connections()).map(([port, { size, max }]) => [port, { used: size, limit: max }]),
      ),
      control: reportControl(control),
      changes: watch.changes.ring.newest(MAX_SHOWN, ({ about, what, kind }) => matches(about, what, kind)),
      ends: {
        count: ends.ring.count,
        byReason: ends.byReason,
        latest: ends.ring.newest(MAX_SHOWN, ({ requestId, principal, address, operation, reason }) =>
          matches(requestId, principal, address, operation?.name, operation?.hash, reason),
        ),
      },
      refusals: {
        count: refusals.ring.count,
        latest: refusals.ring.newest(MAX_SHOWN, ({ requestId, principal, address, code }) =>
          matches(requestId, principal, address, code),
        ),
      },
      ...(await this.#asked(query)),
      cost: { turns: surveyed.cost.turns, looked: surveyed.cost.looked },
    }
  }

  #instance() {
    const { config } = this.#sources
    return {
      id: config.INSTANCE_ID,
      host: hostname(),
      version: VERSION,
      node: process.versions.node,
      startedAt: new Date(Math.max(this.#startedAt, 0)).toISOString(),
      openSeconds: Math.round((Date.now() - this.#openedAt) / 1_000),
      config: reportConfig(config),
    }
  }

  #health() {
    const { readiness, isLeaving } = this.#sources
    const state = readiness()
    return {
      isReady: state.ready,
      reason: state.ready ? null : state.reason,
      notes: state.ready ? (state.notes ?? []) : [],
      isDraining: isLeaving(),
    }
  }

  #restart({ replays }: Surveyed, topics: ReturnType<typeof reportTopic>[]) {
    const { sockets, pulling, config, isLeaving } = this.#sources
    return reportRestart({
      streams: sockets.size,
      withoutCursor: pulling(),
      drainMs: config.DRAIN_MS,
      isLeaving: isLeaving(),
      isEmbedded: config.KAFKA_BROKERS === undefined,
      replaying: replays.count,
      readingLog: replays.members.filter(({ replay }) => replay?.reads === 'log').length,
      topics,
    })
  }

  /** What is only found for who asks for it. */
  async #asked({ request, principal, group }: InspectionQuery) {
    const { ends, refusals, engine } = this.#sources
    const asked = async (of: { requestId: string } | { principal: string }, max: number) => {
      const isWanted = (requestId: string, id: string | null) =>
        'requestId' in of ? requestId === of.requestId : id === of.principal
      return {
        ...of,
        open: await openStreamsOf(this.#sources, (owner) => isWanted(owner.requestId, owner.identity.principal.id)),
        ends: ends.ring.newest(max, (end) => isWanted(end.requestId, end.principal)),
        refusals: refusals.ring.newest(max, (refused) => isWanted(refused.requestId, refused.principal)),
      }
    }
    const found = group === undefined ? undefined : engine.find(group)
    return {
      ...(request !== undefined && { request: await asked({ requestId: request }, MAX_OF_REQUEST) }),
      ...(principal !== undefined && { principal: await asked({ principal }, MAX_SHOWN) }),
      ...(group !== undefined && {
        group: found ? { ...inspectGroup(found), document: print(found.renderer.args.document) } : null,
      }),
    }
  }
}

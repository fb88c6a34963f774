import type { Control } from '../../admission/control/control.ts'
import { type ControlEntry, controlKey } from '../../admission/control/control-entry.ts'
import type { Faults } from '../../errors/faults.ts'
import type { Readiness, Streams } from '../../streams/streams.ts'
import type { Capacity } from '../capacity.ts'
import { Changes } from './changes.ts'

/** How often it is looked whether something has changed: a topic that waits for less is not worth a line. */
const LOOK_MS = 1_000

export interface Watched {
  readonly readiness: () => Readiness
  readonly isLeaving: () => boolean
  readonly streams: Pick<Streams, 'feeds' | 'states'>
  readonly keys: { readonly size: number; readonly read: number } | undefined
  readonly capacity: Pick<Capacity, 'near'>
}

/**
 * Looks every second at what may have changed, and keeps what has. It reads some tens of values, so that nothing else
 * has to tell it.
 */
export class Watch {
  readonly changes = new Changes()
  readonly #seen: () => Watched
  readonly #known = new Map<string, string>()
  readonly #timer: NodeJS.Timeout

  /** `seen`: what is looked at. */
  constructor(seen: () => Watched, faults: Faults) {
    this.#seen = seen
    this.#timer = setInterval(() => faults.contain('capacity', () => this.look()), LOOK_MS)
    this.#timer.unref()
  }

  /** Decisions are told as they come. */
  follow(control: Control): void {
    const tell = (key: string, what: string) => this.changes.add('decision', key, what)
    control.observedBy({
      taken: (entry) => tell(controlKey(entry), sentenceOf(entry)),
      undone: (key) => tell(key, 'Undone'),
      loaded: (count) => tell('all decisions', `${count} decisions were loaded from the control topic`),
    })
  }

  /** Looks now. */
  look(): void {
    const { readiness, isLeaving, streams, keys, capacity } = this.#seen()
    const state = readiness()
    this.#tell('readiness', 'instance', state.ready ? 'Ready' : `Not ready: ${state.reason}`)
    if (isLeaving()) this.#tell('instance', 'drain', 'Shutting down: streams end, and no new ones are accepted')
    for (const { topic, head } of streams.feeds) {
      const { name } = topic
      const topicState = streams.states.get(name)
      const why = topicState && 'reason' in topicState ? topicState.reason : (topicState?.note ?? '')
      // How far a window is filled would be a line a second.
      const what = topicState?.kind === 'filling' ? 'filling' : `${topicState?.kind ?? 'unknown'}${why && `: ${why}`}`
      this.#tell('topic', name, what)
      if (head.length > 0) this.#tell('topic', `${name}: partitions`, `${head.length} partitions`)
    }
    if (keys) this.#tell('keys', 'API keys', `${keys.size} keys, by the file as it was read`, String(keys.read))
    for (const [limit, isNear] of capacity.near())
      this.#tell('limit', limit, isNear ? 'At 80 % or more' : 'Below 80 %', undefined, !isNear)
  }

  close(): void {
    clearInterval(this.#timer)
  }

  /** `version`: what else makes it another. `isOrdinary`: not worth a line as long as nothing else was told of it. */
  #tell(kind: Parameters<Changes['add']>[0], about: string, what: string, version = '', isOrdinary = false): void {
    const key = `${kind} ${about}`
    const value = `${what} ${version}`
    const known = this.#known.get(key)
    if (known === value) return
    this.#known.set(key, value)
    if (known !== undefined || !isOrdinary) this.changes.add(kind, about, what)
  }
}

function sentenceOf({ kind, reason, until }: ControlEntry): string {
  const what = kind === 'operation' ? 'Blocked' : 'Revoked'
  const end = until === undefined ? '' : ` until ${new Date(until).toISOString()}`
  return `${what}${end}${reason === undefined ? '' : `: ${reason}`}`
}

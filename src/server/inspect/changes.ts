import { Ring } from './ring.ts'

/** Changes that are remembered: some days of an ordinary instance, an hour of a bad one. */
const MAX_CHANGES = 1_000
/** Length limit of a sentence: reasons quote what brokers and operators say. */
const MAX_CHARS = 500

export const CHANGE_KINDS = ['instance', 'topic', 'keys', 'decision', 'limit', 'readiness'] as const
export type ChangeKind = (typeof CHANGE_KINDS)[number]

export interface Change {
  readonly at: string
  readonly kind: ChangeKind
  /** What has changed: a topic, a limit, a principal, … */
  readonly about: string
  readonly what: string
}

/** What has changed of this instance, the newest first. */
export class Changes {
  readonly ring = new Ring<Change>(MAX_CHANGES)

  add(kind: ChangeKind, about: string, what: string): void {
    this.ring.add({
      at: new Date().toISOString(),
      kind,
      about: about.slice(0, MAX_CHARS),
      what: what.slice(0, MAX_CHARS),
    })
  }
}

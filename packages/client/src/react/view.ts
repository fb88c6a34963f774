import type { ConnectionState, Gap, Result, SluiceClientError } from '../sluice-client.ts'

/** What every hook says of its subscription. */
export interface FeedStatus {
  readonly state: ConnectionState
  /** Why it was refused; with it, it has ended. */
  readonly error: SluiceClientError | undefined
  /** The newest gaps that were told, oldest of them first. */
  readonly gaps: readonly Gap[]
}

/** What becomes of the results of a feed. */
export interface View<Snapshot> {
  take(result: Result): void
  /** What is shown: a new one, that does not change. */
  snapshot(status: FeedStatus): Snapshot
}

/** A kind of view. Views of one key are one view. */
export interface ViewKind<Snapshot> {
  readonly key: string
  readonly make: () => View<Snapshot>
}

/** The value of a subscription's one root field. */
export function rootOf(result: Result): unknown {
  for (const [name, value] of Object.entries(result.data ?? {})) if (name !== '__typename') return value
  return undefined
}

/** Of the type of a subscription's data, that of its one root field. */
export type RootOf<Data> = Data extends object ? NonNullable<Data[Exclude<keyof Data, '__typename'>]> : unknown

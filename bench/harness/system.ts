import type { Dialect } from './load.ts'

/** A server under test, running. */
export interface System extends Dialect {
  readonly name: SystemName
  readonly port: number
  /** Whose processor time is counted. */
  readonly pids: readonly number[]
  /** Where the generator sends events: `kafka:HOST:PORT:TOPIC`, `http:HOST:PORT:PATH` or `lines:HOST:PORT`. */
  readonly feed?: string
  /** Of the process: resident bytes after garbage collection, where it was started with `gc`. */
  collectedRss?(): Promise<number>
  stop(): Promise<void>
}

export type SystemName = 'Sluice' | 'Yoga' | 'bare' | 'nchan' | 'kafkajs' | 'Nginx'

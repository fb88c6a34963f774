import type { LiveTopic } from './live-topic.ts'

/** A partition that is read live. The wanted offset is moved by deliveries and by gaps only. */
export class LivePartition {
  readonly topic: LiveTopic
  readonly partition: number
  /** The next wanted offset: all before it was delivered, or reported as a gap. */
  offset: number
  /** Where the next fetch begins: ahead of `offset` while batches are being delivered. */
  fetchOffset: number
  /** Number of restarts: what was fetched before one does not count after it, whatever its offset. */
  era = 0
  /** Batches that were fetched and are not delivered yet. */
  pending = 0
  /** Settles when they are. */
  delivering: Promise<void> | undefined
  /** From the metadata; -1: none. */
  leader = -1
  leaderEpoch = -1
  /** Leader epoch of the last record batch that was passed; -1: unknown. */
  readEpoch = -1
  /** Set where the leader has changed since: whether its log goes as far as ours has to be asked before the next fetch. */
  needsEpochCheck = false
  /** Set after an interruption in which the topic may have been recreated, until new metadata says that it was not. */
  isDoubted = false
  /** Checks of the position that are running: nothing is fetched meanwhile, and nothing that was fetched counts. */
  checks = 0
  /** When a fetch last succeeded, in ms; 0: never. */
  answeredAt = 0
  /** The error of the last answer, as a sentence. */
  trouble: string | undefined
  /** Not fetched before this time, after an error. */
  retryAt = 0
  failures = 0
  /** Answers in a row without a whole record batch. */
  cutShort = 0
  /** When its fetches brought records last, so that the broker's order of answering is fair. */
  servedAt = 0
  /** The last delivered record: a recreated log is unlikely to have the same at its offset. */
  last: { readonly offset: number; readonly timestamp: number } | undefined

  constructor(topic: LiveTopic, partition: number, offset: number) {
    this.topic = topic
    this.partition = partition
    this.offset = offset
    this.fetchOffset = offset
  }

  get isHeld(): boolean {
    return this.checks > 0
  }

  /** Whether what a fetch from the wanted offset brings may be delivered. */
  get isCertain(): boolean {
    return this.checks === 0 && !this.isDoubted && !this.needsEpochCheck
  }

  /** A batch was delivered. Batches behind it may have been fetched. */
  passTo(offset: number): void {
    this.offset = offset
    this.fetchOffset = Math.max(this.fetchOffset, offset)
  }

  /** Reading goes on in another log, or behind a part of it that is gone. */
  restartAt(offset: number): void {
    this.era++
    this.offset = offset
    this.fetchOffset = offset
    this.readEpoch = -1
    this.last = undefined
    this.isDoubted = false
    this.needsEpochCheck = false
  }
}

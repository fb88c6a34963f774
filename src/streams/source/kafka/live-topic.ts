import { MAX_PARTITIONS } from '../../cursor/vector.ts'
import type { Gap, Positions } from '../../event.ts'
import type { Batch, Reader } from '../port.ts'
import { LivePartition } from './live-partition.ts'
import { tooManyPartitions } from './offsets.ts'
import { ErrorCode, sentenceOf } from './protocol/error-codes.ts'
import type { PartitionMetadata, TopicMetadata } from './protocol/metadata.ts'
import type { RecordSet } from './protocol/record-set.ts'

/** Longest time since the last successful fetch of a partition. Fetches return at least twice a second. */
const STALL_MS = 5_000
/** How long the metadata has to say so before a topic is believed to be gone: a starting broker does not know it yet. */
const TROUBLE_MS = 1_000

/** Begins the text by which states are compared; no reason does. */
const READING = '\0'

export interface LiveTopicOptions {
  readonly name: string
  readonly from: Positions
  readonly reader: Reader
  readonly signal: AbortSignal
  /** Of a recreated topic, each partition: what it holds has to be found out. */
  readonly recreated: (partition: LivePartition) => void
  /** Old brokers have no topic ids: the log has to be compared with the last record. */
  readonly compare: (partition: LivePartition) => void
}

/** One topic that is read live: its partitions, what is wrong with it, and who takes its records. */
export class LiveTopic {
  readonly name: string
  readonly partitions = new Map<number, LivePartition>()
  readonly #options: LiveTopicOptions
  readonly #taking = new Set<Promise<void>>()
  #id: string | undefined
  /** Ids of the topics of this name before the present one: a broker that says them has old metadata. */
  readonly #formerIds = new Set<string>()
  /** Offsets of partitions that a recreated topic does not have. */
  readonly #missing = new Map<number, number>()
  #trouble: { readonly reason: string; readonly since: number; readonly isCertain: boolean } | undefined
  /** The metadata has named its leaders once. */
  #isKnown = false
  #state: string | undefined
  /** Until then the broker has asked for no requests. */
  throttledUntil = 0
  /** Why the last request failed that was about this topic. */
  lastFailure: string | undefined

  constructor(options: LiveTopicOptions) {
    this.#options = options
    this.name = options.name
    for (const [partition, offset] of options.from) {
      this.partitions.set(partition, new LivePartition(this, partition, offset))
    }
  }

  /** As it was told last. */
  get isReading(): boolean {
    return this.#state?.startsWith(READING) ?? false
  }

  get isOver(): boolean {
    return this.#options.signal.aborted
  }

  /** Nothing of it may be read: never a part of its partitions, since the others would be lost silently. */
  get isRefused(): boolean {
    return this.#trouble?.isCertain ?? false
  }

  /** Takes over what the metadata says. True: there is something left to be found out soon. */
  update(metadata: TopicMetadata | undefined, now: number): boolean {
    if (!metadata || metadata.error !== ErrorCode.NONE) {
      const code = metadata?.error ?? ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
      this.#mark(sentenceOf(code), now, false)
      return true
    }
    if (metadata.partitions.length > MAX_PARTITIONS) {
      this.#mark(tooManyPartitions(this.name, metadata.partitions.length), now, true)
      return true
    }
    if (metadata.id !== undefined && this.#formerIds.has(metadata.id)) return true
    this.#trouble = undefined
    this.#isKnown = true
    const isRecreated = this.#id !== undefined && metadata.id !== undefined && metadata.id !== this.#id
    if (isRecreated) this.#formerIds.add(this.#id as string)
    this.#id = metadata.id ?? this.#id
    if (isRecreated) this.#dropMissing(metadata.partitions)
    let isUnsettled = false
    for (const each of metadata.partitions) {
      const partition = this.partitions.get(each.partition) ?? this.#discover(each.partition, now)
      this.#lead(partition, each, isRecreated)
      if (isRecreated) this.#options.recreated(partition)
      else if (partition.isDoubted) this.#settleDoubt(partition)
      if (each.leader < 0) isUnsettled = true
    }
    return isUnsettled
  }

  /** After an interruption: see `LivePartition.isDoubted`. */
  doubt(partition: LivePartition): void {
    if (partition.last) partition.isDoubted = true
  }

  failedSince(reason: string): void {
    this.lastFailure = reason
  }

  /** Hands over what was fetched from the wanted offset, and moves the position when it has been taken. */
  deliver(partition: LivePartition, set: RecordSet, endOffset: number): Promise<void> | undefined {
    const { records, nextOffset, leaderEpoch } = set
    if (nextOffset === undefined || nextOffset <= partition.offset) return undefined
    const moveOn = () => {
      if (this.isOver) return // the batch may be half taken
      partition.passTo(nextOffset)
      if (leaderEpoch >= 0) partition.readEpoch = leaderEpoch
      const last = records.at(-1)
      if (last) partition.last = { offset: last.offset, timestamp: last.timestamp }
    }
    const end = Math.max(endOffset, nextOffset)
    const batch: Batch = { topic: this.name, partition: partition.partition, records, nextOffset, endOffset: end }
    const taken = this.#handOver(batch)
    if (taken === undefined) {
      moveOn()
      return undefined
    }
    const delivered = taken.then(moveOn).finally(() => this.#taking.delete(delivered))
    this.#taking.add(delivered)
    return delivered
  }

  /** Reports lost offsets, and reads on after them. */
  passGap(partition: LivePartition, gap: Pick<Gap, 'to' | 'reason'>): void {
    if (this.isOver) return
    const from = partition.offset
    partition.restartAt(gap.to)
    if (from === gap.to) return
    this.#contain(() => {
      this.#options.reader.onGap({ kind: 'gap', topic: this.name, partition: partition.partition, from, ...gap })
    })
  }

  fault(error: unknown, partition?: LivePartition): void {
    if (this.isOver) return
    this.#contain(() => {
      this.#options.reader.onFault?.(error, {
        topic: this.name,
        ...(partition && { partition: partition.partition }),
      })
    })
  }

  /** Reports a changed state. Called at least once a second. */
  tell(now: number): void {
    if (this.isOver) return
    const reason = this.#waitsFor(now)
    const note = now < this.throttledUntil ? 'The broker throttles this client: its quota is used up' : undefined
    const state = reason ?? `${READING}${note ?? ''}`
    if (state === this.#state) return
    this.#state = state
    this.#contain(() => {
      if (reason !== undefined) this.#options.reader.onState({ kind: 'waiting', reason })
      else this.#options.reader.onState({ kind: 'reading', ...(note !== undefined && { note }) })
    })
  }

  /** No fetch was possible up to now, for a reason of our own. */
  excuse(now: number): void {
    for (const partition of this.partitions.values()) if (partition.answeredAt > 0) partition.answeredAt = now
  }

  /** Resolves when every batch has been taken. */
  async settled(): Promise<void> {
    await Promise.all(this.#taking)
  }

  #waitsFor(now: number): string | undefined {
    const trouble = this.#trouble
    if (trouble && (trouble.isCertain || now - trouble.since >= TROUBLE_MS)) return trouble.reason
    if (this.partitions.size === 0) return this.lastFailure ?? 'The reader has not reached Kafka yet'
    for (const { partition, trouble, isHeld } of this.partitions.values()) {
      if (trouble !== undefined) return `${trouble} (partition ${partition})`
      if (isHeld) return `What partition ${partition} holds is being checked`
    }
    if (now < this.throttledUntil) return undefined
    // A partition is not fetched while its records are being taken, which is no stall of the broker.
    const fetched = [...this.partitions.values()].filter(({ delivering }) => delivering === undefined)
    if (fetched.length === 0) return undefined
    const oldest = fetched.reduce((a, b) => (b.answeredAt < a.answeredAt ? b : a))
    if (now - oldest.answeredAt <= STALL_MS) return undefined
    if (oldest.answeredAt === 0 && !this.#isKnown) return this.lastFailure ?? 'The reader has not reached Kafka yet'
    if (oldest.leader < 0) return `Partition ${oldest.partition} has no leader`
    if (oldest.answeredAt === 0) return this.lastFailure ?? 'The reader has not reached Kafka yet'
    const why = this.lastFailure === undefined ? '' : `: ${this.lastFailure}`
    return `Kafka has answered no fetch for more than ${STALL_MS / 1_000} s (partition ${oldest.partition})${why}`
  }

  #mark(reason: string, now: number, isCertain: boolean): void {
    for (const partition of this.partitions.values()) this.doubt(partition)
    this.#trouble = { reason, isCertain, since: this.#trouble?.since ?? now }
  }

  #discover(partition: number, now: number): LivePartition {
    const found = new LivePartition(this, partition, 0)
    // Beside others that are being read, a new one has as long as they to answer: its leader may not know of it yet.
    if (this.partitions.values().some(({ answeredAt }) => answeredAt > 0)) found.answeredAt = now
    this.partitions.set(partition, found)
    const before = this.#missing.get(partition)
    this.#missing.delete(partition)
    if (before !== undefined && before > 0) {
      found.offset = before
      this.passGap(found, { to: 0, reason: 'truncation' })
    }
    // The feed learns of it at once, so that cursors name it before its first record.
    void this.#handOver({ topic: this.name, partition, records: [], nextOffset: 0, endOffset: 0 })
    return found
  }

  #dropMissing(present: readonly PartitionMetadata[]): void {
    const named = new Set(present.map(({ partition }) => partition))
    for (const { partition, offset } of this.partitions.values()) {
      if (named.has(partition)) continue
      this.#missing.set(partition, offset)
      this.partitions.delete(partition)
    }
  }

  #lead(partition: LivePartition, { leader, leaderEpoch }: PartitionMetadata, isRecreated: boolean): void {
    // An answer from before an election, of a broker that is behind.
    if (!isRecreated && this.#id !== undefined && leaderEpoch >= 0 && leaderEpoch < partition.leaderEpoch) return
    const isElected = leaderEpoch !== partition.leaderEpoch && partition.leaderEpoch >= 0
    if (isElected && partition.readEpoch >= 0) partition.needsEpochCheck = true
    if (leader !== partition.leader) {
      partition.retryAt = 0
      partition.failures = 0
    }
    partition.leader = leader
    partition.leaderEpoch = leaderEpoch
  }

  #settleDoubt(partition: LivePartition): void {
    if (this.#id === undefined) this.#options.compare(partition)
    else partition.isDoubted = false
  }

  #handOver(batch: Batch): Promise<void> | undefined {
    // An exception of the reader does not cause a retry of the batch: it would throw again.
    const failed = (error: unknown) => this.#options.reader.onFault?.(error, batch)
    try {
      return this.#options.reader.onBatch(batch)?.catch(failed)
    } catch (error) {
      failed(error)
      return undefined
    }
  }

  #contain(act: () => void): void {
    try {
      act()
    } catch (error) {
      this.#options.reader.onFault?.(error, { topic: this.name })
    }
  }
}

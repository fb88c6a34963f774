import { frame, NO_CURSOR } from '../../protocol/framing.ts'
import { covers } from '../../streams/cursor/vector.ts'
import { BEYOND_END_MS, Position } from '../../streams/feed/position.ts'
import type { Capture } from '../../streams/table/capture.ts'
import { READY, RESET, type TableItem } from '../../streams/table/item.ts'
import { isOfAnotherLog, Judge } from '../../streams/table/judge.ts'
import type { Table } from '../../streams/table/table.ts'
import { cursorBytes } from '../frames/frame-log.ts'
import { OwnFrames } from '../frames/own-frames.ts'
import type { MemberReplay, ReplayGroup, ReplayHost } from '../replay/replay-host.ts'
import { ReplayPace } from '../replay/replay-pace.ts'
import { AwaitedResult } from './awaited-result.ts'
import type { TableHistory } from './table-history.ts'
import { isUnseen, writeRows } from './write-rows.ts'

/** Changed rows looked at in one step: less than a millisecond. */
const MAX_LOOKED = 2048
/** Changed rows rendered in one step: some milliseconds, if they are not compiled. */
const MAX_RENDERED = 256
export interface TableReplayOptions {
  readonly table: Table
  readonly history: TableHistory
  /** Undefined: the client has nothing yet, or what it has is void. */
  readonly position: Position | undefined
  /** The cursor that the client has. */
  readonly cursor: string | undefined
  readonly hasMarker: boolean
}

/** What it does next. */
type Phase =
  /** Is the position one of this table, and young enough? */
  | { readonly kind: 'judging'; readonly judge: Judge }
  /** Writes the rows of a capture. */
  | { readonly kind: 'rows'; readonly capture: Capture; place: number; seq: number }
  /**
   * Writes the latest of each row that has changed, from `seq` on. `position` undefined: the capture that it was in was
   * one too many. The rest of its rows comes in the order of changes as well, and `READY` after all of them.
   */
  | { readonly kind: 'changes'; readonly position: Position | undefined; seq: number }

/**
 * A member's way to the head of a table: all rows at one moment, unless it knows them, and then the latest of each that
 * has changed since. It keeps a position, no rows, and goes on a piece at a time, as its outlet takes it.
 */
export class TableReplay implements MemberReplay {
  readonly #host: ReplayHost
  readonly #table: Table
  readonly #history: TableHistory
  readonly #hasMarker: boolean
  readonly #pace: ReplayPace
  /** The client has a cursor: it is told that it means nothing any more before its rows are. */
  #hasCursor: boolean
  #phase: Phase | undefined
  /** Number of the table's load that the rows are of. */
  #loads: number
  /** Some of the changes have been told, and not all. */
  #isBetween = false
  readonly #awaited = new AwaitedResult()
  #isAwaiting = false
  #isChecking = false
  #began = performance.now()

  constructor(host: ReplayHost, { table, history, position, cursor, hasMarker }: TableReplayOptions) {
    this.#host = host
    this.#table = table
    this.#history = history
    this.#hasMarker = hasMarker
    this.#hasCursor = cursor !== undefined
    this.#phase = position && { kind: 'judging', judge: new Judge(table, position, cursor) }
    this.#loads = table.loads
    this.#pace = new ReplayPace(host.group.shared.maxReplayRate, host.share)
  }

  get share(): ReplayHost['share'] {
    return this.#host.share
  }

  /** The position that a heartbeat may name; undefined: none, unless the client has all rows of one moment. */
  get cursor(): string | undefined {
    const position = this.#phase?.kind === 'changes' ? this.#phase.position : undefined
    return !position || this.#isBetween || position.isStale || position.isUnchecked || this.#isVoid
      ? undefined
      : position.cursor
  }

  step(): boolean {
    if (this.#isAwaiting) return false
    // It may be asked again after it has come to its end.
    if (!this.#host.takes(this)) {
      this.end()
      return false
    }
    // It is asked again once the table has been loaded.
    if (this.#table.state.kind !== 'ready' || this.#isTooFast()) return false
    if (this.#began !== 0) {
      this.#group.shared.stats.replayWaitMs += performance.now() - this.#began
      this.#began = 0
    }
    const phase = this.#phase
    if (!phase || this.#isVoid) return this.#stepReset()
    switch (phase.kind) {
      case 'judging':
        return this.#stepJudging(phase.judge)
      case 'rows':
        return this.#stepRows(phase)
      case 'changes':
        return phase.position && isOfAnotherLog(phase.position) ? this.#again() : this.#stepChanges(phase)
    }
  }

  /** Its client is not reading on now: it keeps its place in the capture. */
  end(): void {
    if (this.#host.isClosed) this.#leaveCapture()
  }

  failed(error: unknown): void {
    this.#host.failed(error)
  }

  /** Finds out whether the log ends before the position, once it has followed the group for long enough. */
  check(since: number, now: number): void {
    const position = this.#phase?.kind === 'changes' ? this.#phase.position : undefined
    if (!position || this.#isChecking || now - since < BEYOND_END_MS) return
    this.#isChecking = true
    void this.#table.feed
      .ranges()
      .then((ranges) => {
        if (!this.#host.takes(this) || position.passEnds(ranges).length === 0) return
        this.#again()
        this.#host.schedule()
      })
      // The log cannot be reached: it is asked again at the next check.
      .catch(() => {})
      .finally(() => {
        this.#isChecking = false
      })
  }

  get #group(): ReplayGroup {
    return this.#host.group
  }

  get #isVoid(): boolean {
    return this.#loads !== this.#table.loads
  }

  /** The client begins again. */
  #again(): true {
    this.#leaveCapture()
    this.#phase = undefined
    return true
  }

  #leaveCapture(): void {
    if (this.#phase?.kind !== 'rows') return
    this.#table.leave(this.#phase.capture)
    this.#phase = undefined
  }

  #stepReset(): boolean {
    const json = this.#rendered(RESET)
    if (!json) return false
    this.#leaveCapture()
    this.#loads = this.#table.loads
    const { framing } = this.#host
    const reset = frame(framing.results, NO_CURSOR, json)
    const nowhere = this.#hasCursor ? framing.moved(this.#table.feed.cursorAt([])) : NO_CURSOR
    this.#hasCursor = false
    const capture = this.#table.capture()
    this.#phase = { kind: 'rows', capture, place: 0, seq: 0 }
    return this.#write(Buffer.concat([nowhere, reset]), 1)
  }

  #stepJudging(judge: Judge): boolean {
    const found = judge.judge(() => !this.#host.isClosed)
    if (found instanceof Promise) return this.#await(found)
    if (found === 'void' || !this.#history.isKnownSince(judge.position.vector, this.#table.store)) return this.#again()
    this.#phase = { kind: 'changes', position: judge.position, seq: 0 }
    return true
  }

  #stepRows(phase: Phase & { kind: 'rows' }): boolean {
    const { capture } = phase
    if (capture.isRevoked) {
      this.#leaveCapture()
      this.#phase = { kind: 'changes', position: undefined, seq: phase.seq }
      return true
    }
    if (phase.place === capture.rows.length) return this.#stepReady(capture.cursor, () => this.#rowsTold(capture))
    const write = this.#write.bind(this)
    const { place, hasRoom, pending } = writeRows(this.#host, this.#history, capture, phase.place, write)
    phase.place = place
    phase.seq = capture.rows[place]?.seq ?? capture.seq
    return pending === undefined ? hasRoom : this.#await(pending)
  }

  #rowsTold(capture: Capture): void {
    this.#leaveCapture()
    const position = new Position(this.#table.feed, capture.vector)
    this.#phase = { kind: 'changes', position, seq: capture.seq }
  }

  /** Tells that all rows have been told: the position is after what they say. */
  #stepReady(cursor: string, then: () => void): boolean {
    const json = this.#rendered(READY)
    if (!json) return false
    this.#hasCursor = true
    then()
    return this.#write(frame(this.#host.framing.results, cursorBytes(cursor), json), 1)
  }

  /**
   * Only the last result of all has a position: between the changes, the rows are those of no moment. Who comes back
   * from there gets the changes again.
   */
  #stepChanges(phase: Phase & { kind: 'changes' }): boolean {
    const { position } = phase
    const { feed, store } = this.#table
    const frames = new OwnFrames(this.#host.framing.results, this.#group.shared.pieceBytes)
    let last: Buffer | undefined
    let looked = 0
    let isDone = true
    store.visitFrom(phase.seq, (row) => {
      isDone = false
      if (looked++ === MAX_LOOKED || frames.count === MAX_RENDERED || frames.isEnough) return false
      if (!position || isUnseen(position, row)) {
        const json = this.#settled(row, () => this.#history.changed(row, position?.vector))
        if (json === undefined) return false
        if (json !== null && last) frames.add('', last)
        last = json ?? last
      }
      phase.seq = row.seq + 1
      isDone = true
      return true
    })
    this.#isBetween = !isDone
    if (isDone) {
      phase.seq = store.nextSeq
      position?.raise(feed.head, position.seq)
    }
    if (last) frames.add(isDone && position ? this.#cursorAt(position) : '', last)
    const more = this.#write(frames.bytes, frames.count)
    if (!isDone || !more) return more && !this.#isAwaiting
    if (position) return this.#arrive(position, phase.seq)
    return this.#stepReady(feed.cursor, () => {
      this.#phase = { kind: 'changes', position: new Position(feed, feed.head), seq: store.nextSeq }
    })
  }

  /** That of the feed has the fingerprint of an event. */
  #cursorAt(position: Position): string {
    const { head, cursor } = this.#table.feed
    return covers(head, position.vector) ? cursor : position.cursor
  }

  /** A group that is behind, since it awaits a row, is behind at no moment's rows: it is waited for. */
  #arrive(position: Position, seq: number): false {
    const { settled } = this.#group
    if (settled.seq === seq && covers(settled.vector, position.vector)) this.#host.arrive(this.#hasMarker)
    else this.#host.follow()
    return false
  }

  #rendered(item: TableItem): Buffer | undefined {
    return this.#settled<Buffer>(item, () => this.#history.mark(item))
  }

  /** Undefined: it is awaited. */
  #settled<T extends Buffer | null>(of: object, render: () => T | Promise<Buffer>): T | Buffer | undefined {
    const json = this.#awaited.of(of, render)
    if (!(json instanceof Promise)) return json
    this.#await(json)
    return undefined
  }

  #await(pending: Promise<void>): false {
    this.#isAwaiting = true
    const goOn = (): void => {
      this.#isAwaiting = false
      if (!this.#host.isClosed) this.#host.schedule()
    }
    pending.then(goOn).catch((error: unknown) => this.failed(error))
    return false
  }

  #write(bytes: Buffer | undefined, frames: number, isShared = false): boolean {
    this.#pace.wrote(frames)
    this.#group.shared.stats.replayedEvents += frames
    return !bytes || this.#host.writeReplayed(bytes, frames, isShared)
  }

  #isTooFast(): boolean {
    const { restMs } = this.#pace
    if (restMs === 0) return false
    void this.#await(new Promise((resolve) => setTimeout(resolve, restMs).unref()))
    return true
  }
}

import { decodeCursor } from '../../streams/cursor/cursor.ts'
import type { Feed } from '../../streams/feed/feed.ts'
import { Position } from '../../streams/feed/position.ts'
import type { Settled } from '../../streams/feed/settled.ts'
import type { Restarts } from '../../streams/feed/window.ts'
import type { FrameLog } from '../frames/frame-log.ts'
import type { BoundStream } from '../operation/operation.ts'
import { Execution } from '../render/execution.ts'
import type { OnFailed, OnJson } from '../render/outcome.ts'
import type { Renderer } from '../render/renderer.ts'
import { CatchUp, type CatchUpGroup, catchUpGroup } from './catch-up.ts'
import type { Beginning, Flow } from './flow.ts'
import { History } from './history.ts'
import { Replay } from './replay.ts'
import type { MemberReplay, ReplayHost } from './replay-host.ts'
import type { Shared } from './shared.ts'

export interface FlowOptions {
  readonly feed: Feed
  readonly stream: BoundStream
  readonly renderer: Renderer
  readonly log: FrameLog
  readonly shared: Shared
  /** Key of the rendered results. */
  readonly key: string
  readonly onJson: OnJson
  readonly onFailed: OnFailed
}

/** A stream's flow: every event that the group selects. */
export class StreamFlow implements Flow {
  readonly maxLagBytes = Number.POSITIVE_INFINITY
  readonly #feed: Feed
  readonly #execution: Execution
  readonly history: History
  /** With a throttle. */
  readonly #catchUps: CatchUpGroup | undefined

  /** @throws SluiceError `BAD_USER_INPUT` if the field's `where` has too many combinations. */
  constructor({ feed, stream, renderer, log, shared, key, onJson, onFailed }: FlowOptions) {
    this.#feed = feed
    const { throttles } = shared
    const execution = new Execution(feed, stream, renderer, onJson, onFailed, throttles)
    this.#execution = execution
    this.history = new History({ cache: shared.history, key, feed, execution, log })
    const { throttle } = execution
    const { history } = this
    if (throttle) this.#catchUps = catchUpGroup({ key, feed, history, execution, throttle, throttles })
  }

  get settled(): Settled {
    return this.#execution.settled
  }

  get read(): Settled {
    return this.#execution.read
  }

  get counts() {
    return this.#execution.counts
  }

  suspend(): void {
    this.#execution.suspend()
  }

  resume(): void {
    this.#execution.resume()
  }

  end(): void {
    this.#execution.end()
  }

  begin(host: ReplayHost, { position = this.#now, hasMarker }: Beginning): MemberReplay | undefined {
    return position && this.#replay(host, position, hasMarker)
  }

  goOn(host: ReplayHost, cursor: string, restarts: Restarts): MemberReplay {
    const position = Position.after(this.#feed, decodeCursor(this.#feed.topic.name, cursor), restarts)
    return this.#replay(host, position, false)
  }

  /**
   * Where a client begins that comes now. Undefined: at the group's position. A group that still resolves an event of a
   * log that was truncated since is at no position of this one.
   */
  get #now(): Position | undefined {
    return this.read.restarts === this.#feed.window.restarts ? undefined : Position.atHead(this.#feed)
  }

  #replay(host: ReplayHost, position: Position, hasMarker: boolean): Replay {
    const catchUp = this.#catchUps && new CatchUp(this.#catchUps, position)
    return new Replay(host, { history: this.history, position, hasMarker, catchUp })
  }
}

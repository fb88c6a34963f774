import { decodeCursor } from '../../streams/cursor/cursor.ts'
import type { Feed } from '../../streams/feed/feed.ts'
import { Position } from '../../streams/feed/position.ts'
import type { Restarts } from '../../streams/feed/window.ts'
import type { FrameLog } from '../frames/frame-log.ts'
import type { BoundStream } from '../operation/operation.ts'
import { Execution, type OnFailed, type OnJson, type Settled } from '../render/execution.ts'
import type { Renderer } from '../render/renderer.ts'
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

  /** @throws SluiceError `BAD_USER_INPUT` if the field's `where` has too many combinations. */
  constructor({ feed, stream, renderer, log, shared, key, onJson, onFailed }: FlowOptions) {
    this.#feed = feed
    this.#execution = new Execution(feed, stream, renderer, onJson, onFailed)
    this.history = new History({ cache: shared.history, key, feed, execution: this.#execution, log })
  }

  get settled(): Settled {
    return this.#execution.settled
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

  begin(host: ReplayHost, { position, hasMarker }: Beginning): MemberReplay | undefined {
    return position && new Replay(host, this.history, position, hasMarker)
  }

  goOn(host: ReplayHost, cursor: string, restarts: Restarts): MemberReplay {
    const position = Position.after(this.#feed, decodeCursor(this.#feed.topic.name, cursor), restarts)
    return new Replay(host, this.history, position, false)
  }
}

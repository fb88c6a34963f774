import { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { WRITE_STALL_MS } from '../delivery/outlet.ts'
import { MAX_RESULT_BYTES } from '../delivery/render/result-size.ts'
import { SluiceError } from '../errors/codes.ts'
import type { AnswerResponse } from './answer-body.ts'

/** Answers that clients have not read, and results that wait for streams: of all clients together. */
const ANSWER_BYTES = 64 * 1024 * 1024
/** What is no operation's answer gets room in this part only, so that it takes none of the rest from operations. */
const SPARE_PART = 1 / 2
/** Slower than this an answer is given up, `WRITE_STALL_MS` beside: a phone on a bad day gets more. */
const MIN_BYTES_PER_SECOND = 16 * 1024
const SWEEP_MS = 1_000
/** Where there is no room for others, an answer whose client has taken nothing for this long is given up sooner. */
const FULL_STALL_MS = 3_000
/** A client that is slow for a moment is not given up for so little, however much others hold. */
const SMALL_BYTES = 64 * 1024
/** What an operation's answer is expected to take, before it runs: a head, and a name and a value for each field. */
const ANSWER_HEAD_BYTES = 1_024
const FIELD_BYTES = 48

/** A part of the budget, until it is given back. */
export interface Share {
  release(): void
}

/** An answer of which a part has not left this process. */
interface Unsent {
  readonly socket: Socket
  bytes: number
  /** When its client has to have taken all of it, in milliseconds of the monotonic clock. */
  deadline: number
  /** What the kernel had not taken when it was looked at last, and since when that is so. */
  queued: number
  queuedSince: number
}

export interface AnswerStats {
  /** What was not answered because unread answers filled the budget: an operation was not executed. */
  refused: number
  /** Answers that were given up because their clients did not take them. */
  cut: number
}

/** What this process holds of answers and results until clients take it: one budget for all transports. */
export class AnswerBudget {
  readonly limit: number
  readonly stats: AnswerStats = { refused: 0, cut: 0 }
  readonly #unsent = new Map<ServerResponse, Unsent>()
  #used = 0
  #timer: NodeJS.Timeout | undefined

  constructor(limit = ANSWER_BYTES) {
    this.limit = limit
  }

  get used(): number {
    return this.#used
  }

  /**
   * Takes what the answer of an operation will need, while it is executed.
   * @param cost the fields that it has resolved at most.
   * @throws SluiceError `TOO_MANY_ANSWERS`
   */
  reserve(cost: number): Share {
    const bytes = Math.min(MAX_RESULT_BYTES, ANSWER_HEAD_BYTES + FIELD_BYTES * cost)
    if (this.#used + bytes > this.limit) this.#cutStalled(bytes)
    if (this.#used + bytes > this.limit) this.#refuse()
    return this.hold(bytes)
  }

  /**
   * Whether something of so many bytes may be written now that is no operation's answer; nobody's answer is cut for it.
   * @throws SluiceError `TOO_MANY_ANSWERS`
   */
  demandSpare(bytes: number): void {
    if (this.#used + bytes > this.limit * SPARE_PART) this.#refuse()
  }

  /** Takes what is there already, so that there may be less room than none. */
  hold(bytes: number): Share {
    this.#used += bytes
    let held = bytes
    return {
      release: () => {
        this.#used -= held
        held = 0
      },
    }
  }

  /** As `hold`; undefined, where there is no room for something large: it is to be given up instead. */
  holdIfRoom(bytes: number): Share | undefined {
    return bytes > SMALL_BYTES && this.#used + bytes > this.limit ? undefined : this.hold(bytes)
  }

  /** The class of a server's responses: each answer counts as long as a part of it has not left the process. */
  get Response(): typeof ServerResponse {
    const answers = this
    class Answer extends ServerResponse implements AnswerResponse {
      holdIfRoom(bytes: number): Share | undefined {
        return answers.holdIfRoom(bytes)
      }

      override write(...args: never[]): boolean {
        const hasRoom = Reflect.apply(super.write, this, args) as boolean
        answers.#watch(this)
        return hasRoom
      }

      override end(...args: never[]): this {
        Reflect.apply(super.end, this, args)
        answers.#watch(this)
        return this
      }
    }
    return Answer as typeof ServerResponse
  }

  close(): void {
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  #refuse(): never {
    this.stats.refused++
    throw new SluiceError('TOO_MANY_ANSWERS')
  }

  /** The kernel takes most answers at once, and then there is nothing to watch. */
  #watch(response: ServerResponse): void {
    const { socket } = response
    const bytes = socket?.writableLength ?? 0
    if (!socket || bytes === 0) return
    const now = performance.now()
    const deadline = now + WRITE_STALL_MS + (1_000 * bytes) / MIN_BYTES_PER_SECOND
    const known = this.#unsent.get(response)
    this.#used += bytes - (known?.bytes ?? 0)
    if (known) {
      Object.assign(known, { bytes, deadline })
      return
    }
    this.#unsent.set(response, { socket, bytes, deadline, queued: queuedIn(socket), queuedSince: now })
    response.once('close', () => this.#forget(response))
    this.#timer ??= setInterval(() => this.#sweep(), SWEEP_MS)
  }

  #forget(response: ServerResponse): void {
    const unsent = this.#unsent.get(response)
    if (!unsent) return
    this.#unsent.delete(response)
    this.#used -= unsent.bytes
    if (this.#unsent.size === 0) this.close()
  }

  #sweep(): void {
    const now = performance.now()
    for (const [response, unsent] of this.#unsent) {
      const queued = queuedIn(unsent.socket)
      if (queued !== unsent.queued) Object.assign(unsent, { queued, queuedSince: now })
      if (now > unsent.deadline || now > unsent.queuedSince + WRITE_STALL_MS) this.#cut(response, unsent)
    }
  }

  /** Makes room for so many bytes, if that can be had of clients that take nothing: the longest stalled first. */
  #cutStalled(bytes: number): void {
    const before = performance.now() - FULL_STALL_MS
    const stalled = [...this.#unsent].filter(
      ([, { socket, queued, queuedSince }]) => queuedSince < before && queuedIn(socket) === queued,
    )
    stalled.sort(([, one], [, other]) => one.queuedSince - other.queuedSince)
    for (const [response, unsent] of stalled) {
      if (this.#used + bytes <= this.limit) return
      this.#cut(response, unsent)
    }
  }

  #cut(response: ServerResponse, { socket }: Unsent): void {
    this.stats.cut++
    this.#forget(response)
    socket.destroy()
  }
}

/**
 * What the kernel has not taken of a write under way. `writableLength` tells only of whole writes; this is what Node's own
 * `socket.setTimeout` looks at.
 */
function queuedIn(socket: Socket): number {
  const { _handle: handle } = socket as { _handle?: { writeQueueSize?: number } }
  return handle?.writeQueueSize ?? socket.writableLength
}

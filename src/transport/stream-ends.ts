import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Control, Enforcer, KeyEnd } from '../admission/control/control.ts'
import type { Principal } from '../admission/principal.ts'
import type { Faults } from '../errors/faults.ts'
import type { SingleStream } from './single/stream.ts'
import type { StreamSocket } from './stream-socket.ts'

/** Time slice in each turn: live events are delayed by at most this, and 10,000 streams end within a second. */
const SLICE_MS = 5

export interface StreamEndsOptions {
  readonly control: Pick<Control, 'isRevoked' | 'isBlocked'>
  readonly sockets: Iterable<StreamSocket>
  readonly single: Iterable<SingleStream>
  readonly faults: Faults
}

/** One look at all streams. */
interface Round {
  readonly keys: Map<string, KeyEnd>
  readonly ended: Promise<number>
  readonly begin: () => void
}

/**
 * Ends streams that admission no longer lets go on: after a change all open and reserved ones are looked at, in time
 * slices. Changes during a round share the next one, whatever their number.
 */
export class StreamEnds implements Enforcer {
  readonly #options: StreamEndsOptions
  #running = false
  #next: Round | undefined

  constructor(options: StreamEndsOptions) {
    this.#options = options
  }

  enforce(keys: ReadonlyMap<string, KeyEnd>): Promise<number> {
    this.#next ??= this.#newRound()
    const round = this.#next
    for (const [id, reason] of keys) if (round.keys.get(id) !== 'revoked') round.keys.set(id, reason)
    if (!this.#running) this.#begin()
    return round.ended
  }

  #newRound(): Round {
    const { promise: begun, resolve: begin } = Promise.withResolvers<void>()
    const keys = new Map<string, KeyEnd>()
    return { keys, ended: begun.then(() => this.#run(keys)), begin }
  }

  #begin(): void {
    const round = this.#next
    this.#next = undefined
    this.#running = round !== undefined
    if (!round) return
    round.begin()
    void round.ended.finally(() => this.#begin())
  }

  /** Never rejects. */
  async #run(keys: ReadonlyMap<string, KeyEnd>): Promise<number> {
    let ended = 0
    let sliceEnd = performance.now() + SLICE_MS
    for (const look of this.#looks(keys)) {
      this.#options.faults.contain('stream', () => {
        ended += look()
      })
      if (performance.now() < sliceEnd) continue
      await nextTurn()
      sliceEnd = performance.now() + SLICE_MS
    }
    return ended
  }

  /** What is opened meanwhile was looked at as it was opened. */
  *#looks(keys: ReadonlyMap<string, KeyEnd>): Iterable<() => number> {
    const { sockets, single } = this.#options
    for (const stream of sockets) yield () => this.#look(stream, keys)
    for (const stream of single) yield () => this.#lookAtSingle(stream, keys)
  }

  /** Returns how many ended. */
  #look(stream: StreamSocket, keys: ReadonlyMap<string, KeyEnd>): number {
    const { identity, operation } = stream.owner
    // The socket of a stream of several operations: see below.
    if (!operation) return 0
    const reason = this.#endOf(identity.principal, keys) ?? (this.#options.control.isBlocked(operation) && 'blocked')
    if (!reason || stream.closeReason) return 0
    stream.leave(reason)
    return 1
  }

  /** It ends with any of the credentials that it goes on by; and a blocked operation by itself. */
  #lookAtSingle(stream: SingleStream, keys: ReadonlyMap<string, KeyEnd>): number {
    for (const principal of principalsOf(stream)) {
      const reason = this.#endOf(principal, keys)
      if (!reason) continue
      stream.end(reason)
      return 1
    }
    let ended = 0
    for (const operation of stream.operations) {
      if (!operation.owner.operation || !this.#options.control.isBlocked(operation.owner.operation)) continue
      operation.dismiss('blocked')
      ended++
    }
    return ended
  }

  #endOf(principal: Principal, keys: ReadonlyMap<string, KeyEnd>): KeyEnd | undefined {
    if (this.#options.control.isRevoked(principal)) return 'revoked'
    return principal.kind === 'key' ? keys.get(principal.id) : undefined
  }
}

/** The credentials that a stream was reserved with, that it goes on by, and that its operations were started with. */
function principalsOf({ owner, sessions, operations }: SingleStream): ReadonlySet<Principal> {
  const principals = new Set([owner.identity.principal, ...sessions])
  for (const operation of operations) principals.add(operation.owner.identity.principal)
  return principals
}

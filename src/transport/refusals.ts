import type { Control } from '../admission/control/control.ts'
import type { StreamOwner } from '../admission/stream-owner.ts'
import { SluiceError } from '../errors/codes.ts'
import type { Readiness } from '../streams/streams.ts'
import type { Topic } from '../streams/topic/topic.ts'
import type { StreamSockets } from './stream-sockets.ts'

export interface RefusalsOptions {
  readonly sockets: StreamSockets
  readonly readiness: () => Readiness
  readonly readinessOf: (topic: Topic) => Readiness
  readonly control: Pick<Control, 'demandStanding'>
  /** Whether the gateway is shutting down. */
  readonly isLeaving: () => boolean
}

/** Conditions under which new subscriptions and streams are refused, for every transport. */
export class Refusals {
  readonly #options: RefusalsOptions

  constructor(options: RefusalsOptions) {
    this.#options = options
  }

  /** @throws SluiceError `NOT_READY`: no subscription can start, not even on an open stream. */
  demandOpen(): void {
    if (this.#options.sockets.isDraining) throw shuttingDown()
  }

  /**
   * To be called in the turn in which something begins to run that can be ended: a change after it finds it.
   * @throws SluiceError `REVOKED`, `OPERATION_BLOCKED`: so it was decided since the request was admitted.
   */
  demandStanding(owner: StreamOwner): void {
    this.#options.control.demandStanding(owner)
  }

  /** @throws SluiceError `NOT_READY`, with the topic's name: no subscription to it can start. */
  demandTopic(topic: Topic): void {
    demand(this.#options.readinessOf(topic))
  }

  /** @throws SluiceError `NOT_READY`, `TOO_MANY_STREAMS`, `RATE_LIMITED`: no stream can be opened. */
  demandStream(owner: StreamOwner): void {
    this.demandOpen()
    this.#options.sockets.demandRoom(owner)
  }

  /**
   * For a stream whose operations are not known yet.
   * @throws SluiceError as `demandStream`; `NOT_READY` also while any required topic cannot be read.
   */
  demandSingleStream(owner: StreamOwner): void {
    this.demandStream(owner)
    demand(this.#options.readiness())
  }

  /**
   * @throws SluiceError as `demandSingleStream`; also during a shutdown, in which a reserved stream would end before it
   * is opened.
   */
  demandReservation(owner: StreamOwner): void {
    if (this.#options.isLeaving()) throw shuttingDown()
    this.demandSingleStream(owner)
  }
}

function demand(state: Readiness): void {
  if (!state.ready) throw new SluiceError('NOT_READY', `The gateway is not ready: ${state.reason}`)
}

function shuttingDown(): SluiceError {
  return new SluiceError('NOT_READY', 'The gateway is shutting down')
}

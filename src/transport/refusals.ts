import { SluiceError } from '../errors/codes.ts'
import type { Readiness } from '../streams/streams.ts'
import type { StreamSockets } from './stream-sockets.ts'

export interface RefusalsOptions {
  readonly sockets: StreamSockets
  readonly readiness: () => Readiness
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
  demandReady(): void {
    const { sockets, readiness } = this.#options
    if (sockets.isDraining) throw shuttingDown()
    const state = readiness()
    if (!state.ready) throw new SluiceError('NOT_READY', `The gateway is not ready: ${state.reason}`)
  }

  /** @throws SluiceError `NOT_READY`, `TOO_MANY_STREAMS`: no stream can be opened. */
  demandStream(): void {
    this.demandReady()
    this.#options.sockets.demandRoom()
  }

  /**
   * @throws SluiceError as `demandStream`; also during a shutdown, in which a reserved stream would end before it is
   * opened.
   */
  demandReservation(): void {
    if (this.#options.isLeaving()) throw shuttingDown()
    this.demandStream()
  }
}

function shuttingDown(): SluiceError {
  return new SluiceError('NOT_READY', 'The gateway is shutting down')
}

import type { ServerResponse } from 'node:http'
import type { GraphQLFormattedError } from 'graphql'
import type { AdmissionResult, Admitted } from '../../admission/admission.ts'
import { demandShortName, MAX_NAME_CHARS } from '../../admission/document-shape.ts'
import type { Limits } from '../../admission/limits/limits.ts'
import type { OpenStream } from '../../admission/open-stream.ts'
import type { GraphQLParams } from '../../admission/params.ts'
import type { Identity } from '../../admission/principal.ts'
import type { StreamOwner } from '../../admission/stream-owner.ts'
import type { CloseReason } from '../../delivery/outlet.ts'
import { isOfClient, SluiceError } from '../../errors/codes.ts'
import type { Faults } from '../../errors/faults.ts'
import { formatError } from '../../errors/format.ts'
import type { ErrorSink } from '../../errors/resolver-errors.ts'
import { jsonLine } from '../../protocol/json-line.ts'
import { OperationFraming } from '../../protocol/single-connection.ts'
import { answerAccepted, answerNotAccepted, answerOk, answerToken, tellRefused } from '../answer.ts'
import type { AnswerBudget } from '../answer-budget.ts'
import type { Expiries } from '../expiries.ts'
import { isGivenUp, onGivenUp } from '../given-up.ts'
import type { Executed, Operations } from '../operations.ts'
import type { Refusals } from '../refusals.ts'
import type { StreamSocket } from '../stream-socket.ts'
import type { StreamSockets } from '../stream-sockets.ts'
import type { SingleOperation } from './operation.ts'
import { OperationLoad } from './operation-load.ts'
import { SingleStream } from './stream.ts'
import { newStreamToken } from './token.ts'

/** Limit of reserved streams. Clients open theirs within a second or so: more would be an overload. */
const MAX_RESERVATIONS = 5_000

export interface SingleConnectionsOptions {
  /** The instance's name, part of its tokens. */
  readonly instance: string
  readonly operations: Operations
  readonly sockets: StreamSockets
  readonly heartbeatMs: number
  readonly answers: AnswerBudget
  readonly faults: Faults
  readonly refusals: Refusals
  readonly limits: Limits
  readonly expiries: Expiries
  /** A subscription has started on a stream. */
  readonly onStarted?: (owner: StreamOwner) => void
  /** It has ended. */
  readonly onEnded?: (operation: OpenStream, reason: CloseReason) => void
}

/**
 * GraphQL over SSE in single connection mode: a client reserves a stream, opens it, and runs any number of operations
 * on it. Each operation is started and stopped by its own request.
 */
export class SingleConnections {
  readonly #options: SingleConnectionsOptions
  /**
   * Streams by token. The lookup hashes the whole token with a seed for each process: its timing reveals nothing about
   * the tokens in the map.
   */
  readonly #streams = new Map<string, SingleStream>()
  readonly #load = new OperationLoad()
  #reserved = 0

  constructor(options: SingleConnectionsOptions) {
    this.#options = options
  }

  /** Number of reserved streams. */
  get reserved(): number {
    return this.#reserved
  }

  get open(): number {
    return this.#streams.size - this.#reserved
  }

  /** The streams, reserved and open. */
  [Symbol.iterator](): Iterator<SingleStream> {
    return this.#streams.values()
  }

  /** Answers with the token of a new stream. @throws SluiceError where none can be reserved now. */
  reserve(response: ServerResponse, owner: StreamOwner): void {
    const { instance, heartbeatMs, answers, faults, refusals, limits, onEnded = () => {} } = this.#options
    refusals.demandReservation(owner)
    refusals.demandStanding(owner)
    if (this.#reserved >= MAX_RESERVATIONS) {
      throw new SluiceError('TOO_MANY_STREAMS', 'Too many streams are reserved and not open')
    }
    const unreserve = limits.takeReservation(owner)
    const stream = new SingleStream({
      token: newStreamToken(instance),
      owner,
      heartbeatMs,
      answers,
      faults,
      load: this.#load,
      onGone: (gone) => {
        this.#streams.delete(gone.token)
        if (!gone.isOpen) this.#unreserve(unreserve)
      },
      onOpen: () => this.#unreserve(unreserve),
      onEnded: (operation) => {
        if (operation.hasStarted) onEnded(operation, operation.closeReason ?? 'complete')
      },
      takeOperation: () => limits.takeOperation(owner),
    })
    stream.connections.saw(response.socket)
    this.#streams.set(stream.token, stream)
    this.#reserved++
    answerToken(response, stream.token)
  }

  /**
   * The stream of a request. Newer credentials of its principal prolong it.
   * @throws SluiceError `STREAM_NOT_FOUND` if there is none, or it has another principal: the error does not tell
   * which.
   */
  find(token: string, identity: Identity): SingleStream {
    const stream = this.#streams.get(token)
    const { id, kind } = identity.principal
    const owner = stream?.owner.identity.principal
    // A token and an API key may have the same id, and be different principals.
    if (!stream || owner?.id !== id || owner.kind !== kind) throw new SluiceError('STREAM_NOT_FOUND')
    if (identity !== stream.owner.identity && stream.sessions.renew(identity)) this.#expireInTime(stream)
    return stream
  }

  /** Answers with the stream. @throws SluiceError if it is open already, or cannot be opened now. */
  openStream(response: ServerResponse, stream: SingleStream): void {
    const { sockets, refusals } = this.#options
    stream.demandUnopened()
    stream.connections.saw(response.socket)
    refusals.demandSingleStream(stream.owner)
    // Not called if the client has disconnected: it may open the stream again.
    const begin = (socket: StreamSocket): void => {
      stream.open(socket)
      this.#expireInTime(stream)
    }
    sockets.open(response, stream.owner, begin, { transport: 'single' })
  }

  /**
   * Admits an operation, and runs it on a stream. Its client may stop it meanwhile: by a request of its own, or by giving
   * up this one before it is answered.
   * @throws SluiceError where it cannot be started now; what `admit` throws.
   */
  async run(
    response: ServerResponse,
    stream: SingleStream,
    params: GraphQLParams,
    admit: () => Promise<AdmissionResult>,
    errors: ErrorSink,
  ): Promise<void> {
    // A value of another kind is refused below; as text, one that is nested deeply would overflow the stack.
    const given = params.extensions?.operationId
    const id = typeof given === 'string' ? given : ''
    stream.connections.saw(response.socket)
    let operation: SingleOperation | undefined
    stream.recent.arrived(id)
    try {
      const result = await admit()
      if ('errors' in result) return answerNotAccepted(response, result.errors)
      if (await isGivenUp(response)) return
      operation = this.#begin(response, stream, result.admitted)
      if (operation.isRunning) await this.#start(response, operation, result.admitted, errors)
    } finally {
      if (!operation && isOperationId(id) && !stream.hasOperation(id)) stream.recent.ended(id)
    }
  }

  /** @throws SluiceError where there is no room. */
  #begin(response: ServerResponse, stream: SingleStream, admitted: Admitted): SingleOperation {
    const id = operationIdOf(admitted.params)
    const operation = stream.begin(id, admitted.owner)
    if (admitted.identity !== stream.owner.identity) this.#expireInTime(stream)
    if (stream.recent.isStopped(id)) {
      answerAccepted(response)
      operation.complete()
      return operation
    }
    // Told of the end where it could be mistaken.
    onGivenUp(
      response,
      stream.connections.areKept,
      () => operation.drop(),
      () => operation.abandon(),
    )
    return operation
  }

  async #start(
    response: ServerResponse,
    operation: SingleOperation,
    admitted: Admitted,
    errors: ErrorSink,
  ): Promise<void> {
    const { operations, refusals } = this.#options
    try {
      // Admission may have taken a while; from here on it is found by what ends operations.
      refusals.demandStanding(admitted.owner)
      if (admitted.operation.operation !== 'subscription') {
        this.#finish(response, operation, await operations.execute(admitted, errors))
        return
      }
      const outcome = await operations.prepare(admitted, errors)
      if ('errors' in outcome) {
        if (outcome.ofSource) this.#fail(response, operation, outcome.errors)
        else this.#refuse(response, operation, outcome.errors)
        return
      }
      using prepared = outcome.prepared
      // It may have been stopped during the preparation.
      if (operation.isRunning) {
        operation.hasStarted = true
        prepared.start(operation, new OperationFraming(operation.id, outcome.hasCursors))
        this.#options.onStarted?.(admitted.owner)
      }
      answerAccepted(response)
    } catch (error) {
      if (isOfClient(error)) {
        operation.drop()
        throw error
      }
      const formatted = [formatError(error, errors)]
      if (isOfOperation(error)) this.#refuse(response, operation, formatted)
      else this.#fail(response, operation, formatted)
    }
  }

  /** Stops an operation of a stream. @throws SluiceError `BAD_REQUEST` for a request without its id. */
  stop(response: ServerResponse, stream: SingleStream, operationId: string | null): void {
    if (!operationId) throw new SluiceError('BAD_REQUEST', 'The parameter "operationId" is missing')
    if (isOperationId(operationId)) stream.stop(operationId)
    answerOk(response)
  }

  /** Drops the reservations. Open streams end with all others. */
  close(): void {
    for (const stream of this.#streams.values()) if (!stream.isOpen) stream.end('shutdown')
  }

  #unreserve(release: () => void): void {
    this.#reserved--
    release()
  }

  /** A reservation is short, and cannot be opened with credentials that have expired. */
  #expireInTime({ outlet, sessions }: SingleStream): void {
    if (outlet) this.#options.expiries.set(outlet, sessions.expiresAt)
  }

  #finish(response: ServerResponse, operation: SingleOperation, { json, errors }: Executed): void {
    if (errors) {
      this.#refuse(response, operation, errors)
      return
    }
    answerAccepted(response)
    operation.finish(json, new OperationFraming(operation.id, false))
  }

  /** The request is at fault: its answer says so. */
  #refuse(response: ServerResponse, operation: SingleOperation, errors: readonly GraphQLFormattedError[]): void {
    operation.drop()
    answerNotAccepted(response, errors)
  }

  /**
   * A valid operation failed to start: its result says so, on the stream. The protocol's client takes a status for an
   * outage, and opens another stream.
   */
  #fail(response: ServerResponse, operation: SingleOperation, errors: readonly GraphQLFormattedError[]): void {
    tellRefused(response, errors)
    answerAccepted(response)
    operation.finish(jsonLine({ errors }), new OperationFraming(operation.id, false))
  }
}

/** Whether it refuses the operation as such, or its arguments; otherwise something has failed. */
function isOfOperation(error: unknown): boolean {
  return error instanceof SluiceError && error.status < 500
}

/** @throws SluiceError `BAD_REQUEST`, or `NAME_TOO_LONG`: operation ids are UUIDs or numbers, in practice. */
function operationIdOf({ extensions }: GraphQLParams): string {
  const id = extensions?.operationId
  if (typeof id !== 'string' || id === '') {
    throw new SluiceError('BAD_REQUEST', '"extensions.operationId" must be a string that is not empty')
  }
  demandShortName(id, '"extensions.operationId"')
  return id
}

/** What no operation can have is not remembered. */
function isOperationId(id: string): boolean {
  return id.length <= MAX_NAME_CHARS
}

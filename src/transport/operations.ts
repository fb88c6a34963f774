import { executeRootSelectionSet, type GraphQLFormattedError, type GraphQLSchema, validateExecutionArgs } from 'graphql'
import type { Logger } from 'pino'
import type { Admitted } from '../admission/admission.ts'
import type { AdmittedDocument } from '../admission/document-cache.ts'
import type { Limits } from '../admission/limits/limits.ts'
import type { GraphQLParams } from '../admission/params.ts'
import type { StreamOwner } from '../admission/stream-owner.ts'
import type { ResolverTimes } from '../delivery/counts/resolver-times.ts'
import type { Engine, Start } from '../delivery/engine.ts'
import type { BoundStream, Operation } from '../delivery/operation/operation.ts'
import type { CloseReason } from '../delivery/outlet.ts'
import { type Prepared, prepared } from '../delivery/prepared.ts'
import { endSource, openSource, PullSubscriber } from '../delivery/pull.ts'
import { errorJson, executedJson } from '../delivery/render/result-json.ts'
import { isOfClient, SluiceError } from '../errors/codes.ts'
import { formatError } from '../errors/format.ts'
import type { ErrorSink } from '../errors/resolver-errors.ts'
import { ANONYMOUS, type Audience, type Context } from '../schema/context.ts'
import { publishedBy } from '../schema/publish-field.ts'
import { demandWithinBounds } from '../schema/rights/bound-events.ts'
import { streamsFor } from '../schema/rights/bound-streams.ts'
import { type ArgumentStart, floorFor, positionAt } from '../schema/start-position.ts'
import type { StreamEvent } from '../streams/event.ts'
import type { Publisher } from '../streams/publish/publisher.ts'
import type { Streams } from '../streams/streams.ts'
import type { AnswerBudget } from './answer-budget.ts'
import type { Refusals } from './refusals.ts'

export interface OperationsOptions {
  readonly schema: GraphQLSchema
  readonly engine: Engine
  readonly streams: Pick<Streams, 'feed' | 'table' | 'feeds'>
  readonly heartbeatMs: number
  readonly log: Logger
  readonly answers: AnswerBudget
  readonly refusals: Refusals
  readonly limits: Limits
  /** The audience of clients without credentials; that without any claims, if absent. */
  readonly anonymous?: Audience
  readonly publisher: Publisher
  /** Absent: resolvers are not measured. */
  readonly times?: ResolverTimes
  /** Is told of every event that a client has published. */
  readonly onPublished?: ((owner: StreamOwner, topic: string) => void) | undefined
  /** False: errors suggest no names of the schema. */
  readonly introspection?: boolean
}

/** Outcome of a query or a mutation. */
export type Executed =
  /** Refused before its execution. */
  | { readonly errors: readonly GraphQLFormattedError[]; readonly json?: undefined }
  /** Its result: the same JSON for every transport. */
  | { readonly json: string; readonly errors?: undefined }

/** Outcome of the preparation of a subscription. */
export type PreparedOperation =
  /** `ofSource`: it is valid, and its hand-written `subscribe` has failed. */
  | { readonly errors: readonly GraphQLFormattedError[]; readonly ofSource?: boolean }
  /** `hasCursors`: send the position in each result's `extensions`. */
  | { readonly prepared: Prepared; readonly hasCursors: boolean }

/** Runs admitted operations of every transport. Each client of a subscription is an outlet. */
export class Operations {
  readonly #options: OperationsOptions
  /** Streams of fields with a hand-written `subscribe`. */
  readonly #pulling = new Set<PullSubscriber>()

  constructor(options: OperationsOptions) {
    this.#options = options
  }

  get pulling(): number {
    return this.#pulling.size
  }

  /**
   * Executes a query or a mutation, for every transport.
   * @param errors receives masked errors, for the request's log.
   * @throws SluiceError `TOO_MANY_ANSWERS` where its answer has no room, `PUBLISH_BUSY` and `RATE_LIMITED` where the events
   * of a mutation have none: it was not executed then.
   */
  async execute(admitted: Admitted, errors: ErrorSink): Promise<Executed> {
    const { schema, answers, engine, times } = this.#options
    const { document, params } = admitted
    const isMutation = admitted.operation.operation === 'mutation'
    try {
      if (isMutation) this.#demandPublishing(admitted)
    } catch (error) {
      if (isOfClient(error)) throw error
      return { errors: [formatError(error, errors)] }
    }
    const share = answers.reserve(admitted.cost)
    engine.shared.operations.executed(admitted.operation)
    try {
      const args = validateExecutionArgs({
        schema,
        document,
        operationName: params.operationName,
        variableValues: params.variables,
        contextValue: isMutation ? this.#mutationContext(admitted) : this.#context(admitted.identity.audience),
        hideSuggestions: this.#hidesSuggestions,
      })
      if (!('operation' in args)) return { errors: args.map((error) => formatError(error, errors, 'BAD_USER_INPUT')) }
      const execute = () => executeRootSelectionSet(args)
      const result = await (times?.takes(true) ? times.sample(execute) : execute())
      return { json: executedJson(args, result, errors) }
    } catch (error) {
      return { json: errorJson(error, errors) }
    } finally {
      // The written answer is accounted for by the response.
      share.release()
    }
  }

  /**
   * Prepares a subscription: every check that may refuse it, and its start position. It has to be started at once.
   * @param errors receives masked errors, for the request's log.
   * @throws SluiceError where no subscription can start now (status 503), or an argument value is invalid.
   */
  async prepare(admitted: Admitted, errors: ErrorSink): Promise<PreparedOperation> {
    const { schema, engine, refusals, limits } = this.#options
    const { document, params, identity, owner } = admitted
    const { operationName, variables } = params
    const context = this.#context(identity.audience)
    const hideSuggestions = this.#hidesSuggestions
    const request = { schema, document, operationName, variables, context, hideSuggestions }
    const operation = admitted.prepared.prepare(request, (prepare) =>
      limits.preparing(identity.principal, owner.address, prepare),
    )
    if (!('args' in operation)) {
      return { errors: operation.map((error) => formatError(error, errors, 'BAD_USER_INPUT')) }
    }
    refusals.demandOpen()
    const { stream } = operation
    if (stream) refusals.demandTopic(stream.field.topic)
    if (stream?.field.isTable) this.#options.streams.table(stream.field.topic).demandReady()
    const hasCursors = wants(params, 'cursor')
    const hasMarker = wants(params, 'markers')
    if (!stream) return await this.#preparePull(operation, errors)
    const asked = startOf(params, stream)
    const start = asked && (await this.#startAt(stream, asked, admitted))
    const share = limits.shareOf(owner)
    return { prepared: engine.prepare(operation, stream, { start, hasMarker, share }), hasCursors }
  }

  /**
   * Compiles the subscriptions of a document before their first event, as anonymous clients run them. Only where no
   * variable is required: compiled code has their values in it.
   */
  compileAhead({ document, prepared }: AdmittedDocument): void {
    const { schema, engine, anonymous = ANONYMOUS } = this.#options
    const context = this.#context(anonymous)
    for (const node of document.definitions) {
      if (node.kind !== 'OperationDefinition' || node.operation !== 'subscription') continue
      if (node.variableDefinitions?.some(({ type, defaultValue }) => type.kind === 'NonNullType' && !defaultValue))
        continue
      try {
        const operationName = node.name?.value
        const operation = prepared.prepare({ schema, document, operationName, variables: undefined, context })
        if ('args' in operation && operation.stream) engine.compileAhead(operation)
      } catch (error) {
        // Its clients are told of it when they run it.
        if (!(error instanceof SluiceError)) engine.shared.faults.tell('compiler', error)
      }
    }
  }

  /** Ends the streams that the engine does not know, each with a reconnection delay. */
  close(): void {
    for (const subscriber of this.#pulling) subscriber.end('shutdown')
  }

  /** For a hand-written `subscribe` the source is opened first: its errors refuse the operation. */
  async #preparePull(operation: Operation, errors: ErrorSink): Promise<PreparedOperation> {
    const { answers, engine, heartbeatMs, log } = this.#options
    const { faults, operations } = engine.shared
    const { args, weight } = operation
    engine.demandMemory(operation)
    const source = await openSource(args)
    if ('errors' in source) {
      return { errors: source.errors?.map((error) => formatError(error, errors)) ?? [], ofSource: true }
    }
    const { events } = source
    const work = operations.of(args.operation)
    const start: Prepared['start'] = (outlet, framing) => {
      let subscriber: PullSubscriber | undefined
      const onEnd = (reason: CloseReason): void => {
        if (subscriber && this.#pulling.delete(subscriber)) {
          work.running--
          operations.release(work)
        }
        engine.held.release(events)
        engine.countClose(reason)
      }
      try {
        const hold = (bytes: number) => answers.holdIfRoom(bytes)
        const options = { framing, heartbeatMs, log, errors, faults, hold, onEnd }
        subscriber = new PullSubscriber(args, events, outlet, options)
        this.#pulling.add(subscriber)
        operations.take(work)
        work.begin()
        engine.held.hold(events, weight.own, args.document, weight.document)
        outlet.attach(subscriber)
      } catch (error) {
        // The response head has been sent, so that no error response is possible.
        faults.tell('pull', error)
        if (subscriber) subscriber.end('failed')
        else void endSource(events, log)
        outlet.destroy()
      }
    }
    return { prepared: prepared(start, () => void endSource(events, log)), hasCursors: false }
  }

  async #startAt(stream: BoundStream, asked: ArgumentStart, { identity }: Admitted): Promise<Start> {
    const { audience } = identity
    const feed = this.#options.streams.feed(stream.field.topic)
    if (!('after' in asked)) return { position: await positionAt(feed, asked, stream.select, audience) }
    // What a table has now is no past of it.
    const floor = stream.field.isTable ? undefined : await floorFor(feed, audience)
    return floor ? { ...asked, floor } : asked
  }

  get #hidesSuggestions(): boolean {
    return this.#options.introspection === false
  }

  /**
   * Before anything of a mutation is executed: whether there is room for what it publishes. Each event beyond the first
   * counts as a request of its client.
   * @throws SluiceError
   */
  #demandPublishing({ document, operation, identity, owner }: Admitted): void {
    const { schema, publisher, limits } = this.#options
    const events = publishedBy(schema, document, operation)
    if (events === 0) return
    publisher.demandRoom()
    for (let more = 1; more < events; more++) limits.demandRequest(identity.principal, owner.address)
  }

  #mutationContext({ identity: { principal, audience }, owner }: Admitted): Context {
    const { publisher, onPublished } = this.#options
    const by = `${principal.kind} ${principal.id}`
    return {
      ...this.#context(audience),
      async publish(request) {
        const { topic } = request
        const demand = (event: StreamEvent<never>) => demandWithinBounds(topic as never, event, audience)
        const event = await publisher.publish({ ...request, principal: by, demand: demand as never })
        onPublished?.(owner, topic.name)
        return event
      },
    }
  }

  #context(audience: Audience): Context {
    return { audience, streams: streamsFor(this.#options.streams, audience) }
  }
}

/** `Last-Event-ID` is newer than the arguments, which the client repeats unchanged. */
function startOf({ lastEventId }: GraphQLParams, stream: BoundStream): BoundStream['start'] {
  return lastEventId === undefined ? stream.start : { after: lastEventId }
}

/** @throws SluiceError `BAD_USER_INPUT` for a value that is not a boolean. */
function wants({ extensions }: GraphQLParams, name: 'cursor' | 'markers'): boolean {
  const given = extensions?.[name] ?? ''
  const wish = given === '' ? false : given
  if (typeof wish !== 'boolean') throw new SluiceError('BAD_USER_INPUT', `"extensions.${name}" is true or false`)
  return wish
}

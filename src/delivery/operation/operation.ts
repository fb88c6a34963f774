import {
  type DocumentNode,
  type FieldNode,
  type GraphQLError,
  type GraphQLField,
  type GraphQLObjectType,
  type GraphQLSchema,
  getArgumentValues,
  type SelectionSetNode,
  type ValidatedSubscriptionArgs,
  validateSubscriptionArgs,
} from 'graphql'
import type { Context } from '../../schema/context.ts'
import type { Select } from '../../schema/filter/select.ts'
import { type ArgumentStart, startOf } from '../../schema/start-position.ts'
import { type StreamField, streamFieldOf } from '../../schema/stream-field.ts'
import { type Throttling, throttlingOf } from '../../schema/throttle.ts'
import { bodyKey, operationKey } from './key.ts'
import { wrongArguments } from './wrong-arguments.ts'

/** Heap bytes of an operation: its own, and those of the document, which may be shared. */
export interface OperationWeight {
  readonly document: number
  readonly own: number
}

/** Heap bytes of a client's filter that is planned and compiled, without its values. Measured: 3,500 to 5,000. */
const FILTER_BYTES = 5_000

/** Heap bytes of a value that the audience is bound to, in the lists of one selection. The text itself is the audience's. */
const BOUND_VALUE_BYTES = 64

/** The weight where none is measured. */
const WEIGHTLESS: OperationWeight = { document: 1, own: 1 }

/** A subscription that has been admitted, and can be joined or executed. */
export interface Operation {
  readonly weight: OperationWeight
  readonly args: ValidatedSubscriptionArgs
  /** Undefined: not shared. */
  readonly key: string | undefined
  /** Equal for operations that differ only in their selection of events. Undefined: not shared. */
  readonly bodyKey: string | undefined
  /** The stream field; undefined for a field with a hand-written `subscribe`. */
  readonly stream: BoundStream | undefined
}

/** A stream field with its argument values. */
export interface BoundStream {
  readonly field: StreamField
  /** The field's name in the schema. */
  readonly name: string
  readonly args: Readonly<Record<string, unknown>>
  /** Which events the arguments select. */
  readonly select: Select
  /** Start of the arguments; now, if undefined. */
  readonly start: ArgumentStart | undefined
  /** Undefined: every event goes out. */
  readonly throttling: Throttling | undefined
}

export interface OperationRequest {
  readonly schema: GraphQLSchema
  /** Has passed validation against the schema. */
  readonly document: DocumentNode
  readonly operationName: string | undefined
  readonly variables: Readonly<Record<string, unknown>> | undefined
  readonly context: Context
  /** Errors suggest no names of the schema. */
  readonly hideSuggestions?: boolean
}

/**
 * Coerces the variables, and finds the stream field of a subscription.
 * @returns the errors, where a variable or an argument does not fit its type.
 * @throws SluiceError for an invalid argument value.
 */
export function prepareOperation(
  request: OperationRequest,
  weight: OperationWeight = WEIGHTLESS,
): Operation | readonly GraphQLError[] {
  const { schema, document, operationName, variables, context, hideSuggestions = false } = request
  const args = validateSubscriptionArgs({
    schema,
    document,
    operationName,
    variableValues: variables,
    contextValue: context,
    hideSuggestions,
  })
  if (!('operation' in args)) return args
  const wrong = wrongArguments(args)
  if (wrong.length > 0) return wrong

  const subscriptions = schema.getSubscriptionType() as GraphQLObjectType
  const node = rootField(args, args.operation.operation === 'subscription' ? args.operation.selectionSet : undefined)
  const field = node && (subscriptions.getFields()[node.name.value] as GraphQLField<unknown, unknown> | undefined)
  const streamField = field && streamFieldOf(field)
  if (!node || !field || !streamField) return { weight, args, key: undefined, bodyKey: undefined, stream: undefined }

  const given = getArgumentValues(field, node, args.variableValues)
  const start = startOf(given)
  const select = streamField.select(given, context)
  const key = operationKey(args, context.audience, select.key)
  const throttling = throttlingOf(given, field, context.audience)
  const stream = { field: streamField, name: field.name, args: given, start, select, throttling }
  const whole = { ...weight, own: weight.own + selectBytes(select) }
  return { weight: whole, args, key, bodyKey: bodyKey(args, context.audience), stream }
}

/** What a selection takes beside its field's definition. */
function selectBytes({ key, bounds = [] }: Select): number {
  const bound = bounds.reduce((sum, { values }) => sum + values.size * BOUND_VALUE_BYTES, 0)
  return (key === undefined ? 0 : FILTER_BYTES) + bound
}

/** The single root field: validation guarantees that there is no other, and that it is not skipped. */
function rootField(args: ValidatedSubscriptionArgs, set: SelectionSetNode | undefined): FieldNode | undefined {
  for (const node of set?.selections ?? []) {
    if (node.kind === 'Field') return node
    const inner = node.kind === 'InlineFragment' ? node : args.fragmentDefinitions[node.name.value]
    const found = rootField(args, inner?.selectionSet)
    if (found) return found
  }
  return undefined
}

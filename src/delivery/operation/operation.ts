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
import { type ArgumentStart, startOf } from '../../schema/start-position.ts'
import { type StreamField, streamFieldOf } from '../../schema/stream-field.ts'
import { bodyKey, operationKey } from './key.ts'
import { wrongArguments } from './wrong-arguments.ts'

/** Bytes of heap that an operation takes: for itself, and for the document that it may share with others. */
export interface OperationWeight {
  readonly document: number
  readonly own: number
}

/** Where nobody measures. */
const WEIGHTLESS: OperationWeight = { document: 1, own: 1 }

/** A subscription, admitted and ready to be joined or executed. */
export interface Operation {
  readonly weight: OperationWeight
  readonly args: ValidatedSubscriptionArgs
  /** Undefined: shared with nobody. */
  readonly key: string | undefined
  /** The same for operations that differ only in which events they choose. Undefined: shared with nobody. */
  readonly bodyKey: string | undefined
  /** The topic behind it; undefined for a field with a hand-written `subscribe`. */
  readonly stream: BoundStream | undefined
}

/** A stream field with the arguments it was asked with. */
export interface BoundStream {
  readonly field: StreamField
  readonly args: Readonly<Record<string, unknown>>
  /** Where the arguments ask to start; now, if undefined. */
  readonly start: ArgumentStart | undefined
}

export interface OperationRequest {
  readonly schema: GraphQLSchema
  /** Has passed validation against the schema. */
  readonly document: DocumentNode
  readonly operationName: string | undefined
  readonly variables: Readonly<Record<string, unknown>> | undefined
  readonly context: Context
}

/**
 * Coerces the variables and finds the stream that a subscription asks for.
 * @returns the errors, where a variable or an argument does not fit its type.
 * @throws SluiceError, where an argument asks for what cannot be.
 */
export function prepareOperation(
  request: OperationRequest,
  weight: OperationWeight = WEIGHTLESS,
): Operation | readonly GraphQLError[] {
  const { schema, document, operationName, variables, context } = request
  const args = validateSubscriptionArgs({
    schema,
    document,
    operationName,
    variableValues: variables,
    contextValue: context,
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
  const key = operationKey(args, context.audience)
  const stream = { field: streamField, args: given, start }
  return { weight, args, key, bodyKey: bodyKey(args, context.audience), stream }
}

/** The one root field: validation has made sure that there is no other, and that nothing skips it. */
function rootField(args: ValidatedSubscriptionArgs, set: SelectionSetNode | undefined): FieldNode | undefined {
  for (const node of set?.selections ?? []) {
    if (node.kind === 'Field') return node
    const inner = node.kind === 'InlineFragment' ? node : args.fragmentDefinitions[node.name.value]
    const found = rootField(args, inner?.selectionSet)
    if (found) return found
  }
  return undefined
}

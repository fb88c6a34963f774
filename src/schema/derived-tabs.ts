import {
  type GraphQLArgument,
  type GraphQLField,
  type GraphQLFieldMap,
  type GraphQLInputType,
  type GraphQLNamedType,
  type GraphQLOutputType,
  type GraphQLSchema,
  getNamedType,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isLeafType,
  isListType,
  isNonNullType,
  isObjectType,
  isRequiredArgument,
  isRequiredInputField,
  isUnionType,
} from 'graphql'
import { PUBLISH_EXTENSION } from './publish-field.ts'
import { FILTER_ARGUMENT, streamFieldOf } from './stream-field.ts'

/** An operation, and the values of its variables as JSON. */
export interface DerivedTab {
  readonly query: string
  readonly variables?: string
}

type Field = GraphQLField<unknown, unknown>

/** A first query is to be read: further fields of a type, and types in types, are what completion is for. */
const MAX_FIELDS = 8
const MAX_DEPTH = 3
/** Of inputs with required fields in required fields. */
const MAX_INPUT_DEPTH = 6
const LAST = 10

/**
 * What GraphiQL opens with: an operation for each kind of question that the schema has an answer to. Each is valid; those
 * without required arguments run at once.
 */
export function derivedTabs(schema: GraphQLSchema): DerivedTab[] {
  const fields = (type: { getFields(): GraphQLFieldMap<unknown, unknown> } | null | undefined) =>
    Object.values(type?.getFields() ?? {}).filter(({ deprecationReason }) => deprecationReason === undefined)
  const subscriptions = byArguments(fields(schema.getSubscriptionType()))
  const streams = subscriptions.filter((field) => streamFieldOf(field) !== undefined && !streamFieldOf(field)?.isTable)
  const [stream] = streams
  const [other] = subscriptions.filter((field) => streamFieldOf(field) === undefined)
  const filtered = streams.find(({ args }) => args.some(({ name }) => name === FILTER_ARGUMENT))
  const [table] = subscriptions.filter((field) => streamFieldOf(field)?.isTable)
  const [query] = byArguments(fields(schema.getQueryType()))
  const mutations = byArguments(fields(schema.getMutationType()))
  const mutation = mutations.find(({ extensions }) => extensions[PUBLISH_EXTENSION]) ?? mutations[0]
  return [
    stream && tabOf('subscription', 'Live', stream, 'Live: events as they happen. Press the button to stop.'),
    filtered &&
      tabOf('subscription', 'Filtered', filtered, 'Filtered: the conditions have the names of the fields.', [
        { name: FILTER_ARGUMENT, value: {} },
      ]),
    table && tabOf('subscription', 'Table', table, 'A table: all rows, then READY, then what changes.'),
    stream &&
      tabOf('subscription', 'Resumed', stream, 'Resumed: it begins with the newest events.', [
        { name: 'last', value: LAST },
      ]),
    stream ? undefined : other && tabOf('subscription', 'Live', other, 'Live: results as they come.'),
    query && tabOf('query', 'Now', query, 'A query: what there is now.'),
    mutation && tabOf('mutation', 'Change', mutation, 'A mutation. Put your own values into the variables.'),
  ].filter((tab) => tab !== undefined)
}

/** Those that run as they are come first. */
function byArguments(fields: readonly Field[]): Field[] {
  return fields.toSorted((a, b) => a.args.filter(isRequiredArgument).length - b.args.filter(isRequiredArgument).length)
}

interface Given {
  readonly name: string
  readonly value: unknown
}

function tabOf(
  kind: 'query' | 'mutation' | 'subscription',
  name: string,
  field: Field,
  comment: string,
  given: readonly Given[] = [],
): DerivedTab | undefined {
  const own = given.filter((each) => field.args.some((arg) => arg.name === each.name))
  if (own.length < given.length) return undefined
  const wanted = field.args.filter((arg) => isRequiredArgument(arg) && !own.some((each) => each.name === arg.name))
  const passed = field.args.filter((arg) => wanted.includes(arg) || own.some((each) => each.name === arg.name))
  const values = passed.map((arg) => own.find((each) => each.name === arg.name)?.value ?? exampleOf(arg.type))
  const declared = passed.map((arg) => `$${arg.name}: ${arg.type}`).join(', ')
  const call = passed.map((arg) => `${arg.name}: $${arg.name}`).join(', ')
  const selection = selectionOf(field.type, 1)
  if (selection === undefined) return undefined
  const query = `# ${comment}\n${kind} ${name}${declared && `(${declared})`} {\n  ${field.name}${call && `(${call})`}${selection}\n}\n`
  const variables = Object.fromEntries(passed.map((arg: GraphQLArgument, at) => [arg.name, values[at]]))
  return passed.length === 0 ? { query } : { query, variables: JSON.stringify(variables, null, 2) }
}

/**
 * Undefined: nothing of the type can be selected without arguments.
 * @param taken types by name of the fields that members of one union have: one name stands for one type
 */
function selectionOf(type: GraphQLOutputType, depth: number, taken = new Map<string, string>()): string | undefined {
  const named: GraphQLNamedType = getNamedType(type)
  if (isLeafType(named)) return ''
  const indent = '  '.repeat(depth + 1)
  const lines = isUnionType(named) ? ['__typename'] : []
  if (isObjectType(named) || isInterfaceType(named)) {
    for (const field of Object.values(named.getFields())
      .filter(isPlain)
      .toSorted((a, b) => rankOf(a) - rankOf(b))) {
      if (lines.length >= MAX_FIELDS) break
      if (rankOf(field) === OBJECT && depth >= MAX_DEPTH) continue
      const selection = selectionOf(field.type, depth + 1)
      if (selection === undefined) continue
      const isOther = (taken.get(field.name) ?? String(field.type)) !== String(field.type)
      if (!isOther) taken.set(field.name, String(field.type))
      lines.push(`${isOther ? `${field.name}Of${named.name}: ` : ''}${field.name}${selection}`)
    }
  }
  if (isUnionType(named) && depth < MAX_DEPTH) {
    const taken = new Map<string, string>()
    for (const member of named.getTypes()) {
      const selection = selectionOf(member, depth + 1, taken)
      if (selection !== undefined) lines.push(`... on ${member.name}${selection}`)
    }
  }
  if (lines.length === 0) lines.push('__typename')
  return ` {\n${lines.map((line) => `${indent}${line}\n`).join('')}${'  '.repeat(depth)}}`
}

/** It needs no argument, and no scope that a first visitor does not have. */
function isPlain({ args, deprecationReason, extensions }: Field): boolean {
  const { authScopes } = (extensions.pothosOptions ?? {}) as { readonly authScopes?: unknown }
  return !args.some(isRequiredArgument) && deprecationReason === undefined && authScopes === undefined
}

const OBJECT = 2

/** Its id first, then values, then objects. */
function rankOf({ name, type }: Field): number {
  return isLeafType(getNamedType(type)) ? (name === 'id' ? 0 : 1) : OBJECT
}

/** A value that the type takes, as far as it can be told: a scalar of one's own may refuse it. */
function exampleOf(type: GraphQLInputType, depth = 0): unknown {
  if (isNonNullType(type)) return exampleOf(type.ofType, depth)
  if (isListType(type)) return [exampleOf(type.ofType, depth)]
  if (isEnumType(type)) return type.getValues()[0]?.name
  if (isInputObjectType(type)) {
    if (depth >= MAX_INPUT_DEPTH) return {}
    const wanted = Object.values(type.getFields()).filter(isRequiredInputField)
    return Object.fromEntries(wanted.map((field) => [field.name, exampleOf(field.type, depth + 1)]))
  }
  return EXAMPLES[type.name] ?? '…'
}

const EXAMPLES: Readonly<Record<string, unknown>> = {
  Int: 1,
  Float: 1,
  Boolean: true,
  Decimal: '1.00',
  DateTime: '2026-01-01T00:00:00Z',
  Long: '1',
}

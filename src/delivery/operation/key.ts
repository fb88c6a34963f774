import { hash } from 'node:crypto'
import {
  type DirectiveNode,
  type FragmentDefinitionNode,
  type GraphQLCompositeType,
  type GraphQLField,
  getArgumentValues,
  getNamedType,
  isCompositeType,
  type SelectionSetNode,
  type ValidatedExecutionArgs,
} from 'graphql'
import type { Audience, Claims } from '../../schema/context.ts'
import { POSITION_ARGUMENTS } from '../../schema/start-position.ts'
import { FILTER_ARGUMENT, streamFieldOf } from '../../schema/stream-field.ts'
import { canonicalThrottle, THROTTLE_ARGUMENT } from '../../schema/throttle.ts'

/**
 * Key of equal operations: two operations with one key have the same result for every event. It ignores whitespace, the
 * order of arguments, unused fragments, the names of fragments and variables, and whether a value is a literal or a
 * variable. It includes aliases, selections and their order, directives, argument values and the audience. Position
 * arguments of stream fields, and variables that only they use, are left out: they only determine the start. `filterKey`
 * takes the place of the client's filter, which can be spelled in many ways; undefined: the filter selects all.
 * Undefined if an argument's value cannot be compared: such an operation is not shared.
 */
export function operationKey(
  operation: ValidatedExecutionArgs,
  audience: Audience,
  filterKey?: string,
): string | undefined {
  return keyOf(operation, audience, { leftOut: POSITION_ARGUMENTS, filterKey })
}

/**
 * Key without the selection of events: operations with one body key have the same result for an event that they all
 * select. (Where the field's `resolve` may read its arguments, it is the operation key.)
 */
export function bodyKey(operation: ValidatedExecutionArgs, audience: Audience): string | undefined {
  return keyOf(operation, audience, { leftOut: 'all' })
}

interface KeyOptions {
  /** Arguments of stream fields that are left out. */
  readonly leftOut: ReadonlySet<string> | 'all'
  /** Takes the place of the client's filter. */
  readonly filterKey?: string | undefined
}

function keyOf(operation: ValidatedExecutionArgs, audience: Audience, options: KeyOptions): string | undefined {
  try {
    return hash('sha256', new Printer(operation, options).print() + claimsKey(audience), 'base64url')
  } catch (error) {
    if (error === INCOMPARABLE) return undefined
    throw error
  }
}

/** Longer text of claims is its hash: an audience may be bound to thousands of values. */
const MAX_CLAIMS_CHARS = 200
/** Audiences are canonical, and never modified. */
const claimsKeys = new WeakMap<Claims, string>()

/** Equal for audiences that may see the same. @throws INCOMPARABLE */
export function claimsKey({ claims }: Audience): string {
  let key = claimsKeys.get(claims)
  if (key === undefined) {
    const text = canonicalJson(claims)
    key = text.length > MAX_CLAIMS_CHARS ? hash('sha256', text, 'base64url') : text
    claimsKeys.set(claims, key)
  }
  return key
}

const INCOMPARABLE = new Error('The value has no canonical form')

class Printer {
  readonly #args: ValidatedExecutionArgs
  readonly #options: KeyOptions
  /** Fragments in the order of their first use, which gives them their names. Each is printed once. */
  readonly #fragments = new Map<string, FragmentDefinitionNode>()

  constructor(args: ValidatedExecutionArgs, options: KeyOptions) {
    this.#args = args
    this.#options = options
  }

  print(): string {
    const { schema, operation } = this.#args
    const root = schema.getRootType(operation.operation) as GraphQLCompositeType
    let text =
      operation.operation + this.#directives(operation.directives) + this.#selectionSet(operation.selectionSet, root)
    // The map grows while nested fragments are found; its iterator visits the added ones.
    for (const fragment of this.#fragments.values()) {
      const type = schema.getType(fragment.typeCondition.name.value) as GraphQLCompositeType
      text += `;${type.name}${this.#selectionSet(fragment.selectionSet, type)}`
    }
    return text
  }

  #selectionSet(set: SelectionSetNode, parent: GraphQLCompositeType): string {
    const { schema } = this.#args
    let text = '{'
    for (const node of set.selections) {
      const directives = this.#directives(node.directives)
      if (node.kind === 'Field') {
        const field = schema.getField(parent, node.name.value) as GraphQLField<unknown, unknown>
        const type = getNamedType(field.type)
        text += `${node.alias?.value ?? ''}:${node.name.value}${this.#arguments(field, node)}${directives}`
        if (node.selectionSet && isCompositeType(type)) text += this.#selectionSet(node.selectionSet, type)
      } else if (node.kind === 'InlineFragment') {
        const type = node.typeCondition
          ? (schema.getType(node.typeCondition.name.value) as GraphQLCompositeType)
          : parent
        text += `...${type.name}${directives}${this.#selectionSet(node.selectionSet, type)}`
      } else {
        text += `...${this.#fragmentNumber(node.name.value)}${directives}`
      }
      text += ','
    }
    return `${text}}`
  }

  #arguments(field: GraphQLField<unknown, unknown>, node: Parameters<typeof getArgumentValues>[1]): string {
    if (field.args.length === 0) return ''
    const stream = streamFieldOf(field)
    const { leftOut, filterKey } = this.#options
    if (stream && leftOut === 'all' && !stream.resolvesArguments) return ''
    const values = { ...getArgumentValues(field, node, this.#args.variableValues) }
    if (stream) {
      for (const name of POSITION_ARGUMENTS) delete values[name]
      values[THROTTLE_ARGUMENT] = leftOut === 'all' ? undefined : canonicalThrottle(values[THROTTLE_ARGUMENT])
    }
    if (stream?.hasFilter) values[FILTER_ARGUMENT] = filterKey
    return `(${canonicalJson(values)})`
  }

  #directives(nodes: readonly DirectiveNode[] | undefined): string {
    if (!nodes || nodes.length === 0) return ''
    const { schema, variableValues } = this.#args
    return nodes
      .map((node) => {
        const directive = schema.getDirective(node.name.value)
        return `@${node.name.value}(${directive ? canonicalJson(getArgumentValues(directive, node, variableValues)) : ''})`
      })
      .join('')
  }

  #fragmentNumber(name: string): number {
    if (!this.#fragments.has(name))
      this.#fragments.set(name, this.#args.fragmentDefinitions[name] as FragmentDefinitionNode)
    return [...this.#fragments.keys()].indexOf(name)
  }
}

/**
 * JSON with sorted keys. @throws INCOMPARABLE for values that JSON does not distinguish: instances, functions, symbols.
 */
export function canonicalJson(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join()}]`
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return JSON.stringify(value)
    case 'number':
      return Object.is(value, -0) ? '-0' : String(value)
    case 'bigint':
      return `${value}n`
    case 'object': {
      if (value instanceof Date) return `Date(${value.getTime()})`
      const prototype = Object.getPrototypeOf(value)
      if (prototype !== null && prototype !== Object.prototype) throw INCOMPARABLE
      const entries = Object.entries(value as object).filter(([, item]) => item !== undefined)
      entries.sort(([a], [b]) => (a < b ? -1 : 1))
      return `{${entries.map(([key, item]) => `${JSON.stringify(key)}:${canonicalJson(item)}`).join()}}`
    }
    default:
      throw INCOMPARABLE
  }
}

import {
  type FieldNode,
  type GraphQLField,
  getArgumentValues,
  getNamedType,
  isEnumType,
  isSpecifiedScalarType,
  Kind,
  type ValidatedExecutionArgs,
  type ValueNode,
} from 'graphql'
import { NotText } from './collect-fields.ts'
import { REFUSED } from './text-values.ts'

type Field = GraphQLField<unknown, unknown>

export interface ArgumentsCode {
  /** Expression of the argument object as graphql-js creates it for every call: a new object, without a prototype. */
  readonly code: string
  /** It references the document. */
  readonly seesDocument: boolean
}

/** @param constant declares a constant of the code for a value. */
export function argumentsCode(
  args: ValidatedExecutionArgs,
  field: Field,
  node: FieldNode,
  constant: (value: unknown) => string,
): ArgumentsCode {
  if (field.args.every((arg) => isSame(args, valueNodeOf(node, arg.name), arg.type))) {
    const values = givenIn(args, field, node)
    const pairs = Object.entries(values).map(([name, value]) => `, ${JSON.stringify(name)}: ${constant(value)}`)
    return { code: `{ __proto__: null${pairs.join('')} }`, seesDocument: false }
  }
  return { code: `argumentsOf(${constant(field)}, ${constant(node)}, variables)`, seesDocument: true }
}

function givenIn({ variableValues }: ValidatedExecutionArgs, field: Field, node: FieldNode): Record<string, unknown> {
  try {
    return getArgumentValues(field, node, variableValues)
  } catch {
    // Every event would fail here.
    throw new NotText()
  }
}

function valueNodeOf(node: FieldNode, name: string): ValueNode | undefined {
  return node.arguments?.find((each) => each.name.value === name)?.value
}

/**
 * Whether coercion gives the same value for every event: graphql-js creates lists, objects and scalar values for each.
 */
function isSame(
  { variableValues }: ValidatedExecutionArgs,
  node: ValueNode | undefined,
  type: Field['args'][number]['type'],
): boolean {
  // A default is created once.
  if (!node) return true
  if (node.kind === Kind.VARIABLE) return isPrimitive(variableValues.coerced[node.name.value])
  const named = getNamedType(type)
  return isPrimitiveNode(node) && (isEnumType(named) || isSpecifiedScalarType(named)) && !isList(type)
}

function isList(type: Field['args'][number]['type']): boolean {
  return String(type).includes('[')
}

function isPrimitiveNode({ kind }: ValueNode): boolean {
  return kind !== Kind.LIST && kind !== Kind.OBJECT
}

function isPrimitive(value: unknown): boolean {
  return (typeof value !== 'object' || value === null) && typeof value !== 'function'
}

/** The argument values of a field. On failure graphql-js has to report the error before it would call the resolver. */
export function argumentsOf(
  field: Field,
  node: FieldNode,
  variables: ValidatedExecutionArgs['variableValues'],
): Record<string, unknown> {
  try {
    return getArgumentValues(field, node, variables)
  } catch {
    throw REFUSED
  }
}

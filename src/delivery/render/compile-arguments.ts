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
  /** An expression of the object that graphql-js makes of them for every call: its own, and without a prototype. */
  readonly code: string
  /** It reads this very document. */
  readonly seesDocument: boolean
}

/** @param constant gives a value from here a name in the code. */
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

/** Whether graphql-js would give the same value for every event: it makes lists, objects and scalars' values anew. */
function isSame(
  { variableValues }: ValidatedExecutionArgs,
  node: ValueNode | undefined,
  type: Field['args'][number]['type'],
): boolean {
  // A default is made once.
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

/** What a field's arguments are. If they fail, graphql-js is to find it out before it calls the resolver. */
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

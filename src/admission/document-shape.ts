import type {
  ArgumentNode,
  ASTNode,
  DirectiveNode,
  DocumentNode,
  NameNode,
  SelectionSetNode,
  TypeNode,
  ValueNode,
  VariableDefinitionNode,
} from 'graphql'
import { SluiceError } from '../errors/codes.ts'

/**
 * Length limit of names that clients choose: aliases, operations, fragments and variables. A result repeats aliases.
 */
export const MAX_NAME_CHARS = 64
/**
 * Each operation is validated with all the fragments that it uses, so this is a factor; generated documents have one.
 */
const MAX_OPERATIONS = 50
/** Limit of fragments: documents that Relay generates for a whole page have about a hundred. */
const MAX_FRAGMENTS = 200
/**
 * Limit of fields, spreads and inline fragments. Validation takes some 5 µs for each; a generated document of 10 KB has
 * 500.
 */
const MAX_SELECTIONS = 2_000
/** Limit of nested selection sets, lists and objects. The standard introspection query has 13. */
const MAX_NESTING = 50

/**
 * Heap bytes of a node of a parsed document, with its location and what graphql-js caches for it. Measured with
 * documents of fields, aliases, arguments, directives and inline fragments: 170 to 215.
 */
const NODE_BYTES = 215

/**
 * Checks a parsed document before its validation, in one walk: shapes that make validation expensive are refused. It
 * also removes the parser's list of tokens, a third of the document's memory.
 * @returns the document's size in memory, in bytes.
 * @throws SluiceError `NAME_TOO_LONG`, or `OPERATION_TOO_COMPLEX`.
 */
export function measureDocument(document: DocumentNode, text: string): number {
  const walk = new Walk()
  let operations = 0
  let fragments = 0
  cutTokens(document)
  for (const definition of document.definitions) {
    walk.count(definition)
    // Other kinds of definitions are refused by validation.
    if (definition.kind !== 'OperationDefinition' && definition.kind !== 'FragmentDefinition') continue
    if (definition.kind === 'OperationDefinition') operations++
    else {
      fragments++
      walk.type(definition.typeCondition)
    }
    walk.name(definition.name, 'The name of an operation or fragment')
    for (const variable of definition.variableDefinitions ?? []) walk.variable(variable)
    walk.directives(definition.directives)
    walk.selectionSet(definition.selectionSet, 1)
  }
  if (operations > MAX_OPERATIONS) throw tooComplex(`has more than ${MAX_OPERATIONS} operations`)
  if (fragments > MAX_FRAGMENTS) throw tooComplex(`has more than ${MAX_FRAGMENTS} fragments`)
  if (walk.selections > MAX_SELECTIONS) throw tooComplex(`has more than ${MAX_SELECTIONS} selections`)
  return walk.nodes * NODE_BYTES + text.length * 2
}

/** By kinds of node: a generic walk of all keys takes ten times as long. */
class Walk {
  nodes = 0
  selections = 0

  count(node: ASTNode): void {
    this.nodes++
    cutTokens(node)
  }

  name(node: NameNode | undefined, what: string): void {
    if (!node) return
    this.count(node)
    demandShortName(node.value, what)
  }

  variable(node: VariableDefinitionNode): void {
    this.count(node)
    this.value(node.variable, 0)
    this.type(node.type)
    if (node.defaultValue) this.value(node.defaultValue, 0)
    this.directives(node.directives)
  }

  type(node: TypeNode): void {
    let inner = node
    for (let depth = 0; inner.kind !== 'NamedType'; inner = inner.type, depth++) {
      demandShallow(depth)
      this.count(inner)
    }
    this.count(inner)
    this.count(inner.name)
  }

  selectionSet(set: SelectionSetNode, depth: number): void {
    demandShallow(depth)
    this.count(set)
    this.selections += set.selections.length
    for (const node of set.selections) {
      this.count(node)
      this.directives(node.directives)
      if (node.kind === 'InlineFragment') {
        if (node.typeCondition) this.type(node.typeCondition)
        this.selectionSet(node.selectionSet, depth + 1)
        continue
      }
      this.count(node.name)
      if (node.kind !== 'Field') continue
      this.name(node.alias, 'An alias')
      this.arguments(node.arguments)
      if (node.selectionSet) this.selectionSet(node.selectionSet, depth + 1)
    }
  }

  directives(nodes: readonly DirectiveNode[] | undefined): void {
    if (!nodes) return
    for (const node of nodes) {
      this.count(node)
      this.count(node.name)
      this.arguments(node.arguments)
    }
  }

  arguments(nodes: readonly ArgumentNode[] | undefined): void {
    if (!nodes) return
    for (const node of nodes) {
      this.count(node)
      this.count(node.name)
      this.value(node.value, 0)
    }
  }

  value(node: ValueNode, depth: number): void {
    demandShallow(depth)
    this.count(node)
    if (node.kind === 'Variable') this.name(node.name, 'The name of a variable')
    else if (node.kind === 'ListValue') for (const item of node.values) this.value(item, depth + 1)
    else if (node.kind === 'ObjectValue') {
      for (const field of node.fields) {
        this.count(field)
        this.count(field.name)
        this.value(field.value, depth + 1)
      }
    }
  }
}

/** An error's location needs the offset and the source of a node, but no tokens. */
function cutTokens({ loc }: ASTNode): void {
  if (!loc) return
  const cut = loc as { startToken: unknown; endToken: unknown }
  cut.startToken = undefined
  cut.endToken = undefined
}

function demandShallow(depth: number): void {
  if (depth > MAX_NESTING) throw tooComplex(`is nested more than ${MAX_NESTING} levels deep`)
}

/** @throws SluiceError `NAME_TOO_LONG` */
export function demandShortName(name: string | undefined, what: string): void {
  if (name === undefined || name.length <= MAX_NAME_CHARS) return
  const start = name.slice(0, MAX_NAME_CHARS)
  throw new SluiceError('NAME_TOO_LONG', `${what} has more than ${MAX_NAME_CHARS} characters: "${start}…"`)
}

function tooComplex(what: string): SluiceError {
  return new SluiceError('OPERATION_TOO_COMPLEX', `The document ${what}`)
}

import { type ASTNode, type DocumentNode, GraphQLError, Kind, type SelectionSetNode } from 'graphql'
import { SluiceError } from '../errors.ts'

/**
 * Levels within levels of selections, of values in a document, and of variables, one limit for each of the three.
 * Whatever reads them later calls itself for each level, and a stack holds some thousands; the deepest operation that
 * is in use, GraphiQL's introspection, has 15.
 */
export const MAX_DEPTH = 64

/** @throws SluiceError `BAD_USER_INPUT` for variables that are nested too deeply. Does not call itself. */
export function demandShallow(variables: object | undefined): void {
  let level: object[] = variables ? [variables] : []
  for (let depth = 1; level.length > 0; depth++) {
    if (depth > MAX_DEPTH) {
      throw new SluiceError('BAD_USER_INPUT', `The variables are nested more than ${MAX_DEPTH} levels deep`)
    }
    level = level.flatMap((each) => Object.values(each).filter(isObject))
  }
}

/** An error for a document whose values, or types of variables, are nested too deeply. Does not call itself. */
export function tooDeepValues(document: DocumentNode): GraphQLError | undefined {
  let level: readonly ASTNode[] = [document]
  const depths = new Map<ASTNode, number>([[document, 0]])
  while (level.length > 0) {
    const next: ASTNode[] = []
    for (const node of level) {
      const depth = depths.get(node) ?? 0
      for (const child of childrenOf(node)) {
        const childDepth = isNesting(child) ? depth + 1 : depth
        if (childDepth > MAX_DEPTH) return tooDeep(child)
        depths.set(child, childDepth)
        next.push(child)
      }
    }
    level = next
  }
  return undefined
}

/** An error for an operation that selects too deeply. @param document is valid: no fragment contains itself. */
export function tooDeepSelections(document: DocumentNode): GraphQLError | undefined {
  const fragments = new Map(
    document.definitions.flatMap((each) =>
      each.kind === Kind.FRAGMENT_DEFINITION ? [[each.name.value, each.selectionSet]] : [],
    ),
  )
  /** What is known to be no deeper than the limit below a level. A set is looked at again only from further down. */
  const seen = new Map<SelectionSetNode, number>()
  const waiting: (readonly [SelectionSetNode, number])[] = []
  for (const each of document.definitions) if ('selectionSet' in each) waiting.push([each.selectionSet, 1])
  for (let next = waiting.pop(); next; next = waiting.pop()) {
    const [set, depth] = next
    if (depth > MAX_DEPTH) return tooDeep(set)
    if ((seen.get(set) ?? 0) >= depth) continue
    seen.set(set, depth)
    for (const node of set.selections) {
      const inner = node.kind === Kind.FRAGMENT_SPREAD ? fragments.get(node.name.value) : node.selectionSet
      if (inner) waiting.push([inner, node.kind === Kind.FIELD ? depth + 1 : depth])
    }
  }
  return undefined
}

/** Also where a parser or a rule has used up its stack. */
export function tooDeep(node?: ASTNode): GraphQLError {
  return new GraphQLError(`The document is nested more than ${MAX_DEPTH} levels deep`, node ? { nodes: node } : {})
}

function isNesting({ kind }: ASTNode): boolean {
  return kind === Kind.LIST || kind === Kind.OBJECT || kind === Kind.LIST_TYPE
}

function childrenOf(node: ASTNode): ASTNode[] {
  return Object.entries(node).flatMap(([key, value]) => (key === 'loc' ? [] : [value].flat().filter(isNode)))
}

function isNode(value: unknown): value is ASTNode {
  return isObject(value) && typeof (value as { kind?: unknown }).kind === 'string'
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}

import { type ASTNode, type DocumentNode, print } from 'graphql'

/** A document as code generators type it: its result and its variables are known by a property that is never set. */
interface TypedDocument<R, V> {
  readonly __apiType?: (variables: V) => R
}

/** Text, a parsed document, or an object that prints itself, such as a `TypedDocumentString`. */
export type TestDocument<R, V> = string | DocumentNode | TypedDocument<R, V>

export function textOf(document: unknown): string {
  const isParsed = typeof document === 'object' && document !== null && 'kind' in document
  return isParsed ? print(document as ASTNode) : String(document)
}

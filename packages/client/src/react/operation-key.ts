import type { DocumentInput } from '../sluice-client.ts'

/** Documents that are trees are told apart by what they are: they are made once. */
const trees = new WeakMap<object, string>()
let treeNumber = 0

/** The same text for the same document and variables that are equal by value. */
export function operationKey(document: DocumentInput<unknown, never>, variables: unknown): string {
  return JSON.stringify([documentKey(document), variables ?? {}], inOrder)
}

function documentKey(document: string | object): string {
  if (typeof document === 'string' || document instanceof String) return String(document)
  const key = trees.get(document) ?? `#${++treeNumber}`
  trees.set(document, key)
  return key
}

/** Names in order, and none that JSON leaves out. */
function inOrder(_name: string, value: unknown): unknown {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return value
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
}

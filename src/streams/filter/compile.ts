import { LRUCache } from 'lru-cache'
import { type Emitted, emit } from './emit.ts'
import { nodeMatcher } from './matcher.ts'
import type { Node } from './node.ts'

type Test = (value: unknown) => boolean
type Create = (constants: readonly unknown[]) => Test

/**
 * Generated code by its text. It holds no constants: filters that differ only in these share it, and what V8 has learned
 * of it. The bound is in characters: some thousand usual filters.
 */
const MAX_CODE_CHARS = 1_000_000
const created = new LRUCache<string, Create>({ maxSize: MAX_CODE_CHARS, sizeCalculation: (_, code) => code.length })

/**
 * Compiles a filter to one function of an event's value. No text of a client is in its code: constants are handed in,
 * names of properties are the definition's.
 */
export function compile(node: Node): Test {
  const { code, constants }: Emitted = emit(node)
  try {
    return createOf(code)(constants)
  } catch {
    // Node was started with --disallow-code-generation-from-strings.
    return nodeMatcher(node)
  }
}

function createOf(code: string): Create {
  const known = created.get(code)
  if (known) return known
  const create = new Function('constants', code) as Create
  created.set(code, create)
  return create
}

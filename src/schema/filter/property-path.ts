/**
 * A name and what is read from it, such as `order.total` or `parent[name]`. There is no operator, so that the value does
 * not depend on what is read on the way.
 */
const CHAIN = String.raw`[\w$]+(?:\s*\??\.\s*[\w$]+|\s*\[[\w$.\s'"]+\])*`
const PARAMETER = String.raw`(?:[\w$]+|\{[\w$\s,:{}]*\})`
const BODY = String.raw`(?:${CHAIN}|\{\s*return\s+${CHAIN}\s*;?\s*\})`
const ARROW = new RegExp(String.raw`^(?:[\w$]+|\(\s*${PARAMETER}\s*,?\s*\))\s*=>\s*${BODY}\s*$`)
const FUNCTION = new RegExp(
  String.raw`^(?:function\b\s*)?[\w$]*\s*\(\s*${PARAMETER}\s*,?\s*\)\s*\{\s*return\s+${CHAIN}\s*;?\s*\}$`,
)
/** A longer function is no chain. It bounds the time of the expressions above. */
const MAX_TEXT_CHARS = 200

/**
 * The properties that a function reads, one from another, to return the last of them; `[]`: it returns what it is given.
 * Undefined: its value is computed.
 *
 * The function is called with an object that records what is read of it, because the text alone does not say what
 * `parent[name]` reads. Only a function whose text is such a chain is called: a probe does not see `a ? b : c`, which
 * reads like `b`, and a function with effects is not to be called without an event.
 */
export function propertyPath(read: (source: never) => unknown): readonly string[] | undefined {
  const text = Function.prototype.toString.call(read).trim()
  if (text.length > MAX_TEXT_CHARS || !(ARROW.test(text) || FUNCTION.test(text))) return undefined
  const paths = new WeakMap<object, readonly string[]>()
  const probe = (path: readonly string[]): object => {
    const made = new Proxy(
      {},
      { get: (_target, name) => (typeof name === 'string' ? probe([...path, name]) : undefined) },
    )
    paths.set(made, path)
    return made
  }
  try {
    const returned = read(probe([]) as never)
    return typeof returned === 'object' && returned !== null ? paths.get(returned) : undefined
  } catch {
    // A name that it reads is not there, say: the same happens with an event.
    return undefined
  }
}

import type { GraphQLFieldResolver } from 'graphql'

/** Source, arguments, context and info. */
const ALL = 4

const known = new WeakMap<object, number>()

/**
 * Number of a resolver's four parameters that it may read: the others are not created for it. It is derived from the
 * function's text. Whatever may reach more parameters than it names counts as reading all: `arguments`, rest and
 * default parameters, `eval`, and functions without a text (bound, native, proxies).
 */
export function visibleParameters(resolve: GraphQLFieldResolver<unknown, unknown>): number {
  let count = known.get(resolve)
  if (count === undefined) {
    count = countIn(resolve)
    known.set(resolve, count)
  }
  return count
}

function countIn(resolve: GraphQLFieldResolver<unknown, unknown>): number {
  if (resolve.length >= ALL) return ALL
  const text = Function.prototype.toString.call(resolve)
  if (/\barguments\b|\beval\b|\[native code\]|\\u/.test(text)) return ALL
  if (/^(async\s+)?[\w$]+\s*=>/.test(text)) return 1
  return namedIn(text)
}

/** Number of parameters between the parentheses. Text that may contain nested parentheses counts as unknown. */
function namedIn(text: string): number {
  const start = text.indexOf('(')
  // A computed name precedes the parameters, and may contain parentheses.
  if (start < 0 || text.slice(0, start).includes('[')) return ALL
  let depth = 0
  let commas = 0
  for (let at = start; at < text.length; at++) {
    const char = text[at] as string
    if ('([{'.includes(char)) depth++
    else if (')]}'.includes(char)) {
      if (--depth === 0) return text.slice(start + 1, at).trim() === '' ? 0 : Math.min(commas + 1, ALL)
    } else if (char === ',' && depth === 1) commas++
    else if (char === '.' && depth === 1)
      return ALL // a rest parameter
    else if ('\'"`/='.includes(char)) return ALL
  }
  return ALL
}

import type { GraphQLFieldResolver } from 'graphql'

/** The source, its arguments, the context, and what it is told of its place. */
const ALL = 4

const known = new WeakMap<object, number>()

/**
 * How many of its four arguments a resolver can see: the others need not be made for it. By its text, in which whatever
 * may reach more of them than it names counts as seeing them all: `arguments`, rest and default parameters, `eval`, and
 * text that is not there (bound and native functions, proxies).
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
  if (/\barguments\b|\beval\b|\.\.\.|\[native code\]|\\u/.test(text)) return ALL
  if (/^(async\s+)?[\w$]+\s*=>/.test(text)) return 1
  return namedIn(text)
}

/** Parameters between the first parenthesis and its other one. Text that might hold one of its own counts as unknown. */
function namedIn(text: string): number {
  const start = text.indexOf('(')
  // A computed name comes before the parameters, and may have parentheses of its own.
  if (start < 0 || text.slice(0, start).includes('[')) return ALL
  let depth = 0
  let commas = 0
  for (let at = start; at < text.length; at++) {
    const char = text[at] as string
    if ('([{'.includes(char)) depth++
    else if (')]}'.includes(char)) {
      if (--depth === 0) return text.slice(start + 1, at).trim() === '' ? 0 : Math.min(commas + 1, ALL)
    } else if (char === ',' && depth === 1) commas++
    else if ('\'"`/='.includes(char)) return ALL
  }
  return ALL
}

/**
 * Result of a `where` or `filter`, which must be synchronous: a promise is truthy, and would match everything, and its
 * rejection would be unhandled.
 * @throws TypeError for a promise.
 */
export function atOnce<T>(answer: T, what: string): T {
  if (typeof (answer as PromiseLike<unknown> | null | undefined)?.then !== 'function') return answer
  ;(answer as unknown as PromiseLike<unknown>).then(undefined, () => {})
  throw new TypeError(`A ${what} must answer at once, and returned a promise`)
}

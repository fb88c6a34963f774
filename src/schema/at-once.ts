/**
 * What a `where` or `filter` has answered. It must answer at once: a promise would pass for a match of everything, and
 * its rejection would be nobody's to catch.
 * @throws TypeError for a promise.
 */
export function atOnce<T>(answer: T, what: string): T {
  if (typeof (answer as PromiseLike<unknown> | null | undefined)?.then !== 'function') return answer
  ;(answer as unknown as PromiseLike<unknown>).then(undefined, () => {})
  throw new TypeError(`A ${what} must answer at once, and returned a promise`)
}

import type { Sight } from './sight.ts'

/** How a client's subscription ended, in words that do not depend on chance; '' while it has not. */
export function ending(seen: readonly Sight[]): string {
  const told = codes(seen)
  for (const sight of seen) {
    if (sight.saw === 'end') return told ? `ends, with ${told}` : 'ends in silence'
    if (sight.saw === 'error') return failure(sight, told)
  }
  return ''
}

/** How it ended, or what it was told, for a client that did not get as far as it was to. */
export function instead(seen: readonly Sight[], otherwise = 'nothing'): string {
  const told = codes(seen)
  return ending(seen) || (told ? `told ${told}` : otherwise)
}

/** Codes of results with errors. */
export function codes(seen: readonly Sight[]): string {
  const all = seen.flatMap((sight) => (sight.saw === 'errors' ? [sight.code] : []))
  return [...new Set(all)]
    .map((code) => (code === 'none' ? 'errors without a code' : /^[A-Z_]+$/.test(code) ? `\`${code}\`` : code))
    .join(', ')
}

function failure(sight: Sight & { saw: 'error' }, told: string): string {
  if (sight.code !== undefined) return `fails with \`${sight.code}\``
  if (told) return `fails, with ${told}`
  if (sight.status !== undefined) return `fails with status ${sight.status}`
  const status = /\b(?:4\d\d|50\d)\b/.exec(sight.message)?.[0]
  return status ? `fails with status ${status}` : 'fails'
}

/** Whether messages that are no results were told, which callers must expect. */
export function alsoEmpty(seen: readonly Sight[]): string {
  return seen.some(({ saw }) => saw === 'empty') ? ', and empty messages' : ''
}

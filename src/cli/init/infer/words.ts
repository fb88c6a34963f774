/** The words of a name, in lower case: `merchantId`, `merchant_id` and `merchant-id` have the same two. */
export function wordsOf(name: string): string[] {
  return name
    .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
    .replace(/([A-Z]+)([A-Z][a-z])/g, '$1 $2')
    .toLowerCase()
    .split(/[^\p{L}\p{N}]+/u)
    .filter((word) => word !== '')
}

/** Whether the last word of a name is one of these. */
export function endsWithWord(name: string, words: ReadonlySet<string>): boolean {
  return words.has(wordsOf(name).at(-1) ?? '')
}

export function hasWord(name: string, words: ReadonlySet<string>): boolean {
  return wordsOf(name).some((word) => words.has(word))
}

const ID_WORDS = new Set(['id', 'uuid', 'guid', 'key'])

/** Whether values of this name tell things apart. */
export function isIdName(name: string): boolean {
  return endsWithWord(name, ID_WORDS)
}

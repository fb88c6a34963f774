/**
 * What is a line break to some readers of lines (Python's `str.splitlines`, and so httpx and requests), and no control
 * character to JSON: U+0085, U+2028 and U+2029. Within JSON they are always within a string.
 */
const LINE_BREAK = /[\u0085\u2028\u2029]/
const LINE_BREAKS = /[\u0085\u2028\u2029]/g

/** JSON that every reader of lines takes for one line. */
export function oneLine(json: string): string {
  return LINE_BREAK.test(json) ? json.replace(LINE_BREAKS, escaped) : json
}

/** `JSON.stringify` of a value that JSON can represent, as one line. @throws what that does. */
export function jsonLine(value: object | string): string {
  return oneLine(JSON.stringify(value))
}

function escaped(char: string): string {
  return `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`
}

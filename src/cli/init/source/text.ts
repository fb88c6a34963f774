/** Text of TypeScript: literals, names of properties, comments. */

export const MAX_LINE = 120

/** Characters that are invisible, end a line, or are half of a pair. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu

function escaped(text: string): string {
  return text.replace(UNPRINTABLE, (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`)
}

/** A literal: `'it\'s'`. */
export function quoted(text: string): string {
  return `'${escaped(text.replace(/[\\']/g, '\\$&'))}'`
}

/** The name of a property in an object's literal. */
export function propertyName(name: string): string {
  if (name === '__proto__') return "['__proto__']"
  return /^[A-Za-z_$][\w$]*$/.test(name) ? name : quoted(name)
}

/** A name of others within a comment, on one line, and without what would end a comment. */
export function mentioned(name: string): string {
  return escaped(name).replaceAll('*/', '*\\u002f')
}

/** Line comments of these sentences, wrapped. */
export function comment(sentences: readonly string[], indent = ''): string[] {
  return wrap(sentences.join(' '), MAX_LINE - indent.length - 3).map((line) => `${indent}// ${line}`)
}

export function docComment(sentences: readonly string[], indent = ''): string[] {
  const text = sentences.join(' ').replaceAll('*/', '*\\u002f')
  const one = `${indent}/** ${text} */`
  if (one.length <= MAX_LINE) return [one]
  return [
    `${indent}/**`,
    ...wrap(text, MAX_LINE - indent.length - 3).map((line) => `${indent} * ${line}`),
    `${indent} */`,
  ]
}

function wrap(text: string, width: number): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line)
      line = word
    } else line = line === '' ? word : `${line} ${word}`
  }
  return [...lines, line]
}

/** A call or a list on one line if it fits, else each part on a line of its own. */
export function fitted(start: string, parts: readonly string[], end: string, indent = '', spaced = true): string {
  const space = spaced && parts.length > 0 ? ' ' : ''
  const one = `${start}${space}${parts.join(', ')}${space}${end}`
  const isShort = indent.length + one.length <= MAX_LINE && !parts.some((part) => part.includes('\n'))
  if (isShort) return one
  return `${start}\n${parts.map((part) => `${indent}  ${part},\n`).join('')}${indent}${end}`
}

/** A plain value as a literal. */
export function literal(value: unknown, indent = ''): string {
  if (typeof value === 'string') return quoted(value)
  const inner = `${indent}  `
  if (Array.isArray(value)) return fitted('[', value.map((each) => literal(each, inner)), ']', indent, false) // biome-ignore format: one line
  if (value !== null && typeof value === 'object') {
    const parts = Object.entries(value).map(([name, each]) => `${propertyName(name)}: ${literal(each, inner)}`)
    return fitted('{', parts, '}', indent)
  }
  return String(value)
}

/**
 * Names of a project from names of others: topics and properties may be called anything, while GraphQL takes
 * letters, digits and underscores, without two underscores at the start, and TypeScript takes no reserved words. The mapping
 * is a function of the names alone: the order of the records does not matter.
 */

/** Letters that are no letter with a mark. */
const LETTERS: Readonly<Record<string, string>> = {
  ß: 'ss',
  æ: 'ae',
  œ: 'oe',
  ø: 'o',
  đ: 'd',
  ð: 'd',
  þ: 'th',
  ł: 'l',
  ı: 'i',
  Æ: 'Ae',
  Œ: 'Oe',
  Ø: 'O',
  Đ: 'D',
  Ð: 'D',
  Þ: 'Th',
  Ł: 'L',
} // prettier-ignore

/** Longer names are nobody's to read. */
const MAX_LENGTH = 80

/** The parts of a name that are ASCII letters and digits. */
function partsOf(name: string): string[] {
  return name
    .replace(/[^\p{ASCII}]/gu, (letter) => LETTERS[letter] ?? letter)
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .split(/[^A-Za-z0-9]+/)
    .filter((part) => part !== '')
}

const upper = (part: string) => part.charAt(0).toUpperCase() + part.slice(1)
const isShout = (part: string) => /^[A-Z0-9]+$/.test(part) && /[A-Z]/.test(part)

/** A digit cannot be first. */
const startable = (name: string) => (/^\d/.test(name) ? `_${name}` : name).slice(0, MAX_LENGTH)

/** `first_name`, `first-name`, `FIRST_NAME` and `firstName` become `firstName`; a name without letters, `otherwise`. */
export function camelCase(name: string, otherwise: string): string {
  const parts = partsOf(name).map((part, _, { length }) => (isShout(part) && length > 1 ? part.toLowerCase() : part))
  const [first, ...rest] = parts
  if (first === undefined) return otherwise
  const start = isShout(first) ? first.toLowerCase() : first.charAt(0).toLowerCase() + first.slice(1)
  return startable([start, ...rest.map(upper)].join(''))
}

export function pascalCase(name: string, otherwise: string): string {
  const camel = camelCase(name, otherwise)
  return camel.startsWith('_') ? camel : upper(camel)
}

/** A file's name, without an ending. */
export function kebabCase(name: string, otherwise: string): string {
  const parts = partsOf(name.replace(/([a-z0-9])([A-Z])/g, '$1-$2'))
  return parts.length === 0 ? otherwise : parts.join('-').toLowerCase().slice(0, MAX_LENGTH)
}

/** The member of an enum in GraphQL: the value itself, if it is a name. */
export function memberName(value: string): string {
  if (/^(?!__)[_A-Za-z][_0-9A-Za-z]*$/.test(value) && !['true', 'false', 'null'].includes(value)) return value
  const parts = partsOf(value)
  return parts.length === 0 ? 'EMPTY' : startable(parts.join('_').toUpperCase())
}

/** One of them: payments are of payment. */
export function singular(name: string): string {
  if (/[^aeiou]ies$/i.test(name)) return name.replace(/ies$/i, 'y')
  if (/(?:ss|x|z|ch|sh)es$/i.test(name)) return name.slice(0, -2)
  return /[^sui]s$/i.test(name) ? name.slice(0, -1) : name
}

/** Names that are given once. */
export class Names {
  readonly #taken: Set<string>

  constructor(reserved: Iterable<string> = []) {
    this.#taken = new Set(reserved)
  }

  /** The name itself; with a number, if it is taken. */
  take(name: string): string {
    let free = name
    for (let number = 2; this.#taken.has(free); number += 1) free = `${name}${/\d$/.test(name) ? '_' : ''}${number}`
    this.#taken.add(free)
    return free
  }
}

/**
 * A name of its own for each source name. Those that are mapped to themselves are first, and the others in the order of
 * their letters, so that it does not matter in which order they were met.
 */
export function distinct(
  sources: Iterable<string>,
  map: (source: string) => string,
  reserved: Iterable<string> = [],
): Map<string, string> {
  const names = new Names(reserved)
  const all = [...sources]
  const order = all
    .map((source) => [source, map(source)] as const)
    .sort(([a, x], [b, y]) => Number(a !== x) - Number(b !== y) || (a < b ? -1 : 1))
  const taken = new Map(order.map(([source, name]) => [source, names.take(name)]))
  return new Map(all.map((source) => [source, taken.get(source) as string]))
}

/** JSON that is right, odd or broken. */
import type { Random } from '../random.ts'

const ODD_KEYS = ['__proto__', 'constructor', 'then', 'toJSON', 'hasOwnProperty', '', 'length', '\u0000']

/** JSON of a value, with oddities at this probability in each place. */
export function writeJson(random: Random, value: unknown, oddity: number): string {
  if (random.chance(oddity)) return oddJson(random)
  if (Array.isArray(value)) return `[${value.map((each) => writeJson(random, each, oddity)).join(',')}]`
  if (typeof value === 'object' && value !== null) {
    const members = Object.entries(value)
      .filter(([, each]) => each !== undefined && !random.chance(oddity))
      .map(([key, each]) => `${writeText(random, key, oddity)}:${writeJson(random, each, oddity)}`)
    if (random.chance(oddity)) members.push(`${JSON.stringify(random.pick(ODD_KEYS))}:${oddJson(random)}`)
    // The same key twice: the later one counts for JSON.parse.
    if (random.chance(oddity) && members.length > 0) members.unshift(random.pick(members))
    return `{${members.join(random.chance(oddity) ? ' \n,\t' : ',')}}`
  }
  return typeof value === 'string' ? writeText(random, value, oddity) : JSON.stringify(value)
}

/** A text, perhaps with every character escaped. */
function writeText(random: Random, text: string, oddity: number): string {
  if (!random.chance(oddity)) return JSON.stringify(text)
  const escaped = Array.from(
    { length: text.length },
    (_, i) => `\\u${text.charCodeAt(i).toString(16).padStart(4, '0')}`,
  )
  return `"${escaped.join('')}"`
}

function oddJson(random: Random): string {
  const depth = random.weighted([
    [4, 10],
    [1, 1_000],
    [1, 5_000],
    [0.3, 60_000],
  ])
  return random.pick([
    'null',
    'true',
    '0',
    '-1',
    '1e999',
    '123456789012345678901234567890',
    '""',
    '"x"',
    '[]',
    '{}',
    '[null]',
    '{"__proto__":{"query":"x"}}',
    '{"then":"x","toJSON":1}',
    'undefined',
    '\u0000',
    '"\\ud800"',
    `"${'y'.repeat(random.int(20_000))}"`,
    `[${'1,'.repeat(random.int(5_000))}1]`,
    `${'['.repeat(depth)}${']'.repeat(depth)}`,
    `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`,
  ])
}

/** Documents by the grammar of GraphQL, most of them valid for the schema, many of them odd. */

import { ITERATORS } from '../iterators.ts'
import type { Random } from '../random.ts'
import { CURSOR } from './draft.ts'
import { literalOf, randomFilter } from './filters.ts'
import { OBJECTS, ODD_NAMES, REGIONS, TYPES, VARIABLE_TYPES } from './schema.ts'

const MAX_DEPTH = 4

export class DocumentMaker {
  readonly #random: Random
  readonly #fragments: string[] = []
  #variables: string[] = []
  #broken: number
  /** Fields that are still to be made, at most: what is nested must not multiply without end. */
  #left: number

  constructor(random: Random) {
    this.#random = random
    // Most documents have nothing wrong; some have a lot.
    this.#broken = random.weighted([
      [6, 0],
      [2, 0.02],
      [1, 0.3],
    ])
    this.#left = random.weighted([
      [90, 40],
      [6, 400],
      [4, 1_500],
    ])
  }

  make(): string {
    const random = this.#random
    const operations = Array.from({ length: random.chance(0.05) ? random.between(2, 30) : 1 }, () => this.#operation())
    if (operations.length > 1 && random.chance(0.8)) {
      for (const [i, text] of operations.entries())
        operations[i] = text.replace(/^(\w+)?/, (kind) => `${kind || 'query'} Op${i}`)
    }
    let document = [...operations, ...this.#fragments].join('\n')
    if (random.chance(0.02)) document = `${document} ${this.#bomb()}`
    if (random.chance(0.03)) document = this.#scribble(document)
    if (random.chance(0.02)) document = `${'#'.repeat(random.int(30_000))}\n${document}`
    return document
  }

  #operation(): string {
    const random = this.#random
    this.#variables = []
    const kind = random.weighted([
      [5, 'query'],
      [5, 'subscription'],
      [0.2, 'mutation'],
      [0.1, 'fragment'],
    ])
    const count = kind === 'query' ? this.#size(3) : random.chance(0.03) ? 2 : 1
    const roots = Array.from({ length: count }, () => this.#root(kind))
    const unused = random.chance(0.05)
      ? [`$${this.#name()}: ${random.pick(['Int', 'Nope', '[[Int!]!]!', 'Order'])}`]
      : []
    const variables = [...new Set(this.#variables), ...unused]
    const head = variables.length > 0 ? `(${variables.join(', ')})` : ''
    const bare = kind === 'query' && head === '' && random.chance(0.5)
    return `${bare ? '' : `${kind} ${head}${this.#directives()}`}{ ${roots.join(' ')} }`
  }

  #root(kind: string): string {
    const random = this.#random
    if (kind !== 'subscription') {
      return random.weighted([
        [
          6,
          () =>
            `${this.#alias()}recentOrders${this.#args(['last', 'region', 'where=orderFilter'])}${this.#directives()} ${this.#selection('Order')}`,
        ],
        [2, () => `${this.#alias()}streams ${this.#selection('StreamInfo')}`],
        [0.7, () => `${this.#alias()}__schema ${this.#selection('__Schema')}`],
        [
          0.7,
          () => `${this.#alias()}__type(name: "${random.pick(['Order', 'Nope', ''])}") ${this.#selection('__Type')}`,
        ],
        [0.5, () => `${this.#alias()}__typename`],
        [0.3, () => `${this.#alias()}trap(chars: ${random.int(200_000)}, fails: ${random.chance(0.5)})`],
        [0.2, () => this.#name()],
      ])()
    }
    return random.weighted([
      [
        6,
        () =>
          `${this.#alias()}ordersByRegion${this.#args(['region!', 'where=orderFilter', 'after', 'since', 'last'])}${this.#directives()} ${this.#selection('Order')}`,
      ],
      [
        4,
        () =>
          `${this.#alias()}ordersByMerchant${this.#args(['merchantId!', 'where=orderFilter', 'after', 'since', 'last'])} ${this.#selection('Order')}`,
      ],
      [3, () => `${this.#alias()}orders${this.#args(['where=orderFilter', 'last'])} ${this.#selection('Order')}`],
      [
        1.5,
        () =>
          `${this.#alias()}traps${this.#args(['filter', 'where', 'region', 'last', 'after'])} ${this.#selection('Trap')}`,
      ],
      [0.8, () => `${this.#alias()}iterates${this.#args(['kind!', 'count'])}`],
      [0.2, () => '__typename'],
      [0.2, () => this.#name()],
    ])()
  }

  #selection(type: string, depth = 0): string {
    const random = this.#random
    const fields = TYPES[type] ?? ['id']
    const items = Array.from({ length: this.#size(depth === 0 ? 6 : 3) }, () => {
      if (random.chance(0.04))
        return `... ${random.chance(0.5) ? `on ${type} ` : ''}${this.#directives()}${this.#nested(type, depth)}`
      if (random.chance(0.03)) return this.#spread(type, depth)
      if (random.chance(this.#broken)) return this.#name()
      const field = random.chance(0.03) ? '__typename' : random.pick(fields)
      const of = OBJECTS[field.replace(/\(.*/, '')]
      return `${this.#alias()}${field}${this.#directives()}${of ? ` ${this.#nested(of, depth)}` : ''}`
    })
    return `{ ${items.join(' ')} }`
  }

  #nested(type: string, depth: number): string {
    return depth < MAX_DEPTH ? this.#selection(type, depth + 1) : `{ ${TYPES[type]?.[0] ?? 'id'} }`
  }

  /** A fragment of its own, perhaps one that spreads itself. */
  #spread(type: string, depth: number): string {
    const name = this.#name()
    const cycle = this.#random.chance(0.1) ? ` ...${name}` : ''
    this.#fragments.push(`fragment ${name} on ${type} ${this.#nested(type, depth).slice(0, -1)}${cycle} }`)
    return `...${name}${this.#directives()}`
  }

  /** Fragments each of which spreads the next one several times. */
  #bomb(): string {
    const levels = this.#random.between(4, 25)
    const body = (i: number) => (i === levels ? 'id' : `...b${i + 1} ...b${i + 1}`)
    const chain = Array.from({ length: levels + 1 }, (_, i) => `fragment b${i} on Order { ${body(i)} }`)
    return `query Bomb { recentOrders(last: 5) { ...b0 } } ${chain.join(' ')}`
  }

  /** Mostly a few; now and then so many that the operation is a large or a costly one. */
  #size(usual: number): number {
    const random = this.#random
    // A document with room for many fields mostly has them.
    const many = this.#left > 100 && random.chance(0.3)
    const size = Math.min(this.#left, many ? random.between(this.#left >> 2, this.#left) : random.between(1, usual))
    this.#left -= size
    return Math.max(1, size)
  }

  #alias(): string {
    const random = this.#random
    if (random.chance(0.7)) return ''
    return `${random.chance(0.1) ? this.#name() : random.word(random.between(1, 8))}: `
  }

  #name(): string {
    const random = this.#random
    return random.weighted([
      [5, () => random.word(random.between(1, 10))],
      [2, () => random.pick(ODD_NAMES)],
      [0.2, () => random.word(random.between(60, 300))],
      [0.03, () => random.word(random.between(10_000, 100_000))],
    ])()
  }

  /** Names of arguments, `!` after those that are required, and what their values are of where that is another name. */
  #args(names: readonly string[]): string {
    const random = this.#random
    const given = names.flatMap((name) => {
      const wanted = name.endsWith('!')
      if (!random.chance(wanted ? 0.98 : 0.35)) return []
      const [plain = '', kind = plain] = name.replace('!', '').split('=')
      return [`${plain}: ${random.chance(0.25) ? this.#variable(kind) : this.#value(kind)}`]
    })
    if (random.chance(this.#broken)) given.push(`${this.#name()}: ${this.#value('any')}`)
    return given.length > 0 ? `(${given.join(', ')})` : ''
  }

  #variable(name: string): string {
    const variable = this.#random.chance(0.1) ? this.#random.pick(ODD_NAMES.slice(0, 2)) : name
    this.#variables.push(`$${variable}: ${VARIABLE_TYPES[name] ?? 'String'}`)
    return `$${variable}`
  }

  #value(name: string): string {
    const random = this.#random
    if (random.chance(0.05)) return this.#oddValue()
    const instant = () => new Date(Date.now() - random.int(7_200_000)).toISOString()
    const last = () =>
      random.weighted([
        [6, random.int(20)],
        [2, random.int(1001)],
        [1, 10_000],
        [0.3, 10_001],
        [0.3, -1],
      ])
    const values: Readonly<Record<string, () => string>> = {
      last: () => String(last()),
      count: () => String(random.pick([0, 1, 3, 100_000])),
      region: () => random.pick(REGIONS),
      merchantId: () => JSON.stringify(random.chance(0.3) ? random.word(8) : `m_${random.int(50)}`),
      after: () => JSON.stringify(CURSOR),
      since: () => JSON.stringify(random.pick([instant, () => '1970-01-01T00:00:00Z', () => '9999-12-31T23:59:59Z'])()),
      filter: () => random.pick(['PASSES', 'THROWS', 'THROWS_LATER', 'THROWS_SOMETIMES']),
      where: () => random.pick(['PASSES', 'THROWS', 'ODD', 'NOTHING']),
      kind: () => random.pick(ITERATORS),
      orderFilter: () => literalOf(randomFilter(random)),
    }
    return (values[name] ?? (() => this.#oddValue()))()
  }

  #oddValue(): string {
    const random = this.#random
    const deep = random.pick([3, 30, 300, 2_400])
    return random.pick([
      'null',
      'true',
      '1e999',
      '-0',
      '99999999999999999999',
      '1.5',
      '"\\u0000\\ud800"',
      '"""block """',
      `"${'x'.repeat(random.int(5_000))}"`,
      '[]',
      '{}',
      '{then: 1, __proto__: {a: 1}}',
      `[${Array.from({ length: random.int(1_000) }, () => '1').join(' ')}]`,
      `${'['.repeat(deep)}${']'.repeat(deep)}`,
      `${'{a:'.repeat(deep)}1${'}'.repeat(deep)}`,
      'NOPE',
      '$undefined',
    ])
  }

  #directives(): string {
    const random = this.#random
    if (random.chance(0.95)) return ''
    return random.pick([
      ' @skip(if: false)',
      ' @include(if: true)',
      ' @skip(if: $s)',
      ' @nope',
      ' @defer',
      ' @stream',
      ' @include(if: true)'.repeat(3),
      ' @skip',
    ])
  }

  /** Some characters other than they were. */
  #scribble(text: string): string {
    const random = this.#random
    let scribbled = text
    for (let i = random.between(1, 6); i > 0; i--) {
      const at = random.int(scribbled.length + 1)
      const put = random.pick(['', '{', '}', '(', '"', '"""', '...', '$', '\u0000', '\ufeff', '🂡', '\ud800', '&', '\\'])
      scribbled = scribbled.slice(0, at) + put + scribbled.slice(at + random.int(4))
    }
    return scribbled
  }
}

import { LRUCache } from 'lru-cache'
import { ANONYMOUS, type Audience, type Claims } from '../../schema/context.ts'
import type { SchemaRules } from '../../schema/rights/schema-rules.ts'
import { AUTHENTICATED } from '../../schema/rights/scope-rule.ts'
import type { Principal } from '../principal.ts'

/** Characters of all claims, as JSON: some hundred thousand small ones. An audience may have thousands of bounds. */
const MAX_CHARS = 8 * 1024 * 1024

/** The audiences of principals: what is the same for all who may see the same. Equal ones are one object. */
export class Audiences {
  readonly #rules: SchemaRules
  readonly #known = new LRUCache<string, Audience>({ maxSize: MAX_CHARS, sizeCalculation: (_, key) => key.length })

  constructor(rules: SchemaRules) {
    this.#rules = rules
  }

  /**
   * What resolvers may see of a principal. A token without any claim that makes a difference is of the anonymous
   * audience: its streams share all that those of anonymous clients do.
   */
  of({ kind, scopes, bounds, historyMs }: Principal): Audience {
    const asked = [...scopes].filter((scope) => this.#rules.scopes.has(scope)).sort()
    const bound = canonicalBounds(bounds)
    const claims: Claims = {
      ...(asked.length > 0 && { scopes: Object.freeze(asked) }),
      ...(bound && { bounds: bound }),
      ...(historyMs !== undefined && { historyMs }),
      ...(this.#rules.asksAuthenticated && kind !== 'anonymous' && { [AUTHENTICATED]: true }),
    }
    const key = JSON.stringify(claims)
    if (key === '{}') return ANONYMOUS
    let audience = this.#known.get(key)
    if (!audience) {
      audience = Object.freeze({ claims: Object.freeze(claims) })
      this.#known.set(key, audience)
    }
    return audience
  }
}

/** Undefined: there are none. */
function canonicalBounds(bounds: Principal['bounds']): Claims['bounds'] | undefined {
  const sorted = Object.keys(bounds).sort()
  if (sorted.length === 0) return undefined
  return Object.freeze(
    Object.fromEntries(sorted.map((property) => [property, Object.freeze([...new Set(bounds[property])].sort())])),
  )
}

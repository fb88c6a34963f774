import { SluiceError } from '../../errors/codes.ts'
import type { Audience } from '../context.ts'

/**
 * What a field or a type asks of credentials, as data: admission can evaluate it before anything runs, and filters and
 * `throttle.by` are asked the same. All parts of a rule have to hold; of `$any`, one of its parts.
 */
export interface ScopeRule {
  /** A scope, or several, all of which are needed. */
  readonly scope?: string | readonly string[]
  /** Scopes of which one is needed. */
  readonly anyScope?: readonly string[]
  /** Any valid credentials. */
  readonly authenticated?: true
  readonly $all?: ScopeRule
  readonly $any?: ScopeRule
}

/** The claim of all who are not anonymous. It is part of an audience if the schema asks for it. */
export const AUTHENTICATED = 'authenticated'

function hasScope({ claims }: Audience, scope: string): boolean {
  return claims.scopes?.includes(scope) === true
}

export function hasScopes(audience: Audience, scopes: string | readonly string[]): boolean {
  return listOf(scopes).every((scope) => hasScope(audience, scope))
}

export function hasAnyScope(audience: Audience, scopes: readonly string[]): boolean {
  return scopes.some((scope) => hasScope(audience, scope))
}

export function isAuthenticated({ claims }: Audience): boolean {
  return claims[AUTHENTICATED] === true
}

/** Whether a rule holds for an audience. */
export function isMet(rule: ScopeRule, audience: Audience, strategy: 'all' | 'any' = 'all'): boolean {
  const parts = partsOf(rule).map((part) => () => isPartMet(part, audience))
  return strategy === 'all' ? parts.every((part) => part()) : parts.some((part) => part())
}

/** @throws SluiceError `FORBIDDEN`, with `subject` as the subject of its sentence. */
export function demandAll(rules: readonly ScopeRule[], audience: Audience, subject: string): void {
  for (const rule of rules) if (!isMet(rule, audience)) throw forbidden(rule, subject)
}

export function forbidden(rule: ScopeRule, subject: string): SluiceError {
  return new SluiceError('FORBIDDEN', `${subject} needs ${describe(rule)}`)
}

/** Every scope that a rule names. */
export function scopesIn(rule: ScopeRule): string[] {
  return partsOf(rule).flatMap(([name, value]) => {
    if (name === AUTHENTICATED) return []
    return name === '$all' || name === '$any' ? scopesIn(value as ScopeRule) : listOf(value as string)
  })
}

export function asksAuthenticated(rule: ScopeRule): boolean {
  return partsOf(rule).some(([name, value]) => {
    return name === AUTHENTICATED || (name.startsWith('$') && asksAuthenticated(value as ScopeRule))
  })
}

/**
 * @throws TypeError for anything but a rule. A function cannot be evaluated at admission; and what the plugin remembers
 * of its answers would grow with every event of a subscription.
 */
export function demandRule(rule: unknown, where: string): asserts rule is ScopeRule {
  if (typeof rule !== 'object' || rule === null || Array.isArray(rule)) {
    throw new TypeError(`The authScopes of ${where} are an object: a rule that admission can evaluate by itself`)
  }
  const parts = Object.entries(rule)
  if (parts.length === 0) throw new TypeError(`The authScopes of ${where} ask for nothing`)
  for (const [name, value] of parts) {
    if (name === '$all' || name === '$any') demandRule(value, where)
    else if (!PARTS[name]?.(value))
      throw new TypeError(`The authScopes of ${where} have no part ${name}: ${String(value)}`)
  }
}

const PARTS: Readonly<Record<string, (value: unknown) => boolean>> = {
  scope: (value) => isScope(value) || isScopes(value),
  anyScope: isScopes,
  [AUTHENTICATED]: (value) => value === true,
}

function isScope(value: unknown): value is string {
  return typeof value === 'string' && value !== ''
}

function isScopes(value: unknown): boolean {
  return Array.isArray(value) && value.length > 0 && value.every(isScope)
}

function partsOf(rule: ScopeRule): [string, unknown][] {
  return Object.entries(rule)
}

/** An unknown part never holds: the schema is not built with one. */
function isPartMet([name, value]: [string, unknown], audience: Audience): boolean {
  switch (name) {
    case 'scope':
      return hasScopes(audience, value as string)
    case 'anyScope':
      return hasAnyScope(audience, value as string[])
    case AUTHENTICATED:
      return isAuthenticated(audience)
    case '$all':
      return isMet(value as ScopeRule, audience)
    case '$any':
      return isMet(value as ScopeRule, audience, 'any')
    default:
      return false
  }
}

function describe(rule: ScopeRule, between = ' and '): string {
  return partsOf(rule)
    .map(([name, value]) => {
      if (name === '$all') return describe(value as ScopeRule)
      if (name === '$any') return describe(value as ScopeRule, ' or ')
      if (name === AUTHENTICATED) return 'credentials'
      const scopes = listOf(value as string).map((scope) => `"${scope}"`)
      if (name === 'anyScope') return `one of the scopes ${scopes.join(', ')}`
      return scopes.length === 1 ? `the scope ${scopes[0]}` : `the scopes ${scopes.join(', ')}`
    })
    .join(between)
}

function listOf(scopes: string | readonly string[]): readonly string[] {
  return typeof scopes === 'string' ? [scopes] : scopes
}

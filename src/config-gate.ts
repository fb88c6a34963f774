import { z } from 'zod'
import { boolean, integer, list, readable } from './config-formats.ts'

/** Signature algorithms that are believed if none are configured: asymmetric ones, without known weaknesses. */
const ALGORITHMS = ['RS256', 'PS256', 'ES256', 'EdDSA'] as const
const ALL_ALGORITHMS = [...ALGORITHMS, 'RS384', 'RS512', 'PS384', 'PS512', 'ES384', 'ES512', 'HS256', 'HS384', 'HS512']
const HTTP_NAME = /^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}$/
/** 256 bits, if they are random. */
const MIN_SECRET_CHARS = 32

/** The variables of admission: who gets in, what they may ask, how much. */
export const GateEnvironment = {
  AUTH_JWKS_URL: z
    .url({ protocol: /^https?$/ })
    .refine((url) => !/^[^/]*\/\/[^/]*@/.test(url))
    .optional()
    .meta({ wants: 'an http or https URL, without a user name and password' }),
  AUTH_KEY_FILE: readable.optional().meta({ wants: 'the path of a readable file: PEM or JWKS' }),
  AUTH_ISSUER: z.string().optional(),
  AUTH_AUDIENCE: list.pipe(z.array(z.string()).min(1)).optional(),
  AUTH_ALGORITHMS: list
    .pipe(z.array(z.enum(ALL_ALGORITHMS)).min(1))
    .default([...ALGORITHMS])
    .meta({ wants: `of ${ALL_ALGORITHMS.join(', ')}, separated by commas` }),
  AUTH_CLOCK_TOLERANCE_MS: integer(0, 60_000).default(5_000),
  AUTH_COOKIE: z.string().regex(HTTP_NAME).optional().meta({ wants: 'the name of a cookie' }),
  API_KEYS_FILE: z.string().optional(),
  ANONYMOUS: boolean.optional(),
  // RFC 6749 section 3.3.
  ANONYMOUS_SCOPES: list
    .pipe(z.array(z.string().regex(/^[!#-+\--[\]-~]{1,128}$/)).max(200))
    .optional()
    .meta({ wants: 'scopes, separated by commas' }),
  TICKET_SECRET: z
    .string()
    .min(MIN_SECRET_CHARS)
    .optional()
    .meta({ wants: `at least ${MIN_SECRET_CHARS} random characters, the same for all instances` }),
  INTROSPECTION: boolean.optional(),
  GRAPHIQL: boolean.optional(),
  LIVE_MAP: boolean.optional(),
  PERSISTED_OPERATIONS: z.enum(['off', 'allowed', 'only']).default('off'),
  PERSISTED_OPERATIONS_FILE: z.string().optional(),
  CONTROL_TOPIC: z
    .string()
    .regex(/^[a-zA-Z0-9._-]{1,249}$/)
    .default('sluice-control')
    .meta({ wants: 'the name of a Kafka topic' }),
  CORS_HEADERS: list
    .pipe(z.array(z.string().regex(HTTP_NAME)))
    .optional()
    .meta({ wants: 'names of request headers, separated by commas' }),
  MAX_STREAMS_PER_PRINCIPAL: integer(1, 1_000_000).default(1_000),
  MAX_STREAMS_PER_ADDRESS: integer(1, 1_000_000).optional(),
  NEW_STREAMS_PER_PRINCIPAL: integer(1, 100_000).default(100),
  NEW_STREAMS_PER_ADDRESS: integer(1, 100_000).optional(),
  MAX_GROUPS: integer(1, 1_000_000).default(20_000),
  MAX_GROUPS_PER_PRINCIPAL: integer(1, 1_000_000).default(2_000),
  USAGE_TOPIC: z
    .string()
    .regex(/^[a-zA-Z0-9._-]{1,249}$/)
    .optional()
    .meta({ wants: 'the name of a Kafka topic' }),
  USAGE_INTERVAL_MS: integer(1_000, 3_600_000).default(60_000),
  AUDIT_LOG: boolean.optional(),
}

interface Given {
  has(name: string): boolean
  get(name: string): string | undefined
}

/** Whether a way to authenticate is configured. */
export function hasAuthentication(given: Given): boolean {
  return given.has('AUTH_JWKS_URL') || given.has('AUTH_KEY_FILE') || given.has('API_KEYS_FILE')
}

/** Whether a configuration has a way to authenticate. */
export function authenticates(
  config: Readonly<Partial<Record<'AUTH_JWKS_URL' | 'AUTH_KEY_FILE' | 'API_KEYS_FILE', unknown>>>,
): boolean {
  return (config.AUTH_JWKS_URL ?? config.AUTH_KEY_FILE ?? config.API_KEYS_FILE) !== undefined
}

/** What of admission does not fit together, one line each. Variables of `bad` have lines of their own. */
export function gateProblems(given: Given, bad: ReadonlySet<string>, isProduction: boolean): string[] {
  const problems: string[] = []
  const isGood = (name: string): boolean => given.has(name) && !bad.has(name)
  if (isGood('AUTH_JWKS_URL') && isGood('AUTH_KEY_FILE')) {
    problems.push('AUTH_JWKS_URL and AUTH_KEY_FILE exclude each other: the keys come from one place')
  }
  if (isGood('AUTH_COOKIE') && !given.has('AUTH_JWKS_URL') && !given.has('AUTH_KEY_FILE')) {
    problems.push('AUTH_COOKIE, which holds a signed token, wants AUTH_JWKS_URL or AUTH_KEY_FILE beside it')
  }
  if (isGood('AUTH_JWKS_URL') && /\bHS\d/.test(given.get('AUTH_ALGORITHMS') ?? '')) {
    problems.push('HS256, HS384 and HS512 in AUTH_ALGORITHMS want AUTH_KEY_FILE: no URL has shared secrets')
  }
  const persisted = given.get('PERSISTED_OPERATIONS')
  if ((persisted === 'allowed' || persisted === 'only') && !given.has('PERSISTED_OPERATIONS_FILE')) {
    problems.push(`PERSISTED_OPERATIONS=${persisted} wants PERSISTED_OPERATIONS_FILE beside it`)
  }
  const letsAnybodyIn = given.get('ANONYMOUS') === 'true' || (!given.has('ANONYMOUS') && !hasAuthentication(given))
  if (isGood('ANONYMOUS_SCOPES') && !bad.has('ANONYMOUS') && !letsAnybodyIn) {
    problems.push('ANONYMOUS_SCOPES is for those without credentials: it wants ANONYMOUS=true beside it')
  }
  if (hasAuthentication(given)) return problems
  if (given.get('ANONYMOUS') === 'false') problems.push(`ANONYMOUS=false lets nobody in: it wants ${ANY} beside it`)
  else if (isProduction && !given.has('ANONYMOUS')) problems.push(NO_AUTHENTICATION)
  return problems
}

const ANY = 'AUTH_JWKS_URL, AUTH_KEY_FILE or API_KEYS_FILE'
const NO_AUTHENTICATION = `Production wants to know who gets in: ${ANY}, or ANONYMOUS=true for everybody`

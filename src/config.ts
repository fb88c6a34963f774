import { isIP } from 'node:net'
import { hostname } from 'node:os'
import { z } from 'zod'
import { boolean, integer, list, readable } from './config-formats.ts'
import { GateEnvironment, gateProblems, hasAuthentication } from './config-gate.ts'
import { misspellings } from './config-names.ts'
import { INSTANCE_NAME, madeUpInstanceName } from './instance-name.ts'

const pemFile = readable.meta({ wants: 'the path of a readable PEM file' })

/** An IP address, a CIDR range, or `unix` for peers on a unix socket. */
const proxy = z.string().refine((text) => {
  if (text === 'unix') return true
  const [, address = '', prefix] = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(text) ?? []
  const version = isIP(address)
  return version !== 0 && !address.includes('%') && Number(prefix ?? 0) <= (version === 4 ? 32 : 128)
})

/** Length limit of a value in an error message. */
const MAX_SHOWN_CHARS = 200
const DAY_MS = 24 * 3600 * 1000
const PORT = integer(0, 65_535)

/**
 * Every environment variable, with its format and default; the README's table describes each (a test compares the two).
 * `wants` is the format in an error message.
 */
const Environment = z.object({
  PORT: PORT.default(4000),
  HOST: z.string().default('127.0.0.1'),
  LISTEN_SOCKET: z.string().optional(),
  ADMIN_PORT: PORT.default(4001),
  ADMIN_HOST: z.string().default('127.0.0.1'),
  ADMIN_HOSTS: list
    .pipe(z.array(z.string().regex(/^[A-Za-z0-9_.-]{1,253}$/)))
    .optional()
    .meta({ wants: 'names without ports, separated by commas' }),
  KAFKA_BROKERS: list
    .pipe(z.array(z.string().regex(/^[^\s:]+:\d{1,5}$|^\[[0-9a-fA-F:]+\]:\d{1,5}$/)).min(1))
    .optional()
    .meta({ wants: 'host:port, or several separated by commas' }),
  KAFKA_RACK: z.string().min(1).max(249).optional(),
  KAFKA_SSL: boolean.default(false),
  KAFKA_SSL_CA: pemFile.optional(),
  KAFKA_SSL_CERT: pemFile.optional(),
  KAFKA_SSL_KEY: pemFile.optional(),
  KAFKA_SASL_MECHANISM: z.enum(['plain', 'scram-sha-256', 'scram-sha-512']).optional(),
  KAFKA_SASL_USERNAME: z.string().optional(),
  KAFKA_SASL_PASSWORD: z.string().optional(),
  DEMO_RATE: z
    .string()
    .regex(/^\d{1,5}(\.\d{1,3})?$/)
    .transform(Number)
    .pipe(z.number().max(20_000))
    .default(20)
    .meta({ wants: 'orders a second, from 0 to 20000' }),
  DEMO_SEED: integer(0, 2 ** 32 - 1).default(1),
  INSTANCE_ID: z.string().regex(INSTANCE_NAME).optional().meta({ wants: '1 to 63 of a-z 0-9 - and, in between, dots' }),
  WINDOW_BYTES: integer(64 * 1024, 16 * 1024 ** 3).default(64 * 1024 * 1024),
  WINDOW_MAX_AGE_MS: integer(1000, 7 * DAY_MS).default(3600 * 1000),
  // By default that of src/streams/topic/decode.ts. The largest takes the event loop for about a second.
  MAX_EVENT_BYTES: integer(1024, 64 * 1024 * 1024).default(1024 * 1024 + 12),
  CURSOR_VERSION: integer(1, 2).default(1),
  REPLAY_EVENTS_PER_SECOND: integer(100, 10_000_000).default(50_000),
  COMPRESSION: z.enum(['on', 'anonymous', 'off']).default('on'),
  HEARTBEAT_MS: integer(100, 600_000).default(15_000),
  MAX_STREAMS: integer(1, 1_000_000).default(10_000),
  MAX_CONNECTIONS: integer(1, 1_000_000).optional(),
  MAX_CONNECTIONS_PER_ADDRESS: integer(1, 1_000_000).optional(),
  STREAM_MAX_AGE_MS: integer(0, 7 * DAY_MS).default(3600 * 1000),
  DRAIN_MS: integer(0, 3600 * 1000).default(30_000),
  TRUSTED_PROXIES: list
    .pipe(z.array(proxy))
    .optional()
    .meta({ wants: 'addresses, ranges such as 10.0.0.0/8, or unix, separated by commas' }),
  // `null` is any sandboxed page; one with a path or a slash at its end would match nothing.
  CORS_ORIGINS: list
    .pipe(
      z
        .array(
          z
            .string()
            .toLowerCase()
            .regex(/^(\*|[a-z][a-z0-9+.-]*:\/\/[^\s/?#,]+)$/),
        )
        .min(1),
    )
    .default(['*'])
    .meta({ wants: 'origins such as https://shop.example, separated by commas, or *' }),
  ...GateEnvironment,
  LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).default('info'),
})

/** Variables whose default depends on others. */
type Derived = {
  readonly INSTANCE_ID: string
  readonly ANONYMOUS: boolean
  readonly INTROSPECTION: boolean
  readonly GRAPHIQL: boolean
  readonly LIVE_MAP: boolean
  readonly AUDIT_LOG: boolean
}

export type Config = Readonly<Omit<z.output<typeof Environment>, keyof Derived>> & Derived

/** The names of all variables, for the test that compares them with the README. */
export const VARIABLES = Object.keys(Environment.shape)

/** All errors, one line each: the variable, the expected format, and the value. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
  readonly problems: readonly string[]

  constructor(problems: readonly string[]) {
    super(problems.join('\n'))
    this.problems = problems
  }
}

type Variables = Readonly<Record<string, string | undefined>>

export interface ConfigOptions {
  /** An embedding program supplies its own log: none has to be configured. */
  readonly embedded?: boolean
}

/**
 * Reads the configuration from environment variables. An empty variable counts as absent.
 * With `NODE_ENV=production` there are no fallbacks. Without Kafka, demo orders must be enabled by `DEMO_RATE`. A
 * variable that resembles one of Kafka's is an error, since without it the gateway would serve something else.
 * @throws ConfigError for invalid values.
 */
export function readConfig(environment: Variables, { embedded = false }: ConfigOptions = {}): Config {
  const given = givenIn(environment)
  const parsed = Environment.safeParse(Object.fromEntries(given))
  const bad = new Set(parsed.success ? [] : parsed.error.issues.map(({ path }) => String(path[0])))
  const problems = [...bad].map((name) => `${name} wants ${wantsOf(name)}, and got ${shown(name, given.get(name))}`)
  problems.push(...wantedTogether(given, bad))
  const isProduction = environment.NODE_ENV === 'production'
  problems.push(...gateProblems(given, bad, isProduction))
  if (isProduction) {
    const isDemo = given.has('DEMO_RATE') && !/^[0.]+$/.test(given.get('DEMO_RATE') ?? '')
    if (!embedded && !given.has('KAFKA_BROKERS') && !isDemo) problems.push(NO_LOG)
    for (const { name, meant } of misspellings(given, VARIABLES)) {
      if (meant?.startsWith('KAFKA_')) problems.push(misspelt(name, meant))
    }
  }
  if (!parsed.success || problems.length > 0) throw new ConfigError(problems)
  const { data } = parsed
  return {
    ...data,
    INSTANCE_ID: data.INSTANCE_ID ?? madeUpInstanceName(hostname(), process.pid),
    ANONYMOUS: data.ANONYMOUS ?? !hasAuthentication(given),
    INTROSPECTION: data.INTROSPECTION ?? !isProduction,
    GRAPHIQL: data.GRAPHIQL ?? !isProduction,
    AUDIT_LOG: data.AUDIT_LOG ?? hasAuthentication(given),
    LIVE_MAP: data.LIVE_MAP ?? !isProduction,
    // Undefined: the gateway says, by what it serves.
    ANONYMOUS_SCOPES: data.ANONYMOUS_SCOPES ?? (isProduction ? [] : undefined),
  }
}

const NO_LOG =
  'Production wants a log to serve: KAFKA_BROKERS with the brokers, or DEMO_RATE above 0 for made-up orders from memory'

/** Probable mistakes in a valid configuration, one line each: variables that resemble ours. */
export function configWarnings(environment: Variables): string[] {
  return misspellings(givenIn(environment), VARIABLES).map(({ name, meant }) => misspelt(name, meant))
}

function misspelt(name: string, meant: string | undefined): string {
  const ours = meant === undefined ? 'README.md has all of them' : `is ${meant} meant?`
  return `${/^[\w.-]+$/.test(name) ? name : inOneLine(name)} is no variable of this gateway: ${ours}`
}

function givenIn(environment: Variables): Map<string, string> {
  const entries = Object.entries(environment).filter((entry): entry is [string, string] => Boolean(entry[1]))
  return new Map(entries)
}

function wantedTogether(given: ReadonlyMap<string, string>, bad: ReadonlySet<string>): string[] {
  const problems: string[] = []
  const isGood = (name: string) => given.has(name) && !bad.has(name)
  if (isGood('KAFKA_SASL_MECHANISM') && !(given.has('KAFKA_SASL_USERNAME') && given.has('KAFKA_SASL_PASSWORD'))) {
    problems.push('KAFKA_SASL_MECHANISM wants KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD beside it')
  }
  const [cert, key] = ['KAFKA_SSL_CERT', 'KAFKA_SSL_KEY'] as const
  if (given.has(cert) !== given.has(key) && !bad.has(cert) && !bad.has(key)) {
    problems.push('KAFKA_SSL_CERT and KAFKA_SSL_KEY want each other: a client certificate has both')
  }
  const setting = (name: 'PORT' | 'HOST' | 'ADMIN_PORT' | 'ADMIN_HOST') =>
    given.get(name) ?? String(Environment.shape[name].parse(undefined))
  const ports = [setting('PORT'), setting('ADMIN_PORT')].map(Number)
  const isOnSocket = given.has('LISTEN_SOCKET')
  if (!isOnSocket && ports[0] === ports[1] && ports[0] !== 0 && !bad.has('PORT') && !bad.has('ADMIN_PORT')) {
    if (overlap(setting('HOST'), setting('ADMIN_HOST'))) {
      problems.push(`PORT and ADMIN_PORT want different ports on the same host, and both got ${ports[0]}`)
    }
  }
  return problems
}

/** Whether two ports conflict on their hosts: these are equal, or one is the wildcard address. */
function overlap(host: string, other: string): boolean {
  const [a, b] = [host, other].map(plainHost) as [string, string]
  const isAll = (each: string) => each === '::' || each === '0.0.0.0'
  if (a === b || a === '::' || b === '::') return true
  if (a === 'localhost' || b === 'localhost') return isAll(a) || isAll(b) || isLoopback(a) || isLoopback(b)
  return (isAll(a) && isIP(b) !== 6) || (isAll(b) && isIP(a) !== 6)
}

const isLoopback = (host: string) => host === '127.0.0.1' || host === '::1'

function plainHost(host: string): string {
  if (isIP(host) !== 6) return host.toLowerCase().replace(/\.$/, '')
  return URL.parse(`http://[${host.split('%', 1)[0]}]`)?.hostname.slice(1, -1) ?? host
}

function wantsOf(name: string): string {
  const field: z.ZodType | undefined = Environment.shape[name as keyof typeof Environment.shape]
  for (let type = field as z.ZodType & { unwrap?: () => z.ZodType }; type; type = type.unwrap?.() as typeof type) {
    const wants = type.meta()?.wants
    if (typeof wants === 'string') return wants
    if (type instanceof z.ZodEnum) return `one of ${type.options.join(', ')}`
  }
  return 'text'
}

function shown(name: string, value = ''): string {
  if (name.includes('PASSWORD') || name.includes('SECRET')) return 'something else'
  // A PEM text in place of its path: the key must not be logged.
  if (value.includes('-----BEGIN')) return 'a PEM text'
  return inOneLine(value.replaceAll(/\/\/[^/@]*@/g, '//...@'))
}

function inOneLine(text: string): string {
  const part = text.length > MAX_SHOWN_CHARS ? `${text.slice(0, MAX_SHOWN_CHARS)}...` : text
  return JSON.stringify(part).replaceAll(/[\u0085\u2028\u2029]/g, ' ')
}

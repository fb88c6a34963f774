import { readFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { hostname } from 'node:os'
import { z } from 'zod'

/** A whole number as text, from `min` to `max`. */
const integer = (min: number, max: number) =>
  z
    .string()
    .regex(/^\d{1,15}$/)
    .transform(Number)
    .pipe(z.number().min(min).max(max))
    .meta({ wants: `a whole number from ${min} to ${max}` })

const list = z.string().transform((text) =>
  text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== ''),
)

const boolean = z
  .enum(['true', 'false'])
  .transform((text) => text === 'true')
  .meta({ wants: 'true or false' })

const pemFile = z
  .string()
  .transform((path, context) => {
    try {
      return readFileSync(path, 'utf8')
    } catch {
      context.addIssue({ code: 'custom', message: 'unreadable' })
      return z.NEVER
    }
  })
  .meta({ wants: 'the path of a readable PEM file' })

/** An address, a range as `10.0.0.0/8`, or `unix` for peers on a unix socket. */
const proxy = z.string().refine((text) => {
  if (text === 'unix') return true
  const [, address = '', prefix] = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(text) ?? []
  const version = isIP(address)
  return version !== 0 && !address.includes('%') && Number(prefix ?? 0) <= (version === 4 ? 32 : 128)
})

const DAY_MS = 24 * 3600 * 1000
const PORT = integer(0, 65_535)

/**
 * Every environment variable, with what it takes and its default; the README's table says what each is for (a test
 * compares the two). `wants` is what an error message asks for.
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
  INSTANCE_ID: z
    .string()
    .regex(/^[a-z0-9-]{1,32}$/)
    .optional()
    .meta({ wants: '1 to 32 of a-z 0-9 -' }),
  WINDOW_BYTES: integer(64 * 1024, 16 * 1024 ** 3).default(64 * 1024 * 1024),
  WINDOW_MAX_AGE_MS: integer(1000, 7 * DAY_MS).default(3600 * 1000),
  CURSOR_VERSION: integer(1, 2).default(1),
  REPLAY_EVENTS_PER_SECOND: integer(100, 10_000_000).default(50_000),
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
  CORS_ORIGINS: list.default(['*']),
  LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).default('info'),
})

export type Config = Readonly<z.output<typeof Environment>> & { readonly INSTANCE_ID: string }

/** The names of all variables, for the test that holds the README against them. */
export const VARIABLES = Object.keys(Environment.shape)

/** One line: the variable, what it got, and what it wants. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
}

/**
 * Reads the configuration from environment variables. An empty variable is an absent one.
 * @throws ConfigError for the first that is not valid.
 */
export function readConfig(environment: Readonly<Record<string, string | undefined>>): Config {
  const given = Object.fromEntries(
    Object.entries(environment).filter(([, value]) => value !== undefined && value !== ''),
  )
  const parsed = Environment.safeParse(given)
  if (!parsed.success) {
    const name = String(parsed.error.issues[0]?.path[0])
    throw new ConfigError(`${name} wants ${wantsOf(name)}, and got ${shown(name, given[name])}`)
  }
  const config = parsed.data
  if (config.KAFKA_SASL_MECHANISM && !(config.KAFKA_SASL_USERNAME && config.KAFKA_SASL_PASSWORD)) {
    throw new ConfigError('KAFKA_SASL_MECHANISM wants KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD beside it')
  }
  if ((config.KAFKA_SSL_CERT === undefined) !== (config.KAFKA_SSL_KEY === undefined)) {
    throw new ConfigError('KAFKA_SSL_CERT and KAFKA_SSL_KEY want each other: a client certificate has both')
  }
  return { ...config, INSTANCE_ID: config.INSTANCE_ID ?? madeUpInstanceId() }
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

function shown(name: string, value: string | undefined): string {
  return name.includes('PASSWORD') ? 'something else' : JSON.stringify(value)
}

function madeUpInstanceId(): string {
  const host = hostname()
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .slice(0, 20)
  return `${host}-${process.pid}`
}

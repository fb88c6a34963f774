import { z } from 'zod'
import { INSTANCE_NAME } from '../../src/instance-name.ts'
import { DEFAULT_NGINX, type Form, formOf } from './form.ts'

/** A unix socket, or a host (a name is looked up once, when Nginx starts or reloads) and its port. */
const ADDRESS = /^unix:\/[\w./-]{1,100}$|^[a-z0-9]([a-z0-9.-]{0,250}[a-z0-9])?:\d{1,5}$|^\[[0-9a-f:.]{2,45}\]:\d{1,5}$/i
const LISTEN = /^\d{1,5}$|^[\w.-]{1,253}:\d{1,5}$|^\[[0-9a-f:.]{2,45}\]:\d{1,5}$/i
/** As in CORS_ORIGINS: apps have schemes of their own. */
const ORIGIN = /^\*$|^[a-z][a-z0-9+.-]{0,30}:\/\/([\w.-]{1,253}|\[[0-9a-f:.]{2,45}\])(:\d{1,5})?$/i
/** An address or a name, and a port. A name is looked up when Nginx starts. */
const RESOLVER = /^[a-z0-9]([a-z0-9.-]{0,250}[a-z0-9])?(:\d{1,5})?$|^\[[0-9a-f:.]{2,45}\](:\d{1,5})?$/i
const NETWORK = /^[0-9a-f:.]{2,45}(\/\d{1,3})?$/i
/** What needs no quoting in a configuration, so that nothing can be slipped into it. */
const PATH = /^\/?[\w.@+-][\w./@+-]*$/

const text = (pattern: RegExp, wants: string) => z.string().regex(pattern, `wants ${wants}`)
const path = text(PATH, 'a path of letters, digits and . _ / @ + -')
const count = (max: number) => z.int().min(1).max(max)

const Instance = z.strictObject({
  name: text(INSTANCE_NAME, 'the INSTANCE_ID of a gateway, 1 to 63 of a-z 0-9 - and, in between, dots'),
  address: text(ADDRESS, 'unix:/path/of.sock or host:port'),
})

const Options = z.strictObject({
  /** Its version, as `nginx -v` says it: the configuration is written for this one and newer ones. */
  nginx: text(/^\d{1,3}\.\d{1,3}(\.\d{1,3})?$/, 'a version such as 1.28 or 1.29.7').default(DEFAULT_NGINX),
  /** DNS servers by which the instances' host names are looked up again when their answers expire. */
  resolver: z.array(text(RESOLVER, 'the address of a DNS server')).max(8).default([]),
  /** Where clients connect: a port, or address:port. */
  listen: z.array(text(LISTEN, 'a port or address:port')).min(1).default(['443', '[::]:443']),
  certificate: path,
  certificateKey: path,
  /** Every gateway: its INSTANCE_ID, and where its LISTEN_SOCKET or HOST and PORT can be reached. */
  instances: z
    .array(Instance)
    .min(1)
    .max(100)
    .refine((all) => new Set(all.map(({ name }) => name)).size === all.length, 'has a name twice'),
  workers: z.union([z.literal('auto'), count(512)]).default('auto'),
  /** The hard limit of open files is often 20,000 in containers: this fits. */
  streamsPerWorker: count(1_000_000).default(8_600),
  /** Open requests of one client address; an office of a hundred people, five streams each. Nginx counts no further. */
  streamsPerAddress: count(65_535).default(512),
  /** The gateways' HEARTBEAT_MS. */
  heartbeatMs: z.int().min(100).max(600_000).default(15_000),
  /** The gateways' STREAM_MAX_AGE_MS. */
  streamMaxAgeMs: count(7 * 24 * 3600 * 1000).default(3_600_000),
  /** The gateways' CORS_ORIGINS, for the few answers that Nginx itself makes. */
  corsOrigins: z.array(text(ORIGIN, 'an origin such as https://shop.example, or *')).default(['*']),
  /** For so long browsers use TLS only, for every port of this host. 0: Nginx does not tell them to. */
  hstsSeconds: z.int().min(0).max(63_072_000).default(31_536_000),
  /** Load balancers in front of Nginx, whose X-Forwarded-For is believed. */
  trustedProxies: z.array(text(NETWORK, 'an address or a network such as 10.0.0.0/8')).default([]),
  /** Who the workers run as: it must be allowed to write to the gateways' unix sockets. */
  user: text(/^[a-z_][a-z0-9_-]{0,31}$/, 'the name of a user').default('www-data'),
  pidFile: path.default('/run/nginx.pid'),
  /** A folder for access.log and error.log. */
  logs: path.default('/var/log/nginx'),
  /** A folder for request bodies that do not fit into memory. */
  temporary: path.default('/var/lib/nginx'),
})

export type NginxOptions = z.input<typeof Options>
export type Settings = z.output<typeof Options> & { readonly form: Form }
export type Instance = Settings['instances'][number]

/**
 * The options with their defaults.
 * @throws Error with one sentence that names the first option that is wrong.
 */
export function settingsOf(options: unknown): Settings {
  const parsed = Options.safeParse(options)
  if (parsed.success) return withForm(parsed.data)
  const { path: where, message } = parsed.error.issues[0]!
  throw new Error(`The option ${where.join('.') || 'object'} is wrong: ${message}`)
}

function withForm(settings: z.output<typeof Options>): Settings {
  const form = formOf(settings.nginx)
  if (settings.resolver.length > 0 && !form.resolves) {
    throw new Error('The option resolver is wrong: wants Nginx 1.27.3 or newer, by the option nginx')
  }
  return { ...settings, form }
}

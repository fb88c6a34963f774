import type { Logger } from 'pino'
import type { Config } from '../../config.ts'
import type { Audience } from '../../schema/context.ts'
import { nobodyWith, type Principal } from '../principal.ts'
import { ApiKeys } from './api-keys/api-keys.ts'
import { KeysWatch } from './api-keys/keys-watch.ts'
import { Authentication } from './authentication.ts'
import { Seal } from './tickets/seal.ts'
import { Tickets } from './tickets/tickets.ts'
import { keysOfFile } from './tokens/key-file.ts'
import type { KeySource } from './tokens/key-set.ts'
import { RemoteKeys } from './tokens/remote-keys.ts'
import { Tokens } from './tokens/tokens.ts'

export interface OpenAuthenticationOptions {
  readonly config: Config
  readonly log: Logger
  readonly audienceOf: (principal: Principal) => Audience
  /** Of clients without credentials. */
  readonly anonymousScopes?: readonly string[]
  /** The time, in ms since the epoch. */
  readonly now?: () => number
}

/**
 * Authentication as it is configured. Keys are fetched before it is returned if the issuer answers within seconds; if it
 * does not, those who come with tokens are told so, and it is tried again.
 * @throws Error with one sentence that says what of the configuration cannot be used.
 */
export async function openAuthentication(options: OpenAuthenticationOptions): Promise<Authentication> {
  const { config, log, audienceOf, anonymousScopes = [], now = Date.now } = options
  const { AUTH_KEY_FILE: keyFile, AUTH_JWKS_URL: url, AUTH_ALGORITHMS: algorithms, API_KEYS_FILE: path } = config

  const remote = url === undefined ? undefined : new RemoteKeys({ url, algorithms, log })
  const ofFile = keyFile === undefined ? undefined : await keysOfFile(keyFile, algorithms)
  const source = remote ?? ofFile
  const tokens = source && tokensOf(options, source, now)
  const keys = path === undefined ? undefined : new ApiKeys({ audienceOf, now })
  const watch = path === undefined || !keys ? undefined : new KeysWatch({ path, keys, log })
  await watch?.start()
  await remote?.start()

  const { TICKET_SECRET: secret, ANONYMOUS: anonymous, AUTH_COOKIE: cookie } = config
  if (secret === undefined && (tokens || keys) && config.KAFKA_BROKERS) log.warn(NO_TICKET_SECRET)
  const nobody = nobodyWith(anonymousScopes)
  const tickets = new Tickets({ seal: new Seal(secret), keys, anonymous, nobody, audienceOf, now })
  const anybody = { principal: nobody, audience: audienceOf(nobody) }
  return new Authentication({ tokens, remote, keys, watch, tickets, cookie, anonymous, anybody })
}

const NO_TICKET_SECRET = 'TICKET_SECRET is not set: the tickets of this instance are valid here only, and until it ends'
const NO_AUDIENCE = 'AUTH_AUDIENCE is not set: tokens that this issuer gives for other services are accepted too'

function tokensOf({ config, log, audienceOf }: OpenAuthenticationOptions, keys: KeySource, now: () => number): Tokens {
  const { AUTH_ALGORITHMS: algorithms, AUTH_ISSUER: issuer, AUTH_AUDIENCE: audience } = config
  if (!audience) log.warn(NO_AUDIENCE)
  const toleranceMs = config.AUTH_CLOCK_TOLERANCE_MS
  return new Tokens({ keys, algorithms, issuer, audience, toleranceMs, audienceOf, now })
}

import { ANONYMOUS } from '../../schema/context.ts'
import type { Entry } from '../entry.ts'
import { type Identity, NOBODY } from '../principal.ts'
import type { ApiKeys } from './api-keys/api-keys.ts'
import type { KeysWatch } from './api-keys/keys-watch.ts'
import { credentialsOf, ticketOf } from './credentials.ts'
import { CredentialsMissing, refused } from './refusal.ts'
import type { Tickets } from './tickets/tickets.ts'
import type { RemoteKeys } from './tokens/remote-keys.ts'
import type { Tokens } from './tokens/tokens.ts'

/** Clients without credentials, where these have no scopes. */
const ANYBODY: Identity = { principal: NOBODY, audience: ANONYMOUS }

export interface AuthenticationOptions {
  readonly tokens?: Tokens | undefined
  /** Where the keys of tokens are fetched. */
  readonly remote?: RemoteKeys | undefined
  readonly keys?: ApiKeys | undefined
  readonly watch?: KeysWatch | undefined
  readonly tickets?: Tickets | undefined
  /** The cookie that holds a token. */
  readonly cookie?: string | undefined
  /** Clients without credentials get in. */
  readonly anonymous?: boolean
  /** Who these are. */
  readonly anybody?: Identity
}

/**
 * Authentication of requests. Credentials that are not valid are refused, also where clients without any get in: whoever
 * sends some means to be somebody. Where neither tokens nor keys are configured, headers and cookies are not looked at,
 * since nothing could be said about them.
 */
export class Authentication {
  readonly #options: AuthenticationOptions
  readonly #isConfigured: boolean

  constructor(options: AuthenticationOptions = {}) {
    this.#options = options
    this.#isConfigured = options.tokens !== undefined || options.keys !== undefined
  }

  /** Clients without credentials. */
  get anybody(): Identity {
    return this.#options.anybody ?? ANYBODY
  }

  get tokens(): Tokens | undefined {
    return this.#options.tokens
  }

  get remote(): RemoteKeys | undefined {
    return this.#options.remote
  }

  get keys(): ApiKeys | undefined {
    return this.#options.keys
  }

  get watch(): KeysWatch | undefined {
    return this.#options.watch
  }

  get tickets(): Tickets | undefined {
    return this.#options.tickets
  }

  /**
   * Not a promise where nothing has to be computed first. Equal credentials have the same identity.
   * @throws SluiceError `UNAUTHENTICATED` or `SESSION_EXPIRED`; `NOT_READY` where a key cannot be fetched now.
   */
  identify(entry: Entry): Identity | Promise<Identity> {
    const { tokens, keys, tickets, cookie, anonymous = true } = this.#options
    const credentials = this.#isConfigured ? credentialsOf(entry, cookie) : (ticketOf(entry) ?? NONE)
    switch (credentials.kind) {
      case 'none':
        if (!anonymous) throw new CredentialsMissing()
        return this.anybody
      case 'token':
        if (!tokens) throw refused('Signed tokens are not accepted here')
        return tokens.identify(credentials.token)
      case 'key':
        if (!keys) throw refused('API keys are not accepted here')
        return keys.identify(credentials.key)
      case 'ticket':
        if (!tickets) throw refused('Tickets are not accepted here')
        // Not empty: clients send an empty one before they have received any id.
        return tickets.identify(credentials.ticket, Boolean(entry.headers['last-event-id']))
    }
  }

  /** Ends what runs in the background. */
  close(): void {
    this.#options.remote?.close()
    this.#options.watch?.close()
  }
}

const NONE = { kind: 'none' } as const

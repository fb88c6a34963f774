import { hash } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import { SluiceError } from '../../../errors/codes.ts'
import type { Audience } from '../../../schema/context.ts'
import type { GraphQLParams } from '../../params.ts'
import { type Identity, NOBODY, type OperationBinding, type Principal } from '../../principal.ts'
import type { ApiKeys } from '../api-keys/api-keys.ts'
import { MAX_TICKET_CHARS } from '../credentials.ts'
import { expired, refused } from '../refusal.ts'
import { type Holder, holderOf, keyOf, principalOfHolder, readContents, type TicketContents } from './contents.ts'
import { boundOperation, digestOf } from './operation-binding.ts'
import type { Seal } from './seal.ts'

/** In which a stream has to be opened. A page needs a second; a slow one that waits for its turn, some more. */
const OPEN_MS = 5 * 60_000
/** For reconnects with the ticket of a key or of nobody, which have no end of their own. */
const MAX_AGE_MS = 24 * 3_600_000
/** Length limit of an operation that a ticket carries. Of a longer one it has the digest, and the URL the rest. */
const MAX_CARRIED_CHARS = 2_048
/** Budget of tickets that have been read: some thousands, each for one stream of a browser. */
const CACHE_BYTES = 16 * 1024 * 1024
const ENTRY_BYTES = 1_500

export interface TicketsOptions {
  readonly seal: Seal
  readonly keys: ApiKeys | undefined
  /** Clients without credentials get in. */
  readonly anonymous: boolean
  /** Who these are. */
  readonly nobody?: Principal
  readonly audienceOf: (principal: Principal) => Audience
  readonly now: () => number
}

interface Opened {
  readonly contents: TicketContents
  /** With the principal that its holder was when it was last used. */
  identity: Identity
  readonly bytes: number
}

/**
 * Tickets: what a native EventSource, which cannot send headers, has in its URL instead of credentials. One is good for
 * one operation and one principal: for minutes to open a stream, and later only for the reconnects of an EventSource,
 * which send `Last-Event-ID`.
 */
export class Tickets {
  readonly #options: TicketsOptions
  readonly #opened = new LRUCache<string, Opened>({ maxSize: CACHE_BYTES, sizeCalculation: ({ bytes }) => bytes })

  constructor(options: TicketsOptions) {
    this.#options = options
  }

  get cacheBytes(): number {
    return this.#opened.calculatedSize
  }

  /**
   * A ticket for an operation that this client may run.
   * @throws SluiceError `BAD_REQUEST` if it would be too long for a URL.
   */
  async issue({ principal }: Identity, params: GraphQLParams): Promise<string> {
    const { seal, keys, now } = this.#options
    const operation = boundOperation(params)
    const isShort = JSON.stringify(operation).length <= MAX_CARRIED_CHARS
    const contents: TicketContents = {
      issuedAt: now(),
      holder: holderOf(principal, keys),
      digest: digestOf(params),
      ...(isShort && { operation }),
    }
    const ticket = await seal.close(contents)
    if (ticket.length <= MAX_TICKET_CHARS) return ticket
    throw new SluiceError('BAD_REQUEST', 'With the claims of these credentials, a ticket would be too long for a URL')
  }

  /**
   * @param isReconnect the request has a `Last-Event-ID`.
   * @throws SluiceError `UNAUTHENTICATED` or `SESSION_EXPIRED`
   */
  async identify(ticket: string, isReconnect: boolean): Promise<Identity> {
    const digest = hash('sha256', ticket, 'base64')
    let opened = this.#opened.get(digest)
    if (!opened) {
      opened = this.#read(readContents(await this.#options.seal.open(ticket)), ticket)
      this.#opened.set(digest, opened)
    }
    const { holder, issuedAt } = opened.contents
    this.#demandTime(holder, this.#options.now() - issuedAt, isReconnect)
    if (holder.kind !== 'key') return opened.identity
    // The key may have been given other scopes or bounds. Streams keep identities, so there is another one then.
    const principal = this.#principalOf(holder)
    if (principal !== opened.identity.principal)
      opened.identity = this.#identityOf(principal, opened.identity.operation)
    return opened.identity
  }

  #read(contents: TicketContents, ticket: string): Opened {
    const { query, documentId, operationName, variables, extensions } = contents.operation ?? {}
    const params = contents.operation && { query, documentId, operationName, variables, extensions }
    const identity = this.#identityOf(this.#principalOf(contents.holder), { digest: contents.digest, params })
    return { contents, identity, bytes: ENTRY_BYTES + 2 * ticket.length }
  }

  #principalOf(holder: Holder): Principal {
    if (holder.kind !== 'key') return principalOfHolder(holder, this.#options.nobody ?? NOBODY)
    const { identity, fingerprint } = keyOf(holder.id, this.#options.keys)
    if (fingerprint !== holder.fingerprint) throw refused('The ticket was given to a key that is not valid any more')
    return identity.principal
  }

  #identityOf(principal: Principal, operation: OperationBinding | undefined): Identity {
    return { principal, audience: this.#options.audienceOf(principal), ...(operation && { operation }) }
  }

  /** By the clock that issued it: those of instances differ by less than matters here. */
  #demandTime(holder: Holder, ageMs: number, isReconnect: boolean): void {
    if (holder.kind === 'anonymous' && !this.#options.anonymous) throw refused('The ticket is not valid here')
    if (!isReconnect && ageMs >= OPEN_MS) {
      throw expired(`The ticket was for opening a stream within ${OPEN_MS / 60_000} minutes: get a new one`)
    }
    const isOver = holder.kind === 'token' ? this.#options.now() >= holder.expiresAt : ageMs >= MAX_AGE_MS
    if (isOver) throw expired('The ticket has expired: get a new one')
  }
}

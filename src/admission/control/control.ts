import { SluiceError } from '../../errors/codes.ts'
import type { Principal } from '../principal.ts'
import type { OperationName, StreamOwner } from '../stream-owner.ts'
import type { ControlEntry } from './control-entry.ts'
import { ControlList, type ControlListLimits } from './control-list.ts'

/** Why the streams of an API key end: it was removed, or changed. */
export type KeyEnd = 'revoked' | 'expired'

/** Ends the open streams that are not to go on. */
export interface Enforcer {
  /**
   * Looks at all streams of this instance. `keys`: API keys whose streams end, beside those that control refuses.
   * @returns how many it has ended.
   */
  enforce(keys: ReadonlyMap<string, KeyEnd>): Promise<number>
}

/** Is told of decisions, as they come into force here. */
export interface DecisionObserver {
  taken(entry: ControlEntry): void
  /** `key`: see `controlKey`. */
  undone(key: string): void
  /** All were loaded again. */
  loaded(count: number): void
}

const NO_KEYS: ReadonlyMap<string, KeyEnd> = new Map()
const NOT_KNOWN = 'The gateway does not know yet which credentials are revoked'

/**
 * Revoked credentials and blocked operations, as they are known here. Every request and every operation is looked up,
 * after the caches of what was verified before.
 */
export class Control {
  readonly #limits: ControlListLimits
  #list: ControlList
  #isKnown = true
  #enforcer: Enforcer | undefined
  #observer: DecisionObserver | undefined

  constructor(limits: ControlListLimits = {}) {
    this.#limits = limits
    this.#list = new ControlList(limits)
  }

  /** False: it is being loaded. */
  get isKnown(): boolean {
    return this.#isKnown
  }

  get list(): ControlList {
    return this.#list
  }

  /** @throws SluiceError `REVOKED`; `NOT_READY` while revocations are not known. */
  demandNotRevoked(principal: Principal): void {
    if (!this.#isKnown) throw new SluiceError('NOT_READY', NOT_KNOWN)
    if (this.isRevoked(principal)) throw new SluiceError('REVOKED')
  }

  /** @throws SluiceError `OPERATION_BLOCKED` */
  demandNotBlocked(operation: OperationName): void {
    if (this.isBlocked(operation)) throw new SluiceError('OPERATION_BLOCKED')
  }

  /** @throws SluiceError `REVOKED`, `OPERATION_BLOCKED`, `NOT_READY` */
  demandStanding({ identity, operation }: StreamOwner): void {
    this.demandNotRevoked(identity.principal)
    if (operation) this.demandNotBlocked(operation)
  }

  /** Clients without credentials are no principal. */
  isRevoked({ kind, id, tokenId }: Principal): boolean {
    const list = this.#list
    if (list.size === 0 || kind === 'anonymous') return false
    return list.has('principal', id) || (kind === 'key' ? list.has('key', id) : list.has('token', tokenId))
  }

  isBlocked({ hash, name }: OperationName): boolean {
    const list = this.#list
    return list.size > 0 && (list.has('operation', hash) || list.has('operation', name))
  }

  /** False: there is no room for the entry. `enforce` ends what is open. */
  put(entry: ControlEntry): boolean {
    const known = this.#list.get(entry)
    const isPut = this.#list.put(entry)
    // What was decided here comes again by the log.
    if (isPut && (known?.at !== entry.at || known.until !== entry.until)) this.#observer?.taken(entry)
    return isPut
  }

  /** Undoes an entry. `key`: see `controlKey`. */
  delete(key: string): boolean {
    const isDeleted = this.#list.delete(key)
    if (isDeleted) this.#observer?.undone(key)
    return isDeleted
  }

  /** Decisions are to be loaded: until `replace` nobody gets in. */
  awaitLoad(): void {
    this.#isKnown = false
  }

  /** An empty list, for `replace`. */
  newList(): ControlList {
    return new ControlList(this.#limits)
  }

  /** All decisions have been loaded again. */
  replace(list: ControlList): void {
    this.#list = list
    this.#isKnown = true
    this.#observer?.loaded(list.size)
  }

  observedBy(observer: DecisionObserver): void {
    this.#observer = observer
  }

  enforceBy(enforcer: Enforcer): void {
    this.#enforcer = enforcer
  }

  /** Ends the open streams of this instance that are not to go on. Returns how many it has ended. */
  async enforce(): Promise<number> {
    return this.#enforcer?.enforce(NO_KEYS) ?? 0
  }

  /**
   * Ends the open streams of API keys. `expired`: their clients come back, and get what the keys are good for now, or are
   * refused; it suits keys that were changed or removed. `revoked`: they are not to come back.
   */
  async endKeys(ids: Iterable<string>, reason: KeyEnd = 'revoked'): Promise<number> {
    const keys = new Map(Array.from(ids, (id) => [id, reason]))
    return keys.size === 0 ? 0 : (this.#enforcer?.enforce(keys) ?? 0)
  }
}

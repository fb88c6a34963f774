import type { PositionStorage } from './client-options.ts'

const PREFIX = 'sluice:'
/** A storage is written at most so often: browsers do it in the page's own thread. */
const WRITE_MS = 1_000

/** The position of one operation in a storage. Beside it is the operation's hash: another one's position is not used. */
export class KeptPosition {
  readonly #storage: PositionStorage
  readonly #key: string
  readonly #hash: string
  #position = ''
  #written = ''
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor(storage: PositionStorage, name: string, operation: string) {
    this.#storage = storage
    this.#key = PREFIX + name
    this.#hash = hashOf(operation)
  }

  /** '' where there is none of this operation. */
  read(): string {
    try {
      const [hash, position = ''] = this.#storage.getItem(this.#key)?.split(' ') ?? []
      return hash === this.#hash ? position : ''
    } catch {
      return '' // a storage that is blocked: nothing is kept
    }
  }

  /** Writes it within a second. */
  save(position: string): void {
    this.#position = position
    this.#timer ??= setTimeout(() => this.write(), WRITE_MS)
  }

  /** Writes it now, if it has moved. */
  write(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    if (this.#position === this.#written) return
    this.#written = this.#position
    try {
      this.#storage.setItem(this.#key, `${this.#hash} ${this.#position}`)
    } catch {
      // It is full or blocked: a page that is loaded anew begins where the last write was, or with the present.
    }
  }

  /** The operation is over, or its position of no use. */
  forget(): void {
    clearTimeout(this.#timer)
    this.#position = this.#written
    try {
      this.#storage.removeItem(this.#key)
    } catch {
      // As above.
    }
  }
}

/** FNV-1a over UTF-16 units, twice with other beginnings: it tells operations apart, and is no protection. */
function hashOf(text: string): string {
  let [first, second] = [0x811c9dc5, 0x01234567]
  for (let i = 0; i < text.length; i++) {
    first = Math.imul(first ^ text.charCodeAt(i), 0x01000193)
    second = Math.imul(second ^ text.charCodeAt(i), 0x01000193) ^ (second >>> 13)
  }
  return (first >>> 0).toString(36) + (second >>> 0).toString(36)
}

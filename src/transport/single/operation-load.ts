import { SluiceError } from '../../errors/codes.ts'

/** On all streams in single connection mode: an operation takes some 0.9 KB there, so these take 90 MB. */
const MAX_OPERATIONS = 100_000
/** On those of them that are reserved and not open yet, which cost their client no connection. */
const MAX_RESERVED_OPERATIONS = 20_000

/** How many operations run on the streams in single connection mode of this process. */
export class OperationLoad {
  #open = 0
  #reserved = 0

  /** @throws SluiceError `TOO_MANY_STREAMS` */
  begin(isOpen: boolean): void {
    if (this.#open + this.#reserved >= MAX_OPERATIONS || (!isOpen && this.#reserved >= MAX_RESERVED_OPERATIONS)) {
      throw new SluiceError('TOO_MANY_STREAMS', 'This gateway has as many operations on streams as it can serve')
    }
    if (isOpen) this.#open++
    else this.#reserved++
  }

  left(isOpen: boolean): void {
    if (isOpen) this.#open--
    else this.#reserved--
  }

  /** A stream with so many has been opened. */
  opened(operations: number): void {
    this.#reserved -= operations
    this.#open += operations
  }
}

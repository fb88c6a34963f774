import { SluiceError } from '../../errors/codes.ts'
import { AllRecentIds } from './recent-ids.ts'

/** Limit over all streams in single connection mode: at some 0.9 KB for each operation, these take 90 MB. */
const MAX_OPERATIONS = 100_000
/** Limit over reserved streams, which cost their clients no connection. */
const MAX_RESERVED_OPERATIONS = 20_000

/** Number of running operations on the streams in single connection mode of this process. */
export class OperationLoad {
  /** Ids of operations, and of stops, whose counterpart has not been seen. */
  readonly recent = new AllRecentIds()
  #open = 0
  #reserved = 0

  /**
   * @param take takes room of the client's own, and returns how that is given back; so does this.
   * @throws SluiceError `TOO_MANY_STREAMS`, or what `take` throws: nothing is counted then.
   */
  begin(isOpen: boolean, take: () => () => void): () => void {
    if (this.#open + this.#reserved >= MAX_OPERATIONS || (!isOpen && this.#reserved >= MAX_RESERVED_OPERATIONS)) {
      throw new SluiceError('TOO_MANY_STREAMS', 'This gateway has as many operations on streams as it can serve')
    }
    const release = take()
    if (isOpen) this.#open++
    else this.#reserved++
    return release
  }

  left(isOpen: boolean): void {
    if (isOpen) this.#open--
    else this.#reserved--
  }

  /** Moves the operations of a stream that was opened. */
  opened(operations: number): void {
    this.#reserved -= operations
    this.#open += operations
  }
}

/** A reason why bytes are no records: the end of a sentence. */
export class Corrupt extends Error {
  override readonly name = 'Corrupt'
}

/**
 * Records that cannot be decoded: an unknown format, damaged bytes, or a batch larger than `MAX_BATCH_BYTES`. Fetching
 * them again yields the same bytes, unless another replica has better ones.
 */
export class UndecodableRecords extends Error {
  override readonly name = 'UndecodableRecords'
  /** Of the batch; of a message of the old formats its own, which for a compressed one is that of its last record. */
  readonly baseOffset: number

  constructor(baseOffset: number, cause: unknown) {
    const reason = cause instanceof Corrupt ? cause.message : 'its bytes are damaged'
    super(`The record batch at offset ${baseOffset} cannot be decoded: ${reason}`, { cause })
    this.baseOffset = baseOffset
  }
}

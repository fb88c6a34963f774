/**
 * - `STREAM_SILENT`: nothing came for longer than `heartbeatTimeoutMs`; the connection is taken for dead. Try again.
 * - `BLOCK_TOO_LARGE`: a block is larger than `maxBlockBytes`. Another try gets the same block.
 * - `ALREADY_OPEN`: the subscription has an open stream, whose position a second one would mix up.
 * - `BODY_NOT_READABLE`: the `fetch` in use gives bodies that are no ReadableStream.
 */
export type ResumeErrorCode = 'STREAM_SILENT' | 'BLOCK_TOO_LARGE' | 'ALREADY_OPEN' | 'BODY_NOT_READABLE'

/** What this package itself has to object. What `fetch` throws is passed on as it is. */
export class ResumeError extends Error {
  override readonly name = 'ResumeError'
  readonly code: ResumeErrorCode

  constructor(code: ResumeErrorCode, message: string) {
    super(message)
    this.code = code
  }
}

import { brotliDecompressSync, gunzipSync, inflateRawSync, inflateSync } from 'node:zlib'
import { SluiceError } from '../errors/codes.ts'

/** The content codings of a request's body that are taken. `zstd` is not: its decoder may allocate 128 MB for a frame. */
const DECODERS: Readonly<Record<string, (bytes: Buffer, options: { maxOutputLength: number }) => Buffer>> = {
  gzip: gunzipSync,
  'x-gzip': gunzipSync,
  deflate: (bytes, options) => (isZlib(bytes) ? inflateSync : inflateRawSync)(bytes, options),
  br: brotliDecompressSync,
}
/** What is said to be taken: `x-gzip` is another name, for old clients. */
export const CODINGS_TAKEN = 'gzip, deflate, br'
/** Limit of codings on each other: one is usual, and each costs a decoder. */
const MAX_CODINGS = 2
/** Of an unknown coding, as it is told. */
const MAX_NAME_CHARS = 40

/** A body in a coding that is not taken: the answer says which are (RFC 9110 section 15.5.16). */
export class UnsupportedCoding extends SluiceError {
  constructor(message: string) {
    super('UNSUPPORTED_MEDIA_TYPE', message)
  }
}

/**
 * The codings of a request's body, in the order in which they were applied; `identity` is none.
 * @throws UnsupportedCoding for one that is not taken.
 */
export function contentCodings(header: string | undefined): readonly string[] {
  if (!header) return []
  const codings = header
    .toLowerCase()
    .split(',', 2 * MAX_CODINGS + 1)
    .map((name) => name.trim())
    .filter((name) => name !== '' && name !== 'identity')
  for (const name of codings) {
    if (Object.hasOwn(DECODERS, name)) continue
    const told = name.slice(0, MAX_NAME_CHARS)
    throw new UnsupportedCoding(
      `The request body has the content coding "${told}": ${CODINGS_TAKEN} and identity are taken`,
    )
  }
  if (codings.length > MAX_CODINGS) {
    throw new UnsupportedCoding(`The request body has more than ${MAX_CODINGS} content codings on each other`)
  }
  return codings
}

/**
 * Decodes a body. Synchronously, one at a time: with both sides bounded it takes a millisecond or two, and no other
 * decoder holds its memory meanwhile. Decoding stops at the limit, so that a bomb is never decoded.
 * @param maxBytes of the result, and of each step to it.
 * @throws SluiceError `BODY_TOO_LARGE`; `BAD_REQUEST` for what is not in these codings.
 */
export function decoded(body: Buffer, codings: readonly string[], maxBytes: number): Buffer {
  let bytes = body
  for (const name of codings.toReversed()) {
    try {
      bytes = (DECODERS[name] as (typeof DECODERS)[string])(bytes, { maxOutputLength: maxBytes })
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') throw tooLarge(maxBytes)
      throw new SluiceError('BAD_REQUEST', `The request body is not what its content coding "${name}" says`)
    }
  }
  return bytes
}

export function tooLarge(maxBytes: number): SluiceError {
  return new SluiceError('BODY_TOO_LARGE', `The request body has more than ${maxBytes} bytes`)
}

/** `deflate` is the zlib format (RFC 9110 section 8.4.1.2); some clients send the data without its head. */
function isZlib(bytes: Buffer): boolean {
  const [method = 0, flags = 0] = bytes
  return (method & 0x0f) === 8 && (method * 256 + flags) % 31 === 0
}

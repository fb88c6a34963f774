import { CodecFailure } from '../codec.ts'

/** Invalid UTF-8 is refused, not replaced: a silently damaged text would pass for a valid one. */
const fatal = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
/** Text of up to so many bytes is looked through for bytes beyond ASCII here: it costs less than a call of the decoder. */
const SHORT_BYTES = 48

/** @throws CodecFailure for bytes that are not UTF-8. */
export function utf8Text(bytes: Buffer, start: number, end: number): string {
  if (end - start <= SHORT_BYTES) {
    let at = start
    while (at < end && (bytes[at] as number) < 0x80) at++
    if (at === end) return bytes.toString('latin1', start, end)
  }
  try {
    return fatal.decode(bytes.subarray(start, end))
  } catch {
    throw new CodecFailure('A text is not valid UTF-8')
  }
}

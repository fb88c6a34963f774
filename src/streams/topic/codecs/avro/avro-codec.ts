import { type Codec, CodecFailure } from '../../codec.ts'
import type { LongOptions } from '../longs.ts'
import { avroDecoder } from './avro-decoder.ts'
import { parseAvro } from './avro-schema.ts'

/** The first bytes of Avro's single-object encoding, version 1. The fingerprint of the schema follows. */
const SINGLE_OBJECT = [0xc3, 0x01] as const
const HEADER_BYTES = 10

export interface AvroOptions extends LongOptions {
  /**
   * `bare`, the default: a record is the value's bytes, and nothing else. `single-object`: they are behind the
   * fingerprint of their schema.
   */
  readonly framing?: 'bare' | 'single-object'
}

/**
 * Avro without a registry, by a known schema; by several with `framing: 'single-object'`, where each record names its
 * own.
 * @throws TypeError for a schema that is none.
 */
export function avroCodec(schemas: string | readonly string[], { framing = 'bare', longs }: AvroOptions = {}): Codec {
  const texts = typeof schemas === 'string' ? [schemas] : schemas
  if (texts.length === 0 || (framing === 'bare' && texts.length > 1)) {
    throw new TypeError("An Avro codec takes one schema, or several with `framing: 'single-object'`")
  }
  const parsed = texts.map((text) => parsedOrThrow(text, longs))
  if (framing === 'bare') {
    const { decode } = parsed[0] as Parsed
    return (bytes) => decode(bytes, 0)
  }
  return (bytes) => {
    if (bytes.length < HEADER_BYTES || bytes[0] !== SINGLE_OBJECT[0] || bytes[1] !== SINGLE_OBJECT[1]) {
      throw new CodecFailure('It does not begin with C3 01, as single-object encoding does')
    }
    const found = parsed.find(({ fingerprint }) => bytes.compare(fingerprint, 0, 8, 2, HEADER_BYTES) === 0)
    if (!found) throw new CodecFailure('It names the fingerprint of a schema that the codec does not have')
    return found.decode(bytes, HEADER_BYTES)
  }
}

interface Parsed {
  readonly fingerprint: Buffer
  readonly decode: (bytes: Buffer, at: number) => unknown
}

function parsedOrThrow(text: string, longs: LongOptions['longs']): Parsed {
  try {
    const { root, fingerprint } = parseAvro(text)
    return { fingerprint, decode: avroDecoder(root, { longs }) }
  } catch (error) {
    throw new TypeError(`The Avro schema cannot be used: ${(error as Error).message}`, { cause: error })
  }
}

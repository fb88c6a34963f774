import { CodecFailure } from '../../codec.ts'
import { avroDecoder } from '../avro/avro-decoder.ts'
import type { AvroNode } from '../avro/avro-node.ts'
import { parseAvro } from '../avro/avro-schema.ts'
import type { LongOptions } from '../longs.ts'
import { readMessageIndexes } from '../protobuf/message-indexes.ts'
import { protoDecoder } from '../protobuf/proto-decoder.ts'
import { ProtoReader } from '../protobuf/proto-reader.ts'
import { type ProtoSchema, parseProto } from '../protobuf/proto-schema.ts'
import { type Definition, Unusable } from './definition.ts'

/** Decodes what follows the wire format's header. */
export type Decode = (bytes: Buffer, at: number) => unknown

/** Limit of what is quoted of a parser's words. */
const MAX_WORDS = 200
/** Memory of what is parsed and compiled, for each character of a definition: measured as 10 to 25. */
const BYTES_PER_CHAR = 25

/** A schema that was parsed, with its decoders: one for each way of 64-bit integers. */
export class StoredSchema {
  readonly definition: Definition
  /** Estimated memory. */
  readonly bytes: number
  readonly #make: (options: LongOptions) => Decode
  readonly #decoders = new Map<LongOptions['longs'], Decode>()

  /** @throws Unusable for a definition that cannot be parsed. */
  constructor(definition: Definition, what: string) {
    this.definition = definition
    const chars = definition.references.reduce((sum, { text }) => sum + text.length, definition.text.length)
    this.bytes = chars * BYTES_PER_CHAR
    try {
      this.#make = makerOf(definition)
    } catch (error) {
      const words = String((error as Error).message).slice(0, MAX_WORDS)
      throw new Unusable(`The definition of ${what} cannot be used: ${words}`, { cause: error })
    }
  }

  decoder(longs: LongOptions['longs']): Decode {
    let decoder = this.#decoders.get(longs)
    if (!decoder) {
      decoder = this.#make({ longs })
      this.#decoders.set(longs, decoder)
    }
    return decoder
  }
}

function makerOf({ type, text, references }: Definition): (options: LongOptions) => Decode {
  switch (type) {
    case 'AVRO': {
      const { root } = parseAvro(
        text,
        references.map((each) => each.text),
      )
      return avroMaker(root)
    }
    case 'PROTOBUF': {
      const schema = parseProto(text, references)
      return (options) => protoMaker(schema, options)
    }
    case 'JSON':
      JSON.parse(text) // it is not used for decoding, and has to be JSON all the same
      return () => decodeJson
  }
}

function avroMaker(root: AvroNode): (options: LongOptions) => Decode {
  avroDecoder(root, {}) // compiled now, so that a schema that cannot be is found out
  return (options) => avroDecoder(root, options)
}

/** By the path of the message in each record. */
function protoMaker(schema: ProtoSchema, options: LongOptions): Decode {
  const decoders = new Map<string, Decode>()
  const reader = new ProtoReader()
  return (bytes, at) => {
    reader.start(bytes, at)
    const path = readMessageIndexes(reader)
    const key = path.join('.')
    let decoder = decoders.get(key)
    if (!decoder) {
      const message = schema.messageAt(path)
      if (!message) throw new CodecFailure('Its schema has no message at the path that it names')
      decoder = protoDecoder(message, options)
      decoders.set(key, decoder)
    }
    return decoder(bytes, reader.at)
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true })

function decodeJson(bytes: Buffer, at: number): unknown {
  return JSON.parse(utf8.decode(bytes.subarray(at)))
}

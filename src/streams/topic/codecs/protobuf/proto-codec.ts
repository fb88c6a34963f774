import type { Codec } from '../../codec.ts'
import type { LongOptions } from '../longs.ts'
import { protoDecoder } from './proto-decoder.ts'
import { type ProtoFile, parseProto } from './proto-schema.ts'

export interface ProtobufOptions extends LongOptions {
  /** The name of the message, with or without its package. */
  readonly message: string
  /** The files that the definition imports. Google's own are there. */
  readonly imports?: readonly ProtoFile[]
}

/**
 * Protobuf without a registry: a record is the bytes of one message of this `.proto` text.
 * @throws TypeError for a definition that is none, or that has no such message.
 */
export function protobufCodec(text: string, { message, imports, longs }: ProtobufOptions): Codec {
  try {
    const decode = protoDecoder(parseProto(text, imports).message(message), { longs })
    return (bytes) => decode(bytes, 0)
  } catch (error) {
    throw new TypeError(`The Protobuf definition cannot be used: ${(error as Error).message}`, { cause: error })
  }
}

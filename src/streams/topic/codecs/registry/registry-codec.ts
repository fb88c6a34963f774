import { type Codec, CodecFailure } from '../../codec.ts'
import type { LongOptions } from '../longs.ts'
import type { SchemaRegistry } from './schema-registry.ts'
import { storeOf } from './schema-store.ts'

/** Of the wire format: a zero byte, and the schema's id in four bytes, big-endian. */
const HEADER_BYTES = 5

export interface RegistryCodecOptions extends LongOptions {}

/**
 * Records in Confluent's wire format: Avro, Protobuf or JSON, by the schema whose id each record begins with. Schemas
 * are fetched once, before the first record that needs them.
 */
export function registryCodec(registry: SchemaRegistry, { longs }: RegistryCodecOptions = {}): Codec {
  const store = storeOf(registry)
  if (!store) throw new TypeError('The registry is not one that `schemaRegistry` has made')
  const decode = (bytes: Buffer): unknown => {
    const id = idOf(bytes)
    if (id === undefined) throw new CodecFailure('It does not begin with a zero byte and the id of a schema')
    const schema = store.get(id)
    if (!schema) throw new CodecFailure(`The schema registry does not have the schema with id ${id}`)
    return schema.decoder(longs)(bytes, HEADER_BYTES)
  }
  const prepare: NonNullable<Codec['prepare']> = (values, signal, writtenAt) => {
    let wanted: Map<number, number> | undefined
    let last: number | undefined
    for (let index = 0; index < values.length; index++) {
      const id = idOf(values[index] as Buffer)
      // Records of one schema mostly follow each other.
      if (id === undefined || id === last) continue
      if (!wanted?.has(id) && !store.isMissing(id)) {
        last = id
        continue
      }
      wanted ??= new Map()
      wanted.set(id, Math.max(wanted.get(id) ?? Number.NEGATIVE_INFINITY, writtenAt?.[index] ?? Date.now()))
    }
    return wanted && untilAborted(store.load(wanted), signal)
  }
  return Object.assign(decode, { prepare })
}

function idOf(bytes: Buffer): number | undefined {
  if (bytes.length < HEADER_BYTES || bytes[0] !== 0) return undefined
  return bytes.readUInt32BE(1)
}

/** What is fetched is shared, and bounded in time: an abort ends the wait for it, not the fetching. */
function untilAborted(loading: Promise<void>, signal: AbortSignal): Promise<void> {
  if (signal.aborted) {
    loading.catch(() => {})
    return Promise.reject(signal.reason)
  }
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason)
    signal.addEventListener('abort', abort, { once: true })
    loading.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort))
  })
}

import type { Codec } from '../../../streams/topic/codec.ts'

/** PROVISIONAL: replaced by the codecs of src/streams/topic/codecs/. */
type Values = Readonly<Record<string, unknown>>

const payload = (value: Values): Values => ('payload' in value && 'schema' in value ? (value.payload as Values) : value)

export const connectCodec = (): Codec => (bytes) => payload(JSON.parse(bytes.toString()))
export const debeziumCodec = (): Codec => (bytes) => {
  const change = payload(JSON.parse(bytes.toString()))
  return { ...((change.after ?? change.before) as Values), op: change.op }
}

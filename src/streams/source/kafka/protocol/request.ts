import type { ByteWriter } from './byte-writer.ts'

/** One request of Kafka's protocol, in one version, and how its response is read. */
export interface Request<T> {
  readonly apiKey: number
  readonly apiVersion: number
  readonly apiName: string
  readonly body: ByteWriter
  /** May throw: the response is then not what the version says. */
  decode(response: Buffer): T
}

/** Versions of each request that a broker understands, by API key. */
export type ApiVersions = ReadonlyMap<number, { readonly min: number; readonly max: number }>

/** A request in the version that suits the broker. @throws UnsupportedBroker if there is none. */
export type Ask<T> = (versions: ApiVersions) => Request<T>

/** The broker is too old, or too new, for a request. */
export class UnsupportedBroker extends Error {
  override readonly name = 'UnsupportedBroker'
}

/** The first of these versions that the broker has. @throws UnsupportedBroker */
export function versionOf(versions: ApiVersions, apiKey: number, apiName: string, wanted: readonly number[]): number {
  const has = versions.get(apiKey)
  const found = wanted.find((version) => has && has.min <= version && version <= has.max)
  if (found !== undefined) return found
  const offered = has ? `${has.min} to ${has.max}` : 'none'
  throw new UnsupportedBroker(`Kafka offers ${offered} of the versions of ${apiName}, and none of ${wanted.join(', ')}`)
}

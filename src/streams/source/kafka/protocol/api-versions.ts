import { ByteReader } from './byte-reader.ts'
import { ByteWriter } from './byte-writer.ts'
import { KafkaError } from './error-codes.ts'
import type { ApiVersions, Request } from './request.ts'

/** ApiVersions, version 0: every broker answers it, also before authentication. */
export function apiVersions(): Request<ApiVersions> {
  return {
    apiKey: 18,
    apiVersion: 0,
    apiName: 'ApiVersions',
    body: new ByteWriter(),
    decode(response) {
      const reader = new ByteReader(response)
      const error = reader.int16()
      if (error !== 0) throw new KafkaError(error)
      return new Map(reader.array(() => [reader.int16(), { min: reader.int16(), max: reader.int16() }]))
    },
  }
}

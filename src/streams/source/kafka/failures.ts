import { type NotAppended, SourceUnavailable } from '../port.ts'
import { KafkaError } from './protocol/error-codes.ts'

/** Any failure of a request, as the port reports it. */
export function unavailable(error: unknown, notAppended?: NotAppended): SourceUnavailable {
  if (error instanceof SourceUnavailable) return error
  return new SourceUnavailable(explain(error as Error), { cause: error, notAppended })
}

/** A sentence for `/readyz` and the log. */
export function explain(error: Error): string {
  if (error instanceof KafkaError || error instanceof SourceUnavailable) return error.message
  return `Kafka: ${error.message}`
}

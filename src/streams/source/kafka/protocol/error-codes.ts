/**
 * Error codes of Kafka's protocol, as far as they occur in answers to a reader, by what is to be done about them.
 * https://kafka.apache.org/protocol#protocol_error_codes
 */
export const ErrorCode = {
  NONE: 0,
  OFFSET_OUT_OF_RANGE: 1,
  CORRUPT_MESSAGE: 2,
  UNKNOWN_TOPIC_OR_PARTITION: 3,
  LEADER_NOT_AVAILABLE: 5,
  NOT_LEADER_OR_FOLLOWER: 6,
  REQUEST_TIMED_OUT: 7,
  BROKER_NOT_AVAILABLE: 8,
  REPLICA_NOT_AVAILABLE: 9,
  NETWORK_EXCEPTION: 13,
  INVALID_TOPIC_EXCEPTION: 17,
  TOPIC_AUTHORIZATION_FAILED: 29,
  CLUSTER_AUTHORIZATION_FAILED: 31,
  UNSUPPORTED_VERSION: 35,
  KAFKA_STORAGE_ERROR: 56,
  LISTENER_NOT_FOUND: 72,
  FENCED_LEADER_EPOCH: 74,
  UNKNOWN_LEADER_EPOCH: 75,
  UNSUPPORTED_COMPRESSION_TYPE: 76,
  OFFSET_NOT_AVAILABLE: 78,
  UNKNOWN_TOPIC_ID: 100,
} as const

const NAMES = new Map<number, string>(Object.entries(ErrorCode).map(([name, code]) => [code, name]))

/** Codes with a sentence of their own, for `/readyz` and the log. */
const SENTENCES = new Map<number, string>([
  [ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, 'Kafka does not know the topic, or does not show it to this user'],
  [ErrorCode.TOPIC_AUTHORIZATION_FAILED, 'Kafka does not permit this user to read the topic'],
  [ErrorCode.LEADER_NOT_AVAILABLE, 'A partition of the topic has no leader'],
  [ErrorCode.INVALID_TOPIC_EXCEPTION, 'Kafka refuses the name of the topic'],
  [ErrorCode.CORRUPT_MESSAGE, 'The broker cannot read its log: the records are corrupt'],
  [ErrorCode.KAFKA_STORAGE_ERROR, 'The broker cannot read its disk'],
])

/** After these the leaders have to be looked up again: the answer is right a moment later, or on another broker. */
const STALE: ReadonlySet<number> = new Set([
  ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
  ErrorCode.LEADER_NOT_AVAILABLE,
  ErrorCode.NOT_LEADER_OR_FOLLOWER,
  ErrorCode.REQUEST_TIMED_OUT,
  ErrorCode.BROKER_NOT_AVAILABLE,
  ErrorCode.REPLICA_NOT_AVAILABLE,
  ErrorCode.NETWORK_EXCEPTION,
  ErrorCode.KAFKA_STORAGE_ERROR,
  ErrorCode.LISTENER_NOT_FOUND,
  ErrorCode.FENCED_LEADER_EPOCH,
  ErrorCode.UNKNOWN_LEADER_EPOCH,
  ErrorCode.OFFSET_NOT_AVAILABLE,
  ErrorCode.UNKNOWN_TOPIC_ID,
])

export function isStale(code: number): boolean {
  return STALE.has(code)
}

/** An error code as a sentence. */
export function sentenceOf(code: number): string {
  return SENTENCES.get(code) ?? `Kafka answers ${NAMES.get(code) ?? `with error code ${code}`}`
}

/** An error code in the answer of a broker. */
export class KafkaError extends Error {
  override readonly name = 'KafkaError'
  readonly code: number

  constructor(code: number) {
    super(sentenceOf(code))
    this.code = code
  }
}

import { ErrorCode, sentenceOf } from './protocol/error-codes.ts'
import type { TopicMetadata } from './protocol/metadata.ts'
import type { TopicSettings } from './topic-settings.ts'

/** What Kafka says of a topic to this user. */
export interface TopicFacts {
  readonly isThere: boolean
  /** Why it is not, or cannot be used, in a sentence. */
  readonly problem?: string
  readonly partitions: number
  /** Undefined: the broker does not tell (before Kafka 2.8). */
  readonly mayRead: boolean | undefined
  readonly mayWrite: boolean | undefined
  /** Undefined: the user may not ask for them (DescribeConfigs). */
  readonly settings: TopicSettings | undefined
}

/** Numbers of Kafka's access operations, as bits of a set. */
const READ = 1 << 3
const WRITE = 1 << 4

export function factsOf(found: {
  readonly error: number
  readonly isThere: boolean
  readonly described: TopicMetadata | undefined
  readonly settings: TopicSettings | undefined
}): TopicFacts {
  const { error, isThere, described, settings } = found
  const may = (operation: number) =>
    described?.operations === undefined ? undefined : (described.operations & operation) !== 0
  return {
    isThere,
    ...(error !== ErrorCode.NONE && { problem: sentenceOf(error) }),
    partitions: described?.partitions.length ?? 0,
    mayRead: may(READ),
    mayWrite: may(WRITE),
    settings,
  }
}

import { setTimeout as delay } from 'node:timers/promises'
import { SourceUnavailable } from '../port.ts'

/** A second in all, for an election that is under way. */
const ELECTION_TRIES = 11
const ELECTION_WAIT_MS = 100

/** What Kafka answered, by the protocol's name for it, if the failure is an answer; kafkajs may have wrapped it. */
export function answerOf(error: unknown): string | undefined {
  const { type, cause } = error as { type?: string; cause?: { type?: string } }
  return type ?? cause?.type
}

export function unavailable(error: unknown): SourceUnavailable {
  if (error instanceof SourceUnavailable) return error
  return new SourceUnavailable(explain(error as Error), { cause: error })
}

/** kafkajs's message, except where an operator could not know from it what is meant. */
export function explain(error: Error): string {
  if (answerOf(error) === 'UNKNOWN_TOPIC_OR_PARTITION') {
    return 'Kafka does not know the topic, or does not show it to this user'
  }
  return `Kafka: ${error.message}`
}

/** A topic just made, or a leader just elected, is known to some brokers a moment later than to others. */
export async function patiently<T>(question: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await question()
    } catch (error) {
      const { type } = error as { type?: string }
      const electing = type === 'NOT_LEADER_FOR_PARTITION' || type === 'LEADER_NOT_AVAILABLE'
      if (!electing || tries === ELECTION_TRIES) throw error
      await delay(ELECTION_WAIT_MS)
    }
  }
}

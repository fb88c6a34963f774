import { setTimeout as delay } from 'node:timers/promises'
import { SourceUnavailable } from '../port.ts'

/** A second in all, for a leader election in progress. */
const ELECTION_TRIES = 11
const ELECTION_WAIT_MS = 100

/** Kafka's error code by its name in the protocol, if the failure is a response; kafkajs may have wrapped it. */
export function answerOf(error: unknown): string | undefined {
  const { type, cause } = error as { type?: string; cause?: { type?: string } }
  return type ?? cause?.type
}

export function unavailable(error: unknown): SourceUnavailable {
  if (error instanceof SourceUnavailable) return error
  return new SourceUnavailable(explain(error as Error), { cause: error })
}

/** kafkajs's message, or a clearer one where an operator could not understand it. */
export function explain(error: Error): string {
  if (answerOf(error) === 'UNKNOWN_TOPIC_OR_PARTITION') {
    return 'Kafka does not know the topic, or does not show it to this user'
  }
  return `Kafka: ${error.message}`
}

/** Retries errors of stale metadata: some brokers learn of a new topic or leader later than others. */
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

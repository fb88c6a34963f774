import { type OutgoingRecord, type Sink, SourceUnavailable } from '../port.ts'

/** A connected producer. */
export interface ConnectedProducer {
  send(topic: string, records: readonly OutgoingRecord[]): Promise<void>
  end(): Promise<void>
}

/**
 * Serializes the calls, with a producer that is connected at first use and recreated after every failure.
 * The producer is idempotent: a record is in the log once, also when a response is lost and kafkajs retries. But
 * kafkajs reuses the sequence numbers of a failed request for the next one, which the broker may then drop as a
 * duplicate. Therefore two sends never run at once, and a producer is never used after a failure. A call that throws
 * may have appended its records, or some of them.
 */
export function createSink(connect: () => Promise<ConnectedProducer>, closed: AbortSignal): Sink {
  let connecting: Promise<ConnectedProducer> | undefined
  let turn: Promise<unknown> = Promise.resolve()

  const disconnect = async () => {
    const connected = connecting
    connecting = undefined
    // A connection that failed needs no closing.
    await connected?.then((producer) => producer.end()).catch(() => {})
  }
  const sendNow = async (topic: string, records: readonly OutgoingRecord[]) => {
    if (closed.aborted) throw new SourceUnavailable('The connection to Kafka is closed', { notAppended: 'unsent' })
    connecting ??= connect()
    try {
      const producer = await connecting
      await producer.send(topic, records)
    } catch (error) {
      await disconnect()
      throw error
    }
  }

  return {
    send(topic, records) {
      const sent = turn.then(() => sendNow(topic, records))
      turn = sent.catch(() => {}) // the caller handles the error; the next call is independent
      return sent
    },
    close: disconnect,
  }
}

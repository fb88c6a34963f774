import { type OutgoingRecord, type Sink, SourceUnavailable } from '../port.ts'

/** A producer that is connected. */
export interface ConnectedProducer {
  send(topic: string, records: readonly OutgoingRecord[]): Promise<void>
  end(): Promise<void>
}

/**
 * Sends one call's records after another's, by a producer that is connected when it is first needed and recreated
 * after every failure.
 *
 * Records are in the log once, also when an answer is lost and kafkajs sends again: the producer is idempotent. But
 * kafkajs gives the sequence numbers of a failed request to the next one, and a broker that has the first would take
 * the second for its repetition, and drop it: so never two at a time, and never again with a producer that has failed.
 * A call that throws may have left its records, or some of them, in the log.
 */
export function createSink(connect: () => Promise<ConnectedProducer>, closed: AbortSignal): Sink {
  let connecting: Promise<ConnectedProducer> | undefined
  let turn: Promise<unknown> = Promise.resolve()

  const disconnect = async () => {
    const connected = connecting
    connecting = undefined
    // A connection that was never made needs no closing.
    await connected?.then((producer) => producer.end()).catch(() => {})
  }
  const sendNow = async (topic: string, records: readonly OutgoingRecord[]) => {
    if (closed.aborted) throw new SourceUnavailable('The connection to Kafka is closed')
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
      turn = sent.catch(() => {}) // its caller hears of it; the next has its own turn
      return sent
    },
    close: disconnect,
  }
}

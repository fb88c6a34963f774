import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { TestProject } from 'vitest/node'
import { type Broker, kafkaMissing, startBroker } from '../../deploy/kafka/broker.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** Where to ask for the address of the run's broker, or the sentence that says why there is none. */
    kafka: { readonly askAt: string } | { readonly missing: string }
  }
}

/**
 * One broker for the whole run: that of `KAFKA_BROKERS`, if set, or one that is started when the first test asks for
 * it, so that a run without Kafka does not wait for one, and stopped at the end.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const given = process.env.KAFKA_BROKERS
  const missing = given ? null : await kafkaMissing()
  if (missing !== null) {
    project.provide('kafka', { missing })
    return async () => {}
  }

  let broker: Promise<Broker> | undefined
  const server = createServer((_request, response) => {
    if (given) return void response.end(given)
    broker ??= startBroker()
    broker.then(
      ({ brokers }) => response.end(brokers),
      (error: Error) => response.writeHead(500).end(error.message),
    )
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  project.provide('kafka', { askAt: `http://127.0.0.1:${port}/` })

  return async () => {
    server.close()
    await (await broker)?.stop()
  }
}

import { createOrderFeed } from '../../../src/demo/orders-feed.ts'
import { type AckedProducer, type Placed, startProducer } from '../../kit/java-clients.ts'
import { lineOf, nameOf } from '../order-log.ts'
import { REGION } from './clients.ts'

const SEED = 11
const BATCH_EVERY_MS = 20
/** For all orders of a fault to be in the log: a producer waits for a frozen broker, and tries again. */
const ACKED_TIMEOUT_MS = 120_000

/** Orders at an even pace, whatever happens to the cluster, and what Kafka has said that it has of them. */
export class OrderLoad {
  readonly #producer: AckedProducer
  readonly #perSecond: number
  readonly #feed = createOrderFeed({ seed: SEED })
  /** By number: its name, if it is of `REGION`. */
  readonly #names: (string | undefined)[] = []
  #timer: NodeJS.Timeout | undefined

  private constructor(producer: AckedProducer, perSecond: number) {
    this.#producer = producer
    this.#perSecond = perSecond
  }

  static async start(bootstrap: string, topic: string, perSecond: number): Promise<OrderLoad> {
    const load = new OrderLoad(await startProducer(bootstrap, topic), perSecond)
    load.resume()
    return load
  }

  resume(): void {
    const began = performance.now()
    let sent = 0
    this.#timer = setInterval(() => {
      // By the clock: a late turn is made up for.
      const due = Math.floor(((performance.now() - began) / 1000) * this.#perSecond)
      if (due > sent) this.#send(due - sent)
      sent = due
    }, BATCH_EVERY_MS)
  }

  /** Resolves when all that was sent is in the log. */
  async pause(): Promise<void> {
    clearInterval(this.#timer)
    await this.#producer.untilAcked(ACKED_TIMEOUT_MS)
  }

  get sent(): number {
    return this.#producer.sent
  }

  /** Where in the log the orders of `REGION` from this number on are, and when that was known, in the order of sending. */
  placed(from: number): (Placed & { readonly name: string })[] {
    return this.#names.slice(from).flatMap((name, i) => {
      const place = this.#producer.acked.get(from + i)
      return name !== undefined && place ? [{ name, ...place }] : []
    })
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer)
    await this.#producer.stop()
  }

  #send(count: number): void {
    const orders = Array.from({ length: count }, () => this.#feed.next(Date.now()))
    for (const order of orders) this.#names.push(order.region === REGION ? nameOf(order) : undefined)
    this.#producer.send(orders.map((order) => lineOf(order).trimEnd()))
  }
}

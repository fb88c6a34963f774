/** The attackers' process, apart from the healthy clients', so that it does not make these late. It is told by messages. */
import { ATTACKS } from './attacks/all.ts'
import { LoopbackTarget } from './target.ts'

export interface Order {
  readonly attack: string
  readonly port: number
  readonly adminPort: number
  readonly seed: number
  readonly ms: number
}

/** What it asks its parent to append to the log. */
export type FeedRequest =
  | { readonly orders: number }
  | { readonly stamped: number }
  | { readonly raw: readonly (string | null)[] }
  | { readonly burst: number }

export type ToParent =
  | { readonly feed: FeedRequest; readonly n: number }
  | { readonly done: string; readonly counts: [string, number][]; readonly faults: readonly string[] }

export type ToAttacker = { readonly order: Order } | { readonly fed: number }

const waiting = new Map<number, () => void>()
let asked = 0

function send(message: ToParent): void {
  process.send?.(message)
}

function ask(feed: FeedRequest): Promise<void> {
  const n = asked++
  send({ feed, n })
  return new Promise((resolve) => waiting.set(n, resolve))
}

async function run({ attack: name, port, adminPort, seed, ms }: Order): Promise<void> {
  const attack = ATTACKS.find((each) => each.name === name)
  if (!attack) throw new Error(`There is no attack "${name}"`)
  const target = new LoopbackTarget({
    port,
    adminPort,
    seed,
    signal: AbortSignal.timeout(ms),
    failsByIntent: attack.failsByIntent === true,
    feed: {
      orders: (orders) => ask({ orders }),
      stamped: (stamped) => ask({ stamped }),
      raw: (raw) => ask({ raw }),
      burst: (burst) => ask({ burst }),
    },
  })
  try {
    await attack.run(target)
  } catch (error) {
    target.fault(`the attack itself failed: ${(error as Error).stack}`)
  }
  target.close()
  send({ done: name, counts: [...target.counts], faults: target.faults })
}

process.on('message', (message: ToAttacker) => {
  if ('order' in message) void run(message.order)
  else {
    waiting.get(message.fed)?.()
    waiting.delete(message.fed)
  }
})
process.on('disconnect', () => process.exit(0))

import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { Server } from 'node:http'
import { setImmediate as nextTurn } from 'node:timers/promises'
import pino from 'pino'
import { anOrder, startTestGateway, type TestGateway } from '../kit/gateway.ts'
import { RawStream } from '../kit/raw-stream.ts'
import { until } from '../kit/until.ts'
import type { Random } from '../soak/random.ts'
import { type Corpus, makeCorpus } from './corpus.ts'
import { MemorySocket } from './memory-socket.ts'

/** An answer takes no longer than this, on a busy machine. */
const ANSWER_MS = 20_000
/** What no answer holds: stacks, and paths of the machine. */
const INTERNALS = /node_modules|\.ts:\d|file:\/\/|\bat \S+ \(|\/(work|home|tmp|usr|root)\//
const MAX_KEPT = 50
const HEAD = Buffer.from('HEAD ')
const ORDERS = 200
const WATCHED = 'watched'
/** So that what is looked at is refused for what it is, and not for its number. */
const LIMITS = {
  MAX_STREAMS_PER_PRINCIPAL: '1000000',
  NEW_STREAMS_PER_PRINCIPAL: '100000',
  NEW_STREAMS_PER_ADDRESS: '100000',
}

/** The gateway under test, in this process: its server takes connections without sockets. */
export class World {
  readonly gateway: TestGateway
  readonly corpus: Corpus
  readonly cursors: string[] = []
  readonly streamTokens: string[] = ['none-yet']
  /** Lines of its log that tell of a fault: not those about a keys' file that is broken, which are to be loud. */
  readonly logged: string[]
  readonly #server: Server
  readonly #admin: Server
  readonly #watcher: RawStream
  readonly #before: Readonly<Record<string, number>>
  #watched = 0

  private constructor(
    parts: Pick<World, 'gateway' | 'corpus' | 'logged'>,
    servers: { readonly server: Server; readonly admin: Server },
    watcher: RawStream,
  ) {
    this.gateway = parts.gateway
    this.corpus = parts.corpus
    this.logged = parts.logged
    this.#server = servers.server
    this.#admin = servers.admin
    this.#watcher = watcher
    this.#before = resources()
  }

  static async open(): Promise<World> {
    const corpus = makeCorpus()
    const logged: string[] = []
    const write = (line: string): void => {
      if (!/API_KEYS_FILE|keys/i.test(line)) logged.push(line)
    }
    const log = pino({ level: 'error', base: null }, { write })
    const gateway = await startTestGateway({ env: { ...corpus.env, ...LIMITS, HEARTBEAT_MS: '600000' }, log })
    await gateway.produce(...Array.from({ length: ORDERS }, (_, i) => ({ id: `o${i}`, merchantId: `m_${i % 50}` })))
    const server = await serverAt(`${gateway.graphql}?query={__typename}`)
    const admin = await serverAt(`${gateway.adminUrl}/livez`)
    const query = `subscription { ordersByMerchant(merchantId: "${WATCHED}") { id } }`
    const watcher = await RawStream.subscribe(gateway.graphql, query)
    const [block] = await watcher.untilBlocks(1)
    const world = new World({ gateway, corpus, logged }, { server, admin }, watcher)
    world.cursors.push(block?.id ?? '')
    return world
  }

  /**
   * Sends bytes on a connection of their own, and looks at what comes back.
   * @param isWhole false: no answer has to come, since something of the request may be missing.
   * @returns the status and the code of the first answer.
   * @throws Error for an answer that no input may cause.
   */
  ask(random: Random, bytes: Buffer, isWhole: boolean): Promise<string> {
    return this.#askOf(this.#server, random, bytes, isWhole)
  }

  /** The same at the admin port. */
  askAdmin(random: Random, bytes: Buffer): Promise<string> {
    return this.#askOf(this.#admin, random, bytes, true)
  }

  async #askOf(server: Server, random: Random, bytes: Buffer, isWhole: boolean): Promise<string> {
    const socket = new MemorySocket(
      `10.${random.int(256)}.${random.int(256)}.${random.int(256)}`,
      !bytes.subarray(0, 5).equals(HEAD),
    )
    server.emit('connection', socket)
    socket.push(bytes)
    if (!isWhole) socket.push(null)
    const end = performance.now() + ANSWER_MS
    while (!socket.answered && !socket.destroyed && !socket.ended) {
      if (performance.now() > end)
        fault(`no answer within ${ANSWER_MS} ms to ${bytes.subarray(0, 500)}`, socket.received)
      await nextTurn()
    }
    const { received } = socket
    socket.destroy()
    return this.#judge(received)
  }

  /** A cursor that was handed out. */
  cursor(random: Random): string {
    return random.pick(this.cursors)
  }

  /** Whether a client that has nothing to do with it all still gets what it asked for. */
  async demandServing(): Promise<void> {
    const id = `watched-${++this.#watched}`
    await this.gateway.produce(anOrder({ id, merchantId: WATCHED }))
    await until('a client that was there before gets its order', () => this.#watcher.body.includes(`"${id}"`))
  }

  /** Whether nothing is left of what was asked. */
  async demandNothingLeft(): Promise<void> {
    await this.#watcher.close()
    for (const name of ['streams', 'subscribers', 'groups', 'reserved_streams']) {
      // A reservation lasts 20 s, and a group without clients some seconds.
      const isNone = async () => (await this.gateway.metric(`sluice_${name}`)) === 0
      await until(`no ${name} are left`, isNone, 45_000)
    }
    const left = () =>
      Object.entries(resources()).filter(([name, count]) => count > (this.#before[name] ?? 0) && name !== 'Immediate')
    await until('timers and sockets are as many as before', () => left().length === 0, 45_000)
  }

  #judge(received: string): string {
    const [, status = '', ...rest] = /^HTTP\/1\.1 (\d{3})/.exec(received) ?? []
    if (status === '' && rest.length === 0) return received === '' ? 'closed' : fault('no HTTP', received)
    if (/^5(?!03)/.test(status)) fault(`status ${status}`, received)
    if (received.includes('"code":"INTERNAL_SERVER_ERROR"')) fault('an internal error', received)
    // GraphiQL's page has libraries in it.
    if (!/\r\ncontent-type: text\/html/i.test(received) && INTERNALS.test(received)) fault('internals', received)
    this.#learn(status, received)
    const codes = new Set(Array.from(received.matchAll(/"code":"([A-Z_]+)"/g), ([, code]) => code))
    return [status, ...codes].join(' ')
  }

  #learn(status: string, received: string): void {
    if (status === '201') this.streamTokens.push(received.slice(received.indexOf('\r\n\r\n') + 4))
    const cursor = /^id: (.+)$/m.exec(received)?.[1]
    if (cursor) this.cursors.push(cursor)
    for (const kept of [this.streamTokens, this.cursors]) if (kept.length > MAX_KEPT) kept.shift()
  }
}

function fault(what: string, received: string): never {
  throw new Error(`${what}: ${received.slice(0, 1_000)}`)
}

/** The server of this process that answers a URL. */
async function serverAt(url: string): Promise<Server> {
  const { promise, resolve } = Promise.withResolvers<Server>()
  const found = (message: unknown) => resolve((message as { server: Server }).server)
  subscribe('http.server.request.start', found)
  try {
    await (await fetch(url)).text()
    return await promise
  } finally {
    unsubscribe('http.server.request.start', found)
  }
}

function resources(): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const name of process.getActiveResourcesInfo()) counts[name] = (counts[name] ?? 0) + 1
  return counts
}

/**
 * The gateway of the soak and of the fuzzer: its own schema and the traps, over an embedded log that takes records by
 * commands on FEED_PORT, one JSON object a line. Everything else is configured as for the gateway itself.
 */
import './traps.ts'
import { EventEmitter, once } from 'node:events'
import { readdirSync } from 'node:fs'
import { createServer } from 'node:net'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { pino } from 'pino'
import { readConfig } from '../../src/config.ts'
import { startGateway } from '../../src/gateway.ts'
import { schema, topics } from '../../src/resolvers/schema.ts'
import { createEmbeddedLog } from '../../src/streams/source/embedded/embedded.ts'
import type { Batch, OutgoingRecord, Reader, Source } from '../../src/streams/source/port.ts'
import type { Command, State } from './child.ts'
import { orderOf, PARTITIONS } from './orders.ts'

/** Of each partition, once they have been read: enough for a client that comes back after seconds. 30 MiB in all. */
const RETAINED_RECORDS = 20_000
/** The same, when memory is looked at: what the log keeps of an attack is not the gateway's. Ticks of some seconds. */
const RETAINED_FOR_LOOK = 1_000
/** A bound for all, where records are large: more than what is retained and a burst, of which nothing may be lost unread. */
const RETENTION_BYTES = 64 * 1024 * 1024
/** Orders made in one turn, so that what is measured is the gateway's turns and not ours. */
const MADE_AT_ONCE = 1_000
const NS_PER_MS = 1e6

/** A promise, where a batch takes several turns: the source waits for it. */
type Taken = ReturnType<Reader['onBatch']>

/** How far the gateway has read, by partition, and who waits until it has read further. */
const read = new Map<number, number>()
const onRead = new EventEmitter()

const own = createEmbeddedLog({ retentionBytes: RETENTION_BYTES })
own.createTopic('orders', PARTITIONS)
own.createTopic('region-sales', PARTITIONS)
const embedded = { ...own, source: wholeBatches(own.source) }
const config = readConfig(process.env)
const log = pino({ level: config.LOG_LEVEL }, pino.destination({ fd: 2 }))
const gateway = await startGateway({ config, log, embedded, schema, topics })
const loop = monitorEventLoopDelay({ resolution: 10 })
loop.enable()

const run: { [K in Command['op']]: (command: Extract<Command, { op: K }>) => Promise<State | object> } = {
  async append({ records }) {
    await own.sink.send(
      'orders',
      records.map(({ value, ...record }) => ({
        key: null,
        ...record,
        value: value === null ? null : Buffer.from(value, 'latin1'),
      })),
    )
    return {}
  },
  async burst({ partition, from, count, region }) {
    const records: OutgoingRecord[] = []
    for (let offset = from; offset < from + count; offset++) {
      const value = Buffer.from(JSON.stringify(orderOf({ partition, offset, region, at: Date.now() })))
      records.push({ key: null, value, partition })
      if (offset % MADE_AT_ONCE === 0) await nextTurn()
    }
    await own.sink.send('orders', records)
    while ((read.get(partition) ?? 0) < from + count) await once(onRead, 'read')
    retain(RETAINED_RECORDS)
    return {}
  },
  async state({ gc }) {
    if (gc) retain(RETAINED_FOR_LOOK)
    // The second collection takes what the finalizers of the first let go.
    if (gc) for (let i = 0; i < 2; i++) await globalThis.gc?.({ execution: 'async', type: 'major' })
    // Where an attack has taken all descriptors, some of this cannot be had: it is absent then.
    const { rss, heapUsed, external } = orNothing(() => process.memoryUsage())
    const resources: Record<string, number> = {}
    for (const name of process.getActiveResourcesInfo()) resources[name] = (resources[name] ?? 0) + 1
    const loopMaxMs = loop.max / NS_PER_MS
    loop.reset()
    const { length: files } = orNothing(() => readdirSync('/proc/self/fd'))
    return { rss, heapUsed, external, files, resources, loopMaxMs }
  },
}

const server = createServer((socket) => {
  let rest = ''
  socket.setEncoding('utf8').on('data', (text: string) => {
    const lines = (rest + text).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) {
      // Each begins in its turn, so that records are in the log in the order in which they were sent.
      const command: Command & { readonly n: number } = JSON.parse(line)
      void run[command.op](command as never).then((answer) =>
        socket.write(`${JSON.stringify({ n: command.n, answer })}\n`),
      )
    }
  })
  socket.on('error', () => {})
  // Whoever started this process is gone, in whatever way.
  socket.on('close', () => process.exit(0))
})
server.listen(Number(process.env.FEED_PORT), '127.0.0.1')
process.once('SIGTERM', () => void gateway.close().then(() => process.exit(0)))

/** Of what has been read. */
function retain(records: number): void {
  for (const [partition, next] of read) own.deleteRecords('orders', partition, next - records)
}

function orNothing<T extends object>(get: () => T): Partial<T> {
  try {
    return get()
  } catch {
    return {}
  }
}

/** What was appended together is handed over together, as one fetch of Kafka's may bring 60,000 records. */
function wholeBatches(source: Source): Source {
  return {
    ...source,
    read(topic, from, reader, signal) {
      const held = new Map<string, Batch>()
      const onBatch = (batch: Batch): Taken => {
        const of = `${batch.topic} ${batch.partition}`
        const before = held.get(of)
        const joined = before ? { ...batch, records: before.records.concat(batch.records) } : batch
        if (batch.nextOffset < batch.endOffset) {
          held.set(of, joined)
          return undefined as Taken
        }
        held.delete(of)
        const taken = reader.onBatch(joined)
        void Promise.resolve(taken).then(() => {
          read.set(batch.partition, batch.nextOffset)
          onRead.emit('read')
        })
        return taken
      }
      return source.read(
        topic,
        from,
        { ...reader, onBatch, onGap: (g) => reader.onGap(g), onState: (s) => reader.onState(s) },
        signal,
      )
    },
  }
}

import { once } from 'node:events'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { ByteReader } from '../../src/streams/source/kafka/protocol/byte-reader.ts'
import { ByteWriter } from '../../src/streams/source/kafka/protocol/byte-writer.ts'
import { ErrorCode } from '../../src/streams/source/kafka/protocol/error-codes.ts'
import { recordBatch } from './record-batches.ts'

/**
 * A model of a Kafka cluster, which speaks enough of the protocol to be read from, over real sockets: for what real
 * brokers cannot be made to do at a wanted moment. Everything is in memory, and every change takes effect at once.
 */
export interface ModelPartition {
  leader: number
  epoch: number
  start: number
  /** Records from `base` on. */
  readonly log: ModelRecord[]
  /** Where each epoch began, in order. */
  epochs: { readonly epoch: number; readonly from: number }[]
}
export interface ModelRecord {
  readonly value: string
  readonly epoch: number
}
interface ModelTopic {
  readonly id: string
  error: number
  readonly partitions: ModelPartition[]
}
type Mood = 'up' | 'down' | 'silent'

const FETCH = 1
const METADATA = 3
/** By API key the newest version. */
const API_VERSIONS: readonly (readonly [number, number])[] = [
  [FETCH, 11],
  [2, 4],
  [METADATA, 10],
  [18, 0],
  [23, 3],
]
/** The last version of metadata that knows no topic ids, and is not "flexible". */
const NO_TOPIC_IDS = 7

export class ModelCluster {
  readonly topics = new Map<string, ModelTopic>()
  readonly nodes: ModelNode[] = []
  fetches = 0
  /** Questions for metadata to one broker while another that is silent was being waited for. */
  hedged = 0
  /** Questions for metadata to any broker. */
  lookUps = 0
  /** Requests about offsets. */
  offsetRequests = 0
  /** The node that is in the rack of a client that names one. */
  near: number | undefined
  /** What that node answers in place of records. */
  nearError = 0
  /** Whether it is as new as Kafka 2.8. */
  hasTopicIds = true
  /** Time of the first record of each partition. */
  startedAt = 1_700_000_000_000
  /** A record of this value is damaged on its way. */
  damages: string | undefined
  #ids = 0
  readonly #wakers = new Set<() => void>()

  static async start(nodes: number): Promise<ModelCluster> {
    const cluster = new ModelCluster()
    for (let id = 0; id < nodes; id++) cluster.nodes.push(await ModelNode.start(cluster, id))
    return cluster
  }

  get brokers(): string[] {
    return this.nodes.map(({ port }) => `127.0.0.1:${port}`)
  }

  create(name: string, partitions: number): void {
    const topic: ModelTopic = { id: (++this.#ids).toString(16).padStart(32, '0'), error: 0, partitions: [] }
    this.topics.set(name, topic)
    for (let at = 0; at < partitions; at++) this.addPartition(name)
  }

  addPartition(name: string): void {
    const { partitions } = this.#topic(name)
    const leader = partitions.length % this.nodes.length
    partitions.push({ leader, epoch: 0, start: 0, log: [], epochs: [{ epoch: 0, from: 0 }] })
    this.changed()
  }

  append(name: string, partition: number, ...values: string[]): void {
    const { log, epoch } = this.#partition(name, partition)
    for (const value of values) log.push({ value, epoch })
    this.changed()
  }

  /** A new leader. `to`: its log ends there, as after an unclean election. */
  elect(name: string, partition: number, leader: number, to?: number): void {
    const each = this.#partition(name, partition)
    if (to !== undefined) each.log.length = Math.min(each.log.length, to)
    each.leader = leader
    each.epoch++
    each.epochs = each.epochs.filter(({ from }) => from < each.log.length)
    each.epochs.push({ epoch: each.epoch, from: each.log.length })
    this.changed()
  }

  deleteBefore(name: string, partition: number, before: number): void {
    const each = this.#partition(name, partition)
    each.start = Math.max(each.start, Math.min(before, each.log.length))
    this.changed()
  }

  changed(): void {
    for (const wake of [...this.#wakers]) wake()
  }

  /** Resolves at the next change, or after `ms`. */
  async change(ms: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    const timer = setTimeout(resolve, ms)
    this.#wakers.add(resolve)
    await promise
    clearTimeout(timer)
    this.#wakers.delete(resolve)
  }

  async stop(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.stop()))
  }

  #topic(name: string): ModelTopic {
    return this.topics.get(name) as ModelTopic
  }

  #partition(name: string, partition: number): ModelPartition {
    return this.#topic(name).partitions[partition] as ModelPartition
  }
}

class ModelNode {
  readonly id: number
  readonly #cluster: ModelCluster
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  readonly port: number
  /** Its quota is used up: it answers fetches with nothing, and this. */
  throttleMs = 0
  #mood: Mood = 'up'
  /** Connections that were made while it was down. */
  refused = 0
  /** Partitions that it has returned records of. */
  served = 0
  /** Fetches that were answered after a silence. */
  late = 0
  /** Where it says that the brokers are, if not where they are. */
  liesAbout: number | undefined

  static async start(cluster: ModelCluster, id: number): Promise<ModelNode> {
    const server = createServer()
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return new ModelNode(cluster, id, server)
  }

  private constructor(cluster: ModelCluster, id: number, server: Server) {
    this.#cluster = cluster
    this.id = id
    this.#server = server
    this.port = (server.address() as AddressInfo).port
    server.on('connection', (socket) => {
      if (this.#mood === 'down') {
        this.refused++
        return void socket.destroy()
      }
      this.#sockets.add(socket)
      socket.on('close', () => this.#sockets.delete(socket)).on('error', () => {})
      this.#serve(socket)
    })
  }

  set mood(mood: Mood) {
    this.#mood = mood
    if (mood === 'down') for (const socket of this.#sockets) socket.destroy()
    this.#cluster.changed()
  }

  get mood(): Mood {
    return this.#mood
  }

  /** It is silent, and somebody has a connection to it. */
  get isWaitedFor(): boolean {
    return this.#mood === 'silent' && this.#sockets.size > 0
  }

  async stop(): Promise<void> {
    this.mood = 'down'
    const closed = once(this.#server, 'close')
    this.#server.close()
    await closed
  }

  #serve(socket: Socket): void {
    let bytes = Buffer.alloc(0)
    let turn = Promise.resolve()
    socket.on('data', (chunk: Buffer) => {
      bytes = Buffer.concat([bytes, chunk])
      while (bytes.length >= 4 && bytes.length >= 4 + bytes.readInt32BE(0)) {
        const request = bytes.subarray(4, 4 + bytes.readInt32BE(0))
        bytes = bytes.subarray(4 + request.length)
        turn = turn.then(() => this.#answer(socket, request))
      }
    })
  }

  async #answer(socket: Socket, request: Buffer): Promise<void> {
    const reader = new ByteReader(request)
    const [apiKey] = [reader.int16(), reader.int16()]
    const correlation = reader.int32()
    reader.nullableString() // client id
    const body = new ByteWriter()
    if (apiKey === METADATA) this.#cluster.lookUps++
    if (apiKey === METADATA && this.#cluster.nodes.some((node) => node !== this && node.isWaitedFor)) {
      this.#cluster.hedged++
    }
    if (apiKey === 18) this.#apiVersions(body)
    else if (apiKey === METADATA && this.#cluster.hasTopicIds) this.#metadata(reader, body)
    else if (apiKey === METADATA) this.#plainMetadata(reader, body)
    else if (apiKey === 2) this.#listOffsets(reader, body)
    else if (apiKey === 23) this.#epochs(reader, body)
    else await this.#fetch(reader, body)
    const isLate = this.#mood === 'silent'
    while (this.#mood === 'silent') await this.#cluster.change(50)
    if (isLate && apiKey === FETCH) this.late++
    if (this.#mood === 'down') return
    const { buffer } = body
    socket.write(Buffer.concat([new ByteWriter().int32(4 + buffer.length).int32(correlation).buffer, buffer]))
  }

  #apiVersions(body: ByteWriter): void {
    const { hasTopicIds } = this.#cluster
    body.int16(0).array(API_VERSIONS, ([key, max]) => {
      body
        .int16(key)
        .int16(0)
        .int16(key === METADATA && !hasTopicIds ? NO_TOPIC_IDS : max)
    })
  }

  #metadata(reader: ByteReader, body: ByteWriter): void {
    reader.skipTags()
    const names = reader.compactArray(() => {
      reader.uuid()
      const name = reader.compactString()
      reader.skipTags()
      return name
    })
    const { nodes, topics } = this.#cluster
    body.noTags().int32(0)
    body.compactArray(nodes, ({ id, port }) => {
      body
        .int32(id)
        .compactString('127.0.0.1')
        .int32(this.liesAbout ?? port)
        .int8(0)
        .noTags()
    })
    body.int8(0).int32(0) // no cluster id; the controller
    body.compactArray(names, (name) => {
      const topic = topics.get(name)
      body.int16(topic?.error ?? ErrorCode.UNKNOWN_TOPIC_OR_PARTITION).compactString(name)
      body.bytes(Buffer.from(topic?.id ?? '0'.repeat(32), 'hex')).int8(0)
      body.compactArray(
        [...(topic?.error ? [] : (topic?.partitions ?? [])).entries()],
        ([partition, { leader, epoch }]) => {
          body
            .int16(leader < 0 ? ErrorCode.LEADER_NOT_AVAILABLE : 0)
            .int32(partition)
            .int32(leader)
            .int32(epoch)
          for (let list = 0; list < 3; list++) body.int8(1)
          body.noTags()
        },
      )
      body.int32(0).noTags()
    })
    body.noTags()
  }

  #plainMetadata(reader: ByteReader, body: ByteWriter): void {
    const names = reader.array(() => reader.string())
    const { nodes, topics } = this.#cluster
    body.int32(0)
    body.array(nodes, ({ id, port }) => body.int32(id).string('127.0.0.1').int32(port).int16(-1))
    body.int16(-1).int32(0)
    body.array(names, (name) => {
      const topic = topics.get(name)
      body
        .int16(topic?.error ?? ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
        .string(name)
        .int8(0)
      body.array([...(topic?.partitions ?? []).entries()], ([partition, { leader, epoch }]) => {
        body.int16(0).int32(partition).int32(leader).int32(epoch)
        for (let list = 0; list < 3; list++) body.int32(0)
      })
    })
  }

  #listOffsets(reader: ByteReader, body: ByteWriter): void {
    this.#cluster.offsetRequests++
    reader.int32()
    reader.int8()
    const topics = reader.array(() => ({
      name: reader.string(),
      partitions: reader.array(() => ({ partition: reader.int32(), epoch: reader.int32(), timestamp: reader.int64() })),
    }))
    body.int32(0)
    body.array(topics, ({ name, partitions }) => {
      body.string(name).array(partitions, ({ partition, epoch, timestamp }) => {
        const each = this.#led(name, partition, epoch)
        body
          .int32(partition)
          .int16(typeof each === 'number' ? each : 0)
          .int64(-1)
        if (typeof each === 'number') body.int64(-1).int32(-1)
        else body.int64(timestamp === -1 ? each.log.length : each.start).int32(each.epoch)
      })
    })
  }

  #epochs(reader: ByteReader, body: ByteWriter): void {
    reader.int32()
    const topics = reader.array(() => ({
      name: reader.string(),
      partitions: reader.array(() => ({ partition: reader.int32(), current: reader.int32(), epoch: reader.int32() })),
    }))
    body.int32(0)
    body.array(topics, ({ name, partitions }) => {
      body.string(name).array(partitions, ({ partition, current, epoch }) => {
        const each = this.#led(name, partition, current)
        body.int16(typeof each === 'number' ? each : 0).int32(partition)
        if (typeof each === 'number') return body.int32(-1).int64(-1)
        // As the broker's LeaderEpochFileCache does it.
        if (epoch === each.epoch) return body.int32(epoch).int64(each.log.length)
        const known = each.epochs.findLast((begun) => begun.epoch <= epoch)
        const next = each.epochs.find((begun) => begun.epoch > epoch)
        return next ? body.int32(known?.epoch ?? epoch).int64(next.from) : body.int32(-1).int64(-1)
      })
    })
  }

  async #fetch(reader: ByteReader, body: ByteWriter): Promise<void> {
    this.#cluster.fetches++
    reader.int32()
    const until = performance.now() + reader.int32()
    for (let skipped = 0; skipped < 2; skipped++) reader.int32() // bytes: the least, the most
    reader.int8()
    for (let skipped = 0; skipped < 2; skipped++) reader.int32() // the session
    const topics = reader.array(() => ({
      name: reader.string(),
      partitions: reader.array(() => {
        const [partition, epoch, offset] = [reader.int32(), reader.int32(), reader.int64()]
        reader.int64()
        return { partition, epoch, offset, maxBytes: reader.int32() }
      }),
    }))
    reader.array(() => reader.int32()) // forgotten topics
    const rack = reader.string()
    const look = () =>
      topics.map(({ name, partitions }) => ({
        name,
        found: partitions.map((asked) => this.#records(name, asked, rack)),
      }))
    let found = look()
    const isEmpty = () =>
      found.every((topic) => topic.found.every(({ error, set, near }) => error === 0 && set.length === 0 && near < 0))
    while (this.throttleMs === 0 && isEmpty() && this.#mood === 'up') {
      const left = until - performance.now()
      if (left <= 0) break
      await this.#cluster.change(left)
      found = look()
    }
    if (this.throttleMs > 0) found = []
    body.int32(this.throttleMs).int16(0).int32(0)
    body.array(found, (topic) => {
      body.string(topic.name).array(topic.found, ({ partition, error, end, set, near }) => {
        body.int32(partition).int16(error).int64(end).int64(end).int64(0).int32(0).int32(near)
        body.int32(set.length).bytes(set)
      })
    })
  }

  #records(name: string, asked: { partition: number; epoch: number; offset: number; maxBytes: number }, rack: string) {
    const { partition, epoch, offset, maxBytes } = asked
    const { near, nearError } = this.#cluster
    const isNear = near === this.id
    const nothing = { partition, end: -1, set: Buffer.alloc(0), near: -1 }
    if (isNear && nearError !== 0) return { ...nothing, error: nearError }
    const known = isNear ? this.#cluster.topics.get(name)?.partitions[partition] : undefined
    const each = known ?? this.#led(name, partition, epoch)
    if (typeof each !== 'number' && rack !== '' && near !== undefined && !isNear) return { ...nothing, error: 0, near }
    if (typeof each === 'number') return { ...nothing, error: each }
    const end = each.log.length
    if (offset < each.start || offset > end) return { ...nothing, error: ErrorCode.OFFSET_OUT_OF_RANGE }
    let set = Buffer.alloc(0)
    if (offset < end) this.served++
    // A batch of each record, all of one leader's.
    for (let at = offset; at < end && (set.length === 0 || set.length < maxBytes); at++) {
      const { value, epoch: leaderEpoch } = each.log[at] as ModelRecord
      const record = {
        offset: at,
        timestamp: this.#cluster.startedAt + at,
        key: null,
        value: Buffer.from(value),
        headers: [],
      }
      const batch = recordBatch([record], { leaderEpoch })
      if (value === this.#cluster.damages) batch.writeInt8(9, batch.length - 1 - record.value.length)
      set = Buffer.concat([set, batch])
    }
    return { ...nothing, error: 0, end, set }
  }

  /** The partition, or an error code. */
  #led(name: string, partition: number, epoch: number): ModelPartition | number {
    const topic = this.#cluster.topics.get(name)
    const each = topic?.partitions[partition]
    if (!topic || !each) return ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
    if (topic.error !== 0) return topic.error
    if (each.leader !== this.id) return ErrorCode.NOT_LEADER_OR_FOLLOWER
    if (epoch >= 0 && epoch < each.epoch) return ErrorCode.FENCED_LEADER_EPOCH
    if (epoch > each.epoch) return ErrorCode.UNKNOWN_LEADER_EPOCH
    return each
  }
}

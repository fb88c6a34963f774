import fc from 'fast-check'
import { afterEach, expect, test, vi } from 'vitest'
import type { Gap, Positions } from '../../../../src/streams/event.ts'
import { createKafka, type KafkaLog } from '../../../../src/streams/source/kafka/kafka.ts'
import type { KafkaOptions } from '../../../../src/streams/source/kafka/options.ts'
import { ErrorCode } from '../../../../src/streams/source/kafka/protocol/error-codes.ts'
import type { Batch, ReaderState } from '../../../../src/streams/source/port.ts'
import { ModelCluster } from '../../../kit/model-cluster.ts'
import { Statistics } from '../../../kit/statistics.ts'
import { until } from '../../../kit/until.ts'

const closing: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

async function clusterOf(nodes: number): Promise<ModelCluster> {
  const cluster = await ModelCluster.start(nodes)
  closing.push(() => cluster.stop())
  return cluster
}

function open(brokers: readonly string[], options: Partial<KafkaOptions> = {}): KafkaLog {
  const log = createKafka({ brokers, clientId: 'model', log: () => {}, ...options })
  closing.push(() => log.close())
  return log
}

/**
 * What a reader was told of a topic. It checks that offsets only grow, except by a gap that says so, and keeps what a
 * client would have.
 */
class Follower {
  readonly have = new Map<number, Map<number, string>>()
  readonly next = new Map<number, number>()
  readonly gaps: Gap[] = []
  readonly states: ReaderState[] = []
  readonly faults: string[] = []
  /** Holds up batches until it is let go. */
  gate: Promise<void> | undefined
  readonly #stop = new AbortController()
  readonly #reading: Promise<void>

  constructor(log: KafkaLog, topic: string, from: Positions) {
    for (const [partition, offset] of from) this.next.set(partition, offset)
    const onBatch = (batch: Batch): Promise<void> | undefined => {
      if (!this.gate) return void this.#take(batch)
      return this.gate.then(() => this.#take(batch))
    }
    const onGap = (gap: Gap) => {
      this.gaps.push(gap)
      if (gap.from !== this.next.get(gap.partition)) this.faults.push(`gap from ${gap.from}`)
      this.next.set(gap.partition, gap.to)
      if (gap.reason === 'truncation') {
        for (const offset of this.#of(gap.partition).keys())
          if (offset >= gap.to) this.#of(gap.partition).delete(offset)
      }
    }
    const onFault = (error: unknown) => this.faults.push(String(error))
    this.#reading = log.source.read(
      topic,
      from,
      { onBatch, onGap, onFault, onState: (state) => void this.states.push(state) },
      this.#stop.signal,
    )
    closing.push(() => this.stop())
  }

  get state(): ReaderState | undefined {
    return this.states.at(-1)
  }

  values(partition: number): string[] {
    return [...this.#of(partition)].sort(([a], [b]) => a - b).map(([, value]) => value)
  }

  async stop(): Promise<void> {
    this.#stop.abort()
    await this.#reading
  }

  #of(partition: number): Map<number, string> {
    const known = this.have.get(partition) ?? new Map<number, string>()
    this.have.set(partition, known)
    return known
  }

  #take({ partition, records, nextOffset }: Batch): void {
    const have = this.#of(partition)
    let next = this.next.get(partition) ?? 0
    for (const { offset, value } of records) {
      if (offset < next) this.faults.push(`${partition} went back from ${next} to ${offset}`)
      if (have.has(offset)) this.faults.push(`${partition}:${offset} came twice`)
      have.set(offset, String(value))
      next = offset + 1
    }
    if (nextOffset < next) this.faults.push(`${partition} reads on at ${nextOffset}, and was at ${next}`)
    this.next.set(partition, nextOffset)
  }
}

/** Everything that the log holds now has arrived. */
function hasAll(cluster: ModelCluster, topic: string, follower: Follower): boolean {
  return (cluster.topics.get(topic)?.partitions ?? []).every(({ log, start }, partition) =>
    log.slice(start).every(({ value }, at) => follower.have.get(partition)?.get(start + at) === value),
  )
}

const NODES = 3
/** Each takes a second or two: the reader's waits are real. */
const RUNS = Number(process.env.READER_RUNS ?? 100)
type Step =
  | { readonly kind: 'append' | 'retention'; readonly partition: number; readonly count: number }
  | { readonly kind: 'elect'; readonly partition: number; readonly node: number }
  | { readonly kind: 'unclean'; readonly partition: number; readonly node: number; readonly lost: number }
  | { readonly kind: 'down' | 'up' | 'silent' | 'throttle'; readonly node: number }
  | { readonly kind: 'leaderless' | 'wait'; readonly partition: number }
  | { readonly kind: 'recreate' | 'grow' | 'gate' | 'unknown' }

const partition = fc.nat({ max: 3 })
const node = fc.nat({ max: NODES - 1 })
const step = fc.oneof(
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('append' as const), partition, count: fc.nat({ max: 20 }) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('wait' as const), partition }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('elect' as const), partition, node }) },
  fc.record({ kind: fc.constant('unclean' as const), partition, node, lost: fc.integer({ min: 1, max: 10 }) }),
  fc.record({ kind: fc.constant('retention' as const), partition, count: fc.nat({ max: 20 }) }),
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constantFrom('down' as const, 'up' as const, 'silent' as const, 'throttle' as const),
      node,
    }),
  },
  fc.record({ kind: fc.constant('leaderless' as const), partition }),
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constantFrom('recreate' as const, 'grow' as const, 'gate' as const, 'unknown' as const),
    }),
  },
) as fc.Arbitrary<Step>

test('whatever happens to the brokers and to the log, what it holds arrives once and in order, and what is lost is a gap', async () => {
  const cases = ['append', 'wait', 'elect', 'unclean', 'retention', 'down', 'up', 'silent', 'throttle', 'leaderless']
  const others = ['recreate', 'grow', 'gate', 'unknown', 'gap: truncation', 'gap: retention']
  const statistics = new Statistics('live reader', [...cases, ...others])
  let run = 0
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 3, maxLength: 20 }), async (steps) => {
      const cluster = await ModelCluster.start(NODES)
      const log = createKafka({ brokers: cluster.brokers, clientId: 'model', log: () => {} })
      const topic = `topic-${run++}`
      cluster.create(topic, 2)
      const follower = new Follower(log, topic, new Map([[0, 0], [1, 0]])) // biome-ignore format: one line
      let value = 0
      let openGate: (() => void) | undefined
      const partitions = () => cluster.topics.get(topic)?.partitions ?? []
      /** Unless that cannot be, or takes long. */
      const untilRead = async (at: number): Promise<void> => {
        const { log: records, leader } = partitions()[at] as ReturnType<typeof partitions>[number]
        const isSlow = cluster.nodes.some(({ mood, throttleMs }) => mood !== 'up' || throttleMs > 0)
        if (cluster.topics.get(topic)?.error !== 0 || leader < 0 || isSlow || openGate) return
        const target = records.length
        await until('it has been read', () => (follower.next.get(at) ?? 0) >= target)
      }
      for (const each of steps) {
        statistics.count(each.kind)
        const at = 'partition' in each ? each.partition % partitions().length : 0
        const led = partitions()[at] as ReturnType<typeof partitions>[number]
        switch (each.kind) {
          case 'append':
            cluster.append(topic, at, ...Array.from({ length: each.count }, () => String(value++)))
            break
          case 'wait':
            await untilRead(at)
            break
          case 'elect':
            cluster.elect(topic, at, each.node)
            break
          case 'unclean':
            await untilRead(at)
            cluster.elect(topic, at, each.node, Math.max(led.start, led.log.length - each.lost))
            break
          case 'retention':
            cluster.deleteBefore(topic, at, led.start + each.count)
            break
          case 'down':
            if (cluster.nodes.filter(({ mood }) => mood === 'up').length > 1) nodeOf(cluster, each.node).mood = 'down'
            break
          case 'silent':
            if (cluster.nodes.filter(({ mood }) => mood === 'up').length > 1) nodeOf(cluster, each.node).mood = 'silent'
            break
          case 'up':
            nodeOf(cluster, each.node).mood = 'up'
            break
          case 'throttle':
            nodeOf(cluster, each.node).throttleMs = nodeOf(cluster, each.node).throttleMs > 0 ? 0 : 30
            break
          case 'leaderless':
            cluster.elect(topic, at, -1)
            break
          case 'recreate':
            cluster.topics.delete(topic)
            cluster.changed()
            await new Promise((resolve) => setImmediate(resolve))
            cluster.create(topic, 2)
            break
          case 'grow':
            if (partitions().length < 4) cluster.addPartition(topic)
            break
          case 'gate':
            if (openGate) {
              openGate()
              openGate = undefined
              follower.gate = undefined
            } else follower.gate = new Promise((resolve) => (openGate = resolve))
            break
          case 'unknown': {
            const known = cluster.topics.get(topic)
            if (known) known.error = known.error === 0 ? ErrorCode.UNKNOWN_TOPIC_OR_PARTITION : 0
          }
        }
      }
      openGate?.()
      follower.gate = undefined
      for (const each of cluster.nodes) {
        each.mood = 'up'
        each.throttleMs = 0
      }
      const known = cluster.topics.get(topic)
      if (known) known.error = 0
      for (const [at, { leader }] of partitions().entries()) if (leader < 0) cluster.elect(topic, at, 0)
      for (const at of partitions().keys()) cluster.append(topic, at, `last ${at}`)
      try {
        await until('everything has arrived', () => hasAll(cluster, topic, follower), 15_000)
        await until('it reads', () => follower.state?.kind === 'reading', 15_000)
        for (const { reason } of follower.gaps) statistics.count(`gap: ${reason}`)
        expect(follower.faults).toEqual([])
      } finally {
        await follower.stop()
        await log.close()
        await cluster.stop()
      }
    }),
    { numRuns: RUNS, endOnFailure: true },
  )
  statistics.report()
}, 240_000)

function nodeOf(cluster: ModelCluster, node: number): ModelCluster['nodes'][number] {
  return cluster.nodes[node] as ModelCluster['nodes'][number]
}

test('after an unclean election it reads on from where the logs part, and the gap says from where to where', async () => {
  const cluster = await clusterOf(2)
  cluster.create('parted', 1)
  cluster.append('parted', 0, 'a', 'b', 'c', 'd', 'e')
  const follower = new Follower(open(cluster.brokers), 'parted', new Map([[0, 0]]))
  await until('it has read all', () => follower.next.get(0) === 5)
  cluster.elect('parted', 0, 1, 3)
  cluster.append('parted', 0, 'D', 'E', 'F')
  await until('it has read the new log', () => follower.values(0).at(-1) === 'F')
  expect(follower.gaps).toEqual([{ kind: 'gap', topic: 'parted', partition: 0, from: 5, to: 3, reason: 'truncation' }])
  expect(follower.values(0)).toEqual(['a', 'b', 'c', 'D', 'E', 'F'])
})

test('an election in which nothing was lost is no gap', async () => {
  const cluster = await clusterOf(2)
  cluster.create('moved', 1)
  cluster.append('moved', 0, 'a', 'b')
  const follower = new Follower(open(cluster.brokers), 'moved', new Map([[0, 0]]))
  await until('it has read all', () => follower.next.get(0) === 2)
  cluster.elect('moved', 0, 1)
  cluster.append('moved', 0, 'c')
  await until('it reads on', () => follower.values(0).at(-1) === 'c')
  expect(follower.gaps).toEqual([])
  expect(follower.states.filter(({ kind }) => kind === 'reading')).toHaveLength(1)
})

test('a partition that is added never makes a topic unready while its leader is not there yet', async () => {
  const cluster = await clusterOf(2)
  cluster.create('grown', 1)
  const follower = new Follower(open(cluster.brokers), 'grown', new Map([[0, 0]]))
  await until('it reads', () => follower.state?.kind === 'reading')
  nodeOf(cluster, 1).mood = 'down'
  const { refused } = nodeOf(cluster, 1)
  cluster.addPartition('grown')
  cluster.append('grown', 1, 'first')
  await until('its leader was asked', () => follower.next.has(1) && nodeOf(cluster, 1).refused >= refused + 2)
  nodeOf(cluster, 1).mood = 'up'
  await until('it is read', () => follower.values(1).length === 1)
  expect(follower.states.filter(({ kind }) => kind === 'reading')).toHaveLength(1)
})

test('a seed that accepts connections and never answers is not waited for, wherever it is in the list', async () => {
  for (const silent of [0, 1, 2]) {
    const cluster = await clusterOf(3)
    cluster.create('quiet', 3)
    for (const at of [0, 1, 2]) cluster.elect('quiet', at, (silent + 1) % 3)
    nodeOf(cluster, silent).mood = 'silent'
    cluster.append('quiet', 0, 'a')
    const follower = new Follower(open(cluster.brokers), 'quiet', new Map([[0, 0]]))
    await until('it has read', () => follower.values(0).length === 1)
    // The first in the list is asked first.
    if (silent === 0) expect(cluster.hedged).toBeGreaterThan(0)
  }
})

test('a seed whose answer names addresses at which nobody is, is left for another', async () => {
  const cluster = await clusterOf(3)
  cluster.create('lied', 1)
  cluster.append('lied', 0, 'a')
  nodeOf(cluster, 0).liesAbout = 1
  const follower = new Follower(open(cluster.brokers), 'lied', new Map([[0, 0]]))
  await until('it has read', () => follower.values(0).length === 1)
})

test('what was fetched before a topic was recreated, and comes after, is not delivered', async () => {
  const cluster = await clusterOf(2)
  cluster.create('late', 1)
  cluster.elect('late', 0, 0)
  const follower = new Follower(open(cluster.brokers), 'late', new Map([[0, 0]]))
  await until('it reads', () => follower.state?.kind === 'reading')
  let release = (): void => {}
  follower.gate = new Promise((resolve) => (release = resolve))
  cluster.append('late', 0, 'a')
  const { fetches } = cluster
  await until('the next fetch is under way', () => cluster.fetches > fetches)
  cluster.append('late', 0, 'b')
  nodeOf(cluster, 0).mood = 'silent' // it has that in its hands, and answers later
  await new Promise((resolve) => setImmediate(resolve))
  cluster.topics.delete('late')
  cluster.create('late', 1)
  cluster.elect('late', 0, 1)
  cluster.append('late', 0, 'A')
  release()
  follower.gate = undefined
  await until('it has read the new topic', () => follower.values(0).at(-1) === 'A')
  // What it answers now was fetched from offset 1 of the former topic, and that is where the reader is in the new one.
  nodeOf(cluster, 0).mood = 'up'
  await until('it has answered', () => nodeOf(cluster, 0).late > 0)
  cluster.append('late', 0, 'B', 'C', 'D')
  await until('it reads on', () => follower.values(0).at(-1) === 'D')
  expect(follower.values(0)).toEqual(['A', 'B', 'C', 'D'])
  expect(follower.gaps).toEqual([{ kind: 'gap', topic: 'late', partition: 0, from: 1, to: 0, reason: 'truncation' }])
  expect(follower.faults).toEqual([])
})

test('a batch that is being taken holds up no other partition and no other topic', async () => {
  const cluster = await clusterOf(1)
  cluster.create('slow', 1)
  cluster.create('fast', 1)
  const log = open(cluster.brokers)
  const slow = new Follower(log, 'slow', new Map([[0, 0]]))
  const fast = new Follower(log, 'fast', new Map([[0, 0]]))
  let release = (): void => {}
  slow.gate = new Promise((resolve) => (release = resolve))
  for (let round = 0; round < 5; round++) {
    cluster.append('slow', 0, `${round}`)
    cluster.append('fast', 0, `${round}`)
    await until('the other topic goes on', () => fast.values(0).length === round + 1)
  }
  expect(slow.values(0)).toEqual([])
  slow.gate = undefined
  release()
  await until('all has arrived', () => slow.values(0).length === 5)
  expect([...slow.faults, ...fast.faults]).toEqual([])
})

test('a topic that is denied, and one that is gone, wait by name, and the third goes on', async () => {
  const cluster = await clusterOf(1)
  for (const name of ['denied', 'gone', 'good']) cluster.create(name, 1)
  const log = open(cluster.brokers)
  const [denied, gone, good] = ['denied', 'gone', 'good'].map((name) => new Follower(log, name, new Map([[0, 0]])))
  await until('all are read', () => [denied, gone, good].every((each) => each?.state?.kind === 'reading'))
  Object.assign(cluster.topics.get('denied') as object, { error: ErrorCode.TOPIC_AUTHORIZATION_FAILED })
  cluster.topics.delete('gone')
  cluster.changed()
  for (let round = 0; denied?.state?.kind !== 'waiting' || gone?.state?.kind !== 'waiting'; round++) {
    cluster.append('good', 0, String(round))
    await until('the third goes on', () => good?.values(0).length === round + 1)
  }
  expect(denied?.state).toMatchObject({ reason: expect.stringContaining('does not permit this user') })
  expect(gone?.state).toMatchObject({ reason: expect.stringContaining('does not know the topic') })
  expect(good?.states).toEqual([{ kind: 'waiting', reason: expect.any(String) }, { kind: 'reading' }])
})

test('a broker that throttles is obeyed, and says so without a doubt about any position', async () => {
  const cluster = await clusterOf(1)
  cluster.create('costly', 1)
  const log = open(cluster.brokers)
  const follower = new Follower(log, 'costly', new Map([[0, 0]]))
  await until('it reads', () => follower.state?.kind === 'reading')
  nodeOf(cluster, 0).throttleMs = 200
  cluster.append('costly', 0, 'a')
  await until('it says so', () => follower.state?.kind === 'reading' && follower.state.note !== undefined)
  const before = cluster.fetches
  await until('it has waited', () => log.throttledMs() >= 1_000)
  expect(cluster.fetches - before).toBeLessThan(10)
  nodeOf(cluster, 0).throttleMs = 0
  await until('it reads on', () => follower.values(0).length === 1)
  expect(follower.gaps).toEqual([])
})

test('an idle connection sets no timer every millisecond', async () => {
  const cluster = await clusterOf(1)
  cluster.create('idle', 1)
  const follower = new Follower(open(cluster.brokers), 'idle', new Map([[0, 0]]))
  await until('it reads', () => follower.state?.kind === 'reading')
  const timers = vi.spyOn(globalThis, 'setTimeout')
  const { calls } = timers.mock
  // Every round takes a few milliseconds, of which every idle connection would make use.
  for (let round = 1; round <= 20; round++) {
    cluster.append('idle', 0, String(round))
    await until('it has read', () => follower.values(0).length === round)
  }
  expect(calls.filter(([, ms]) => (ms ?? 0) <= 1)).toEqual([])
  timers.mockRestore()
})

test('where brokers have no topic ids, a recreated topic is told from the same one by its records', async () => {
  for (const isRecreated of [true, false]) {
    const cluster = await clusterOf(1)
    cluster.hasTopicIds = false
    cluster.create('old', 1)
    cluster.append('old', 0, 'a', 'b')
    const follower = new Follower(open(cluster.brokers), 'old', new Map([[0, 0]]))
    await until('it has read all', () => follower.next.get(0) === 2)
    nodeOf(cluster, 0).mood = 'down'
    if (isRecreated) {
      cluster.startedAt++
      cluster.create('old', 1)
      cluster.append('old', 0, 'A', 'B')
    }
    cluster.append('old', 0, 'c')
    nodeOf(cluster, 0).mood = 'up'
    await until('it reads on', () => follower.values(0).at(-1) === 'c')
    expect(follower.values(0)).toEqual(isRecreated ? ['A', 'B', 'c'] : ['a', 'b', 'c'])
    expect(follower.gaps.map(({ from, to }) => ({ from, to }))).toEqual(isRecreated ? [{ from: 2, to: 0 }] : [])
    expect(follower.faults).toEqual([])
  }
})

test('a partition that no batch can be decoded of waits by name, and the others go on', async () => {
  const cluster = await clusterOf(1)
  cluster.create('damaged', 2)
  const follower = new Follower(open(cluster.brokers), 'damaged', new Map([[0, 0], [1, 0]])) // biome-ignore format: one line
  await until('it reads', () => follower.state?.kind === 'reading')
  cluster.damages = 'damage'
  cluster.append('damaged', 0, 'damage')
  await until('it says so', () => follower.state?.kind === 'waiting')
  expect(follower.state).toMatchObject({ reason: expect.stringMatching(/batch at offset 0 .*\(partition 0\)$/) })
  cluster.append('damaged', 1, 'whole')
  await until('the other goes on', () => follower.values(1).length === 1)
  cluster.damages = undefined
  await until('it reads again', () => follower.state?.kind === 'reading')
  expect(follower.values(0)).toEqual(['damage'])
})

test('while a leader is down and nobody has taken its place, it is looked for at a bounded rate, and the log says so once', async () => {
  const cluster = await clusterOf(2)
  cluster.create('lost', 1)
  const lines: string[] = []
  const follower = new Follower(
    open(cluster.brokers, { log: (level, message) => void (level === 'warn' && lines.push(message)) }),
    'lost',
    new Map([[0, 0]]),
  )
  await until('it reads', () => follower.state?.kind === 'reading')
  const { lookUps } = cluster
  const since = performance.now()
  nodeOf(cluster, 0).mood = 'down'
  await until('it waits', () => follower.state?.kind === 'waiting')
  // At most one in a tenth of a second, whatever fails how fast.
  expect(cluster.lookUps - lookUps).toBeLessThan((performance.now() - since) / 100 + 2)
  nodeOf(cluster, 1).mood = 'down'
  const { refused } = nodeOf(cluster, 1)
  await until('it has tried again and again', () => nodeOf(cluster, 1).refused >= refused + 4)
  expect(lines.filter((line) => line.startsWith('The leaders of the topics could not'))).toHaveLength(1)
  for (const node of cluster.nodes) node.mood = 'up'
  cluster.append('lost', 0, 'a')
  await until('it reads on', () => follower.values(0).length === 1)
})

test('with a rack, records are fetched from the replica nearby, and from the leader where that fails', async () => {
  const cluster = await clusterOf(2)
  cluster.create('near', 1)
  cluster.append('near', 0, 'a')
  cluster.near = 1
  const log = open(cluster.brokers, { rack: 'here' })
  const follower = new Follower(log, 'near', new Map([[0, 0]]))
  await until('it has read', () => follower.values(0).length === 1)
  const fetched = await log.source.fetch('near', 0, 0, 1000, new AbortController().signal)
  expect(fetched).toMatchObject({ records: [{ offset: 0 }] })
  expect(nodeOf(cluster, 1).served).toBeGreaterThan(1)

  cluster.nearError = ErrorCode.OFFSET_NOT_AVAILABLE
  const { fetches } = cluster
  cluster.append('near', 0, 'b')
  await until('it reads on from the leader', () => follower.values(0).length === 2)
  const again = await log.source.fetch('near', 0, 1, 1000, new AbortController().signal)
  expect(again).toMatchObject({ records: [{ offset: 1 }] })
  // The leader would name the replica again and again.
  expect(cluster.fetches - fetches).toBeLessThan(20)
  expect(follower.faults).toEqual([])
})

test('what is asked about all topics at once is a request or two to each broker', async () => {
  const cluster = await clusterOf(2)
  const topics = Array.from({ length: 40 }, (_, i) => `of-${i}`)
  for (const [i, topic] of topics.entries()) {
    cluster.create(topic, 3)
    for (let count = 0; count < i; count++) cluster.append(topic, 1, 'a')
  }
  const log = open(cluster.brokers)
  await log.source.ends('of-0')
  const [lookUps, requests] = [cluster.lookUps, cluster.offsetRequests]
  const [ranges, ends] = await Promise.all([
    Promise.all(topics.map((topic) => log.source.ranges(topic))),
    Promise.all(topics.map((topic) => log.source.ends(topic))),
  ])
  expect(ranges.map((each) => each[1]?.next)).toEqual(topics.keys().toArray())
  expect(ends.map((each) => each.get(1))).toEqual(topics.keys().toArray())
  expect(cluster.lookUps - lookUps).toBeLessThan(3)
  // A partition is in each of them once: its start, its end, and its end again.
  expect(cluster.offsetRequests - requests).toBeLessThan(3 * 2 + 1)
})

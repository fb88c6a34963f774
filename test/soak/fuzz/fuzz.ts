/**
 * The fuzzer: requests that are mostly nearly right, many at once, from a seed. Whatever they are, each is answered or its
 * connection closed, no answer shows anything internal, the gateway goes on, and afterwards it holds nothing of them.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { GatewayProcess } from '../child.ts'
import { Failures } from '../failures.ts'
import { Feed, TIMESTAMPS } from '../feed.ts'
import { Random } from '../random.ts'
import { whatIsWrong } from '../target.ts'
import { codesOf, type Outcome } from '../wire.ts'
import { type Draft, TOKEN } from './draft.ts'
import { kindsOf, REQUEST_KINDS } from './kinds.ts'
import { makeRequest, mutateHttp } from './request.ts'
import { ANSWER_MS, HandedOut, Sender } from './send.ts'

const IN_FLIGHT = 40
const TICK_MS = 50
const BURST_RECORDS = 60_000
/** A reservation lasts 20 s. */
const RETURN_MS = 45_000
/** 2^32 over the golden ratio: numbers in a row become seeds far from each other. */
const GOLDEN = 0x9e3779b1
/** Part of the requests: those that are no HTTP or are cut short. Else it would prove little. */
const MOST_UNANSWERED = 0.15
/** Fields that fail on purpose: what they throw is masked by this code. */
const FAILS_BY_INTENT = /\b(traps|iterates|trap)\b/
const RECORD_KINDS = ['a record stamped beyond 2^48', 'a record that is no order', 'a batch of 60,000 records'] as const

export interface FuzzReport {
  readonly table: string
  readonly failures: readonly string[]
}

export interface FuzzOptions {
  readonly requests: number
  readonly seed: number
}

export async function fuzz({ requests, seed }: FuzzOptions): Promise<FuzzReport> {
  const gateway = await GatewayProcess.start()
  const failures = new Failures()
  const kinds = new Map<string, number>(
    [...REQUEST_KINDS.map(([name]) => name), ...RECORD_KINDS].map((name) => [name, 0]),
  )
  const answers = new Map<string, number>()
  const count = (counts: Map<string, number>, what: string) => counts.set(what, (counts.get(what) ?? 0) + 1)
  const handedOut = new HandedOut(new Random(seed))
  const done = new AbortController()
  let sent = 0
  const begin = performance.now()

  const judge = (n: number, draft: Draft, outcome: Outcome | undefined): void => {
    count(answers, outcome === undefined ? 'given up' : nameOf(outcome))
    const wrong = outcome && wrongIn(draft, outcome)
    if (wrong) failures.add(wrong, `\n  request ${n}, ${draft.delivery}: ${shown(draft)}`)
  }
  const work = async (number: number): Promise<void> => {
    const sender = new Sender(gateway, new Random(seed + number), handedOut, number)
    while (sent < requests && gateway.ended === undefined) {
      const n = sent++
      // Each request has a seed of its own, so that it is the same whatever came before.
      const random = new Random(seed ^ Math.imul(n + 1, GOLDEN))
      const draft = makeRequest(random)
      mutateHttp(random, draft)
      for (const kind of kindsOf(draft)) count(kinds, kind)
      judge(n, draft, await sender.send(draft))
    }
    sender.close()
  }

  try {
    const records = feedRecords(gateway, new Random(seed), done.signal, (kind) => count(kinds, kind))
    await Promise.race([Promise.all(Array.from({ length: IN_FLIGHT }, (_, i) => work(i))), gateway.untilEnded()])
    done.abort()
    const seconds = (performance.now() - begin) / 1000
    if (gateway.ended !== undefined) failures.add(`The gateway ended: ${gateway.ended}`, `\n${gateway.log.tail()}`)
    else {
      await records
      for (const left of await notReturned(gateway)) failures.add(left)
    }
    for (const { level, msg, text } of gateway.log.kept) {
      if (!(level < 50) && !documented(msg)) failures.add(`It logged "${msg}"`, `: ${text}`)
    }
    const unanswered = ['refused', 'closed'].reduce((sum, name) => sum + (answers.get(name) ?? 0), 0)
    if (unanswered > MOST_UNANSWERED * sent) failures.add(`${unanswered} of ${sent} requests had no answer`)
    for (const [kind, times] of kinds) if (times === 0) failures.add(`There was never ${kind}`)
    return { table: tableOf(seed, sent, seconds, kinds, answers), failures: failures.shown }
  } finally {
    await gateway.stop()
  }
}

/** Errors that docs/operations.md names: what fails on purpose here, and says so at a limited rate. */
function documented(msg: string): boolean {
  return /resolver|field|subscription|filter|interest|source|Records/i.test(msg)
}

function wrongIn(draft: Draft, outcome: Outcome): string | undefined {
  const { delivery, method, toAdmin } = draft
  if (outcome === 'hung') return `No answer within ${ANSWER_MS} ms`
  if (outcome === 'refused') return toAdmin ? 'The admin port takes no connection' : undefined
  if (outcome !== 'closed') {
    // A stream that is opened may bring the results of operations that were begun before.
    const isOpening = draft.query === undefined && JSON.stringify([draft.path, draft.headers]).includes(TOKEN)
    return whatIsWrong(outcome, isOpening || FAILS_BY_INTENT.test(draft.query ?? ''))
  }
  // A connection may be closed on a request that is not complete, and Node closes on CONNECT.
  return delivery === 'whole' && method !== 'CONNECT' ? 'Closed without an answer' : undefined
}

function nameOf(outcome: Outcome): string {
  if (typeof outcome === 'string') return outcome
  return [outcome.status, ...new Set(codesOf(outcome.body))].join(' ')
}

async function feedRecords(
  gateway: GatewayProcess,
  random: Random,
  signal: AbortSignal,
  count: (kind: string) => void,
): Promise<void> {
  const feed = new Feed(gateway)
  for (let i = 0; !signal.aborted; i++) {
    if (i === 10 || random.chance(0.002)) {
      void feed.burst(BURST_RECORDS)
      count('a batch of 60,000 records')
    }
    const timestamp = random.chance(0.2) ? random.pick(TIMESTAMPS) : undefined
    if (timestamp !== undefined && timestamp >= 2 ** 48) count('a record stamped beyond 2^48')
    void feed.tick(timestamp)
    if (random.chance(0.2)) {
      void feed.raw([random.pick([null, '', '{', '\xff', '{"id":1}', '[[[[', '{"__proto__":1}'])])
      count('a record that is no order')
    }
    await delay(TICK_MS, undefined, { signal }).catch(() => {})
  }
}

/** What the gateway still holds although nobody is there any more. */
async function notReturned(gateway: GatewayProcess): Promise<string[]> {
  const names = ['groups', 'streams', 'subscribers', 'reserved_streams']
  const end = performance.now() + RETURN_MS
  for (;;) {
    const metrics = await gateway.metrics()
    const left = names.filter((name) => metrics.get(`sluice_${name}`) !== 0)
    if (left.length === 0) return []
    if (performance.now() > end) return left.map((name) => `${metrics.get(`sluice_${name}`)} ${name} are left`)
    await delay(200)
  }
}

function tableOf(
  seed: number,
  sent: number,
  seconds: number,
  kinds: Map<string, number>,
  answers: Map<string, number>,
): string {
  const list = (counts: Map<string, number>) =>
    [...counts].sort(([, a], [, b]) => b - a).map(([what, times]) => `  ${String(times).padStart(7)}  ${what}`)
  return [
    `${sent} requests in ${seconds.toFixed(0)} s, SOAK_SEED=${seed}`,
    'Kinds:',
    ...list(kinds),
    'Answers:',
    ...list(answers),
  ].join('\n')
}

function shown({ method, path, headers, body = '' }: Draft): string {
  const cut = (text: string, length: number) =>
    text.length > length ? `${text.slice(0, length)}… (${text.length})` : text
  const lines = headers.slice(0, 8).map(([name, value]) => `${name}: ${cut(value, 60)}`)
  return `${method} ${cut(path, 900)} [${lines.join(', ')}] ${cut(body, 900)}`
}

/** Resolvers, filters and iterators that fail, once or for every event. */
import { ITERATORS } from '../iterators.ts'
import { type Connection, requestBytes } from '../wire.ts'
import { type Attack, repeat, subscription, type Target } from './attack.ts'

const FAILING = [
  'throwsError',
  'throwsLater',
  'throwsText',
  'throwsNothing',
  'throwsCyclic',
  'throwsGraphQLError',
  'throwsCoded',
  'throwsUnwritable',
  'throwsStrict',
  'nullStrict',
  'throwsSometimes',
  'notAnInt',
  'notText',
  'badThen',
]
// What floods has an attack of its own.
const KINDS = ITERATORS.filter((kind) => kind !== 'FLOODS')
/** Operations are compiled after this many events, and then must go on as before. */
const COMPILED_AFTER = 200

async function feedOrders(target: Target, times: number): Promise<void> {
  for (let i = 0; i < times && !target.signal.aborted; i++) {
    await target.orders(25)
    await target.pause(25)
  }
}

export const failingFields: Attack = {
  name: 'resolvers that fail for every event',
  failsByIntent: true,
  async run(target) {
    for (const field of FAILING) {
      target.stream(`subscription { traps(region: OCEANIA) { id ${field} } }`)
      target.count('streams')
    }
    for (const fields of ['slow id', 'throwsError throwsLater slow', FAILING.slice(0, 5).join(' ')]) {
      target.stream(`subscription { traps(region: OCEANIA) { ${fields} } }`)
      target.count('streams')
    }
    await feedOrders(target, 25)
    await target.ask({ body: { query: '{ trap }' } })
  },
}

export const failingIterators: Attack = {
  name: 'subscribe functions and iterators that throw',
  failsByIntent: true,
  async run(target) {
    await repeat(target, 4, 400, async (n) => {
      const kind = KINDS[n % KINDS.length] as string
      const connection = target.connect()
      await target.ask(subscription(`subscription { iterates(kind: ${kind}, count: ${n % 3}) }`), { on: connection })
      // What comes after the first block is judged as well.
      await target.pause(15)
      const last = await connection.answer(10)
      if (typeof last !== 'string' && last.body.includes('hunter2')) target.fault(`${kind} shows what it threw`)
      connection.destroy()
    })
  },
}

export const failingInterests: Attack = {
  name: 'filters and where that throw',
  failsByIntent: true,
  async run(target) {
    const args = [
      'filter: THROWS',
      'filter: THROWS_LATER',
      'filter: THROWS_SOMETIMES',
      'where: THROWS',
      'where: ODD',
      'where: NOTHING',
    ]
    for (const [i, arg] of [...args, ...args].entries()) {
      const start = i < args.length ? '' : ', last: 100'
      target.stream(`subscription { traps(region: OCEANIA, ${arg}${start}) { id } }`)
      target.stream(`subscription { traps(${arg}${start}) { id reads } }`)
      target.count('streams', 2)
    }
    await feedOrders(target, 20)
    for (const arg of args)
      await target.ask(subscription(`subscription { traps(region: OCEANIA, ${arg}, last: 50) { id } }`))
  },
}

/** What a resolver sees of its `info` and `args` before and after its operation is compiled. */
export const lookingResolvers: Attack = {
  name: 'resolvers that look at info and args',
  async run(target) {
    for (const selection of ['id reads', 'id reads(a: 1)', 'id ... on Trap { reads }']) {
      const connection = target.connect()
      const stream = reading(connection)
      const query = `subscription { traps(region: OCEANIA) { ${selection} #${target.random.word(5)}\n } }`
      connection.socket.write(requestBytes(subscription(query)))
      await target.pause(50)
      for (let i = 0; i < 30 && !target.signal.aborted; i++) {
        await target.orders(15)
        await target.pause(5)
      }
      await target.pause(50)
      const seen = new Set(Array.from(stream().matchAll(/"reads":"((?:[^"\\]|\\.)*)"/g), ([, text]) => text))
      const count = stream().split('event: next').length - 1
      target.count(count > COMPILED_AFTER ? 'streams long enough' : 'streams too short')
      if (seen.size > 1) target.fault(`a resolver saw ${seen.size} things in ${count} events: ${[...seen].join(' | ')}`)
      connection.destroy()
    }
  },
}

/** All that a connection has received. */
function reading(connection: Connection): () => string {
  let text = ''
  connection.socket.on('data', (bytes) => {
    text += bytes
  })
  return () => text
}

import { spawn } from 'node:child_process'
import { globSync, readFileSync } from 'node:fs'
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import { startTestGateway, type TestGateway } from '../kit/gateway.ts'
import { describeKafka } from '../kit/kafka.ts'
import { until } from '../kit/until.ts'
import { blocksOf, commandsOf } from './blocks.ts'

const DOCUMENTS = ['README.md', ...globSync('docs/**/*.md')]
const GRAPHQL = 'http://127.0.0.1:4000/graphql'
const ADMIN = 'http://127.0.0.1:4001'
const REGIONS = ['EUROPE', 'ASIA'] as const

const commands = DOCUMENTS.flatMap((file) => blocksOf(file, 'sh').flatMap(commandsOf))
const isCurl = (command: string) => command.startsWith('curl ')

/** Commands, by how they begin, that no test here runs as they are; and who runs what is behind them. */
const COVERED: Record<string, string> = {
  'npm ci && npm run test:all': '.ci/run', // in two steps, and `npm run check` between
  'npm i sluice graphql zod @pothos/core': 'test/packages', // from packed tarballs
  'npx sluice init': 'test/packages',
  'npx sluice start': 'test/packages',
  'npm test': 'test/packages', // of the project that `sluice init` writes
  'npm ci && npm run build && npm pack ./packages/sluice': 'test/packages',
  'cd shop': 'test/packages',
  'npm start': 'test/packages',
  'npx sluice schema': 'test/packages',
  'npm run docs': 'test/docs/site.long.test.ts', // built, not served
  'npm run codegen': 'test/tooling/codegen.test.ts', // what it would write
  'npm run produce -- --brokers localhost:9092': 'test/demo/produce.test.ts',
  'KAFKA_BROKERS=broker-1:9092,broker-2:9092 npm start': 'test/docs/readme-commands.test.ts', // with a broker that is there
  'token=$(curl --request PUT': 'test/transport/single/docs.test.ts',
  'npm create --yes vite@latest': 'test/docs/first-subscription.long.test.ts',
  'cd first-orders': 'test/docs/first-subscription.long.test.ts',
  'npm install': 'test/docs/first-subscription.long.test.ts',
  'npx graphql-codegen': 'test/docs/first-subscription.long.test.ts',
  'npm run dev': 'test/docs/first-subscription.long.test.ts',
  'git worktree add ../before main': 'people', // what `npm run bench -- --before` compares with
  'npm run bench': 'people', // it takes half an hour of a quiet machine
  'git worktree add': 'people', // it compares two states of the repository
}
const STARTED_HERE = [
  'npm ci && npm start', // after an `npm ci` that has been
  'npm run kafka -- --port 9092',
  'KAFKA_BROKERS=127.0.0.1:9092 npm start',
  'npm run produce -- --brokers 127.0.0.1:9092 --rate 100',
]

test('every command of the documents is run here, or named with the test or the CI step that runs it', () => {
  const covered = (command: string) => Object.keys(COVERED).some((start) => `${command} `.startsWith(`${start} `))
  const others = commands.filter((command) => !isCurl(command) && !covered(command))
  expect([...new Set(others)].sort()).toEqual([...STARTED_HERE].sort())
  const { scripts } = JSON.parse(readFileSync('package.json', 'utf8'))
  for (const command of commands) {
    if (command === 'npm run dev') continue // of a project that the document makes
    for (const [, script] of command.matchAll(/npm run ([\w:]+)/g)) expect(scripts).toHaveProperty([script!])
  }
  const ci = readFileSync('.ci/run', 'utf8')
  expect(ci).toContain('npm ci')
  expect(ci).toContain('npm run test:all')
})

test.each(commands.filter(isCurl))('%s', async (command) => {
  const gateway = await startTestGateway()
  // A query answers from what is there already, a subscription with what comes.
  if (command.includes('recentOrders')) await gateway.produce({}, {}, {})
  const curl = run(command.replace(GRAPHQL, gateway.graphql).replace(ADMIN, gateway.adminUrl))
  if (command.includes('subscription')) {
    await ordersFor(gateway)
    const order = /"data":\{"ordersBy\w+":\{"id":"ord_/
    await until('an order was printed', () => order.test(curl.output()))
    const isMultipart = command.includes('multipart/mixed')
    expect(curl.output()).toMatch(isMultipart ? /^\{"payload":\{"data"/m : /^id: [\w-]+\nevent: next\ndata: \{"data"/m)
    return
  }
  expect(await curl.exit).toBe(0)
  const ofAdmin = /^(live|ready|# HELP|\{\s+"at"|\{"revoked"|\{"blocked")/
  const answers = command.includes(ADMIN) ? ofAdmin : /^\{"data":\{"recentOrders":\[\{"id":/
  expect(curl.output()).toMatch(answers)
})

/** The clients' own pages are run by test/docs/client-pages.test.ts. */
const programs = DOCUMENTS.filter((file) => !file.includes('clients/')).flatMap((file) =>
  blocksOf(file, 'js').map(({ text }, i) => [i + 1, file, text] as const),
)

test.each(programs)('program %i of %s prints the orders that it asks for', async (_number, _file, text) => {
  const gateway = await startTestGateway()
  const folder = await mkdtemp(join(tmpdir(), 'sluice-program-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  await symlink(resolve('node_modules'), join(folder, 'node_modules'))
  // Node has no EventSource of its own; a browser's is asked in test/e2e.
  const needed = text.includes('new EventSource') ? "import { EventSource } from 'eventsource'\n" : ''
  const file = join(folder, 'program.mjs')
  expect(text).toContain(GRAPHQL)
  await writeFile(file, needed + text.replace(GRAPHQL, gateway.graphql))
  const program = run(`node ${pathToFileURL(file).pathname}`)
  await ordersFor(gateway)
  await until('an order was printed', () => /id: 'ord_/.test(program.output()))
})

test('`npm start` serves orders of the demo feed', async () => {
  const gateway = await started(run('npm start', { PORT: '0', ADMIN_PORT: '0', KAFKA_BROKERS: '' }))
  await untilOrders(gateway.graphql)
})

describeKafka("the README's own Kafka", () => {
  test('a broker, a gateway on it and orders in it, by the three commands', async () => {
    const kafka = run('npm run kafka')
    const address = () => /^Kafka is at (\S+:\d+),/m.exec(kafka.output())?.[1]
    await until('Kafka says where it is', () => address() !== undefined, 90_000)
    const withAddress = (command: string) => command.replace('127.0.0.1:9092', address()!)
    const gateway = await started(run(withAddress(STARTED_HERE[2]!), { PORT: '0', ADMIN_PORT: '0' }))
    run(withAddress(STARTED_HERE[3]!))
    await untilOrders(gateway.graphql)
    expect(await (await fetch(`${gateway.admin}/readyz`)).text()).toBe('ready\n')
  }, 150_000)
})

/** A command in a shell, as typed; ended with all that it has started when the test ends. */
function run(command: string, environment: Record<string, string> = {}) {
  const env = { ...process.env, ...environment }
  const shell = spawn('sh', ['-c', command], { env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  let errors = ''
  shell.stdout.on('data', (data) => {
    output += data
  })
  shell.stderr.on('data', (data) => {
    errors += data
  })
  const exit = new Promise<number | null>((done) => shell.on('close', done))
  onTestFinished(async () => {
    try {
      process.kill(-shell.pid!, 'SIGTERM')
    } catch {
      // It has ended by itself.
    }
    await exit
  })
  return { output: () => output, errors: () => errors, exit }
}

/** Addresses of a gateway, from its log. */
async function started(gateway: ReturnType<typeof run>): Promise<{ graphql: string; admin: string }> {
  const line = () =>
    gateway
      .output()
      .split('\n')
      .find((each) => each.includes('Sluice is listening'))
  await until('the gateway listens', () => line() !== undefined)
  return JSON.parse(line()!)
}

/** Waits until orders come on a stream of `graphql`, which need not be ready yet. */
async function untilOrders(graphql: string): Promise<void> {
  const query = 'subscription { ordersByRegion(region: ASIA) { id } }'
  await until('a stream can be had', async () => {
    const headers = { accept: 'text/event-stream', 'content-type': 'application/json' }
    const stream = await fetch(graphql, { method: 'POST', headers, body: JSON.stringify({ query }) })
    if (!stream.ok) return false
    for await (const chunk of stream.body!) if (String(Buffer.from(chunk)).includes('"ordersByRegion"')) return true
    return false
  })
}

/** One order for whatever a document's example asks, once it is there to ask. */
async function ordersFor(gateway: TestGateway): Promise<void> {
  await until('the stream is open', () => gateway.engine.subscribers === 1)
  await gateway.produce(...REGIONS.map((region) => ({ region, merchantId: 'm_0001' })))
}

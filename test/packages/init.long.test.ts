import { execFile, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, expect, it } from 'vitest'
import { describeKafka, startOwnBroker, type TestKafka } from '../kit/kafka.ts'
import { describeRegistry, type TestRegistry } from '../kit/registry.ts'
import { until } from '../kit/until.ts'
import { payment, produceTopics, TOPICS } from './init-topics.ts'
import { packLibrary, ROOT } from './packed-library.ts'

const run = promisify(execFile)

/** Of the processors' time, which does not depend on what else the machine does: from an empty folder to the first typed event. */
const LIMIT_S = 120

/** The command that is given, and then the seconds of processor time that it and its children took. */
const TIMED = 'TIMEFORMAT="cpu %U %S"; time "$@"'
let cpuSeconds = 0

/** Prints the first event of a stream. A field that the schema does not have is a type error. */
const FIRST_EVENT = `import { PaymentsDocument, type PaymentsSubscription } from './gql/graphql.ts'

async function* results<R>(document: { toString(): string; __apiType?: (variables: never) => R }): AsyncGenerator<R> {
  const response = await fetch(process.argv[2] ?? '', {
    method: 'POST',
    headers: { accept: 'text/event-stream', 'content-type': 'application/json' },
    body: JSON.stringify({ query: String(document) }),
  })
  let text = ''
  for await (const chunk of response.body ?? []) {
    text += Buffer.from(chunk).toString()
    // The first block is there at once: the stream is open.
    console.log('open')
    if (!text.includes('data: {') || !text.endsWith('\\n\\n')) continue
    const line = text.split('\\n').find((each) => each.startsWith('data: {')) ?? ''
    yield JSON.parse(line.slice('data: '.length)).data
  }
}

for await (const { payments } of results(PaymentsDocument)) {
  const typed: PaymentsSubscription['payments'] = payments
  const method: 'CARD' | 'TRANSFER' | 'WALLET' = typed.method
  const holder: string | undefined = typed.card?.holder
  console.log(JSON.stringify({ id: typed.id, method, holder, value: typed.amount.value }))
  process.exit()
}
`

/** A property that the topic is not indexed by, and a field that the API does not have. */
const WRONG_WHERE = `import { builder } from './schema/builder.ts'
import { payments } from './topics/payments.ts'

builder.subscriptionField('wrong', (t) =>
  t.stream({ topic: payments, type: 'String', where: () => ({ colour: 'red' }), resolve: ({ id }) => id }),
)
`
const WRONG_FIELD = `import type { PaymentsSubscription } from './client/gql/graphql.ts'

export const colour = (event: PaymentsSubscription) => event.payments.colour
`

/** Time of each command, in the order in which they ran. */
class Clock {
  readonly times: [string, number][] = []

  async time<T>(name: string, what: () => Promise<T>): Promise<T> {
    const start = performance.now()
    const result = await what()
    const ms = performance.now() - start
    this.times.push([name, ms])
    console.log(`${name}: ${(ms / 1000).toFixed(1)} s`)
    return result
  }

  get totalMs(): number {
    return this.times.reduce((sum, [, each]) => sum + each, 0)
  }
}

function emptyFolder(): string {
  const cache = join(process.env.SLUICE_CACHE || join(ROOT, '.cache'), 'init-projects')
  mkdirSync(cache, { recursive: true })
  const folder = mkdtempSync(join(cache, 'shop-'))
  afterAll(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

async function command(cwd: string, name: string, ...args: string[]): Promise<string> {
  try {
    const { stdout, stderr } = await run('bash', ['-c', TIMED, 'bash', name, ...args], {
      cwd,
      maxBuffer: 2 ** 26,
      env: environment(),
    })
    for (const seconds of /\ncpu ([\d.]+) ([\d.]+)\s*$/.exec(`\n${stderr}`)?.slice(1) ?? [])
      cpuSeconds += Number(seconds)
    return stdout
  } catch (error) {
    const { stdout, stderr } = error as { stdout: string; stderr: string }
    throw new Error(`${name} ${args.join(' ')} failed:\n${stdout}\n${stderr}`)
  }
}

/** That of a person: nothing of this repository's own npm is in it. */
function environment(): NodeJS.ProcessEnv {
  const own = Object.entries(process.env).filter(
    ([name]) => !/^(npm_(?!config_cache)|VITEST|NODE_ENV|INIT_CWD)/.test(name),
  )
  return { ...Object.fromEntries(own), npm_config_fund: 'false', npm_config_audit: 'false' }
}

/** \`npm start\`, until it serves. */
async function started(folder: string): Promise<{ readonly url: string; stop(): Promise<void> }> {
  const child = spawn('npm', ['start'], {
    cwd: folder,
    env: { ...environment(), PORT: '0', ADMIN_PORT: '0' },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  })
  let output = ''
  child.stdout.on('data', (chunk) => (output += chunk))
  child.stderr.on('data', (chunk) => (output += chunk))
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  const address = (): string | undefined => /(http:\/\/[\d.]+:\d+\/graphql)/.exec(output)?.[1]
  await until('npm start serves', () => {
    if (child.exitCode !== null) throw new Error(`npm start ended:\n${output}`)
    return address() !== undefined
  })
  return {
    url: address() as string,
    async stop() {
      process.kill(-(child.pid as number), 'SIGTERM')
      await ended
    },
  }
}

describeKafka(
  'a project of sluice init',
  () =>
    describeRegistry('with topics of a registry', (registry) => {
      it('runs, from an empty folder to the first typed event, within two minutes', async () => {
        const archive = await packLibrary()
        const { kafka, stop } = await startOwnBroker()
        try {
          await produceTopics(kafka, registry)
          await fromNothing(archive, kafka, registry)
        } finally {
          await stop()
        }
      })
    }),
  { ownBroker: true },
)

async function fromNothing(archive: string, kafka: TestKafka, registry: TestRegistry): Promise<void> {
  const clock = new Clock()
  const parent = emptyFolder()
  const folder = join(parent, 'shop')
  const init = ['init', 'shop', '--brokers', kafka.brokers, '--topics', TOPICS.join(','), '--registry', registry.url]
  console.log(await clock.time('sluice init', () => command(parent, 'npm', 'exec', '--yes', `--package=${archive}`, '--', 'sluice', ...init))) // biome-ignore format: one line
  expect(JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')).dependencies.sluice).toMatch(/^file:.*\.tgz$/)

  await clock.time('npm install', () => command(folder, 'npm', 'install'))
  const tests = await clock.time('npm test', () => command(folder, 'npm', 'test'))
  expect(tests).toMatch(/pass 4\b/)
  await clock.time('npm run codegen', () => command(folder, 'npm', 'run', 'codegen'))
  writeFileSync(join(folder, 'client/first-event.ts'), FIRST_EVENT)
  await clock.time('npm run check', () => command(folder, 'npm', 'run', 'check'))

  const gateway = await clock.time('npm start', () => started(folder))
  try {
    expect(await clock.time('the first typed event', () => firstEvent(folder, gateway.url, kafka))).toEqual({
      id: 'pay_999',
      method: 'CARD',
      holder: 'Jane Doe 999',
      value: '999.99',
    })
    await expectEvents(gateway.url)
  } finally {
    await gateway.stop()
  }
  console.log(`in all: ${(clock.totalMs / 1000).toFixed(1)} s`)
  console.log(`processor time of the commands that ended: ${cpuSeconds.toFixed(1)} s`)
  expect(cpuSeconds).toBeGreaterThan(1)
  expect(cpuSeconds).toBeLessThan(LIMIT_S)

  writeFileSync(join(folder, 'wrong-where.ts'), WRONG_WHERE)
  writeFileSync(join(folder, 'wrong-field.ts'), WRONG_FIELD)
  const errors = await command(folder, 'npm', 'run', 'check').catch((error: Error) => error.message)
  expect(errors).toMatch(/wrong-where\.ts.*colour/s)
  expect(errors).toMatch(/wrong-field\.ts.*colour/s)
  expect(errors.match(/error TS/g)).toHaveLength(2)
}

/** What a client with generated types gets of a record that is produced after it is connected. */
async function firstEvent(folder: string, url: string, kafka: TestKafka): Promise<unknown> {
  const child = spawn(process.execPath, ['client/first-event.ts', url], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const value = JSON.stringify(payment(999))
  let output = ''
  child.stdout.on('data', (chunk) => (output += chunk))
  await until('the stream is open', () => output.includes('open'))
  await kafka.produce('payments', [{ key: 'm_0000', value }])
  await until('the client has an event', () => child.exitCode !== null)
  return JSON.parse(output.split('\n').find((line) => line.startsWith('{')) ?? 'null')
}

/** The newest events of the other topics, as GraphQL has them. */
async function expectEvents(url: string): Promise<void> {
  const newest = async (selection: string): Promise<unknown> => {
    const response = await fetch(url, {
      method: 'POST',
      headers: { accept: 'text/event-stream', 'content-type': 'application/json' },
      body: JSON.stringify({ query: `subscription { ${selection} }` }),
    })
    let text = ''
    for await (const chunk of response.body ?? []) {
      text += Buffer.from(chunk).toString()
      const line = text.split('\n').find((each) => each.startsWith('data: {'))
      if (line !== undefined && text.endsWith('\n')) return JSON.parse(line.slice('data: '.length))
    }
    return text
  }
  expect(
    await newest(
      'shopShipments(id: "shp-8", last: 1) { id carrierCode toCountry weightKg shippedAt updatedMs deliveredAt }',
    ),
  ).toEqual({
    data: {
      shopShipments: {
        id: 'shp-8',
        carrierCode: 'DPD',
        toCountry: 'FR',
        weightKg: 2,
        shippedAt: '2026-02-02T02:48:00.000Z',
        updatedMs: '2026-02-02T02:48:00.000Z',
        deliveredAt: '2026-02-03T06:34:40.000Z',
      },
    },
  })
  expect(await newest('dbPublicCustomers(last: 1, where: { id: { eq: 39 } }) { id plan op balance }')).toMatchObject({
    data: { dbPublicCustomers: { id: 39, plan: 'PRO', op: expect.stringMatching(/^[cud]$/) } },
  })
  expect(
    await newest(
      'stockLevels(last: 1, where: { warehouse: { eq: SOUTH } }) { sku warehouse level reserved countedAt }',
    ),
  ).toMatchObject({
    data: { stockLevels: { warehouse: 'SOUTH', reserved: null } },
  })
}

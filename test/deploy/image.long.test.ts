/**
 * The steps of the library's image, run without Docker: in a mount namespace of their own, whose root is a folder; then
 * what they have made, as an ordinary user on a read-only root. It needs to be root, and the registry of packages.
 */
import { execFileSync, spawn } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { freePorts } from '../../deploy/kafka/probe.ts'
import { RawStream } from '../kit/raw-stream.ts'
import { until } from '../kit/until.ts'
import { aPayment, GATEWAY } from '../packages/consumer.ts'
import { outputOf } from '../packages/packed-client.ts'
import { packLibrary } from '../packages/packed-library.ts'
import { environmentOf, instructionsOf, only, wordsOf } from './dockerfile.ts'

const SCRIPT = join(import.meta.dirname, 'image-root.sh')
const instructions = instructionsOf('deploy/image/Dockerfile')
const environment = environmentOf(instructions, { PATH: '/opt/node:/usr/local/bin:/usr/bin:/bin' })
/** Debian's `nobody`: the image's `node` is not on every machine. */
const NOBODY = '65534'

/** A gateway that has an event without Kafka, and what production demands of its configuration. */
const FED = GATEWAY.replace(
  'defineGateway({',
  `defineGateway({
  demoFeed: ({ log }) => log.sink.send('payments', [{ key: null, value: '${JSON.stringify(aPayment)}' }]),`,
)
const FIRST_RUN = { ANONYMOUS: 'true', DEMO_RATE: '1' }

const canUnshare = (() => {
  try {
    execFileSync('unshare', ['--mount', 'true'], { stdio: 'ignore' })
    return true
  } catch {
    return false // no root, or no Linux
  }
})()

/** A folder, gone with the test. */
function folderOf(): string {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-image-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** The image's COPY and RUN steps, in their order. @returns what they have made */
async function buildImage(): Promise<string> {
  const image = folderOf()
  for (const name of ['app', 'sluice']) mkdirSync(join(image, name))
  const archive = await packLibrary()
  const copied = only(instructions, 'COPY').split(' ')
  expect(copied).toEqual(['package.json', 'sluice-*.tgz', './'])
  expect(basename(archive)).toMatch(/^sluice-.*\.tgz$/)
  cpSync('deploy/image/package.json', join(image, 'sluice/package.json'))
  cpSync(archive, join(image, 'sluice', basename(archive)))
  const { text: workdir } = instructions.find(({ name }) => name === 'WORKDIR')!
  const start = performance.now()
  // How this machine reaches a registry (certificates, proxies) is in its environment.
  const machine = { ...process.env, ...environment } as Record<string, string>
  const { code, text } = await inRoot(
    image,
    'root',
    ['sh', '-c', `cd ${workdir} && ${only(instructions, 'RUN')}`],
    machine,
  )
  expect(code, text).toBe(0)
  console.log(`The image's packages were installed in ${((performance.now() - start) / 1000).toFixed(1)} s`)
  return image
}

const argumentsOf = (image: string, user: string, env: Record<string, string>, command: readonly string[]) => {
  const variables = Object.entries(env).map(([name, value]) => `${name}=${value}`)
  const place = [folderOf(), image, dirname(process.execPath), user]
  return ['--mount', 'sh', SCRIPT, ...place, '/usr/bin/env', '-i', ...variables, ...command]
}

function inRoot(image: string, user: string, command: readonly string[], env: Record<string, string>) {
  return outputOf('/', 'unshare', ...argumentsOf(image, user, env, command))
}

test.skipIf(!canUnshare)(
  'the steps make an image that runs as nobody on a read-only root, from one mounted file',
  async () => {
    const image = await buildImage()
    writeFileSync(join(image, 'app/gateway.ts'), FED)
    const [port, adminPort] = await freePorts(2)
    const env = { ...environment, PORT: `${port}`, ADMIN_PORT: `${adminPort}`, ...FIRST_RUN }
    const writes = await inRoot(image, NOBODY, ['sh', '-c', 'touch /app/x /sluice/x /x /tmp/x'], env)
    expect(writes.text.match(/Read-only file system/g)).toHaveLength(4)

    const command = [...wordsOf(only(instructions, 'ENTRYPOINT')), ...wordsOf(only(instructions, 'CMD'))]
    const child = spawn('unshare', argumentsOf(image, NOBODY, env, command), { stdio: ['ignore', 'pipe', 'pipe'] })
    onTestFinished(() => void child.kill('SIGKILL'))
    let said = ''
    for (const out of [child.stdout, child.stderr]) out.setEncoding('utf8').on('data', (text) => (said += text))
    const ended = new Promise((resolve) => child.on('exit', resolve))
    const health = wordsOf(only(instructions, 'HEALTHCHECK'))
    const isHealthy = async () => (await inRoot(image, NOBODY, health, env)).code === 0
    await until('it is healthy by the configured port', async () => (await isHealthy()) || child.exitCode !== null)
    expect(child.exitCode, said).toBe(null)

    const graphql = `http://127.0.0.1:${port}/graphql`
    const stream = await RawStream.subscribe(graphql, 'subscription { payments(last: 1) { id } }')
    expect(await stream.untilResults(1)).toEqual([{ data: { payments: { id: 'p1' } } }])
    child.kill('SIGTERM')
    expect(await ended).toBe(0)
    expect(stream.ended, said).toBe(true)
  },
)

import { execFile, spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { onTestFinished } from 'vitest'
import { freePorts } from '../../deploy/kafka/probe.ts'
import { until } from '../kit/until.ts'

const PROJECT = join(import.meta.dirname, '../..')
const VERSION = '2.15.1'
/** Some 400 MB, of which a federated API has one: it is installed for the long test only. */
const PACKAGES = [`@graphql-hive/gateway@${VERSION}`, '@theguild/federation-composition@0.27.0']
const INSTALL_TIMEOUT_MS = 600_000
const START_TIMEOUT_MS = 60_000

/** A federated router. */
export interface Router {
  /** The URL of its GraphQL. */
  readonly graphql: string
}

/** Starts a real Hive Gateway whose one subgraph is at this URL, with this gateway's schema; it ends with the test. */
export async function startHive(subgraph: string): Promise<Router> {
  const installed = await install()
  const folder = await mkdtemp(join(tmpdir(), 'sluice-hive-'))
  const supergraph = join(folder, 'supergraph.graphql')
  await writeFile(supergraph, compose(installed, subgraph))
  const [port] = (await freePorts(1)) as [number]
  const bin = join(installed, 'node_modules/@graphql-hive/gateway/dist/bin.js')
  const args = [bin, 'supergraph', supergraph, '--host', '127.0.0.1', '--port', String(port)]
  const router = spawn(process.execPath, args, { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] })
  let said = ''
  for (const output of [router.stdout, router.stderr]) output.setEncoding('utf8').on('data', (text) => (said += text))
  const { promise: exited, resolve } = Promise.withResolvers<void>()
  router.on('exit', () => resolve())
  onTestFinished(async () => {
    router.kill('SIGKILL')
    await exited
    await rm(folder, { recursive: true, force: true })
  })
  const url = `http://127.0.0.1:${port}`
  await until(
    'the router is ready',
    async () => {
      if (router.exitCode !== null) throw new Error(`Hive Gateway has ended: ${said}`)
      // It may not listen yet.
      return await fetch(`${url}/readiness`).then(
        ({ ok }) => ok,
        () => false,
      )
    },
    START_TIMEOUT_MS,
  )
  return { graphql: `${url}/graphql` }
}

/** The supergraph of one subgraph. */
function compose(installed: string, url: string): string {
  const from = createRequire(join(installed, 'package.json'))
  const { parse } = from('graphql')
  const { composeServices } = from('@theguild/federation-composition')
  const typeDefs = parse(readFileSync(join(PROJECT, 'schema.graphql'), 'utf8'))
  const { errors, supergraphSdl } = composeServices([{ name: 'orders', typeDefs, url }])
  if (errors) throw new AggregateError(errors, `The subgraph does not compose: ${errors.join(', ')}`)
  return supergraphSdl
}

/** The folder of the cache that it is installed in, by npm if it is not there yet. */
async function install(): Promise<string> {
  const cache = process.env.SLUICE_CACHE || join(PROJECT, '.cache')
  const folder = join(cache, `hive-${VERSION}`)
  if (existsSync(folder)) return folder
  const partial = `${folder}.${process.pid}`
  await mkdir(partial, { recursive: true })
  try {
    await writeFile(join(partial, 'package.json'), '{"private":true}')
    const args = ['install', '--no-audit', '--no-fund', '--ignore-scripts', '--save-exact', ...PACKAGES]
    await promisify(execFile)('npm', args, { cwd: partial, timeout: INSTALL_TIMEOUT_MS })
    await rename(partial, folder)
  } finally {
    await rm(partial, { recursive: true, force: true })
  }
  return folder
}

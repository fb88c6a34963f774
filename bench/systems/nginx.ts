/** The project's Nginx in front of gateways, as people run it but for TLS, which the load generator does not speak. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { freePorts } from '../../deploy/kafka/probe.ts'
import { nginxConfig } from '../../deploy/nginx/config.ts'
import { findNginx, NGINX_MISSING, privateFiles } from '../../deploy/nginx/run.ts'
import { Child } from '../harness/child.ts'
import type { System } from '../harness/system.ts'
import type { Sluice } from './start.ts'

export const WORKERS = 2
/** All streams of the bench come from a few addresses: as many as Nginx can count. */
const STREAMS_PER_ADDRESS = 65_535
const READY_EVERY_MS = 50
const READY_TIMEOUT_MS = 15_000

export interface NginxSystem extends System {
  /** Resident memory of the workers, in bytes. */
  readonly workersRss: number
}

export interface NginxOptions {
  readonly streamsPerWorker?: number
  readonly edit?: (config: string) => string
}

/**
 * Starts Nginx with two workers in front of the gateways. Their processes are in `pids` after the workers.
 * `streamsPerWorker` is the configuration's; absent: its default. `edit` changes its text.
 */
export async function startNginx(
  gateways: readonly Sluice[],
  { streamsPerWorker, edit = (config) => config }: NginxOptions = {},
): Promise<NginxSystem> {
  const program = findNginx()
  if (program === undefined) throw new Error(NGINX_MISSING)
  const [port] = (await freePorts(1)) as [number]
  const folder = mkdtempSync(join(tmpdir(), 'sluice-nginx-'))
  const file = join(folder, 'nginx.conf')
  const options = {
    listen: [`127.0.0.1:${port}`],
    certificate: 'none',
    certificateKey: 'none',
    workers: WORKERS,
    instances: gateways.map(({ instance, address }) => ({ name: instance, address })),
    streamsPerAddress: STREAMS_PER_ADDRESS,
    ...(streamsPerWorker !== undefined && { streamsPerWorker }),
    ...privateFiles(folder),
  }
  mkdirSync(options.temporary)
  writeFileSync(file, edit(withoutTls(nginxConfig(options))))
  const args = ['-p', folder, '-e', join(folder, 'error.log'), '-c', file, '-g', 'daemon off;']
  const child = new Child({ program, args, measured: true })
  const workers = await workersOf(child, WORKERS)
  const [first] = gateways as readonly [Sluice]
  return {
    ...first,
    name: 'Nginx',
    port,
    pids: [...workers, ...gateways.flatMap(({ pids }) => pids)],
    get workersRss() {
      return workers.reduce((sum, pid) => sum + rssOf(pid), 0)
    },
    async stop() {
      await child.stop()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** Clients by clear HTTP/1.1; all else is as it was. */
function withoutTls(config: string): string {
  return config.replaceAll(/^(\s*listen \S+) ssl (?:http2 )?/gm, '$1 ').replaceAll(/^\s*(?:ssl_|http2 ).*\n/gm, '')
}

/** The workers, once they are all there; the master does nothing but wait. */
export async function workersOf(master: Child, count: number): Promise<number[]> {
  for (const deadline = performance.now() + READY_TIMEOUT_MS; performance.now() < deadline; ) {
    if (master.ended) throw new Error(`Nginx ended:\n${master.tail}`)
    const pids = master.children
    await delay(READY_EVERY_MS)
    if (pids.length >= count) return pids
  }
  throw new Error('Nginx did not start its workers')
}

function rssOf(pid: number): number {
  return 1024 * Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1])
}

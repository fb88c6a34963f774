import { spawnSync } from 'node:child_process'
import { accessSync, constants, readFileSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { userInfo } from 'node:os'
import { delimiter, join } from 'node:path'
import { Child, runToEnd } from '../stack/child.ts'
import { DEFAULT_NGINX } from './form.ts'
import type { NginxOptions } from './options.ts'

const START_TIMEOUT_MS = 15_000
const RELOAD_TIMEOUT_MS = 15_000
const STOP_TIMEOUT_MS = 5_000
/** Debian keeps servers where not every user's PATH looks. */
const MORE_PLACES = ['/usr/sbin', '/usr/local/sbin']

/** Nginx has a variable of this name itself, for sockets that it inherits: ours, its path, is not passed on to it. */
export const NGINX_ENV = { NGINX: undefined }

export const NGINX_MISSING =
  'there is no Nginx: install it (on Debian and Ubuntu: apt-get install nginx-light), or set NGINX to the path of one'

/** `NGINX`, or the one on the PATH. */
export function findNginx(): string | undefined {
  const places = [...(process.env.PATH ?? '').split(delimiter), ...MORE_PLACES]
  const candidates = process.env.NGINX ? [process.env.NGINX] : places.map((place) => join(place, 'nginx'))
  return candidates.find((path) => {
    try {
      accessSync(path, constants.X_OK)
      return true
    } catch {
      return false // not there, or not ours to run: look further
    }
  })
}

/** Of a program that is Nginx, as in `nginx/1.22.1`. It says so on standard error. */
function versionOf(program: string): string {
  return /nginx\/(\d+\.\d+\.\d+)/.exec(spawnSync(program, ['-v'], { encoding: 'utf8' }).stderr)?.[1] ?? DEFAULT_NGINX
}

/** Options for this machine's Nginx that keep all that it writes in one folder, and let whoever we are run it. */
export function privateFiles(folder: string) {
  const program = findNginx()
  return {
    nginx: program === undefined ? DEFAULT_NGINX : versionOf(program),
    user: userInfo().username,
    pidFile: join(folder, 'nginx.pid'),
    logs: folder,
    temporary: join(folder, 'temporary'),
  } satisfies Partial<NginxOptions>
}

export interface Nginx {
  readonly child: Child
  /** Of the processes that serve. */
  workers(): number[]
  /** With another configuration, or the same one. The old workers serve their streams on. */
  reload(config?: string): Promise<void>
  /** Ends it, and all streams through it, at once. */
  stop(): Promise<void>
}

export interface RunOptions {
  /** Where its files are, as in `privateFiles`. */
  readonly folder: string
  /** The text of nginx.conf. */
  readonly config: string
  /** A port of 127.0.0.1 in it, which answers when Nginx has started. */
  readonly port: number
}

/**
 * Starts an Nginx of our own, and resolves when it answers.
 * @throws Error with what Nginx says, where it does not take its configuration or does not start.
 */
export async function startNginx({ folder, config, port }: RunOptions): Promise<Nginx> {
  const program = findNginx()
  if (program === undefined) throw new Error(NGINX_MISSING)
  await mkdir(join(folder, 'temporary'), { recursive: true })
  const file = join(folder, 'nginx.conf')
  const base = ['-p', folder, '-e', join(folder, 'error.log'), '-c', file]
  const write = async (text: string) => {
    await writeFile(file, text)
    await runToEnd(program, ['-t', '-q', ...base], NGINX_ENV)
  }
  await write(config)
  const child = new Child({ name: 'Nginx', program, args: [...base, '-g', 'daemon off;'], env: NGINX_ENV })
  const workers = () => childrenOf(child.pid)
  try {
    await child.until(() => accepts(port), START_TIMEOUT_MS)
  } catch (error) {
    await child.stop('SIGKILL', 0)
    const log = readFileSync(join(folder, 'error.log'), 'utf8').trim().split('\n').slice(-5).join('\n')
    throw new Error(`${(error as Error).message}\n${log}`)
  }
  return {
    child,
    workers,
    async reload(text = config) {
      await write(text)
      const before = workers()
      child.signal('SIGHUP')
      const isNew = (pid: number) => !before.includes(pid)
      const wanted = before.filter((pid) => !isShuttingDown(pid)).length
      await child.until(async () => workers().filter(isNew).length >= wanted, RELOAD_TIMEOUT_MS)
      // A new worker is there before the old ones have been told; then only new ones take connections.
      await child.until(async () => before.every(isShuttingDown), RELOAD_TIMEOUT_MS)
    },
    stop: () => child.stop('SIGTERM', STOP_TIMEOUT_MS),
  }
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.on('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.on('error', () => resolve(false))
  })
}

function childrenOf(pid: number): number[] {
  return readProc(`/proc/${pid}/task/${pid}/children`).split(' ').filter(Boolean).map(Number)
}

/** Nginx says so in its title; one that has ended has none. */
function isShuttingDown(pid: number): boolean {
  return !/worker process\0*$/.test(readProc(`/proc/${pid}/cmdline`))
}

function readProc(path: string): string {
  try {
    return readFileSync(path, 'utf8').trim()
  } catch {
    return '' // it has ended
  }
}

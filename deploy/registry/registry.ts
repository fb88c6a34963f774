import { type ChildProcess, spawn } from 'node:child_process'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { freePorts, isFree } from '../kafka/probe.ts'
import { registryFolder } from './install.ts'

export { registryMissing } from './install.ts'

/** Its heap. It keeps its schemas in memory, in an H2 database. */
const JVM = ['-Xms64m', '-Xmx384m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-XX:+ExitOnOutOfMemoryError']
/** A cold Java on a busy machine; it takes about 3 s on a quiet one. */
const START_TIMEOUT_MS = 90_000
const PROBE_EVERY_MS = 50
const PROBE_TIMEOUT_MS = 2_000
const STOP_TIMEOUT_MS = 10_000
const TAIL_LINES = 25
/** Somebody else may take a port between our look and its bind. */
const PORT_ATTEMPTS = 5

export interface RegistryOptions {
  /** A free one, if absent. */
  readonly port?: number
  readonly log?: (line: string) => void
}

export interface Registry {
  /** The base address of Confluent's interface, without a slash at its end. */
  readonly url: string
  readonly port: number
  /** SIGKILL: all schemas are gone. */
  kill(): Promise<void>
  /** Starts it again after `kill`, on the same port and empty, and resolves when it answers. */
  restart(): Promise<void>
  /** SIGSTOP: it accepts connections, and answers nothing until `thaw`. */
  freeze(): void
  thaw(): void
  stop(): Promise<void>
}

/**
 * Starts an Apicurio Registry on 127.0.0.1, which speaks Confluent's interface, and resolves when it answers. Its
 * schemas are in memory. It does not outlive this process: a shell waits at the end of a pipe that closes with us.
 * @throws RegistryMissing when it is not to be had; Error with its last lines when it does not start.
 */
export async function startRegistry({ port, log }: RegistryOptions = {}): Promise<Registry> {
  const folder = await registryFolder()
  for (let attempt = 1; ; attempt++) {
    const at = port ?? ((await freePorts(1))[0] as number)
    try {
      return await startAt(folder, at, log)
    } catch (error) {
      if (port !== undefined || attempt === PORT_ATTEMPTS || (await isFree(at))) throw error
      log?.(`Port ${at} was taken meanwhile; trying another one`)
    }
  }
}

async function startAt(folder: string, port: number, log: RegistryOptions['log']): Promise<Registry> {
  const url = `http://127.0.0.1:${port}/apis/ccompat/v7`
  let running = await launch(folder, port, url, log)
  return {
    url,
    port,
    kill: () => running.end('SIGKILL'),
    async restart() {
      await running.end('SIGKILL')
      running = await launch(folder, port, url, log)
    },
    freeze: () => running.signal('SIGSTOP'),
    thaw: () => running.signal('SIGCONT'),
    stop: () => running.end('SIGTERM'),
  }
}

interface Running {
  end(signal: 'SIGKILL' | 'SIGTERM'): Promise<void>
  signal(signal: 'SIGSTOP' | 'SIGCONT'): void
}

async function launch(folder: string, port: number, url: string, log: RegistryOptions['log']): Promise<Running> {
  const jar = (await readdir(folder)).find((name) => name.endsWith('-runner.jar'))
  if (jar === undefined) throw new Error(`There is no runner in ${folder}: remove the folder, and it is fetched again`)
  const settings = ['-Dquarkus.http.host=127.0.0.1', `-Dquarkus.http.port=${port}`]
  const java = spawn('java', [...JVM, ...settings, '-jar', join(folder, jar)], {
    stdio: ['ignore', 'pipe', 'pipe'],
    // A Ctrl-C in the terminal is for us.
    detached: true,
  })
  const tail: string[] = []
  for (const output of [java.stdout, java.stderr]) {
    output.setEncoding('utf8').on('data', (text: string) => {
      for (const line of text.split('\n').filter(Boolean)) {
        log?.(line)
        tail.push(line)
        if (tail.length > TAIL_LINES) tail.shift()
      }
    })
  }
  let exited = false
  const exit = new Promise<void>((resolve) => {
    const ended = () => {
      exited = true
      resolve()
    }
    java.once('error', ended)
    java.once('close', ended)
  })
  if (java.pid === undefined) throw new Error('Java did not start')
  const watchdog = watch(java.pid)
  void exit.then(() => watchdog.kill('SIGKILL'))
  const end = async (signal: 'SIGKILL' | 'SIGTERM') => {
    if (exited) return exit
    java.kill(signal)
    java.kill('SIGCONT') // a frozen process takes a SIGTERM only when it continues
    const timer = setTimeout(() => java.kill('SIGKILL'), STOP_TIMEOUT_MS)
    await exit
    clearTimeout(timer)
  }
  const deadline = Date.now() + START_TIMEOUT_MS
  while (!(await answers(url))) {
    if (exited || Date.now() > deadline) {
      await end('SIGKILL')
      throw new Error(`The registry did not start. Its last lines:\n${tail.join('\n')}`)
    }
    await delay(PROBE_EVERY_MS)
  }
  return { end, signal: (signal) => void java.kill(signal) }
}

async function answers(url: string): Promise<boolean> {
  try {
    const response = await fetch(`${url}/subjects`, { signal: AbortSignal.timeout(PROBE_TIMEOUT_MS) })
    await response.arrayBuffer()
    return response.ok
  } catch {
    return false // it does not listen yet
  }
}

/** Its standard input ends when this process does, however that comes about. */
function watch(pid: number): ChildProcess {
  const watchdog = spawn('sh', ['-c', 'read _; kill -9 "$1"', 'sh', String(pid)], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  })
  watchdog.on('error', () => {}) // without a shell the registry is still stopped by `end`
  watchdog.unref()
  return watchdog
}

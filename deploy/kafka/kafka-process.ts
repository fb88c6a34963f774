import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import { QUIET } from './tool.ts'

/** A cold Java on a busy machine; it takes about 3 s on a quiet one. */
const START_TIMEOUT_MS = 90_000
const PROBE_EVERY_MS = 50
/** Somebody else may take a port between our look and Kafka's bind. */
const PORT_ATTEMPTS = 5
const STOP_TIMEOUT_MS = 15_000
/** What is told of a process that does not start, without its stack traces. */
const TAIL_LINES = 25

export interface LaunchOptions {
  readonly jars: string
  /** Of the node: its properties file and its data. It is removed, should this process die. */
  readonly folder: string
  /** A folder around it that is removed with the last node in it. */
  readonly root?: string | undefined
  /** The properties file. */
  readonly config: string
  /** Options of Java, such as the size of its heap. */
  readonly jvm: readonly string[]
  /** Named in the error, if another process has taken it. */
  readonly port: number
  readonly isUp: () => Promise<boolean>
  readonly log?: ((line: string) => void) | undefined
}

export interface KafkaProcess {
  readonly pid: number
  readonly isRunning: boolean
  /** Resolves when it has ended: by force, if SIGTERM takes too long. A frozen one is thawed for it. */
  end(signal: 'SIGKILL' | 'SIGTERM'): Promise<void>
  signal(signal: 'SIGSTOP' | 'SIGCONT'): void
}

class PortTaken extends Error {}

/** Starts something on ports that were free a moment ago, again on others if one was taken, unless they are `fixed`. */
export async function onFreePorts<T>(
  start: () => Promise<T>,
  { fixed, log }: { fixed: boolean; log?: ((line: string) => void) | undefined },
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await start()
    } catch (error) {
      if (!(error instanceof PortTaken) || fixed || attempt === PORT_ATTEMPTS) throw error
      log?.(`${error.message}; trying other ports`)
    }
  }
}

/**
 * Runs a node of Kafka, and resolves when it is up.
 *
 * It does not outlive this process, even one that is killed with -9: a shell waits at the end of a pipe that closes
 * with us, kills the node then, and removes its data.
 * @throws PortTaken; Error with the node's last lines when it does not start.
 */
export async function launch(options: LaunchOptions): Promise<KafkaProcess> {
  const { jars, folder, root = folder, config, jvm, port, isUp, log } = options
  const args = ['-XX:+UseSerialGC', '-XX:+ExitOnOutOfMemoryError', ...jvm, ...QUIET, `-Duser.dir=${folder}`]
  // A process group of its own: a Ctrl-C in the terminal is for us, and we stop the node in good order.
  const java = spawn('java', [...args, '-cp', jars, 'kafka.Kafka', config], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  })
  const tail: string[] = []
  for (const output of [java.stdout, java.stderr]) {
    createInterface({ input: output }).on('line', (line) => {
      log?.(line)
      if (!line.startsWith('\tat ')) tail.push(line)
      if (tail.length > TAIL_LINES) tail.shift()
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
  const pid = java.pid
  if (pid === undefined) throw new Error('Java did not start')
  const watchdog = watch(pid, folder, root)
  void exit.then(() => watchdog.kill('SIGKILL'))

  const end = async (signal: 'SIGKILL' | 'SIGTERM') => {
    if (exited) return exit
    java.kill(signal)
    java.kill('SIGCONT') // a stopped process takes a SIGTERM only when it continues
    const timer = setTimeout(() => java.kill('SIGKILL'), STOP_TIMEOUT_MS)
    await exit
    clearTimeout(timer)
  }

  const deadline = Date.now() + START_TIMEOUT_MS
  while (!(await isUp())) {
    if (exited || Date.now() > deadline) {
      await end('SIGKILL')
      const said = tail.join('\n')
      if (/already in use|BindException/.test(said)) throw new PortTaken(`Port ${port} was taken meanwhile`)
      throw new Error(`The Kafka broker ${exited ? 'ended' : 'did not answer'} at its start. Its last lines:\n${said}`)
    }
    await delay(PROBE_EVERY_MS)
  }
  return {
    pid,
    get isRunning() {
      return !exited
    },
    end,
    signal: (signal) => void java.kill(signal),
  }
}

/** Its standard input ends when this process does, however that comes about. */
function watch(pid: number, folder: string, root: string): ChildProcess {
  const script = 'read _; kill -9 "$1"; rm -rf "$2"; rmdir "$3" 2>/dev/null'
  const watchdog = spawn('sh', ['-c', script, 'sh', String(pid), folder, root], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  })
  watchdog.on('error', () => {}) // without a shell the node is still stopped by `end`
  watchdog.unref()
  return watchdog
}

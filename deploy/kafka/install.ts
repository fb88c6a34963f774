import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { mkdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'

const POM = join(import.meta.dirname, 'pom.xml')
const PROJECT = join(import.meta.dirname, '..', '..')

/** Kafka 4's brokers are compiled for it. */
const JAVA_NEEDED = 17
/** Some 45 MB over a slow line. */
const MAVEN_TIMEOUT_MS = 300_000
const JAVA_VERSION_TIMEOUT_MS = 20_000

export class KafkaMissing extends Error {
  override readonly name = 'KafkaMissing'
}

export interface Finished {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** Runs a program to its end. A program that is not there ends with code 127, as in a shell; a slow one is killed. */
export function runProgram(
  program: string,
  args: readonly string[],
  options: { stdin?: string | AsyncIterable<string>; timeoutMs: number },
): Promise<Finished> {
  return new Promise((resolve) => {
    const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'pipe'] })
    const timer = setTimeout(() => child.kill('SIGKILL'), options.timeoutMs)
    let stdout = ''
    let stderr = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text
    })
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text
    })
    // A program may end before it has read everything; its exit code then tells more than our broken pipe.
    child.stdin.on('error', () => {})
    child.on('error', (error) => {
      clearTimeout(timer)
      resolve({ code: 127, stdout, stderr: error.message })
    })
    child.on('close', (code) => {
      clearTimeout(timer)
      resolve({ code: code ?? 137, stdout, stderr })
    })
    void feed(child.stdin, options.stdin)
  })
}

async function feed(stdin: NodeJS.WritableStream, input: string | AsyncIterable<string> = ''): Promise<void> {
  if (typeof input === 'string') return void stdin.end(input)
  for await (const text of input) {
    if (!stdin.writable) return
    if (!stdin.write(text)) {
      await new Promise<void>((go) => {
        stdin.once('drain', go)
        stdin.once('close', go)
      })
    }
  }
  stdin.end()
}

let installing: Promise<string> | undefined

/**
 * The folder with Kafka's jars: `.cache/kafka-<version>-<hash of the pom>` of the project (or of `SLUICE_CACHE`), made
 * with Maven when it is not there yet. What is in the cache is complete, since it is renamed into place, so nothing
 * is asked of the network again until the pom changes.
 * @throws KafkaMissing with one sentence on what to install or set.
 */
export function kafkaJars(): Promise<string> {
  installing ??= install()
  return installing
}

/** One sentence on what to install or set for a broker to run here, or null when it does. */
export async function kafkaMissing(): Promise<string | null> {
  try {
    await kafkaJars()
    return null
  } catch (error) {
    if (error instanceof KafkaMissing) return error.message
    throw error
  }
}

async function install(): Promise<string> {
  const java = await runProgram('java', ['-version'], { timeoutMs: JAVA_VERSION_TIMEOUT_MS })
  // 'openjdk version "17.0.15"', on standard error; before Java 9 it read "1.8".
  const version = Number(/version "(\d+)/.exec(java.stderr + java.stdout)?.[1] ?? 0)
  if (java.code !== 0 || version < JAVA_NEEDED) {
    const found = version > 0 ? `Java ${version} is` : 'none is'
    throw new KafkaMissing(
      `A Kafka broker needs Java ${JAVA_NEEDED} or newer on the PATH and ${found} there: install openjdk-17-jre-headless`,
    )
  }

  const pom = readFileSync(POM, 'utf8')
  const kafka = /<kafka\.version>(.+?)<\/kafka\.version>/.exec(pom)?.[1]
  const hash = createHash('sha256').update(pom).digest('hex').slice(0, 12)
  const cache = process.env.SLUICE_CACHE || join(PROJECT, '.cache')
  const folder = join(cache, `kafka-${kafka}-${hash}`)
  if (existsSync(folder)) return folder

  // Several processes may do this at once: each fills a folder of its own, and the first to finish gives its name.
  const partial = `${folder}.${process.pid}`
  await mkdir(partial, { recursive: true })
  try {
    const maven = await runProgram(
      'mvn',
      ['-q', '-B', '-f', POM, 'dependency:copy-dependencies', `-DoutputDirectory=${partial}`, '-DincludeScope=runtime'],
      { timeoutMs: MAVEN_TIMEOUT_MS },
    )
    if (maven.code === 127) {
      throw new KafkaMissing(
        'A Kafka broker needs Maven to get its jars, and there is no mvn on the PATH: install maven',
      )
    }
    if (maven.code !== 0) {
      const why = /\[ERROR\] (.+)/.exec(maven.stdout + maven.stderr)?.[1] ?? `mvn ended with code ${maven.code}`
      throw new KafkaMissing(
        `Maven could not get Kafka ${kafka} from Maven Central (is it reachable from here?): ${why}`,
      )
    }
    await rename(partial, folder).catch((error: NodeJS.ErrnoException) => {
      if (!existsSync(folder)) throw error
    })
  } finally {
    await rm(partial, { recursive: true, force: true })
  }
  return folder
}

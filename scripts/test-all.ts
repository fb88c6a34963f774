/**
 * `npm run test:all`, the README's test command: gets what the whole suite needs, then runs `npm test`'s script. It
 * installs by apt where it is root on a Debian-like system; elsewhere it says what to install, and the tests that need
 * it are skipped, by name.
 */
import { execFileSync, spawn } from 'node:child_process'
import { accessSync, constants, existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { kafkaMissing } from '../deploy/kafka/broker.ts'
import { registryMissing } from '../deploy/registry/registry.ts'
import { makePython } from './python.ts'

interface Part {
  readonly name: string
  readonly package: string
  readonly here: () => boolean
}

/** Debian keeps servers in /usr/sbin, which is not on every user's PATH. */
const PLACES = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin']

function find(program: string): string | undefined {
  return PLACES.map((place) => join(place, program)).find((path) => {
    try {
      accessSync(path, constants.X_OK)
      return true
    } catch {
      return false // not there, or not to be run by us: look further
    }
  })
}

/** The major version of the `java` on the PATH; 0 without one. It is said on standard error, as `version "17.0.15"`. */
function javaVersion(): number {
  if (!find('java')) return 0
  const said = execFileSync('sh', ['-c', 'java -version 2>&1 || true'], { encoding: 'utf8' })
  return Number(said.match(/version "(\d+)/)?.[1] ?? 0)
}

/** Debian's Python has `venv` without what it needs to install anything. */
function pythonHasVenv(): boolean {
  try {
    execFileSync('python3', ['-c', 'import ensurepip, venv'], { stdio: 'ignore' })
    return true
  } catch {
    return false // no Python either: it is named, too
  }
}

/** What the suite needs of this machine, by Debian's package for it. */
export function parts(env: NodeJS.ProcessEnv): Part[] {
  const chromium = ['chromium', 'chromium-browser', 'google-chrome']
  return [
    { name: 'Nginx', package: 'nginx-light', here: () => find('nginx') !== undefined },
    {
      name: 'Prometheus',
      package: 'prometheus',
      here: () => find('prometheus') !== undefined && find('promtool') !== undefined,
    },
    { name: 'OpenSSL', package: 'openssl', here: () => find('openssl') !== undefined },
    { name: 'curl', package: 'curl', here: () => find('curl') !== undefined },
    { name: 'Python 3', package: 'python3', here: () => find('python3') !== undefined },
    { name: "Python's venv", package: 'python3-venv', here: pythonHasVenv },
    {
      name: 'Chromium (or CHROMIUM, the path of one)',
      package: 'chromium',
      here: () => (env.CHROMIUM ? existsSync(env.CHROMIUM) : chromium.some(find)),
    },
    // A cluster of yours is used as it is.
    ...(env.KAFKA_BROKERS
      ? []
      : [
          { name: 'Java 17 or newer', package: 'openjdk-17-jre-headless', here: () => javaVersion() >= 17 },
          { name: 'Maven', package: 'maven', here: () => find('mvn') !== undefined },
        ]),
  ]
}

/** One sentence on what to install, for a machine where we may not. */
export function advice(missing: readonly Part[]): string {
  const names = missing.map((part) => part.name).join(', ')
  const packages = missing.map((part) => part.package).join(' ')
  return `The whole suite also needs: ${names}. On Debian: apt-get install ${packages}`
}

/** A newer Debian has a newer Java only: its default one then. */
function packageFor(part: Part): string {
  if (!part.package.startsWith('openjdk')) return part.package
  const known = execFileSync('apt-cache', ['search', '--names-only', `^${part.package}$`], { encoding: 'utf8' })
  return known.trim() ? part.package : 'default-jre-headless'
}

/** One package after the other: one that this distribution does not have, or that fails, keeps none of the others away. */
function install(missing: readonly Part[]): void {
  const apt = (...args: string[]) => {
    try {
      execFileSync('apt-get', ['-q', '-y', ...args], {
        stdio: ['ignore', 'inherit', 'inherit'],
        env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
      })
    } catch (error) {
      console.error(error instanceof Error ? error.message : error)
    }
  }
  apt('update')
  for (const part of missing) apt('install', '--no-install-recommends', packageFor(part))
}

const missingParts = () => parts(process.env).filter((part) => !part.here())

/**
 * Installs what is missing where it may, says what is missing still, and fetches Kafka, a schema registry and Python's
 * libraries into the cache.
 */
async function prepare(): Promise<void> {
  const missing = missingParts()
  if (missing.length > 0 && process.getuid?.() === 0 && find('apt-get')) {
    console.log(`Installing ${missing.map((part) => part.name).join(', ')}`)
    install(missing)
  }
  const still = missingParts()
  if (still.length > 0) console.error(advice(still))

  const sentence = process.env.KAFKA_BROKERS ? null : await kafkaMissing()
  if (sentence !== null) console.error(sentence)
  const registry = await registryMissing({ fetch: true })
  if (registry !== null) console.error(registry)
  const python = await makePython()
  if (python !== undefined) console.error(python)
}

if (import.meta.main) {
  await prepare()
  const tests = spawn(process.execPath, ['scripts/test.ts', ...process.argv.slice(2)], { stdio: 'inherit' })
  process.exitCode = await new Promise<number>((resolve) => tests.on('close', (code) => resolve(code ?? 1)))
}

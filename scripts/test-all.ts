/**
 * `npm run test:all`, the README's test command: gets what the whole suite needs, then runs `npm test`'s script. It
 * installs by apt where it is root on a Debian-like system; elsewhere it says what to install, and stops.
 */
import { execFileSync, spawn } from 'node:child_process'
import { accessSync, constants, existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { kafkaMissing } from '../deploy/kafka/broker.ts'

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

/** What the suite needs of this machine, by Debian's package for it. */
export function parts(env: NodeJS.ProcessEnv): Part[] {
  const chromium = ['chromium', 'chromium-browser', 'google-chrome']
  return [
    { name: 'Nginx', package: 'nginx-light', here: () => find('nginx') !== undefined },
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
  return `The whole suite also needs: ${names}. On Debian: apt-get install ${packages}. \`npm test\` runs without.`
}

/** A newer Debian has a newer Java only: its default one then. */
function packageFor(part: Part): string {
  if (!part.package.startsWith('openjdk')) return part.package
  const known = execFileSync('apt-cache', ['search', '--names-only', `^${part.package}$`], { encoding: 'utf8' })
  return known.trim() ? part.package : 'default-jre-headless'
}

function install(missing: readonly Part[]): void {
  const apt = (...args: string[]) =>
    execFileSync('apt-get', ['-q', '-y', ...args], {
      stdio: ['ignore', 'inherit', 'inherit'],
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    })
  apt('update')
  apt('install', '--no-install-recommends', ...missing.map(packageFor))
}

/** Installs what is missing, or says what is. False: the suite cannot run as a whole. */
async function prepare(): Promise<boolean> {
  const missing = parts(process.env).filter((part) => !part.here())
  if (missing.length > 0) {
    const mayInstall = process.getuid?.() === 0 && find('apt-get') !== undefined
    if (!mayInstall) {
      console.error(advice(missing))
      return false
    }
    console.log(`Installing ${missing.map((part) => part.name).join(', ')}`)
    install(missing)
  }
  // Fetches Kafka into the cache, so that the tests find it there.
  const sentence = process.env.KAFKA_BROKERS ? null : await kafkaMissing()
  if (sentence !== null) console.error(sentence)
  return sentence === null
}

if (import.meta.main) {
  if (await prepare()) {
    const tests = spawn(process.execPath, ['scripts/test.ts', ...process.argv.slice(2)], { stdio: 'inherit' })
    process.exitCode = await new Promise<number>((resolve) => tests.on('close', (code) => resolve(code ?? 1)))
  } else {
    process.exitCode = 1
  }
}

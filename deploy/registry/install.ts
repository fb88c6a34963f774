import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { mkdir, readdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { runProgram } from '../kafka/install.ts'

const POM = join(import.meta.dirname, 'pom.xml')
const PROJECT = join(import.meta.dirname, '..', '..')

/** Apicurio Registry 2 is compiled for it. */
const JAVA_NEEDED = 17
/** 142 MB over a slow line. */
const MAVEN_TIMEOUT_MS = 600_000
const UNPACK_TIMEOUT_MS = 120_000
const JAVA_VERSION_TIMEOUT_MS = 20_000

class RegistryMissing extends Error {
  override readonly name = 'RegistryMissing'
}

let installing: Promise<string> | undefined

/**
 * The folder of an unpacked Apicurio Registry: `.cache/registry-<hash of the pom>` of the project (or of `SLUICE_CACHE`),
 * fetched by Maven where it is not there yet. It is renamed into place, so that what is in the cache is complete.
 * @throws RegistryMissing with one sentence on what to install.
 */
export function registryFolder(): Promise<string> {
  installing ??= install()
  return installing
}

/**
 * One sentence on what to do for a registry to run here, or null when it does. Without `fetch`, nothing is fetched: it
 * is in the cache, or missing.
 */
export async function registryMissing({ fetch }: { fetch: boolean }): Promise<string | null> {
  if (!fetch && !existsSync(cached())) return 'no schema registry in the cache: `npm run test:all` fetches one'
  try {
    await registryFolder()
    return null
  } catch (error) {
    if (error instanceof RegistryMissing) return error.message
    throw error
  }
}

function cached(): string {
  const hash = createHash('sha256').update(readFileSync(POM)).digest('hex').slice(0, 12)
  return join(process.env.SLUICE_CACHE || join(PROJECT, '.cache'), `registry-${hash}`)
}

async function install(): Promise<string> {
  const java = await runProgram('java', ['-version'], { timeoutMs: JAVA_VERSION_TIMEOUT_MS })
  const version = Number(/version "(\d+)/.exec(java.stderr + java.stdout)?.[1] ?? 0)
  if (java.code !== 0 || version < JAVA_NEEDED) {
    throw new RegistryMissing(
      `A schema registry needs Java ${JAVA_NEEDED} on the PATH: install openjdk-17-jre-headless`,
    )
  }
  const folder = cached()
  if (existsSync(folder)) return folder

  // Several processes may do this at once: each fills a folder of its own, and the first to finish gives its name.
  const partial = `${folder}.${process.pid}`
  await mkdir(partial, { recursive: true })
  try {
    await fetchByMaven(partial)
    await unpack(partial)
    await rename(partial, folder).catch((error: NodeJS.ErrnoException) => {
      if (!existsSync(folder)) throw error
    })
  } finally {
    await rm(partial, { recursive: true, force: true })
  }
  return folder
}

async function fetchByMaven(folder: string): Promise<void> {
  const maven = await runProgram(
    'mvn',
    ['-q', '-B', '-f', POM, 'dependency:copy-dependencies', `-DoutputDirectory=${folder}`, '-DincludeScope=runtime'],
    { timeoutMs: MAVEN_TIMEOUT_MS },
  )
  if (maven.code === 0) return
  if (maven.code === 127) throw new RegistryMissing('A schema registry is fetched by Maven: install maven')
  const why = /\[ERROR\] (.+)/.exec(maven.stdout + maven.stderr)?.[1] ?? `mvn ended with code ${maven.code}`
  throw new RegistryMissing(`Maven could not get Apicurio Registry from Maven Central (is it reachable?): ${why}`)
}

async function unpack(folder: string): Promise<void> {
  const archive = (await readdir(folder)).find((name) => name.endsWith('.tar.gz'))
  if (archive === undefined) throw new RegistryMissing('Maven brought no archive of Apicurio Registry')
  const path = join(folder, archive)
  const tar = await runProgram('tar', ['-xzf', path, '-C', folder], { timeoutMs: UNPACK_TIMEOUT_MS })
  if (tar.code !== 0) throw new RegistryMissing(`tar could not unpack Apicurio Registry: ${tar.stderr.trim()}`)
  await rm(path)
}

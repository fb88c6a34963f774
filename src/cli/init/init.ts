import { readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { type Source, SourceUnavailable } from '../../streams/source/port.ts'
import type { SchemaRegistry } from '../../streams/topic/codecs/registry/schema-registry.ts'
import { InitError } from './init-error.ts'
import { planTopics, type TopicFindings } from './plan/planner.ts'
import { packageJson } from './project/package-json.ts'
import { projectFiles, projectName } from './project/project.ts'
import { packageSpecs } from './project/specs.ts'
import { type Written, writeProject } from './project/write.ts'
import { lookInRegistry } from './sample/from-registry.ts'
import { lookAt } from './sample/look.ts'
import { newestRecords } from './sample/newest.ts'

export interface InitOptions {
  readonly folder: string
  readonly topics: readonly string[]
  readonly source: Source
  /** As they were given, for the project's configuration. */
  readonly brokers: string
  readonly registry?: { readonly registry: SchemaRegistry; readonly url: string } | undefined
  readonly signal: AbortSignal
  /** Says what has been found out of a topic. */
  readonly tell: (line: string) => void
}

export interface Initialised extends Written {
  /** What is left to a person. */
  readonly remarks: readonly string[]
}

/**
 * Writes a project that serves these topics, from what their newest records look like.
 * @throws InitError that says why nothing was written.
 */
export async function init(options: InitOptions): Promise<Initialised> {
  const { topics, brokers, registry } = options
  const folder = resolve(options.folder)
  const findings: TopicFindings[] = []
  for (const topic of new Set(topics)) findings.push(await findingsOf(topic, options))
  const plans = planTopics(findings)
  const files = projectFiles({ folder, plans, brokers, registry: registry && withoutCredentials(registry.url) })
  const existing = await readIfThere(join(folder, 'package.json'))
  const own = packageJson(projectName(folder), packageSpecs(folder), existing)
  const manifest = new Map([['package.json', own.text]])
  const written =
    existing === undefined
      ? await writeProject(folder, new Map([...files, ...manifest]))
      : await writeProject(folder, files, own.text === existing ? undefined : manifest)
  const missing = plans.filter(({ reading }) => reading.format === 'missing')
  const remarks = missing.map(
    ({ topic, file }) =>
      `topics/${file}.ts: the codec of "${topic}" is missing, and the project does not compile without it.`,
  )
  return { ...written, remarks: [...own.remarks, ...remarks] }
}

async function findingsOf(topic: string, { source, registry, signal, tell }: InitOptions): Promise<TopicFindings> {
  try {
    const { records, partitions, isCut } = await newestRecords(source, topic, signal)
    const known = registry && (await lookInRegistry(topic, records, registry.registry, signal))
    const findings = known ?? lookAt(topic, records)
    const cut = isCut ? ', as much as was to be had in time' : ''
    tell(`${topic}: ${records.length} records of ${partitions} partitions${cut}, ${findings.reading.format}`)
    return findings
  } catch (error) {
    if (!(error instanceof SourceUnavailable)) throw error
    throw new InitError(`The topic "${topic}" cannot be read: ${error.message}`, { cause: error })
  }
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT' || (error as NodeJS.ErrnoException).code === 'ENOTDIR')
      return undefined
    throw new InitError(`"${path}" cannot be read: ${(error as Error).message}`, { cause: error })
  }
}

/** They are the environment's to know. */
function withoutCredentials(url: string): string {
  const plain = new URL(url)
  plain.username = ''
  plain.password = ''
  return plain.href
}

import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { init } from '../../../src/cli/init/init.ts'
import { createEmbeddedLog } from '../../../src/streams/source/embedded/embedded.ts'
import type { GeneratedTopic } from './generated.ts'

const ROOT = fileURLToPath(new URL('../../..', import.meta.url))
const TSC = join(ROOT, 'node_modules/typescript/bin/tsc')
const run = promisify(execFile)

export interface WrittenProject {
  readonly folder: string
  readonly files: ReadonlyMap<string, string>
}

/** A project of `init` in the cache folder, which has this very library for `sluice`. */
export async function writtenProject(topics: readonly GeneratedTopic[]): Promise<WrittenProject> {
  const cache = process.env.SLUICE_CACHE || join(ROOT, '.cache')
  mkdirSync(cache, { recursive: true })
  const folder = mkdtempSync(join(cache, 'init-'))
  mkdirSync(join(folder, 'node_modules'))
  symlinkSync(ROOT, join(folder, 'node_modules/sluice'))
  const log = createEmbeddedLog({ retentionBytes: 2 ** 30 })
  for (const { name, records } of topics) {
    log.createTopic(name, 3)
    const text = (value: unknown) => (value === null ? null : JSON.stringify(value))
    await log.sink.send(name, records.map(({ key, value }) => ({ key, value: text(value) }))) // biome-ignore format: one line
  }
  const { written } = await init({
    folder,
    topics: topics.map(({ name }) => name),
    source: log.source,
    brokers: 'localhost:9092',
    signal: new AbortController().signal,
    tell: () => {},
  })
  await log.close()
  return { folder, files: new Map(written.map((path) => [path, readFileSync(join(folder, path), 'utf8')])) }
}

/** What the type checker says of it; empty: nothing. */
export async function typeErrors(folder: string): Promise<string> {
  try {
    await run(process.execPath, [TSC, '--noEmit', '-p', folder], { cwd: folder, maxBuffer: 2 ** 26 })
    return ''
  } catch (error) {
    const { stdout, stderr } = error as { stdout: string; stderr: string }
    return stdout + stderr
  }
}

/** Its own tests, by their names. */
export async function ownTests(folder: string, ...files: string[]): Promise<string> {
  try {
    const { stdout } = await run(process.execPath, ['--test', '--test-reporter=tap', ...files], {
      cwd: folder,
      maxBuffer: 2 ** 26,
    })
    return stdout
  } catch (error) {
    return (error as { stdout: string }).stdout
  }
}

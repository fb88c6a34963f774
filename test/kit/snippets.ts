import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { blocksOf } from '../docs/blocks.ts'

/** The URL of the first run, as documents have it. */
const DOCUMENTED = 'http://127.0.0.1:4000/graphql'

/**
 * Imports the one TypeScript block of a document that contains this text, as a module, with the gateway at this URL. It
 * lies within the project, so that its imports are found.
 */
export async function importSnippet<Module>(file: string, containing: string, graphql: string): Promise<Module> {
  const found = blocksOf(file, 'ts').filter(({ text }) => text.includes(containing))
  if (found.length !== 1) throw new Error(`${file} has ${found.length} blocks with ${containing}`)
  const cache = join(import.meta.dirname, '../../.cache')
  mkdirSync(cache, { recursive: true })
  const folder = mkdtempSync(join(cache, 'snippet-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const path = join(folder, 'snippet.ts')
  writeFileSync(path, (found[0]?.text ?? '').replaceAll(DOCUMENTED, graphql))
  return await import(path)
}

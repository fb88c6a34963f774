import { hash } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'

/** A key as a partner has it; the file has only its hash. */
export interface ApiKey {
  readonly id: string
  readonly key: string
  readonly scopes?: readonly string[]
  readonly bounds?: Readonly<Record<string, readonly string[]>>
  readonly history?: number
  readonly expires?: string
}

/** The path of a file with these keys, which is gone when the test ends. */
export function keysFile(keys: readonly ApiKey[]): string {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-keys-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const file = join(folder, 'keys.json')
  writeFileSync(file, JSON.stringify(keys.map(({ key, ...record }) => ({ ...record, sha256: hash('sha256', key) }))))
  return file
}

import { createHash } from 'node:crypto'
import { fileWith } from './tokens.ts'

export interface TestKey {
  readonly id: string
  /** The key itself, of which the file has the hash. */
  readonly key: string
  readonly scopes?: readonly string[]
  readonly bounds?: Readonly<Record<string, readonly string[]>>
  /** In seconds. */
  readonly history?: number
  readonly expires?: string
}

/** The text of a file of API keys. */
export function keysText(keys: readonly TestKey[]): string {
  const records = keys.map(({ key, ...record }) => ({ ...record, sha256: sha256(key) }))
  return JSON.stringify(records)
}

/** The path of a file of API keys, which goes with the test. */
export function keysFile(keys: readonly TestKey[]): string {
  return fileWith('keys.json', keysText(keys))
}

export const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')

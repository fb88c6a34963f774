import { readFileSync, statSync } from 'node:fs'
import { MAX_MANIFEST_BYTES, type ManifestEntry, parseManifest } from './manifest.ts'

/** @throws Error with one sentence that names the file, and what is wrong with it. */
export function openManifest(path: string): readonly ManifestEntry[] {
  try {
    const { size } = statSync(path)
    if (size > MAX_MANIFEST_BYTES) throw new Error(`it has more than ${MAX_MANIFEST_BYTES} bytes`)
    return parseManifest(readFileSync(path, 'utf8'))
  } catch (error) {
    throw new Error(`PERSISTED_OPERATIONS_FILE ${JSON.stringify(path)} cannot be used: ${(error as Error).message}`)
  }
}

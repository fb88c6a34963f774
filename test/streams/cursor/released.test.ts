/**
 * Cursors that released versions have written: clients keep them over an upgrade. A file of test/fixtures is of one
 * version, and is never changed; a release whose cursors are others adds its own.
 */
import { globSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { decodeCursor, encodeCursor } from '../../../src/streams/cursor/cursor.ts'
import { MAX_PARTITIONS } from '../../../src/streams/cursor/vector.ts'

interface Written {
  /** Of the cursor's format. */
  readonly version: number
  readonly topic: string
  readonly cursor: string
  readonly positions: readonly number[]
  readonly epoch?: number
  readonly fingerprint?: { readonly partition: number; readonly offset: number; readonly timestamp: number }
}

const files = globSync('test/fixtures/cursors-*.ndjson')

test('the fixtures have cursors of the version that is released, in both formats, of several topics', () => {
  const { version } = JSON.parse(readFileSync('package.json', 'utf8'))
  expect(files).toContain(`test/fixtures/cursors-${version}.ndjson`)
})

describe.each(files)('%s', (file) => {
  const lines = readFileSync(file, 'utf8').trim().split('\n')
  const written = lines.map((line): Written => JSON.parse(line))

  test('has both formats, topics of several names, epochs and fingerprints', () => {
    expect(new Set(written.map(({ version }) => version))).toEqual(new Set([1, 2]))
    expect(new Set(written.map(({ topic }) => topic)).size).toBeGreaterThan(2)
    expect(written.some(({ epoch }) => epoch !== undefined)).toBe(true)
    expect(written.some(({ fingerprint }) => fingerprint !== undefined)).toBe(true)
  })

  test.each(written)('$topic, format $version, is read as the same position: $cursor', ({ topic, cursor, ...rest }) => {
    const { positions, epoch, fingerprint } = decodeCursor(topic, cursor, MAX_PARTITIONS)
    expect(positions).toEqual(rest.positions)
    expect(epoch).toBe(rest.epoch)
    expect(fingerprint).toEqual(rest.fingerprint)
    // An instance of the version before, beside this one, reads what this one writes.
    expect(encodeCursor(topic, { positions, epoch, fingerprint }, rest.version)).toBe(cursor)
    expect(() => decodeCursor('another', cursor, MAX_PARTITIONS)).toThrow(
      expect.objectContaining({ code: 'CURSOR_INVALID' }),
    )
  })
})

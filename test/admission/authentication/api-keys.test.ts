import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import fc from 'fast-check'
import { afterAll, describe, expect, onTestFinished, test } from 'vitest'
import { ApiKeys } from '../../../src/admission/authentication/api-keys/api-keys.ts'
import { KeysWatch } from '../../../src/admission/authentication/api-keys/keys-watch.ts'
import { ANONYMOUS } from '../../../src/schema/context.ts'
import { keysFile, keysText, sha256, type TestKey } from '../../kit/api-keys.ts'
import { onPath } from '../../kit/chromium.ts'
import { recordedLog } from '../../kit/log-lines.ts'
import { Statistics } from '../../kit/statistics.ts'
import { fileWith } from '../../kit/tokens.ts'
import { until } from '../../kit/until.ts'

const ACME: TestKey = {
  id: 'acme',
  key: 'k-acme',
  scopes: ['orders:pii'],
  bounds: { merchantId: ['m_1'] },
  history: 60,
}
const OTHER: TestKey = { id: 'other', key: 'k-other' }

function keysOf(text: string, now = Date.now): ApiKeys {
  const keys = new ApiKeys({ audienceOf: () => ANONYMOUS, now })
  keys.replace(text)
  return keys
}

/** Keys as a file has them, which is looked at every few milliseconds. */
async function watched(path: string) {
  const { log, lines } = recordedLog()
  const keys = new ApiKeys({ audienceOf: () => ANONYMOUS, now: Date.now })
  const changed: string[] = []
  keys.onKeysChanged((ids) => changed.push(...ids))
  const watch = new KeysWatch({ path, keys, log, intervalMs: 5 })
  onTestFinished(() => watch.close())
  await watch.start()
  const errors = () => lines.filter(({ level }) => level === 50)
  return { keys, watch, changed, errors, read: () => watch.stats.read, failed: () => watch.stats.failed }
}

const codeOf = (act: () => unknown): string => {
  try {
    act()
    return 'accepted'
  } catch (error) {
    return (error as { code: string }).code
  }
}

test('a key is a principal with what its record says, and always the same identity', () => {
  const keys = keysOf(keysText([ACME, OTHER]))
  const { principal } = keys.identify('k-acme')
  expect(principal).toEqual({
    id: 'acme',
    kind: 'key',
    tokenId: undefined,
    scopes: new Set(['orders:pii']),
    bounds: { merchantId: ['m_1'] },
    historyMs: 60_000,
    expiresAt: undefined,
  })
  expect(keys.identify('k-acme')).toBe(keys.identify('k-acme'))
  expect(keys.identify('k-other').principal.id).toBe('other')
})

test.skipIf(!onPath(['openssl']))('a key and its hash are made as docs/security.md says, by openssl', () => {
  const cwd = dirname(fileWith('x', ''))
  const command = "openssl rand -hex 32 | tee key.txt | tr -d '\\n' | openssl dgst -sha256 -r"
  const [hash = ''] = execFileSync('sh', ['-c', command], { cwd, encoding: 'utf8' }).split(' ')
  const key = readFileSync(join(cwd, 'key.txt'), 'utf8').trim()
  expect(keysOf(JSON.stringify([{ id: 'a', sha256: hash }])).identify(key).principal.id).toBe('a')
})

test('no other text is a key: not the hash of one, nor a part of one', () => {
  const keys = keysOf(keysText([ACME]))
  for (const key of ['', 'k-acm', 'k-acme ', 'K-ACME', sha256('k-acme'), 'acme', '__proto__']) {
    expect(codeOf(() => keys.identify(key))).toBe('UNAUTHENTICATED')
  }
})

test('a hash may be written in either case', () => {
  const text = JSON.stringify([{ id: 'a', sha256: sha256('k').toUpperCase() }])
  expect(keysOf(text).identify('k').principal.id).toBe('a')
})

test('a key with an end is refused from then on', () => {
  let now = Date.parse('2026-01-01T00:00:00Z')
  const keys = keysOf(keysText([{ ...ACME, expires: '2026-01-01T01:00:00+01:00' }]), () => now)
  now--
  expect(codeOf(() => keys.identify('k-acme'))).toBe('accepted')
  now++
  expect(codeOf(() => keys.identify('k-acme'))).toBe('SESSION_EXPIRED')
})

const record = (more: object) => JSON.stringify([{ id: 'a', sha256: sha256('k'), ...more }])
const BROKEN: [string, string, RegExp][] = [
  ['is empty', '', /not valid JSON/],
  ['is cut off', keysText([ACME]).slice(0, -5), /not valid JSON/],
  ['is no list', '{"id": "a"}', /not a list/],
  ['has a key that is no object', '["a"]', /key 1 is no object/],
  ['has a key without an id', `[{"sha256": "${sha256('k')}"}]`, /key 1: id is wrong/],
  ['has a key without a hash', '[{"id": "a"}]', /key "a": sha256 is wrong/],
  ['has a key in place of its hash', record({ sha256: 'k' }), /key "a": sha256 is wrong/],
  ['has a misspelt property', record({ bound: { merchantId: ['m'] } }), /key "a": bound is wrong/],
  ['has bounds that are text', record({ bounds: 'm' }), /key "a": bounds is wrong/],
  ['has bounds of __proto__', record({}).replace('}]', ',"bounds":{"__proto__":["m"]}}]'), /key "a": bounds is wrong/],
  ['has scopes that are text', record({ scopes: 'orders:pii' }), /key "a": scopes is wrong/],
  ['has a history that is text', record({ history: '1h' }), /key "a": history is wrong/],
  ['has an end that is no time', record({ expires: 'tomorrow' }), /key "a": expires is wrong/],
  ['has an id twice', keysText([ACME, { ...OTHER, id: 'acme' }]), /"acme" and "acme" have the same id/],
  ['has a key twice', keysText([ACME, { ...OTHER, key: 'k-acme' }]), /"acme" and "other" have the same sha256/],
]

describe.each(BROKEN)('a file that %s', (_what, text, sentence) => {
  test('is refused at the start in one line, which has no hash', async () => {
    const error: Error = await watched(fileWith('keys.json', text)).then(
      () => new Error('accepted'),
      (refusal) => refusal,
    )
    expect(error.message).toMatch(/^API_KEYS_FILE cannot be used: /)
    expect(error.message).toMatch(sentence)
    expect(error.message).not.toMatch(/\n|[0-9a-f]{32}/)
  })

  test('leaves the keys as they were when it is read again, loudly, until it is right', async () => {
    const path = keysFile([ACME])
    const { keys, watch, errors, changed, failed } = await watched(path)
    writeFileSync(path, text)
    await until('it is noticed', () => watch.problem !== undefined)
    expect(watch.problem).toMatch(sentence)
    expect(keys.identify('k-acme').principal.id).toBe('acme')
    expect(codeOf(() => keys.identify('k-other'))).toBe('UNAUTHENTICATED')
    expect(errors()).toEqual([expect.objectContaining({ msg: expect.stringMatching(/those from before stay valid/) })])
    expect([changed, failed()]).toEqual([[], 1])
    writeFileSync(path, keysText([OTHER]))
    await until('it is right again', () => watch.problem === undefined)
    expect(codeOf(() => keys.identify('k-acme'))).toBe('UNAUTHENTICATED')
    expect(keys.identify('k-other').principal.id).toBe('other')
    expect(changed).toEqual(['acme'])
  })
})

describe('a file is read again', () => {
  test('when another takes its place', async () => {
    const path = keysFile([ACME])
    const { keys, changed } = await watched(path)
    writeFileSync(`${path}.new`, keysText([ACME, OTHER]))
    renameSync(`${path}.new`, path)
    await until('it is read', () => keys.size === 2)
    expect(changed).toEqual([])
  })

  test('when its symbolic link leads to another folder, as Kubernetes does it', async () => {
    const home = dirname(fileWith('x', ''))
    const write = (version: string, keys: TestKey[]) => {
      mkdirSync(join(home, version))
      writeFileSync(join(home, version, 'keys.json'), keysText(keys))
      symlinkSync(version, join(home, 'data.new'))
      renameSync(join(home, 'data.new'), join(home, 'data'))
    }
    write('v1', [ACME])
    symlinkSync(join('data', 'keys.json'), join(home, 'keys.json'))
    const { keys } = await watched(join(home, 'keys.json'))
    write('v2', [OTHER])
    rmSync(join(home, 'v1'), { recursive: true })
    await until('it is read', () => codeOf(() => keys.identify('k-other')) === 'accepted')
    expect(codeOf(() => keys.identify('k-acme'))).toBe('UNAUTHENTICATED')
  })

  test('when it was gone for a while, in which its keys stay valid', async () => {
    const path = keysFile([ACME])
    const { keys, watch } = await watched(path)
    renameSync(path, `${path}.away`)
    await until('that is noticed', () => watch.problem === 'there is no such file')
    expect(codeOf(() => keys.identify('k-acme'))).toBe('accepted')
    renameSync(`${path}.away`, path)
    await until('it is back', () => watch.problem === undefined)
  })
})

test('whoever waits is told the ids of keys that are gone, or are no longer what they were, and no others', () => {
  const keys = keysOf(keysText([ACME, OTHER]))
  const told: string[][] = []
  keys.onKeysChanged((ids) => told.push([...ids].sort()))
  keys.replace(keysText([OTHER, ACME]))
  expect(told).toEqual([])
  keys.replace(keysText([{ ...ACME, bounds: { merchantId: ['m_2'] } }, OTHER, { id: 'new', key: 'n' }]))
  keys.replace(keysText([{ ...ACME, key: 'rotated' }, OTHER]))
  keys.replace(keysText([]))
  expect(told).toEqual([['acme'], ['acme', 'new'], ['acme', 'other']])
})

test.each([
  ['a folder', () => dirname(fileWith('x', '')), /it is no file/],
  ['missing', () => '/no/such/file', /there is no such file/],
  ['too large', () => fileWith('keys.json', ' '.repeat(4 * 1024 * 1024 + 1)), /more than 4194304 bytes/],
])('a file that is %s stops the start', async (_what, path, sentence) => {
  await expect(watched(path())).rejects.toThrow(sentence)
})

describe('whatever a file has', () => {
  const statistics = new Statistics('files of keys', ['taken', 'refused', 'cut off', 'unchanged keys'])
  afterAll(() => statistics.report())
  const key = fc.record({ id: fc.constantFrom('a', 'b', 'c'), key: fc.constantFrom('1', '2', '3', '4') })
  const texts = fc.oneof(
    fc.uniqueArray(key, { maxLength: 3, selector: ({ id }) => id }).map(keysText),
    fc.array(key, { maxLength: 3 }).map(keysText),
    fc.json(),
    fc
      .tuple(fc.array(key, { minLength: 1, maxLength: 3 }), fc.nat(100))
      .map(([keys, cut]) => keysText(keys).slice(0, -1 - cut)),
  )

  test('the keys are those of the last file that was right', () => {
    fc.assert(
      fc.property(fc.array(texts, { maxLength: 5 }), (files) => {
        const keys = new ApiKeys({ audienceOf: () => ANONYMOUS, now: Date.now })
        let valid = new Map<string, string>()
        for (const text of files) {
          try {
            keys.replace(text)
            statistics.count('taken')
            valid = new Map(JSON.parse(text).map(({ id, sha256: hash }: { id: string; sha256: string }) => [hash, id]))
          } catch (error) {
            expect((error as Error).message).not.toMatch(/[0-9a-f]{32}/)
            statistics.count('refused')
            if (!text.endsWith(']')) statistics.count('cut off')
            if (valid.size > 0) statistics.count('unchanged keys')
          }
          for (const each of ['1', '2', '3', '4']) {
            const id = valid.get(sha256(each))
            expect(codeOf(() => keys.identify(each))).toBe(id === undefined ? 'UNAUTHENTICATED' : 'accepted')
            if (id !== undefined) expect(keys.identify(each).principal.id).toBe(id)
          }
        }
      }),
      { numRuns: 500 },
    )
  })
})

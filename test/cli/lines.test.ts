import fc from 'fast-check'
import { expect, test } from 'vitest'
import { linesOf } from '../../src/transport/lines.ts'

const MAX = 8

test('lines are the same however their bytes come, and those beyond the limit are told', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.string({ unit: fc.constantFrom('a', 'b', '\r', 'é'), maxLength: 12 })),
      fc.boolean(),
      fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 1 }),
      async (lines, hasEnd, sizes) => {
        const bytes = Buffer.from(lines.join('\n') + (hasEnd ? '\n' : ''))
        const chunks = async function* () {
          for (let at = 0, each = 0; at < bytes.length; each++) {
            const size = sizes[each % sizes.length] as number
            yield bytes.subarray(at, at + size)
            at += size
          }
        }
        const got = await Array.fromAsync(linesOf(chunks(), MAX))
        const wanted = bytes.length === 0 ? [] : bytes.toString('latin1').replace(/\n$/, '').split('\n')
        if (bytes.at(-1) !== 10 && wanted.at(-1) === '') wanted.pop()
        expect(got.flat().map(({ number }) => number)).toEqual(wanted.map((_, at) => at + 1))
        expect(
          got.flat().map(({ isTooLong, bytes: line }) => (isTooLong ? 'too long' : line.toString('latin1'))),
        ).toEqual(wanted.map((line) => (line.length > MAX ? 'too long' : line.replace(/\r$/, ''))))
      },
    ),
    { numRuns: 500 },
  )
})

test('a chunk gives its lines before the next one is asked for', async () => {
  let asked = 0
  const chunks = async function* () {
    for (const text of ['a\nb\nc', 'd\n']) {
      asked++
      yield Buffer.from(text)
    }
  }
  const groups = linesOf(chunks(), MAX)
  expect((await groups.next()).value?.map(({ bytes }) => bytes.toString())).toEqual(['a', 'b'])
  expect(asked).toBe(1)
})

import { expect, test } from 'vitest'
import { ended, listening, logged, main } from '../kit/main-process.ts'
import { RawStream } from '../kit/raw-stream.ts'
import { until } from '../kit/until.ts'

/** A module that does something in a timer, which nobody catches, once it is told to by a signal. */
function preload(code: string): string[] {
  const text = `process.on('SIGUSR2', () => setTimeout(() => { ${code} }))`
  return ['--import', `data:text/javascript,${encodeURIComponent(text)}`]
}

test.each([
  ['an error thrown in a timer', 'throw new TypeError("first line\\nsecond line")', 'uncaughtException', /first line/],
  ['something that is no error', 'throw { some: "thing" }', 'uncaughtException', /some: 'thing'/],
  ['nothing at all', 'throw undefined', 'uncaughtException', /undefined/],
  [
    'an error that cannot be read',
    'throw Object.defineProperty(new Error(), "message", { get() { throw new Error("inner") } })',
    'uncaughtException',
    /./,
  ],
  [
    'an error whose detail cannot be read',
    'throw Object.assign(new Error("outer"), { get detail() { return 1 } , toJSON() { throw new Error("inner") } })',
    'uncaughtException',
    /./,
  ],
])('%s ends the process with 1 and one fatal line that says what', async (_what, code, origin, message) => {
  const run = main([], { DEMO_RATE: '0' }, { node: preload(code) })
  const { graphql } = await listening(run)
  const stream = await RawStream.subscribe(graphql, 'subscription { ordersByRegion(region: EUROPE) { id } }')
  run.child.kill('SIGUSR2')
  expect(await ended(run)).toEqual({ code: 1, signal: null })
  expect(run.err).toBe('')
  const fatal = logged(run).filter(({ level }) => level === 60)
  expect(fatal).toMatchObject([{ msg: 'The process cannot go on, and ends', origin, instance: 'test' }])
  expect(JSON.stringify(fatal[0])).toMatch(message)
  expect(logged(run).at(-1)).toEqual(fatal[0])
  await stream.untilEnd()
})

test('promises that nobody handles end nothing, and are told at a limited rate', async () => {
  const code = 'Promise.reject(new Error("not awaited")); Promise.reject(); Promise.reject({ odd: 1 })'
  const run = main([], { DEMO_RATE: '20' }, { node: preload(code) })
  const { graphql } = await listening(run)
  const stream = await RawStream.subscribe(graphql, 'subscription { ordersByRegion(region: EUROPE) { id } }')
  const told = () => logged(run).filter(({ msg }) => msg === 'A promise was rejected that nobody handles')
  run.child.kill('SIGUSR2')
  await until('it was told', () => told().length > 0)
  const before = stream.results.length
  await stream.untilResults(before + 2)
  expect(told()).toMatchObject([{ level: 50, unlogged: 0, err: { message: 'not awaited' } }])
  run.child.kill('SIGTERM')
  expect(await ended(run)).toEqual({ code: 0, signal: null })
})

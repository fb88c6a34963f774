import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, onTestFinished, test } from 'vitest'
import { until } from '../kit/until.ts'
import { CutServer } from './cut-server.ts'

const file = (path: string) => new URL(`../../packages/client/${path}`, import.meta.url)
const programs = Array.from(readFileSync(file('README.md'), 'utf8').matchAll(/```ts\n(.*?)```/gs), ([, code]) => code!)

/** The program of the README, made to run here, and to come back sooner. */
function runnable(program: string, url: string): string {
  return program
    .replaceAll('https://gateway.example/graphql', url)
    .replaceAll('@sluice/client/graphql-sse', file('src/graphql-sse.ts').href)
    .replaceAll('@sluice/client', file('src/index.ts').href)
    .replaceAll("'graphql-sse'", `'${import.meta.resolve('graphql-sse')}'`)
}

test('the README has its five programs', () => {
  expect(programs).toHaveLength(5)
})

test.each(programs.map((program, i) => [i + 1, program] as const))(
  'program %d of the README has every event over a cut',
  async (_number, program) => {
    const server = await CutServer.start({ cuts: [200] })
    const folder = mkdtempSync(join(tmpdir(), 'client-readme-'))
    onTestFinished(() => rmSync(folder, { recursive: true }))
    writeFileSync(join(folder, 'program.mts'), runnable(program, server.url))
    const ran = promisify(execFile)(process.execPath, [join(folder, 'program.mts')], { timeout: 30_000 })
    await until('it has subscribed', () => server.ready === 1)
    server.append('', 1, 2, 3, 4, 5)
    server.finish('')
    const { stdout } = await ran
    expect(Array.from(stdout.matchAll(/\bn"?: ?(\d)/g), ([, n]) => Number(n))).toEqual([1, 2, 3, 4, 5])
    expect(server.opened.map(({ lastEventId }) => lastEventId)).toEqual([undefined, '2'])
  },
)

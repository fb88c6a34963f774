import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

const GUARD = './scripts/require-node.cjs'

/** Runs the guard as it runs before an npm script, under a Node that says it is of this version. */
const underNode = (version: string) =>
  spawnSync(
    process.execPath,
    [
      '-e',
      `Object.defineProperty(process.versions, 'node', { value: '${version}' }); require('${GUARD}'); console.log('on')`,
    ],
    { encoding: 'utf8' },
  )

test('an old Node is refused with one sentence that says what to do', () => {
  const { status, stderr, stdout } = underNode('20.20.2')
  expect({ status, stdout }).toEqual({ status: 1, stdout: '' })
  expect(stderr.trim()).toMatch(/^Sluice needs Node 24 or newer, and this is Node 20\.20\.2: [^\n]*npm ci[^\n]*$/)
})

test.each(['24.0.0', '26.1.0'])('Node %s passes', (version) => {
  expect(underNode(version)).toMatchObject({ status: 0, stdout: 'on\n' })
})

test('every npm script that starts Node has the guard before it', () => {
  const { scripts } = JSON.parse(readFileSync('package.json', 'utf8'))
  const starting = Object.entries<string>(scripts).filter(([, command]) => command.startsWith('node '))
  expect(starting.filter(([, command]) => !command.startsWith(`node --require ${GUARD} `))).toEqual([])
  expect(starting.map(([name]) => name)).toEqual(expect.arrayContaining(['start', 'test', 'check']))
})

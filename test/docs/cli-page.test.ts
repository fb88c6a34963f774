import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { folderOf, GATEWAY, sluice } from '../cli/sluice.ts'
import { startTestGateway } from '../kit/gateway.ts'

const page = readFileSync('docs/cli.md', 'utf8')

/** What the page shows of a command's output. */
function outputOf(name: string): string {
  const [, text] = new RegExp(`<!-- output: ${name} -->\n\`\`\`\n\\$ .*\n([^]*?)\`\`\``).exec(page) ?? []
  if (text === undefined) throw new Error(`docs/cli.md has no output of ${name}`)
  return text
}

test('docs/cli.md shows what the commands print', async () => {
  const schema = readFileSync('schema.graphql', 'utf8')
  const cwd = folderOf({ 'gateway.ts': GATEWAY, 'other.graphql': schema.replace('scalar Cursor', 'scalar Cursors') })
  const { adminUrl } = await startTestGateway()
  const [checked, compared, sent] = await Promise.all([
    sluice(['check'], { cwd, env: { WINDOW_BYTES: '1', KAFKA_BROKER: 'a:1' } }),
    sluice(['schema', '--check', 'other.graphql'], { cwd }),
    sluice(['produce', 'orders', '--url', adminUrl], { cwd, input: '{"id":1}\nnot JSON\n' }),
  ])
  expect(checked.out).toBe(outputOf('check'))
  expect(compared.err).toBe(outputOf('schema'))
  expect(sent.err + sent.out).toBe(outputOf('produce'))
})

test('docs/cli.md has every option of every command', async () => {
  const commands = ['check', 'schema', 'produce']
  const helps = await Promise.all(commands.map((command) => sluice([command, '--help'])))
  const options = new Set(helps.flatMap(({ out }) => [...out.matchAll(/^ {2}(--[a-z]+)/gm)].map(([, name]) => name)))
  for (const option of options) expect(page).toContain(option)
  expect(options.size).toBeGreaterThan(8)
})

import { execFile } from 'node:child_process'
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { generate } from '@graphql-codegen/cli'
import { expect, onTestFinished, test } from 'vitest'
import { browserExample } from '../../codegen.ts'
import { blocksOf } from './blocks.ts'

/** Each in a folder of its own, as in a project of its own. */
const PAGES = { urql: 'documentNode', apollo: 'documentNode', react: 'string', relay: undefined } as const

const run = promisify(execFile)
const tool = (name: string) => resolve('node_modules/.bin', name)

/** The programs of docs/clients in a project each, with what their compilers make of them. */
async function projects(change = (text: string) => text) {
  const folder = await mkdtemp(join(tmpdir(), 'docs-clients-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  await symlink(resolve('node_modules'), join(folder, 'node_modules'))
  for (const [name, mode] of Object.entries(PAGES)) {
    const program = blocksOf(`docs/clients/${name}.md`, 'tsx').find(({ text }) => text.startsWith(`// ${name}.tsx\n`))
    const file = join(folder, `examples/${name}/src/${name}.tsx`)
    await mkdir(dirname(file), { recursive: true })
    await writeFile(file, change(program?.text ?? ''))
    if (!mode) continue
    const files: { filename: string; content: string }[] = await generate(
      {
        schema: resolve('schema.graphql'),
        cwd: folder,
        silent: true,
        errorsOnly: true,
        generates: browserExample(name, mode),
      },
      false,
    )
    await mkdir(join(dirname(file), 'gql'))
    for (const { filename, content } of files) await writeFile(resolve(folder, filename), content)
  }
  const relay = join(folder, 'examples/relay')
  await cp('examples/relay/relay.config.json', join(relay, 'relay.config.json'))
  await cp('schema.graphql', join(folder, 'schema.graphql'))
  await run(tool('relay-compiler'), ['relay.config.json'], { cwd: relay })
  const compilerOptions = {
    paths: {
      '@sluice/client': [resolve('packages/client/src/index.ts')],
      '@sluice/client/*': [resolve('packages/client/src/*.ts')],
    },
  }
  const config = { extends: resolve('examples/tsconfig.json'), compilerOptions, include: ['examples'], exclude: [] }
  await writeFile(join(folder, 'tsconfig.json'), JSON.stringify(config))
  return () =>
    run(tool('tsc'), ['--noEmit', '--project', folder]).then(
      () => '',
      (error: { stdout: string }) => error.stdout,
    )
}

test('the programs of docs/clients pass their type check, and a wrong variable does not', async () => {
  expect(await (await projects())()).toBe('')
  const wrong = await (await projects((text) => text.replaceAll("region: 'ASIA'", "region: 'ATLANTIS'")))()
  for (const name of Object.keys(PAGES)) expect(wrong).toMatch(new RegExp(`${name}\\.tsx\\(.*"ATLANTIS"`))
})

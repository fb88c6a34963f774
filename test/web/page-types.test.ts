import { execFile } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { generate } from '@graphql-codegen/cli'
import { expect, onTestFinished, test } from 'vitest'
import config from '../../codegen.ts'
import { staleFiles } from '../../scripts/check-codegen.ts'

const WEB = 'web/src/gql/'
const schema = readFileSync('schema.graphql', 'utf8')
const ofPage = { ...config, generates: { [WEB]: config.generates[WEB]! } }

const renamed = (text: string) => text.replaceAll(/\bcity(?=: String!|\n)/g, 'town')

/** A copy of the page within the project, which finds the same packages, with other types. @returns what tsc says. */
async function typeCheck(change: { schema(text: string): string; documents(text: string): string }): Promise<string> {
  mkdirSync('.cache', { recursive: true })
  const copy = mkdtempSync(join('.cache', 'web-'))
  onTestFinished(() => rmSync(copy, { recursive: true }))
  cpSync('web/src', join(copy, 'src'), { recursive: true })
  const documents = join(copy, 'src', 'operations.graphql')
  writeFileSync(documents, change.documents(readFileSync(documents, 'utf8')))
  const entry = { ...(ofPage.generates[WEB] as object), documents: [documents] }
  const files: { filename: string; content: string }[] = await generate(
    {
      ...config,
      schema: change.schema(schema),
      generates: { [join(copy, 'src', 'gql/')]: entry } as typeof config.generates,
      silent: true,
      errorsOnly: true,
    },
    false,
  )
  for (const { filename, content } of files) writeFileSync(filename, content)
  writeFileSync(
    join(copy, 'tsconfig.json'),
    JSON.stringify({
      extends: '../../web/tsconfig.json',
      compilerOptions: { paths: { '@sluice/client': ['../../packages/client/src/index.ts'] } },
      include: ['src'],
    }),
  )
  const tsc = promisify(execFile)(process.execPath, ['node_modules/typescript/bin/tsc', '--noEmit', '-p', copy])
  return await tsc.then(
    () => '',
    (error: { stdout?: string }) => String(error.stdout ?? error),
  )
}

test("the page's types are those of schema.graphql", async () => {
  expect(await staleFiles(ofPage)).toEqual([])
})

test('a field renamed in the schema breaks the documents of the page, by name', async () => {
  await expect(staleFiles({ ...ofPage, schema: renamed(schema) })).rejects.toThrow(
    'Cannot query field "city" on type "Order"',
  )
})

test('a field renamed in the schema and in the documents breaks the type check where the page uses it', async () => {
  const output = await typeCheck({ schema: renamed, documents: renamed })
  expect(output).toMatch(/ui\/ticker\.ts\(.*Property 'city' does not exist/)
  expect(output).toMatch(/ui\/order-dialog\.ts\(.*Property 'city' does not exist/)
})

test('a region that the schema gets breaks the type check, since the page has no name for it', async () => {
  const output = await typeCheck({
    schema: (text) => text.replace('  SOUTH_AMERICA\n', '  SOUTH_AMERICA\n  ANTARCTICA\n'),
    documents: (text) => text,
  })
  expect(output).toContain('ANTARCTICA')
})

test('as they are, the copy has no error: what is found above is of the changes', async () => {
  expect(await typeCheck({ schema: (text) => text, documents: (text) => text })).toBe('')
})

import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { type CodegenConfig, generate } from '@graphql-codegen/cli'
import { expect, onTestFinished, test } from 'vitest'
import { runProgram } from '../../deploy/kafka/install.ts'
import { filesOf, partsOf } from './blocks.ts'

const parts = [...partsOf(readFileSync('docs/clients/codegen.md', 'utf8'))]
  .map(([heading, text]) => [heading, filesOf(text)] as const)
  .filter(([, files]) => files.size > 0)

/** As those of create-vite's templates: what a generator writes has to pass them. */
const TSCONFIG = {
  compilerOptions: {
    target: 'es2023',
    module: 'esnext',
    lib: ['ES2023', 'DOM'],
    types: [],
    strict: true,
    skipLibCheck: true,
    moduleResolution: 'bundler',
    allowImportingTsExtensions: true,
    verbatimModuleSyntax: true,
    moduleDetection: 'force',
    noEmit: true,
    noUnusedLocals: true,
    noUnusedParameters: true,
    erasableSyntaxOnly: true,
    paths: { '@sluice/client': [resolve('packages/client/src/index.ts')] },
  },
  include: ['src'],
}

const bin = (name: string) => resolve('node_modules/.bin', name)
const GENERATE_MS = 60_000

/** A project with these files, this repository's packages and its schema. */
function project(files: ReadonlyMap<string, string>): string {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-codegen-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  symlinkSync(resolve('node_modules'), join(folder, 'node_modules'))
  copyFileSync('schema.graphql', join(folder, 'schema.graphql'))
  const all = [...files, ['tsconfig.json', JSON.stringify(TSCONFIG)], ['package.json', '{"type":"module"}']] as const
  for (const [path, text] of all) write(join(folder, path), text)
  return folder
}

/** @throws Error with what the generator says */
async function generateIn(folder: string): Promise<void> {
  if (existsSync(join(folder, 'codegen.ts'))) {
    const { default: config } = (await import(join(folder, 'codegen.ts'))) as { default: CodegenConfig }
    const files: { filename: string; content: string }[] = await generate(
      { ...config, cwd: folder, silent: true },
      false,
    )
    for (const { filename, content } of files) write(join(folder, filename), content)
    return
  }
  mkdirSync(join(folder, 'src/__generated__'), { recursive: true })
  const command = `cd ${folder} && ${bin('relay-compiler')}`
  const { code, stdout, stderr } = await runProgram('sh', ['-c', command], { timeoutMs: GENERATE_MS })
  if (code !== 0) throw new Error(stdout + stderr)
}

function write(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, text)
}

const check = (folder: string) => runProgram(bin('tsc'), ['-p', folder], { timeoutMs: GENERATE_MS })

test.each(parts)(
  'the configuration for %s generates types that its program passes, and a wrong field does not',
  async (_heading, files) => {
    const folder = project(files)
    await generateIn(folder)
    expect((await check(folder)).stdout).toBe('')

    const source = files.get('src/orders.ts')!
    writeFileSync(join(folder, 'src/orders.ts'), source.replaceAll('total.amount', 'total.currency'))
    expect((await check(folder)).stdout).toContain("'currency' does not exist")

    writeFileSync(join(folder, 'src/orders.ts'), source.replace(/^(\s+)amount$/m, '$1amounts'))
    await expect(generateIn(folder)).rejects.toThrow('amounts')
  },
)

test('the page has a configuration for each kind of client', () => {
  expect(parts.map(([heading]) => heading)).toEqual([
    '@sluice/client and graphql-sse',
    'urql and Apollo Client',
    'Relay',
  ])
})

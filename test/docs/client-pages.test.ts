import { spawn } from 'node:child_process'
import { globSync, readFileSync } from 'node:fs'
import { chmod, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { build } from 'vite'
import { expect, onTestFinished, test } from 'vitest'
import { pythonMissing, testPython } from '../../scripts/python.ts'
import { describeChromium, startSite } from '../kit/chromium.ts'
import { startTestGateway } from '../kit/gateway.ts'
import { until } from '../kit/until.ts'
import { startControlProxy } from '../matrix/control-proxy.ts'
import { blocksOf } from './blocks.ts'

/** Programs of the clients' pages live through planned ends with nothing in between, and print what comes then. */
const ENDS = 10
const GRAPHQL = 'http://127.0.0.1:4000/graphql'
const PAGES = ['README.md', ...globSync('docs/clients/*.md')]
/** Libraries that need a page. */
const BROWSER_ONLY = /fetch-event-source/

/** What docs/clients/eventsource.md says of Node. */
const IN_NODE = "import { EventSource } from 'eventsource'\nsetInterval(() => {}, 60_000)\n"

const programs = (language: string) =>
  PAGES.flatMap((file) => blocksOf(file, language).map(({ text }, i) => [`${basename(file)}, ${i + 1}`, text] as const))

/** A gateway whose streams end again and again, and a program that is told of an order after ten such ends. */
async function livesOn(start: (url: string) => Promise<() => string>): Promise<void> {
  const gateway = await startTestGateway({ env: { STREAM_MAX_AGE_MS: '120', HEARTBEAT_MS: '750', COMPRESSION: 'off' } })
  const proxy = await startControlProxy(gateway.graphql, { hastens: true })
  const output = await start(proxy.url)
  await until('its stream has ended often', () => (gateway.engine.stats.closes.age ?? 0) >= ENDS, 50_000)
  expect(output()).not.toContain('ord_')
  let count = 0
  await until('an order was printed', async () => {
    const id = `ord_${count++}`
    await gateway.produce({ id, region: 'ASIA' }, { id, region: 'EUROPE' })
    return output().includes('ord_')
  })
}

async function programFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-page-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  return folder
}

/** @returns what it has printed */
function run(program: string, args: readonly string[], env: Record<string, string>, cwd: string): () => string {
  const child = spawn(program, args, { cwd, env: { ...process.env, ...env }, detached: true, stdio: 'pipe' })
  const exit = new Promise((done) => child.on('close', done))
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text
    })
  }
  onTestFinished(async () => {
    try {
      process.kill(-child.pid!, 'SIGTERM')
    } catch {
      // It has ended by itself.
    }
    await exit
  })
  return () => output
}

test.each(programs('js').filter(([, text]) => !BROWSER_ONLY.test(text)))('in Node, %s', async (_name, text) => {
  const folder = await programFolder()
  await symlink(resolve('node_modules'), join(folder, 'node_modules'))
  const needed = text.includes('new EventSource') ? IN_NODE : ''
  await livesOn(async (url) => {
    const file = join(folder, 'program.mjs')
    await writeFile(file, needed + text.replace(GRAPHQL, url))
    const hasten = pathToFileURL(resolve('test/matrix/hasten.ts')).href
    return run(process.execPath, ['--import', hasten, file], {}, folder)
  })
})

test.each(programs('bash'))('in a shell, %s', async (_name, text) => {
  const folder = await programFolder()
  await writeFile(join(folder, 'sleep'), '#!/bin/sh\nexec /bin/sleep 0.1\n')
  await chmod(join(folder, 'sleep'), 0o755)
  await livesOn(async (url) =>
    run('sh', ['-c', text.replace(GRAPHQL, url)], { PATH: `${folder}:${process.env.PATH}` }, folder),
  )
})

const missing = pythonMissing()

test.skipIf(missing !== undefined).each(programs('python'))(
  `in Python, %s${missing ? ` (skipped: ${missing})` : ''}`,
  async (_name, text) => {
    const folder = await programFolder()
    await livesOn(async (url) => {
      await writeFile(join(folder, 'program.py'), text.replace(GRAPHQL, url))
      return run(testPython(), ['program.py'], { PYTHONPATH: resolve('test/matrix/python/hasty') }, folder)
    })
  },
)

test("the table's loop for Python is that of docs/clients/python.md", () => {
  const [, page] = programs('python')[0]!
  const row = readFileSync('test/matrix/python/httpx_sse_resuming.py', 'utf8')
  const loop = (text: string) => /^async def results.*?(?=\n\n\n)/ms.exec(text)?.[0]
  expect(loop(row)).toBe(loop(page))
})

describeChromium('in a browser', (browser) => {
  const inPages = programs('js').filter(([, text]) => BROWSER_ONLY.test(text) || text.includes('new EventSource'))

  test.each(inPages)('%s', async (_name, text) => {
    const folder = await programFolder()
    await symlink(resolve('node_modules'), join(folder, 'node_modules'))
    const page = await browser.openPage()
    let output = ''
    page.on('console', async (message) => {
      const values = await Promise.all(message.args().map((arg) => arg.jsonValue().catch(() => undefined)))
      output += `${JSON.stringify(values)}\n`
    })
    await page.goto(await startSite())
    await livesOn(async (url) => {
      const entry = join(folder, 'program.mjs')
      await writeFile(entry, text.replace(GRAPHQL, url))
      await page.addScriptTag({ type: 'module', content: await bundled(entry) })
      return () => output
    })
  })
})

async function bundled(entry: string): Promise<string> {
  const built = await build({
    configFile: false,
    logLevel: 'silent',
    build: { write: false, target: 'esnext', lib: { entry, formats: ['es'], fileName: 'program' } },
  })
  const output = [built].flat().flatMap((one) => ('output' in one ? one.output : []))
  return output.map((one) => ('code' in one ? one.code : '')).join('')
}

import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { beforeAll, expect, onTestFinished, test } from 'vitest'
import { runProgram } from '../../deploy/kafka/install.ts'
import { freePorts } from '../../deploy/kafka/probe.ts'
import { describeChromium } from '../kit/chromium.ts'
import { listening, main } from '../kit/main-process.ts'
import { until } from '../kit/until.ts'
import { filesOf, partsOf } from './blocks.ts'

/** A frontend developer follows docs/first-subscription.md, word by word, with packages from the registry. */
const parts = partsOf(readFileSync('docs/first-subscription.md', 'utf8'))
const CACHE = resolve(process.env.SLUICE_CACHE || '.cache')
const STEP_MS = 300_000
const COMMANDS = [...parts.get('')!.matchAll(/^```sh\n(.*?)^```/gms)].map(([, text]) => text!)

let tarball = ''

/** What `npm install @sluice/client` will get, once it is published. */
beforeAll(async () => {
  mkdirSync(CACHE, { recursive: true })
  const folder = mkdtempSync(join(CACHE, 'packed-client-'))
  if (existsSync('packages/client/scripts/build.ts')) {
    const built = await runProgram(process.execPath, ['packages/client/scripts/build.ts'], { timeoutMs: STEP_MS })
    expect(built.stderr).toBe('')
  }
  const packed = await shell(`npm pack --silent --pack-destination ${folder} ./packages/client`, '.')
  tarball = join(folder, packed.trim().split('\n').at(-1)!)
  return () => rmSync(folder, { recursive: true })
})

/** As in a person's shell, who says yes where npm asks whether it may install a program to be run. */
async function shell(command: string, cwd: string): Promise<string> {
  const { code, stdout, stderr } = await runProgram(
    'sh',
    ['-ec', `cd '${cwd}'\nexport npm_config_yes=true; unset NODE_ENV\n${command}`],
    { timeoutMs: STEP_MS },
  )
  if (code !== 0) throw new Error(`${command} ended with ${code}: ${stdout}${stderr}`)
  return stdout
}

/** Runs the document's steps. @returns the project's folder, and where its page is */
async function follow(template: string, parts: readonly string[], graphql: string, without: readonly string[] = []) {
  const [start, create, generate] = COMMANDS as [string, string, string]
  expect(start).toBe('npm ci && npm start\n') // by the test, elsewhere
  const home = mkdtempSync(join(CACHE, 'first-subscription-'))
  onTestFinished(() => rmSync(home, { recursive: true, force: true }))
  await shell(
    create.replace('vanilla-ts', template).replace('npm install @sluice/client', `npm install ${tarball}`),
    home,
  )
  const folder = join(home, 'first-orders')
  for (const part of parts) {
    for (const [path, text] of filesOf(part)) {
      if (without.includes(path)) continue
      mkdirSync(dirname(join(folder, path)), { recursive: true })
      writeFileSync(join(folder, path), text.replaceAll('http://127.0.0.1:4000/graphql', graphql))
    }
  }
  const [types = '', dev = ''] = generate.trim().split('\n')
  await shell(types, folder)
  return { folder, types, dev }
}

/** Starts the development server, which ends with the test. */
async function develop(folder: string, dev: string): Promise<string> {
  const [port] = (await freePorts(1)) as [number]
  const server = spawn('sh', ['-c', `exec ${dev} -- --host 127.0.0.1 --strictPort --port ${port}`], {
    cwd: folder,
    detached: true,
    stdio: 'ignore',
  })
  const exit = new Promise((done) => server.on('close', done))
  onTestFinished(async () => {
    process.kill(-server.pid!, 'SIGTERM')
    await exit
  })
  const url = `http://127.0.0.1:${port}/`
  await until(
    'the page is served',
    () =>
      fetch(url).then(
        ({ ok }) => ok,
        () => false,
      ),
    60_000,
  )
  return url
}

/** The gateway that `npm start` starts. */
const started = async () => (await listening(main())).graphql

describeChromium('the first subscription', (browser) => {
  test('shows orders on a page of a new project, and a wrong field is an error', async () => {
    const { folder, types, dev } = await follow('vanilla-ts', [parts.get('')!], await started())
    await shell('npm run build', folder)
    const page = await browser.openPage()
    await page.goto(await develop(folder, dev))
    await until('orders are shown', async () => (await page.locator('#app p').count()) > 5)
    expect(await page.locator('#app p').first().textContent()).toMatch(/^.+: [\d.]+ [A-Z]{3}$/)
    expect(await page.title()).toBe('live')

    const file = join(folder, 'src/main.ts')
    const program = readFileSync(file, 'utf8')
    writeFileSync(file, program.replace('const { city, total }', 'const { city, total, status }'))
    await expect(shell('npm run build', folder)).rejects.toThrow("'status' does not exist")
    writeFileSync(file, program.replace('      city\n', '      town\n'))
    await expect(shell(`${types} --verbose`, folder)).rejects.toThrow('Cannot query field "town"')
  })

  // The hooks come with the client's entry of this name.
  const hooks = existsSync('packages/client/src/react.ts')
  test.skipIf(!hooks)('shows orders by the hooks in a new React project', async () => {
    const { folder, dev } = await follow('react-ts', [parts.get('')!, parts.get('With React')!], await started(), [
      'src/main.ts',
    ])
    await shell('npm run build', folder)
    const page = await browser.openPage()
    await page.goto(await develop(folder, dev))
    await until('orders are shown', async () => (await page.locator('main p').count()) > 5)
    await until('it is live', async () => (await page.locator('h1').textContent()) === 'live')
  })
})

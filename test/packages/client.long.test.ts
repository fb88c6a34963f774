import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { CutServer } from '../client/cut-server.ts'
import { describeChromium, startSite } from '../kit/chromium.ts'
import { startTestGateway, type TestGateway } from '../kit/gateway.ts'
import { until } from '../kit/until.ts'
import { installedProject } from './installed-project.ts'
import { entries, outputOf, packClient, writeFiles } from './packed-client.ts'
import { NEXT_PROJECT, VITE_PROJECT, WEBPACK_PROJECT } from './pages.ts'
import { CJS_PROGRAM, ESM_PROGRAM, MISTAKES, TYPED_PROGRAM } from './programs.ts'

let archive: string
beforeAll(async () => {
  archive = await packClient()
})

/** Peers as an application has them, at the versions that this repository has. */
const PEERS = {
  '@apollo/client': '4.3.8',
  '@urql/core': '6.0.3',
  graphql: '16.12.0',
  'graphql-sse': '2.6.1',
  react: '19.3.1',
  'relay-runtime': '21.0.1',
  rxjs: '7.8.2',
  wonka: '6.3.6',
}
const [VITE, WEBPACK, NEXT] = ['8.3.8', '5.113.0', '16.4.6']

describe.each(['18.20.8', '20.20.2', '22.23.3'])('Node %s', (version) => {
  test('takes every event over a cut, by import and by require, and has every entry', async () => {
    const platform = `node-linux-${process.arch}`
    const folder = await installedProject(
      archive,
      `node-${version}`,
      { [platform]: version, ...PEERS },
      {
        'program.mjs': ESM_PROGRAM,
        'program.cjs': CJS_PROGRAM,
        'all.mjs': entries.map((name) => `await import('${name}')`).join('\n'),
        'all.cjs': entries.map((name) => `require('${name}')`).join('\n'),
      },
    )
    const node = join(folder, 'node_modules', platform, 'bin/node')
    expect((await outputOf(folder, node, '--version')).text).toBe(`v${version}\n`)
    for (const file of ['program.mjs', 'program.cjs']) {
      const server = await CutServer.start({ cuts: [200] })
      const ran = outputOf(folder, node, '--no-warnings', file, server.url)
      await until('it has subscribed', () => server.ready === 1)
      server.append('', 1, 2, 3, 4, 5)
      server.finish('')
      expect((await ran).text).toBe('n: 1\nn: 2\nn: 3\nn: 4\nn: 5\nfunction\n')
    }
    for (const file of ['all.mjs', 'all.cjs'])
      expect(await outputOf(folder, node, '--no-warnings', file)).toEqual({ code: 0, text: '' })
  })
})

const SETTINGS = [
  ['bundler', { module: 'esnext', moduleResolution: 'bundler', target: 'es2022', strict: true }],
  ['nodenext', { module: 'nodenext', target: 'es2022', strict: true }],
  // What `tsc --init` of these versions writes, without its comments; the last one had a resolution without \`exports\`.
  ['init', { module: 'commonjs', target: 'es2018', strict: true, esModuleInterop: true, skipLibCheck: true }],
] as const

describe.each(['5.0.4', '5.9.3', '7.0.2'])('TypeScript %s', (version) => {
  test.each(SETTINGS)('with %s passes what is right, and finds each mistake', async (setting, compilerOptions) => {
    const dependencies = { typescript: version, '@types/node': '20.19.0' }
    const folder = await installedProject(archive, `typescript-${version}`, dependencies, {})
    const files: Record<string, string | object> = {
      'tsconfig.json': { compilerOptions: { noEmit: true, types: ['node'], ...compilerOptions }, include: ['*.ts'] },
      'right.ts': TYPED_PROGRAM,
    }
    for (const [i, mistake] of MISTAKES.entries()) files[`wrong-${i}.ts`] = `${TYPED_PROGRAM}\n${mistake}\n`
    writeFiles(join(folder, setting), { ...files, 'package.json': { name: setting, type: 'module' } })
    const tsc = join(folder, 'node_modules/typescript/bin/tsc')
    const { text } = await outputOf(join(folder, setting), process.execPath, tsc, '--project', '.', '--pretty', 'false')
    const found = Array.from(text.matchAll(/^(\S+?)\((\d+),\d+\): error/gm), ([, file, line]) => [file, Number(line)])
    const place = TYPED_PROGRAM.split('\n').length + 1
    expect(found, text).toEqual(MISTAKES.map((_, i) => [`wrong-${i}.ts`, place]))
  })
})

/** The page shows what was produced, over a cut. */
async function expectLive(
  gateway: TestGateway,
  page: { text(): Promise<string>; state(): Promise<string>; cut(): Promise<void> },
): Promise<void> {
  await until('the page is live', async () => (await page.state()) === 'live')
  await gateway.produce({ id: 'first', region: 'ASIA' })
  await until('it shows an order', async () => (await page.text()).includes('first'))
  await page.cut()
  await gateway.produce({ id: 'second', region: 'ASIA' })
  await until('it shows the next', async () => (await page.text()).includes('second'))
  expect((await page.text()).match(/first|second/g)).toEqual(['first', 'second'])
}

describeChromium('in a browser', (browser) => {
  test.each([
    ['Vite', { vite: VITE }, VITE_PROJECT, ['node_modules/vite/bin/vite.js', 'build']],
    ['webpack', { webpack: WEBPACK }, WEBPACK_PROJECT, ['build.js']],
  ] as const)('a page that %s has built lives on over a cut', async (name, dependencies, files, program) => {
    const folder = await installedProject(archive, name.toLowerCase(), dependencies, files)
    const { code, text } = await outputOf(folder, process.execPath, ...program)
    expect(code, text).toBe(0)
    const script = readFileSync(join(folder, 'dist/page.js'), 'utf8')
    console.log(`${name}: ${script.length} bytes`)
    const gateway = await startTestGateway()
    for (const SINGLE of [false, true]) {
      const page = await browser.openPage()
      await page.goto(await startSite())
      await page.evaluate((globals) => Object.assign(globalThis, globals), { GATEWAY: gateway.graphql, SINGLE })
      await page.addScriptTag({ content: script, type: 'module' })
      await expectLive(gateway, {
        text: async () => (await page.textContent('body')) ?? '',
        state: () => page.title(),
        cut: () => page.evaluate(() => (globalThis as unknown as { cut(): void }).cut()),
      })
    }
  })

  test('an application of Next.js has it in server components, routes and client components', async () => {
    const dependencies = { next: NEXT, react: '19.3.1', 'react-dom': '19.3.1', typescript: '5.9.3' }
    const types = { '@types/node': '24.19.2', '@types/react': '19.3.3', '@types/react-dom': '19.3.0' }
    const folder = await installedProject(archive, 'next', { ...dependencies, ...types }, NEXT_PROJECT)
    const gateway = await startTestGateway()
    const env = { ...process.env, NEXT_PUBLIC_GATEWAY: gateway.graphql, NEXT_TELEMETRY_DISABLED: '1' }
    const next = [join(folder, 'node_modules/next/dist/bin/next')]
    const built = spawn(process.execPath, [...next, 'build'], { cwd: folder, env: { ...env, NODE_ENV: 'production' } })
    let log = ''
    for (const out of [built.stdout, built.stderr]) out.on('data', (chunk) => (log += chunk))
    const code = await new Promise((resolve) => built.on('close', resolve))
    expect(code, log).toBe(0)

    const server = spawn(process.execPath, [...next, 'start', '--hostname', '127.0.0.1', '--port', '0'], {
      cwd: folder,
      env,
    })
    onTestFinished(() => void server.kill())
    let said = ''
    for (const out of [server.stdout, server.stderr]) out.on('data', (chunk) => (said += chunk))
    const address = () => /http:\/\/127\.0\.0\.1:\d+/.exec(said)?.[0]
    await until('Next.js listens', () => address() !== undefined && /ready/i.test(said), 60_000)
    await gateway.produce({ id: 'recent', region: 'EUROPE' })
    expect(await (await fetch(`${address()}/first`)).json()).toEqual({ orders: { id: 'recent' } })

    const page = await browser.openPage()
    await page.goto(address() as string)
    expect(await page.textContent('main')).toContain('recent: recent')
    await expectLive(gateway, {
      text: async () => (await page.textContent('p')) ?? '',
      state: async () => (await page.textContent('p'))?.split(':')[0] ?? '',
      cut: async () => {
        await page.context().setOffline(true)
        await page.context().setOffline(false)
      },
    })
  })
})

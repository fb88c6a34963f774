/**
 * `npm run docs`: the documentation as a site, at http://127.0.0.1:4173/. Its program (VitePress) is installed into the
 * cache folder at the first run, by its own lockfile: nobody else's `npm ci` has it.
 */
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { copyFile, mkdir, rename, rm } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'

const PROJECT = resolve(import.meta.dirname, '..')
const SITE = join(PROJECT, 'docs-site')
const FILES = ['package.json', 'package-lock.json'] as const
const HOST = '127.0.0.1'
const PORT = '4173'

const USAGE = `Usage: npm run docs [-- OPTIONS]

  --build DIR   only build the site, into this folder, for any web server
  --watch       show changes of the files as they are saved
  --port PORT   another port than ${PORT}
  --help        this text

DOCS_BASE is the site's path on its server, such as /sluice/. DOCS_REPOSITORY, such as
https://git.example/sluice/blob/main, makes links of the files that are no pages.`

export interface Options {
  readonly build?: string | undefined
  readonly watch?: boolean | undefined
  readonly port?: string | undefined
}

/** Where its packages are installed: another lockfile is another folder. */
function folder(): string {
  const hash = createHash('sha256')
    .update(readFileSync(join(SITE, 'package-lock.json')))
    .digest('hex')
    .slice(0, 12)
  return join(resolve(process.env.SLUICE_CACHE || join(PROJECT, '.cache')), `docs-site-${hash}`)
}

const program = () => join(folder(), 'node_modules/vitepress/bin/vitepress.js')

/** @throws Error if npm cannot install it */
async function install(): Promise<void> {
  if (existsSync(program())) return
  console.log('Installing the program that makes the site')
  // Complete once it has its name.
  const unfinished = `${folder()}-${process.pid}`
  await mkdir(unfinished, { recursive: true })
  try {
    for (const file of FILES) await copyFile(join(SITE, file), join(unfinished, file))
    await run('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], unfinished)
    await rename(unfinished, folder())
  } catch (error) {
    if (!existsSync(program())) throw error // another run was faster
  } finally {
    await rm(unfinished, { recursive: true, force: true })
  }
}

/** @throws Error if it ends with another code than 0 */
function run(command: string, args: readonly string[], cwd: string, env: NodeJS.ProcessEnv = {}): Promise<void> {
  return new Promise((done, failed) => {
    const child = spawn(command, args, { cwd, env: { ...process.env, ...env }, stdio: 'inherit' })
    child.on('error', failed)
    // Ctrl-C is for both, and no fault.
    child.on('close', (code, signal) => {
      if (code === 0 || signal === 'SIGINT' || signal === 'SIGTERM') done()
      else failed(new Error(`${command} ${args[0]} ended with ${signal ?? code}`))
    })
  })
}

export async function docs({ build, watch, port = PORT }: Options): Promise<void> {
  await install()
  const env = {
    DOCS_CACHE: join(folder(), 'cache'),
    ...(build !== undefined && { DOCS_OUT: resolve(build) }),
  }
  const vitepress = (...args: string[]) => run(process.execPath, [program(), ...args], PROJECT, env)
  const at = ['--host', HOST, '--port', port]
  if (watch) return await vitepress('dev', 'docs-site', ...at)
  await vitepress('build', 'docs-site')
  if (build === undefined) await vitepress('preview', 'docs-site', ...at)
}

if (process.argv[1] === import.meta.filename) {
  try {
    const options = { build: { type: 'string' }, watch: { type: 'boolean' }, port: { type: 'string' } } as const
    const { values } = parseArgs({ options: { ...options, help: { type: 'boolean' } } })
    if (values.help) console.log(USAGE)
    else await docs(values)
  } catch (error) {
    console.error((error as Error).message)
    process.exitCode = 1
  }
}

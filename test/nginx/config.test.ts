import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { nginxConfig } from '../../deploy/nginx/config.ts'
import type { NginxOptions } from '../../deploy/nginx/options.ts'
import { findNginx, privateFiles } from '../../deploy/nginx/run.ts'
import { readConfig } from '../../src/config.ts'
import { describeNginx } from '../kit/nginx.ts'

const EXAMPLE: NginxOptions = JSON.parse(readFileSync('deploy/nginx/example.json', 'utf8'))
const printed = nginxConfig(EXAMPLE)
/** The numbers of a directive. */
const numbers = (directive: string) =>
  [...printed.matchAll(new RegExp(`^\\s*${directive} (\\d+)`, 'gm'))].map(([, number]) => Number(number))

const with1 = (address: string, name = 'a') => ({ ...EXAMPLE, instances: [{ name, address }] })

test('the example that is checked in is what the example options print', () => {
  const nginxConf = readFileSync('deploy/nginx/nginx.conf', 'utf8')
  const program = execFileSync(process.execPath, ['deploy/nginx/main.ts', 'deploy/nginx/example.json'], {
    encoding: 'utf8',
  })
  expect(nginxConf).toBe(printed)
  expect(program).toBe(printed)
})

test('a worker has two connections for each of its streams, a descriptor for each, and some to spare', () => {
  const [connections = 0] = numbers('worker_connections')
  const [files = 0] = numbers('worker_rlimit_nofile')
  // Nginx keeps a sixteenth of them free, by closing clients that are waiting.
  expect(connections - connections / 16).toBeGreaterThanOrEqual(2 * 8_600 + 1_000)
  expect(files).toBeGreaterThan(connections + 100)
  expect(files).toBeLessThanOrEqual(20_000)
})

test('silence is cut after three heartbeats of the gateways, and old workers outlive the oldest stream', () => {
  expect(numbers('proxy_read_timeout')[0]).toBe((3 * readConfig({}).HEARTBEAT_MS) / 1000)
  expect(printed).toContain('worker_shutdown_timeout 70m;')
  const other = nginxConfig({ ...EXAMPLE, heartbeatMs: 2_500, streamMaxAgeMs: 86_400_000 })
  expect(other).toContain('proxy_read_timeout 7500ms;')
  expect(other).toContain('worker_shutdown_timeout 1450m;')
})

test.each([
  ['a wrong address', with1('10.0.0.1'), /^The option instances\.0\.address is wrong: wants unix:/],
  ['a directive in an address', with1('10.0.0.1:4000; server 6.6.6.6:1'), /instances\.0\.address/],
  ['a line break in an address', with1('10.0.0.1:4000\n'), /instances\.0\.address/],
  ['a wrong name', with1('10.0.0.1:4000', 'A b'), /instances\.0\.name is wrong: wants the INSTANCE_ID/],
  ['two of one name', { ...EXAMPLE, instances: [EXAMPLE.instances[0], EXAMPLE.instances[0]] }, /instances .*twice/],
  ['no instance', { ...EXAMPLE, instances: [] }, /The option instances is wrong/],
  ['a directive in a path', { ...EXAMPLE, certificate: '/a; include /etc/passwd' }, /option certificate is wrong/],
  ['a directive in an origin', { ...EXAMPLE, corsOrigins: ['https://a" b'] }, /corsOrigins\.0/],
  ['an unknown option', { ...EXAMPLE, workerz: 2 }, /workerz/],
])('%s is refused with a sentence that names the option', (_what, options, sentence) => {
  expect(() => nginxConfig(options as NginxOptions)).toThrow(sentence)
})

test('the program says what is wrong, and what it wants', () => {
  const run = (...args: string[]) =>
    spawnSync(process.execPath, ['deploy/nginx/main.ts', ...args], { encoding: 'utf8' })
  expect(run()).toMatchObject({ status: 2, stdout: '', stderr: expect.stringContaining('OPTIONS.json') })
  expect(run('package.json')).toMatchObject({
    status: 1,
    stderr: expect.stringMatching(/^The option \w+ is wrong: .+\n$/),
  })
})

describeNginx('Nginx itself', (nginx) => {
  const check = (options: NginxOptions) => {
    const file = join(nginx.home, 'checked.conf')
    writeFileSync(file, nginxConfig(options))
    mkdirSync(join(nginx.home, 'temporary'), { recursive: true })
    const args = ['-t', '-p', nginx.home, '-e', 'stderr', '-c', file]
    const { status, stderr } = spawnSync(findNginx()!, args, { encoding: 'utf8' })
    return { status, said: stderr.replaceAll(/^nginx: |^.*\[notice\].*$/gm, '').trim() }
  }
  const fine = { status: 0, said: expect.not.stringMatching(/warn|emerg|alert/) }

  test('takes the example, with the paths of this machine in it', () => {
    expect(check({ ...EXAMPLE, ...nginx.tls, ...privateFiles(nginx.home) })).toEqual(fine)
  })

  test('takes every option, a hundred instances, and names of any length that mean something to it', () => {
    const names = [
      'default',
      'include',
      'hostnames',
      'volatile',
      '-',
      ...Array.from({ length: 95 }, (_each, i) => `${i}`.padStart(40, 'a')),
    ]
    const options: NginxOptions = {
      ...nginx.tls,
      ...privateFiles(nginx.home),
      listen: ['127.0.0.1:8443', '8444', '[::1]:8445'],
      instances: names.map((name, i) => ({
        name,
        address: i % 2 ? `[::1]:${4000 + i}` : `unix:/run/sluice/${name}.sock`,
      })),
      workers: 2,
      streamsPerWorker: 1_000_000,
      streamsPerAddress: 65_535,
      corsOrigins: ['https://shop.example'],
      trustedProxies: ['10.0.0.0/8', '::1'],
    }
    expect(check(options)).toEqual(fine)
  })
})

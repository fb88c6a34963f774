import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { nginxConfig } from '../../deploy/nginx/config.ts'
import type { NginxOptions } from '../../deploy/nginx/options.ts'
import { findNginx, NGINX_ENV, privateFiles } from '../../deploy/nginx/run.ts'
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
  ['a name that is a path', with1('10.0.0.1:4000', 'a..b'), /instances\.0\.name is wrong/],
  ['a name that is too long', with1('10.0.0.1:4000', 'x'.repeat(64)), /instances\.0\.name is wrong: wants .* 1 to 63/],
  ['a version too old', { ...EXAMPLE, nginx: '1.20.2' }, /^The option nginx is wrong: wants 1\.22 or newer$/],
  ['no version', { ...EXAMPLE, nginx: 'latest' }, /The option nginx is wrong: wants a version such as/],
  ['a resolver for an old one', { ...EXAMPLE, resolver: ['127.0.0.11'] }, /resolver is wrong: wants Nginx 1\.27\.3/],
  ['a directive in a resolver', { ...EXAMPLE, nginx: '1.28', resolver: ['127.0.0.1; #'] }, /resolver\.0 is wrong/],
  ['two of one name', { ...EXAMPLE, instances: [EXAMPLE.instances[0], EXAMPLE.instances[0]] }, /instances .*twice/],
  ['no instance', { ...EXAMPLE, instances: [] }, /The option instances is wrong/],
  ['a directive in a path', { ...EXAMPLE, certificate: '/a; include /etc/passwd' }, /option certificate is wrong/],
  ['a directive in an origin', { ...EXAMPLE, corsOrigins: ['https://a" b'] }, /corsOrigins\.0/],
  ['an unknown option', { ...EXAMPLE, workerz: 2 }, /workerz/],
])('%s is refused with a sentence that names the option', (_what, options, sentence) => {
  expect(() => nginxConfig(options as NginxOptions)).toThrow(sentence)
})

test('each version of Nginx has its form: http2, kept connections, host names that are looked up again', () => {
  const instances = [
    { name: 'a', address: 'gateway-a.sluice.svc:4000' },
    { name: 'b', address: '[::1]:4000' },
    { name: 'c', address: 'unix:/run/c.sock' },
    { name: 'd', address: '10.0.0.1:4000' },
  ]
  const form = (nginx: string, more: Partial<NginxOptions> = {}) =>
    nginxConfig({ ...EXAMPLE, instances, nginx, ...more })
  for (const old of ['1.22', '1.25.0']) {
    expect(form(old)).toContain('listen 443 ssl http2 reuseport')
    expect(form(old)).not.toContain('http2 on;')
    expect(form(old)).toContain(`# For Nginx ${old} and newer ones before 1.25.1,`)
  }
  for (const [newer, before] of [
    ['1.25.1', ' before 1.29.7'],
    ['1.28', ' before 1.29.7'],
    ['1.29.7', ''],
    ['1.31.3', ''],
  ] as const) {
    expect(form(newer)).toContain('listen 443 ssl reuseport')
    expect(form(newer).match(/http2 on;/g)).toHaveLength(1)
    expect(form(newer)).toContain(`# For Nginx ${newer} and newer ones${before}`)
    // In every group: a kept connection would be used for a POST, which cannot be sent twice.
    const groups = form(newer).match(/^ {4}upstream /gm)!.length
    expect(form(newer).match(/^ {8}keepalive 0;/gm)?.length ?? 0).toBe(before === '' ? groups : 0)
  }
  const looked = form('1.27.3', { resolver: ['127.0.0.11', '[::1]:53'] })
  expect(looked).toContain('resolver 127.0.0.11 [::1]:53;')
  const groups = [...looked.matchAll(/^ {4}upstream (\S+) \{\n(.*?)^ {4}\}/gms)]
  for (const [, name, text = ''] of groups) {
    expect(text, name).toContain(`zone ${name} `)
    for (const [line] of text.matchAll(/^ *server .*$/gm)) {
      expect(line.endsWith(' resolve;'), line).toBe(line.includes('gateway-a.'))
    }
  }
  expect(form('1.28')).not.toContain(' resolve;')
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
    const { status, stderr } = spawnSync(findNginx()!, args, {
      encoding: 'utf8',
      env: { ...process.env, ...NGINX_ENV },
    })
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
      ...Array.from({ length: 95 }, (_each, i) => `gateway.${`${i}`.padStart(55, 'a')}`),
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

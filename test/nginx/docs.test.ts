import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { nginxConfig } from '../../deploy/nginx/config.ts'
import { settingsOf } from '../../deploy/nginx/options.ts'

const page = readFileSync('docs/nginx.md', 'utf8')

test('docs/nginx.md has every option, and its example prints', () => {
  const [, example = ''] = /```json\n(.*?)```/s.exec(page) ?? []
  expect(nginxConfig(JSON.parse(example))).toContain('server unix:/run/sluice/gateway-1.sock ')
  const [, table = ''] = /\| option .*?\n\| ---.*?\n((?:\|.*\n)+)/.exec(page) ?? []
  const named = table.split('\n').flatMap((row) => [...(row.split('|')[1] ?? '').matchAll(/`(\w+)`/g)])
  const { form: _derived, ...options } = settingsOf(JSON.parse(example))
  expect(named.map(([, name]) => name).sort()).toEqual(Object.keys(options).sort())
})

test('docs/nginx.md says the figures that the example has', () => {
  const conf = readFileSync('deploy/nginx/nginx.conf', 'utf8')
  expect(conf).toContain('proxy_read_timeout 45s;')
  expect(page).toContain('three heartbeats, 45 seconds')
  expect(conf).toMatch(/worker_connections 19414;\n(?:.*\n)*worker_rlimit_nofile 19926;/)
  expect(page).toContain('with 8600 that is 19,414')
  expect(page).toContain('and 512 for logs and the like: 19,926')
  expect(conf).toContain('worker_shutdown_timeout 70m;')
  expect(page).toContain('after 70 minutes')
  expect(conf).toContain('8600 x 8 KiB = 68 MiB')
  expect(page).toContain('68 MiB a worker of 8600')
})

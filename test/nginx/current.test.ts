/** Nginx as it is today: the other tests run that of this machine, which on Debian 12 is 1.22. */
import { spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { freePorts } from '../../deploy/kafka/probe.ts'
import { nginxConfig } from '../../deploy/nginx/config.ts'
import type { NginxOptions } from '../../deploy/nginx/options.ts'
import { NGINX_ENV, privateFiles } from '../../deploy/nginx/run.ts'
import { currentNginx } from '../../scripts/python.ts'
import { describeNginx } from '../kit/nginx.ts'
import { until } from '../kit/until.ts'
import { startDnsServer } from './dns-server.ts'

const current = currentNginx()
const NAME = 'gateway-a.sluice.test'

/** Answers with its address, at each of some addresses of one port. @returns the port, and who asked from which port */
async function gatewaysAt(...addresses: string[]) {
  const [port] = (await freePorts(1)) as [number]
  const connections: number[] = []
  for (const address of addresses) {
    const server = createServer((request, response) => {
      connections.push(request.socket.remotePort ?? 0)
      request.resume()
      response.end(address)
    })
    await new Promise<void>((resolve) => server.listen(port, address, resolve))
    onTestFinished(() => {
      server.close()
      server.closeAllConnections()
    })
  }
  return { port, connections }
}

const missing = 'there is no current Nginx: npm run test:all installs it, on Linux and x86-64'
const title = 'the current Nginx'
if (current === undefined) describe.skip(`${title} (skipped: ${missing})`, () => test('runs', () => {}))
else {
  process.env.NGINX = current // of this file's process
  describeNginx(title, (nginx) => {
    test('takes every option without a warning', () => {
      const file = join(nginx.home, 'checked.conf')
      const files = privateFiles(nginx.home)
      expect(files.nginx).toMatch(/^1\.(29|[3-9]\d)\./)
      const options: NginxOptions = {
        ...files,
        ...nginx.tls,
        listen: ['127.0.0.1:8443', '8444', '[::1]:8445'],
        instances: [
          ...Array.from({ length: 98 }, (_each, i) => ({
            name: `a.${`${i}`.padStart(61, 'a')}`,
            address: `[::1]:${i + 1}`,
          })),
          { name: 'named', address: 'gateway.sluice.test:4000' },
          { name: 'default', address: 'unix:/run/sluice/default.sock' },
        ],
        resolver: ['127.0.0.1:53', '[::1]'],
        corsOrigins: ['https://shop.example'],
        trustedProxies: ['10.0.0.0/8', '2001:db8::/32'],
      }
      mkdirSync(files.temporary, { recursive: true })
      writeFileSync(file, nginxConfig(options))
      const checked = spawnSync(current, ['-t', '-p', nginx.home, '-e', 'stderr', '-c', file], {
        encoding: 'utf8',
        env: { ...process.env, ...NGINX_ENV },
      })
      expect(checked.stderr).not.toMatch(/warn|emerg|alert/)
      expect(checked.status).toBe(0)
    })

    test('keeps no connection to a gateway, though by default it would', async () => {
      const post = (url: string) => fetch(url, { method: 'POST', body: '{}' }).then((answer) => answer.text())
      const connectionsOf = async (edit?: (config: string) => string) => {
        const { port, connections } = await gatewaysAt('127.0.0.1')
        const instances = [{ name: 'a', address: `127.0.0.1:${port}` }]
        const front = await nginx.start({ instances, workers: 1, ...(edit && { edit }) })
        for (let i = 0; i < 5; i++) await post(front.graphql)
        return new Set(connections).size
      }
      expect(await connectionsOf()).toBe(5)
      expect(await connectionsOf((config) => config.replaceAll(/^ *keepalive 0;\n/gm, ''))).toBeLessThan(5)
    })

    test('follows a gateway to its new address, by the tokens of its streams too', async () => {
      const { port } = await gatewaysAt('127.0.0.2', '127.0.0.3')
      const dns = await startDnsServer('127.0.0.2')
      const instances = [{ name: 'gateway-a', address: `${NAME}:${port}` }]
      const front = await nginx.start({ instances, resolver: [dns.address] })
      const token = `?token=gateway-a.${'x'.repeat(22)}`
      const answers = async (text: string, query: string) =>
        (await (await fetch(front.graphql + query)).text()) === text
      for (const query of ['', token]) await until('the first answers', () => answers('127.0.0.2', query))
      dns.points('127.0.0.3')
      for (const query of ['', token]) await until('the new one answers', () => answers('127.0.0.3', query))
    })
  })
}

/** Over IPv6 all is as over IPv4: listening, the admin port, proxies that are trusted, limits. */
import { EventEmitter } from 'node:events'
import type { Server } from 'node:http'
import { expect, test } from 'vitest'
import { listen } from '../../src/server/listen.ts'
import { startTestGateway } from '../kit/gateway.ts'
import { addressOf } from '../kit/nginx.ts'
import { RawStream } from '../kit/raw-stream.ts'

const QUERY = 'subscription { ordersByRegion(region: EUROPE) { id } }'

test.each([
  ['::1', ['[::1]']],
  ['::', ['[::1]', '127.0.0.1']],
])('a gateway at %s is reached at %j', async (host, places) => {
  const gateway = await startTestGateway({ env: { HOST: host, ADMIN_HOST: host } })
  const at = (url: string, place: string) => `http://${place}:${new URL(url).port}`
  for (const place of places) {
    const stream = await RawStream.subscribe(`${at(gateway.graphql, place)}/graphql`, QUERY)
    await stream.untilBlocks(1)
    const ready = await fetch(`${at(gateway.adminUrl, place)}/readyz`)
    expect([place, ready.status, await ready.text()]).toEqual([place, 200, 'ready\n'])
  }
  await gateway.produce({ region: 'EUROPE' })
  expect(gateway.engine.subscribers).toBe(places.length)
  expect(addressOf(gateway.url)).toBe(`[${host}]:${new URL(gateway.url).port}`)
})

test('a proxy in a trusted range of IPv6 says who the client is', async () => {
  const limits = { MAX_STREAMS_PER_ADDRESS: '1', HOST: '::1' }
  const streamsOf = async (trusted: string, ...clients: string[]) => {
    const gateway = await startTestGateway({ env: { ...limits, TRUSTED_PROXIES: trusted } })
    const statuses: number[] = []
    for (const client of clients) {
      const headers = { accept: 'text/event-stream', 'content-type': 'application/json', 'x-forwarded-for': client }
      const answer = await fetch(gateway.graphql, { method: 'POST', headers, body: JSON.stringify({ query: QUERY }) })
      statuses.push(answer.status)
    }
    return statuses
  }
  const clients = ['2001:db8:1::1', '2001:db8:1::2', '[2001:db8:2::1]:4711', '203.0.113.9'] as const
  // The second is in the network of the first.
  expect(await streamsOf('::/127', ...clients)).toEqual([200, 429, 200, 200])
  expect(await streamsOf('2001:db8::/32', ...clients)).toEqual([200, 429, 429, 429])
})

test('where the kernel has no IPv6, every address is every address of IPv4', async () => {
  class WithoutIpv6 extends EventEmitter {
    readonly hosts: string[] = []
    listen({ host, port }: { host: string; port: number }) {
      this.hosts.push(host)
      const isIpv6 = host.includes(':')
      const error = Object.assign(new Error(`listen EAFNOSUPPORT ${host}:${port}`), { code: 'EAFNOSUPPORT' })
      queueMicrotask(() => (isIpv6 ? this.emit('error', error) : this.emit('listening')))
    }
    address() {
      return { port: 4000 }
    }
  }
  const every = new WithoutIpv6()
  await listen(every as unknown as Server, { host: '::', port: 4000 }, () => {})
  expect(every.hosts).toEqual(['::', '0.0.0.0'])
  const one = new WithoutIpv6()
  await expect(listen(one as unknown as Server, { host: '::1', port: 4000 }, () => {})).rejects.toThrow('EAFNOSUPPORT')
  expect(one.hosts).toEqual(['::1'])
})

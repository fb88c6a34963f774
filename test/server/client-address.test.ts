import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { expect, test } from 'vitest'
import { ClientAddresses } from '../../src/server/client-address.ts'

/** `peer` undefined: on a unix socket. */
function clientOf(trusted: string, peer: string | undefined, forwarded?: string): string {
  const socket = { remoteAddress: peer, destroyed: false }
  const headers = forwarded === undefined ? {} : { 'x-forwarded-for': forwarded }
  return new ClientAddresses(trusted === '' ? [] : trusted.split(',')).of({ socket, headers } as IncomingMessage)
}

test.each([
  ['nobody is trusted: the peer, whatever it says', '', '198.51.100.7', '203.0.113.9', '198.51.100.7'],
  ['a trusted proxy is believed', '10.0.0.1', '10.0.0.1', '203.0.113.9', '203.0.113.9'],
  ['another peer is not', '10.0.0.1', '10.0.0.2', '203.0.113.9', '10.0.0.2'],
  ['a range', '10.0.0.0/8', '10.9.9.9', '203.0.113.9', '203.0.113.9'],
  [
    'what a client made up is to the left of what the proxy wrote',
    '10.0.0.1',
    '10.0.0.1',
    '1.1.1.1, 203.0.113.9',
    '203.0.113.9',
  ],
  ['two trusted proxies in a row', '10.0.0.0/8', '10.0.0.1', '1.1.1.1, 203.0.113.9,10.0.0.2', '203.0.113.9'],
  ['only trusted ones: the first of them', '10.0.0.0/8', '10.0.0.1', '10.0.0.3, 10.0.0.2', '10.0.0.3'],
  ['no header: the proxy itself', '10.0.0.1', '10.0.0.1', undefined, '10.0.0.1'],
  ['nonsense: the proxy that wrote it', '10.0.0.0/8', '10.0.0.1', '203.0.113.9, unknown', '10.0.0.1'],
  ['an empty entry', '10.0.0.1', '10.0.0.1', ' , ', '10.0.0.1'],
  ['with ports', '10.0.0.1', '10.0.0.1', '203.0.113.9:4711', '203.0.113.9'],
  ['IPv6 with a port', '10.0.0.1', '10.0.0.1', '[2001:db8::1]:4711', '2001:db8::1'],
  ['IPv6', '2001:db8::/32', '2001:db8::5', '2001:dead::1', '2001:dead::1'],
  ['IPv4 on a socket of both kinds', '10.0.0.0/8', '::ffff:10.0.0.1', '::ffff:203.0.113.9', '203.0.113.9'],
  ['a unix socket that is not trusted', '10.0.0.1', undefined, '203.0.113.9', 'unix'],
  ['one that is', 'unix', undefined, '203.0.113.9', '203.0.113.9'],
  ['a client cannot name itself unix', 'unix', '198.51.100.7', 'unix', '198.51.100.7'],
])('%s', (_what, trusted, peer, forwarded, client) => {
  expect(clientOf(trusted, peer, forwarded)).toBe(client)
})

test('a TCP peer that has gone is not taken for one on a unix socket', () => {
  const request = { socket: { remoteAddress: undefined, destroyed: true }, headers: { 'x-forwarded-for': '1.1.1.1' } }
  expect(new ClientAddresses(['unix']).of(request as unknown as IncomingMessage)).toBe('gone')
})

test.each([
  ['a client counts by its address', '', '198.51.100.7', '198.51.100.7'],
  ['of IPv6 by its network of 64 bits', '', '2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
  ['which is the same for its other addresses', '', '2001:db8:1:2::9', '2001:db8:1:2::/64'],
  ['also where zeros are left out in front of it', '', '2001:db8::9', '2001:db8:0:0::/64'],
  ['the loopback address', '', '::1', '0:0:0:0::/64'],
  ['a link-local address with its interface', '', 'fe80::1%eth0', 'fe80:0:0:0::/64'],
  ['IPv4 on a socket of both kinds', '', '::ffff:198.51.100.7', '198.51.100.7'],
  ['a trusted proxy has the clients of all', '10.0.0.0/8', '10.9.9.9', undefined],
  ['so does a unix socket', '', undefined, undefined],
])('a connection is counted: %s', (_what, trusted, peer, source) => {
  const addresses = new ClientAddresses(trusted === '' ? [] : trusted.split(','))
  expect(addresses.ofConnection({ remoteAddress: peer } as Socket)).toBe(source)
})

import type { IncomingMessage } from 'node:http'
import { expect, test } from 'vitest'
import { acceptedCodings } from '../../src/protocol/content-coding.ts'

const accepted = (header: string | undefined) =>
  acceptedCodings({ headers: { 'accept-encoding': header } } as IncomingMessage)
const GZIP = { prefersGzip: true, acceptsPlain: true }
const PLAIN = { prefersGzip: false, acceptsPlain: true }

test.each([
  ['gzip', GZIP],
  ['gzip, deflate, br, zstd', GZIP],
  ['GZip', GZIP],
  ['x-gzip', GZIP],
  ['*', GZIP],
  ['br;q=1, *;q=0.5', GZIP],
  ['identity;q=0.5, gzip;q=0.5', GZIP],
  ['gzip;q=0.1', GZIP],
  ['gzip;q=0.5, identity', PLAIN],
  ['identity', PLAIN],
  ['br, deflate', PLAIN],
  ['gzip;q=0', PLAIN],
  ['*;q=0.3, gzip;q=0', PLAIN],
  ['', PLAIN],
  [undefined, PLAIN],
  ['gzip, identity;q=0', { prefersGzip: true, acceptsPlain: false }],
  ['gzip, *;q=0', { prefersGzip: true, acceptsPlain: false }],
  ['br, identity;q=0', { prefersGzip: false, acceptsPlain: false }],
  ['*;q=0', { prefersGzip: false, acceptsPlain: false }],
  ['gzip;q=nonsense', PLAIN],
  [`gzip, ${'x'.repeat(300)}`, PLAIN],
])('accept-encoding: %s', (header, wanted) => {
  expect(accepted(header)).toEqual(wanted)
})

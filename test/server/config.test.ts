import { describe, expect, test } from 'vitest'
import { ConfigError, readConfig } from '../../src/config.ts'
import { INSTANCE_NAME } from '../../src/instance-name.ts'
import { MAX_EVENT_BYTES } from '../../src/streams/topic/decode.ts'

function complaint(environment: Record<string, string>): string {
  try {
    readConfig(environment)
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError)
    return (error as Error).message
  }
  throw new Error('The configuration was taken for valid')
}

test('nothing set is a gateway on 4000 with the embedded log and 20 demo orders a second', () => {
  expect(readConfig({})).toMatchObject({
    PORT: 4000,
    HOST: '127.0.0.1',
    ADMIN_PORT: 4001,
    DEMO_RATE: 20,
    WINDOW_BYTES: 64 * 1024 * 1024,
    HEARTBEAT_MS: 15_000,
    INSTANCE_ID: expect.stringMatching(INSTANCE_NAME),
  })
  expect(readConfig({}).KAFKA_BROKERS).toBeUndefined()
})

test('the limit of a value is by default that of Kafka, and that of the streams', () => {
  expect(readConfig({}).MAX_EVENT_BYTES).toBe(1_048_588)
  expect(MAX_EVENT_BYTES).toBe(1_048_588)
})

test('an empty variable is an absent one', () => {
  expect(readConfig({ PORT: '', KAFKA_BROKERS: '' })).toMatchObject({ PORT: 4000 })
})

test('lists are separated by commas, with or without spaces', () => {
  const config = readConfig({ KAFKA_BROKERS: 'a:9092, b:9093,[::1]:9094', CORS_ORIGINS: 'https://a , https://b' })
  expect(config.KAFKA_BROKERS).toEqual(['a:9092', 'b:9093', '[::1]:9094'])
  expect(config.CORS_ORIGINS).toEqual(['https://a', 'https://b'])
})

test('trusted proxies are addresses, ranges and unix', () => {
  const config = readConfig({ TRUSTED_PROXIES: '10.0.0.0/8, 192.0.2.1, ::1, 2001:db8::/32, unix' })
  expect(config.TRUSTED_PROXIES).toEqual(['10.0.0.0/8', '192.0.2.1', '::1', '2001:db8::/32', 'unix'])
})

describe('an invalid value is one line: the variable, what it wants, and what it got', () => {
  test.each([
    ['PORT', 'http', 'PORT wants a whole number from 0 to 65535, and got "http"'],
    ['PORT', '65536', 'PORT wants a whole number from 0 to 65535, and got "65536"'],
    ['PORT', '-1', 'PORT wants a whole number from 0 to 65535, and got "-1"'],
    ['PORT', '4000.5', 'PORT wants a whole number from 0 to 65535, and got "4000.5"'],
    ['ADMIN_PORT', ' 1', 'ADMIN_PORT wants a whole number from 0 to 65535, and got " 1"'],
    ['KAFKA_BROKERS', 'kafka', 'KAFKA_BROKERS wants host:port, or several separated by commas, and got "kafka"'],
    ['KAFKA_BROKERS', 'a:1,,b', 'KAFKA_BROKERS wants host:port, or several separated by commas, and got "a:1,,b"'],
    ['KAFKA_BROKERS', ',', 'KAFKA_BROKERS wants host:port, or several separated by commas, and got ","'],
    ['KAFKA_SSL', 'yes', 'KAFKA_SSL wants true or false, and got "yes"'],
    ['KAFKA_SSL_CA', '/no/such.pem', 'KAFKA_SSL_CA wants the path of a readable PEM file, and got "/no/such.pem"'],
    [
      'KAFKA_SASL_MECHANISM',
      'gssapi',
      'KAFKA_SASL_MECHANISM wants one of plain, scram-sha-256, scram-sha-512, and got "gssapi"',
    ],
    ['DEMO_RATE', 'fast', 'DEMO_RATE wants orders a second, from 0 to 20000, and got "fast"'],
    ['DEMO_RATE', '20001', 'DEMO_RATE wants orders a second, from 0 to 20000, and got "20001"'],
    ['INSTANCE_ID', 'A b', 'INSTANCE_ID wants 1 to 63 of a-z 0-9 - and, in between, dots, and got "A b"'],
    ['WINDOW_BYTES', '1', 'WINDOW_BYTES wants a whole number from 65536 to 17179869184, and got "1"'],
    ['MAX_EVENT_BYTES', '1MB', 'MAX_EVENT_BYTES wants a whole number from 1024 to 67108864, and got "1MB"'],
    ['MAX_EVENT_BYTES', '1023', 'MAX_EVENT_BYTES wants a whole number from 1024 to 67108864, and got "1023"'],
    ['HEARTBEAT_MS', '15s', 'HEARTBEAT_MS wants a whole number from 100 to 600000, and got "15s"'],
    ['MAX_STREAMS', '0', 'MAX_STREAMS wants a whole number from 1 to 1000000, and got "0"'],
    ['STREAM_MAX_AGE_MS', '1h', 'STREAM_MAX_AGE_MS wants a whole number from 0 to 604800000, and got "1h"'],
    ['DRAIN_MS', '-1', 'DRAIN_MS wants a whole number from 0 to 3600000, and got "-1"'],
    ...[
      '10.0.0',
      '10.0.0.0/33',
      '::1/129',
      '10.0.0.1/',
      'unix:',
      'proxy.local',
      '10.0.0.1/8/8',
      '10.0.0.1;10.0.0.2',
    ].map((value): [string, string, string] => [
      'TRUSTED_PROXIES',
      value,
      `TRUSTED_PROXIES wants addresses, ranges such as 10.0.0.0/8, or unix, separated by commas, and got "${value}"`,
    ]),
    ['LOG_LEVEL', 'loud', 'LOG_LEVEL wants one of trace, debug, info, warn, error, fatal, silent, and got "loud"'],
  ])('%s=%s', (name, value, message) => {
    expect(complaint({ [name]: value })).toBe(message)
  })

  test('a line break in a value does not make two lines of it', () => {
    expect(complaint({ PORT: '1\n2' })).toBe('PORT wants a whole number from 0 to 65535, and got "1\\n2"')
  })

  test('all of them are told at once, a line each', () => {
    const lines = complaint({ HEARTBEAT_MS: 'x', PORT: 'y', KAFKA_BROKERS: 'a:1,b,c', KAFKA_SSL_KEY: 'package.json' })
    expect(lines.split('\n')).toEqual([
      'PORT wants a whole number from 0 to 65535, and got "y"',
      'KAFKA_BROKERS wants host:port, or several separated by commas, and got "a:1,b,c"',
      'HEARTBEAT_MS wants a whole number from 100 to 600000, and got "x"',
      'KAFKA_SSL_CERT and KAFKA_SSL_KEY want each other: a client certificate has both',
    ])
  })

  test('a long value is cut, and neither a key nor a password in a URL is shown', () => {
    expect(complaint({ PORT: 'x'.repeat(10_000) }).length).toBeLessThan(300)
    expect(complaint({ KAFKA_SSL_KEY: '-----BEGIN PRIVATE KEY-----\nhunter2', KAFKA_SSL_CERT: 'package.json' })).toBe(
      'KAFKA_SSL_KEY wants the path of a readable PEM file, and got a PEM text',
    )
    expect(complaint({ KAFKA_BROKERS: 'kafka://me:hunter2@broker' })).not.toContain('hunter2')
  })
})

describe('what belongs together is wanted together', () => {
  test('a SASL mechanism wants a user name and a password, and no password is shown', () => {
    const message = complaint({ KAFKA_SASL_MECHANISM: 'plain', KAFKA_SASL_PASSWORD: 'hunter2' })
    expect(message).toBe('KAFKA_SASL_MECHANISM wants KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD beside it')
  })

  test('a client certificate wants its key', () => {
    expect(complaint({ KAFKA_SSL_CERT: 'package.json' })).toBe(
      'KAFKA_SSL_CERT and KAFKA_SSL_KEY want each other: a client certificate has both',
    )
  })
})

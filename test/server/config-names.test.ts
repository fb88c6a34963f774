import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ConfigError, configWarnings, readConfig, VARIABLES } from '../../src/config.ts'

type Environment = Record<string, string>

/** The lines of what is wrong; none if it is valid. */
function problems(environment: Environment, options = {}): readonly string[] {
  try {
    readConfig(environment, options)
    return []
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError)
    expect((error as ConfigError).message).toBe((error as ConfigError).problems.join('\n'))
    return (error as ConfigError).problems
  }
}

const NO_LOG =
  'Production wants a log to serve: KAFKA_BROKERS with the brokers, or DEMO_RATE above 0 for made-up orders from memory'
const production = (environment: Environment = {}): Environment => ({
  NODE_ENV: 'production',
  ANONYMOUS: 'true',
  ...environment,
})

describe('in production nothing is made up', () => {
  test.each<[Environment, readonly string[]]>([
    [{}, [NO_LOG]],
    [{ KAFKA_BROKERS: '' }, [NO_LOG]],
    [{ DEMO_RATE: '0' }, [NO_LOG]],
    [{ DEMO_RATE: '0.0' }, [NO_LOG]],
    [{ DEMO_RATE: '20' }, []],
    [{ DEMO_RATE: '0.5' }, []],
    [{ KAFKA_BROKERS: 'a:9092' }, []],
    [{ KAFKA_BROKERS: 'a:9092', DEMO_RATE: '0' }, []],
    [{ KAFKA_BROKER: 'a:9092' }, [NO_LOG, 'KAFKA_BROKER is no variable of this gateway: is KAFKA_BROKERS meant?']],
    [
      { KAFKA_BROKER: 'a:9092', DEMO_RATE: '20' },
      ['KAFKA_BROKER is no variable of this gateway: is KAFKA_BROKERS meant?'],
    ],
    [
      { KAFKA_BROKERS: 'a:9092', KAFKA_SSL_CCA: 'ca.pem', WINDOW_BYTE: '1' },
      ['KAFKA_SSL_CCA is no variable of this gateway: is KAFKA_SSL_CA meant?'],
    ],
    [{ KAFKA_BROKERS: 'a:9092', KAFKA_BROKER: 'of another program' }, []],
  ])('%j', (environment, lines) => {
    expect(problems(production(environment))).toEqual(lines)
  })

  test('a log that is handed over needs no variable', () => {
    expect(problems(production({ DEMO_RATE: '0' }), { embedded: true })).toEqual([])
  })

  test('elsewhere demo orders are the default, and a misspelt name is a warning', () => {
    for (const NODE_ENV of [undefined, '', 'development', 'test', 'Production']) {
      const environment = { KAFKA_BROKER: 'a:9092', ...(NODE_ENV !== undefined && { NODE_ENV }) }
      expect(readConfig(environment).DEMO_RATE).toBe(20)
      expect(configWarnings(environment)).toHaveLength(1)
    }
  })
})

describe('names that look like ours are named', () => {
  test.each([
    ['KAFKA_BROKER', 'KAFKA_BROKERS'],
    ['KAFKA_BORKERS', 'KAFKA_BROKERS'],
    ['kafka_brokers', 'KAFKA_BROKERS'],
    ['KAFKA-BROKERS', 'KAFKA_BROKERS'],
    ['KAFKA_BOOTSTRAP_SERVERS', 'KAFKA_BROKERS'],
    ['KAKFA_BROKERS', 'KAFKA_BROKERS'],
    ['SLUICE_KAFKA_BROKERS', 'KAFKA_BROKERS'],
    ['KAFKA_SASL_USER', 'KAFKA_SASL_USERNAME'],
    ['KAFKA_PASSWORD', 'KAFKA_SASL_PASSWORD'],
    ['WINDOW_BYTE', 'WINDOW_BYTES'],
    ['MAX_STREAM', 'MAX_STREAMS'],
    ['SLUICE_PORT', 'PORT'],
    ['Port', 'PORT'],
    ['TRUSTED_PROXY', undefined],
    ['ADMIN_HSOT', 'ADMIN_HOST'],
    ['HEARTBEAT', undefined],
    ['HEARTBEATS_MS', 'HEARTBEAT_MS'],
    ['CORS_ORIGIN', 'CORS_ORIGINS'],
  ])('%s: %s', (name, meant) => {
    const expected = meant === undefined ? [] : [`${name} is no variable of this gateway: is ${meant} meant?`]
    expect(configWarnings({ [name]: 'value' })).toEqual(expected)
    // It is another program's, where ours is set beside it.
    if (meant !== undefined) expect(configWarnings({ [name]: 'value', [meant]: 'value' })).toEqual([])
  })

  test('what begins as ours of Kafka do is named too', () => {
    const warnings = configWarnings({ KAFKA_TOPIC_NAMES: 'a', KAFKA_TIMEOUT: '1' })
    expect(warnings).toEqual([
      'KAFKA_TOPIC_NAMES is no variable of this gateway: README.md has all of them',
      'KAFKA_TIMEOUT is no variable of this gateway: README.md has all of them',
    ])
  })

  test('a name with a line break is one line', () => {
    expect(configWarnings({ 'KAFKA\nBROKERS': 'a' })[0]).toBe(
      '"KAFKA\\nBROKERS" is no variable of this gateway: is KAFKA_BROKERS meant?',
    )
  })

  test('variables that other software sets are none of them', () => {
    const others = {
      ...{
        PATH: '/bin',
        HOME: '/',
        HOSTNAME: 'a',
        HOSTTYPE: 'x',
        PWD: '/',
        LANG: 'C',
        POST: '1',
        PORTS: '1',
        SORT: '1',
      },
      ...{ npm_config_port: '1', npm_package_name: 'sluice', NODE_OPTIONS: '', NODE_VERSION: '24', LISTEN_FDS: '1' },
      ...{ KAFKAJS_NO_PARTITIONER_WARNING: '1', SLUICE_LONG: '1', SLUICE_CACHE: '/tmp', LISTEN_PID: '1' },
      // Of Kubernetes, for services named kafka, kafka-brokers, sluice and admin-host.
      ...{ KAFKA_PORT: 'tcp://10.0.0.1:9092', KAFKA_SERVICE_HOST: '10.0.0.1', KAFKA_SERVICE_PORT: '9092' },
      ...{ KAFKA_SERVICE_PORT_TCP_CLIENT: '9092', KAFKA_PORT_9092_TCP: 'tcp://10.0.0.1:9092' },
      ...{ KAFKA_PORT_9092_TCP_PROTO: 'tcp', KAFKA_PORT_9092_TCP_ADDR: '10.0.0.1', KAFKA_PORT_9092_TCP_PORT: '9092' },
      ...{ KAFKA_BROKERS_SERVICE_HOST: '10.0.0.1', KAFKA_BROKERS_PORT: 'tcp://10.0.0.1:9092' },
      ...{ SLUICE_PORT: 'tcp://10.0.0.1:4000', SLUICE_SERVICE_HOST: '10.0.0.1', SLUICE_SERVICE_PORT_HTTP: '4000' },
      ...{ ADMIN_HOST_PORT: 'tcp://10.0.0.1:1', ADMIN_HOST_SERVICE_HOST: '10.0.0.1', KUBERNETES_PORT: 'tcp://a:1' },
      // Of Docker's links, and of a broker's own image.
      ...{ KAFKA_NAME: '/app/kafka', KAFKA_ENV_KAFKA_VERSION: '4' },
      ...{ KAFKA_HOME: '/opt', KAFKA_OPTS: '-D', KAFKA_HEAP_OPTS: '-Xmx1g', KAFKA_JMX_PORT: '1', KAFKA_BROKER_ID: '1' },
      ...{ KAFKA_ADVERTISED_LISTENERS: 'a', KAFKA_CFG_NODE_ID: '1', KAFKA_NODE_ID: '1', KAFKA_LOG4J_OPTS: 'x' },
    }
    expect(configWarnings(others)).toEqual([])
    expect(problems(production({ KAFKA_BROKERS: 'a:1', ...others }))).toEqual([])
    expect(configWarnings(process.env as Environment)).toEqual([])
  })
})

describe('PORT and ADMIN_PORT', () => {
  const line = (port: number) => `PORT and ADMIN_PORT want different ports on the same host, and both got ${port}`
  test.each<[Environment, number | undefined]>([
    [{ PORT: '4001' }, 4001],
    [{ ADMIN_PORT: '4000' }, 4000],
    [{ PORT: '80', ADMIN_PORT: '080' }, 80],
    [{ PORT: '80', ADMIN_PORT: '80', HOST: '0.0.0.0' }, 80],
    [{ PORT: '80', ADMIN_PORT: '80', ADMIN_HOST: '::' }, 80],
    [{ PORT: '80', ADMIN_PORT: '80', HOST: '::1', ADMIN_HOST: '0:0:0:0:0:0:0:1' }, 80],
    [{ PORT: '80', ADMIN_PORT: '80', HOST: 'localhost' }, 80],
    [{ PORT: '80', ADMIN_PORT: '80', HOST: 'Gateway.', ADMIN_HOST: 'gateway' }, 80],
    [{ PORT: '80', ADMIN_PORT: '80', HOST: '10.0.0.1' }, undefined],
    [{ PORT: '80', ADMIN_PORT: '80', HOST: '0.0.0.0', ADMIN_HOST: '::1' }, undefined],
    [{ PORT: '0', ADMIN_PORT: '0' }, undefined],
    [{ PORT: '80', ADMIN_PORT: '80', LISTEN_SOCKET: '/run/a.sock' }, undefined],
  ])('%j: %s', (environment, port) => {
    expect(problems(environment)).toEqual(port === undefined ? [] : [line(port)])
  })
})

/** Of each variable, values that are good and that are not, whatever the others are. */
const VALUES: Record<string, { good: string[]; bad: string[] }> = {
  PORT: { good: ['0', '4001', '65535'], bad: ['http', '65536', '-1', '1.5', ' 1'] },
  ADMIN_PORT: { good: ['0', '2', '65534'], bad: ['x', '99999'] },
  ADMIN_HOSTS: { good: ['a', 'a.b, c'], bad: ['a:1', 'a b', '*'] },
  KAFKA_BROKERS: { good: ['a:1', 'a:1, b:2'], bad: ['a', 'a:1,b', ',', 'kafka://a'] },
  KAFKA_SSL: { good: ['true', 'false'], bad: ['yes', '1'] },
  KAFKA_RACK: { good: ['eu-west-1a'], bad: ['x'.repeat(250)] },
  KAFKA_SSL_CA: { good: ['package.json'], bad: ['/no/such', '\u0000', '/'] },
  KAFKA_SSL_CERT: { good: ['package.json'], bad: ['/no/such'] },
  KAFKA_SSL_KEY: { good: ['package.json'], bad: ['/no/such'] },
  KAFKA_SASL_MECHANISM: { good: ['plain', 'scram-sha-256'], bad: ['gssapi', 'PLAIN'] },
  KAFKA_SASL_USERNAME: { good: ['me'], bad: [] },
  KAFKA_SASL_PASSWORD: { good: ['secret-word'], bad: [] },
  DEMO_RATE: { good: ['0', '20', '0.5'], bad: ['fast', '20001', '-1'] },
  DEMO_SEED: { good: ['1'], bad: ['x', '4294967296'] },
  INSTANCE_ID: { good: ['a-1', 'a.b.c', 'x'.repeat(63)], bad: ['A', '.a', 'a.', 'a..b', 'a_b', 'a\n', 'x'.repeat(64)] },
  WINDOW_BYTES: { good: ['65536'], bad: ['1', '64KB'] },
  MAX_EVENT_BYTES: { good: ['1024', '67108864'], bad: ['1023', '1MB', '67108865'] },
  WINDOW_MAX_AGE_MS: { good: ['1000'], bad: ['1h'] },
  CURSOR_VERSION: { good: ['1', '2'], bad: ['3'] },
  REPLAY_EVENTS_PER_SECOND: { good: ['100'], bad: ['99'] },
  HEARTBEAT_MS: { good: ['100'], bad: ['15s'] },
  MAX_STREAMS: { good: ['1'], bad: ['0'] },
  MAX_CONNECTIONS: { good: ['1'], bad: ['0', 'many'] },
  MAX_CONNECTIONS_PER_ADDRESS: { good: ['1'], bad: ['0'] },
  STREAM_MAX_AGE_MS: { good: ['0'], bad: ['1h'] },
  DRAIN_MS: { good: ['0'], bad: ['-1'] },
  TRUSTED_PROXIES: { good: ['10.0.0.0/8, unix'], bad: ['10.0.0.0/33', 'proxy.local'] },
  CORS_ORIGINS: {
    good: ['*', 'https://a.example, capacitor://localhost', '*,http://[::1]:3000'],
    bad: ['null', 'a.example', 'https://a.example/', 'https://a.example/x'],
  },
  COMPRESSION: { good: ['on', 'anonymous', 'off'], bad: ['true'] },
  LOG_LEVEL: { good: ['info'], bad: ['loud'] },
  AUTH_JWKS_URL: {
    good: ['https://a.example/jwks.json', 'http://a/@x'],
    bad: ['a.example', 'ftp://a.example', 'https://u:p@a.example'],
  },
  AUTH_KEY_FILE: { good: ['package.json'], bad: ['/no/such/file'] },
  AUTH_ISSUER: { good: ['https://a.example'], bad: [] },
  AUTH_AUDIENCE: { good: ['a, b'], bad: [' , '] },
  AUTH_ALGORITHMS: { good: ['RS256, ES256'], bad: ['none', 'RS256,rs256'] },
  AUTH_CLOCK_TOLERANCE_MS: { good: ['0'], bad: ['5s', '60001'] },
  AUTH_COOKIE: { good: ['session'], bad: ['a b', 'a=b'] },
  API_KEYS_FILE: { good: ['keys.json'], bad: [] },
  ANONYMOUS: { good: ['true', 'false'], bad: ['yes'] },
  TICKET_SECRET: { good: ['x'.repeat(32)], bad: ['x'.repeat(31)] },
  INTROSPECTION: { good: ['true', 'false'], bad: ['on'] },
  GRAPHIQL: { good: ['true', 'false'], bad: ['on'] },
  LIVE_MAP: { good: ['true', 'false'], bad: ['on'] },
  ANONYMOUS_SCOPES: { good: ['orders:write', 'a, b'], bad: ['a b', '"'] },
  PERSISTED_OPERATIONS: { good: ['off', 'allowed', 'only'], bad: ['on'] },
  PERSISTED_OPERATIONS_FILE: { good: ['operations.json'], bad: [] },
  CONTROL_TOPIC: { good: ['control'], bad: ['a b', 'x'.repeat(250)] },
  CORS_HEADERS: { good: ['x-a, x-b'], bad: ['a b'] },
  MAX_STREAMS_PER_PRINCIPAL: { good: ['1'], bad: ['0'] },
  MAX_STREAMS_PER_ADDRESS: { good: ['1'], bad: ['0'] },
  NEW_STREAMS_PER_PRINCIPAL: { good: ['1'], bad: ['0'] },
  NEW_STREAMS_PER_ADDRESS: { good: ['1'], bad: ['0'] },
  MAX_GROUPS: { good: ['1'], bad: ['0'] },
  MAX_GROUPS_PER_PRINCIPAL: { good: ['1'], bad: ['0'] },
  USAGE_TOPIC: { good: ['usage'], bad: ['a b'] },
  USAGE_INTERVAL_MS: { good: ['1000'], bad: ['1'] },
  AUDIT_LOG: { good: ['true', 'false'], bad: ['on'] },
  HOST: { good: ['0.0.0.0'], bad: [] },
  ADMIN_HOST: { good: ['127.0.0.1'], bad: [] },
  LISTEN_SOCKET: { good: ['/run/a.sock'], bad: [] },
}

/** What may be set: each variable not, empty, well or badly; with misspelt names and any others beside them. */
const environments = fc
  .record({
    ours: fc.record(
      Object.fromEntries(
        Object.entries(VALUES).map(([name, { good, bad }]) => {
          const set = (values: string[], isBad: boolean) =>
            fc.constantFrom(...values.map((value) => ({ value, isBad })))
          const chances = [
            { weight: 24, arbitrary: fc.constant(undefined) },
            { weight: 1, arbitrary: set([''], false) },
            { weight: 8, arbitrary: set(good, false) },
            ...(bad.length > 0 ? [{ weight: 1, arbitrary: set(bad, true) }] : []),
          ]
          return [name, fc.oneof(...chances)]
        }),
      ),
    ),
    misspelt: fc.oneof(
      fc.constant<string[]>([]),
      fc.subarray(['KAFKA_BROKER', 'KAFKA_SSL_CCA', 'WINDOW_BYTE', 'SLUICE_DRAIN_MS', 'KAFKA_SASL_PASSWROD']),
    ),
    others: fc.dictionary(fc.oneof(fc.string(), fc.constantFrom('__proto__', 'constructor', 'toString')), fc.string()),
    isProduction: fc.boolean(),
  })
  .map(({ ours, misspelt, others, isProduction }) => {
    const own = Object.entries(ours).filter((entry): entry is [string, { value: string; isBad: boolean }] => !!entry[1])
    const environment: Environment = {
      ...others,
      ...Object.fromEntries(misspelt.map((name) => [name, 'any'])),
      ...Object.fromEntries(own.map(([name, { value }]) => [name, value])),
      ...(isProduction && { NODE_ENV: 'production' }),
    }
    const bad = own.filter(([, { isBad }]) => isBad).map(([name]) => name)
    return { environment, bad, misspelt, isProduction }
  })

test('of any environment every bad variable is named in one line, and nothing else is thrown', () => {
  expect(Object.keys(VALUES).sort()).toEqual([...VARIABLES].sort())
  const seen = { valid: 0, noLog: 0, noGate: 0, bad: 0, together: 0, misspeltErrors: 0, warnings: 0, samePorts: 0 }
  fc.assert(
    fc.property(environments, ({ environment, bad, misspelt, isProduction }) => {
      const lines = problems(environment)
      for (const name of bad) {
        const naming = lines.filter((line) => new RegExp(`(?<![A-Z_])${name}(?![A-Z_])`).test(line))
        expect(naming).toHaveLength(1)
        expect(naming[0]).toMatch(new RegExp(`^${name} wants .+, and got `))
      }
      for (const line of lines) expect(line).not.toMatch(/[\n\r]|secret-word/)
      const has = (name: string) => Boolean(environment[name])
      const isDemo = has('DEMO_RATE') && Number(environment.DEMO_RATE) !== 0
      const noLog = isProduction && !has('KAFKA_BROKERS') && !isDemo
      expect(lines.includes(NO_LOG)).toBe(noLog)
      const hasGate = ['AUTH_JWKS_URL', 'AUTH_KEY_FILE', 'API_KEYS_FILE', 'ANONYMOUS'].some(has)
      const noGate = isProduction && !hasGate
      expect(lines.filter((line) => line.startsWith('Production wants to know who gets in: '))).toHaveLength(
        Number(noGate),
      )
      const misses = misspelt.filter((name) => configWarnings(environment).some((line) => line.startsWith(`${name} `)))
      const errors = misses.filter((name) => isProduction && name.startsWith('KAFKA_'))
      for (const name of errors) expect(lines.filter((line) => line.startsWith(`${name} `))).toHaveLength(1)
      const together = lines.filter((line) => / (want|exclude) each other| beside it$/.test(line)).length
      const samePorts = lines.filter((line) => line.startsWith('PORT and')).length
      expect(lines).toHaveLength(bad.length + Number(noLog) + Number(noGate) + errors.length + together + samePorts)
      if (lines.length === 0) seen.valid++
      if (noLog) seen.noLog++
      if (noGate) seen.noGate++
      seen.bad += bad.length
      seen.together += together
      seen.samePorts += samePorts
      seen.misspeltErrors += errors.length
      seen.warnings += misses.length - errors.length
    }),
    { numRuns: 3_000 },
  )
  console.log(seen)
  for (const count of Object.values(seen)) expect(count).toBeGreaterThan(20)
})

test('of variables with any values nothing else is thrown', () => {
  const any = fc.dictionary(
    fc.constantFrom(...VARIABLES, 'NODE_ENV'),
    fc.oneof(fc.string(), fc.string({ unit: 'binary' })),
  )
  fc.assert(
    fc.property(any, (environment) => {
      for (const line of problems(environment)) expect(line).not.toContain('\n')
      configWarnings(environment)
    }),
    { numRuns: 500 },
  )
})

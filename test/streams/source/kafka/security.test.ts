import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Broker, ListenerProtocol } from '../../../../deploy/kafka/broker.ts'
import { runProgram } from '../../../../deploy/kafka/install.ts'
import { createKafka } from '../../../../src/streams/source/kafka/kafka.ts'
import type { KafkaOptions, SaslOptions } from '../../../../src/streams/source/kafka/options.ts'
import { SourceUnavailable } from '../../../../src/streams/source/port.ts'
import { describeKafka, startOwnBroker, type TestKafka } from '../../../kit/kafka.ts'
import { fetchRecords, valuesOf } from '../fetch-contract.ts'
import { eventually, from, Recorder } from '../port-contract.ts'

const PLAIN = 'org.apache.kafka.common.security.plain.PlainLoginModule'
const SCRAM = 'org.apache.kafka.common.security.scram.ScramLoginModule'
/** kafkajs authenticates anew 10 s before the end of a session; brokers take it ill more often than once a second. */
const SESSION_MS = 11_500
const plain: SaslOptions = { mechanism: 'plain', username: 'sluice', password: 'secret' }

describeKafka(
  'Kafka with access control',
  () => {
    let broker: Broker
    let kafka: TestKafka
    let stop: (() => Promise<void>) | undefined
    let certificates: Awaited<ReturnType<typeof makeCertificates>> | undefined
    const pem = () => certificates as NonNullable<typeof certificates>

    beforeAll(async () => {
      certificates = await makeCertificates()
      const { authority, server, serverKey } = certificates
      const started = await startOwnBroker({
        listeners: ['SASL_PLAINTEXT', 'SSL', 'SASL_SSL'],
        properties: {
          'sasl.enabled.mechanisms': 'PLAIN,SCRAM-SHA-256,SCRAM-SHA-512',
          'listener.name.sasl_plaintext.plain.sasl.jaas.config': `${PLAIN} required user_sluice="secret";`,
          'listener.name.sasl_plaintext.scram-sha-256.sasl.jaas.config': `${SCRAM} required;`,
          'listener.name.sasl_plaintext.scram-sha-512.sasl.jaas.config': `${SCRAM} required;`,
          'listener.name.sasl_plaintext.scram-sha-512.connections.max.reauth.ms': String(SESSION_MS),
          'listener.name.sasl_ssl.sasl.enabled.mechanisms': 'PLAIN',
          'listener.name.sasl_ssl.plain.sasl.jaas.config': `${PLAIN} required user_sluice="secret";`,
          'listener.name.ssl.ssl.client.auth': 'required',
          'ssl.keystore.type': 'PEM',
          'ssl.keystore.certificate.chain': server,
          'ssl.keystore.key': serverKey,
          'ssl.truststore.type': 'PEM',
          'ssl.truststore.certificates': authority,
          'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
          'super.users': 'User:ANONYMOUS', // the plaintext listener's, for the test itself
        },
        format: ['256', '512'].flatMap((bits) => ['--add-scram', `SCRAM-SHA-${bits}=[name=sluice,password=secret]`]),
      })
      ;({ broker, kafka, stop } = started)
      // What docs/kafka.md says that the gateway needs, and no more.
      for (const principal of ['User:sluice', 'User:CN=gateway']) {
        await allow(principal, ['--operation', 'Read', '--operation', 'Describe', '--topic', 'test-'])
      }
    })
    afterAll(async () => {
      certificates?.remove()
      await stop?.()
    })

    const allow = async (principal: string, what: string[]) => {
      const args = ['--bootstrap-server', broker.brokers, '--add', '--allow-principal', principal]
      const { code, stdout, stderr } = await broker.run('org.apache.kafka.tools.AclCommand', [
        ...args,
        ...what,
        '--resource-pattern-type',
        'prefixed',
      ])
      if (code !== 0) throw new Error(stdout + stderr)
    }
    const connect = (protocol: ListenerProtocol, options: Pick<KafkaOptions, 'ssl' | 'sasl'>) =>
      createKafka({ brokers: [broker.address(protocol)], clientId: 'security', log: () => {}, ...options })

    test('a topic that this user may not create, or see, is not to be had, and the reason is a sentence', async () => {
      const log = connect('SASL_PLAINTEXT', { sasl: plain })
      try {
        const refused = (reason: string) => new SourceUnavailable(`Kafka does not permit this user to ${reason}`)
        await expect(log.ensureTopic('test-control')).rejects.toThrow(refused('create the topic'))
        await expect(log.ensureTopic('sluice-control')).rejects.toThrow(refused('read the topic'))
      } finally {
        await log.close()
      }
    })

    const ways: { name: string; protocol: ListenerProtocol; options: () => Pick<KafkaOptions, 'ssl' | 'sasl'> }[] = [
      { name: 'SASL/PLAIN', protocol: 'SASL_PLAINTEXT', options: () => ({ sasl: plain }) },
      {
        name: 'SASL/SCRAM-SHA-256',
        protocol: 'SASL_PLAINTEXT',
        options: () => ({ sasl: { ...plain, mechanism: 'scram-sha-256' } }),
      },
      {
        name: 'SASL/SCRAM-SHA-512',
        protocol: 'SASL_PLAINTEXT',
        options: () => ({ sasl: { ...plain, mechanism: 'scram-sha-512' } }),
      },
      {
        name: 'TLS with a client certificate',
        protocol: 'SSL',
        options: () => ({ ssl: { ca: pem().authority, cert: pem().client, key: pem().clientKey } }),
      },
      {
        name: 'TLS and SASL/PLAIN',
        protocol: 'SASL_SSL',
        options: () => ({ ssl: { ca: pem().authority }, sasl: plain }),
      },
    ]
    for (const { name, protocol, options } of ways) {
      test(`reading works by ${name}, with the rights that are documented`, async () => {
        const topic = await kafka.createTopic(1)
        await kafka.produce(topic, [{ value: 'a' }])
        const log = connect(protocol, options())
        try {
          expect(await log.source.ranges(topic)).toEqual([{ partition: 0, earliest: 0, next: 1 }])
          const reader = new Recorder(log.source, from(topic, { 0: 0 }))
          await reader.until(() => reader.values(0)[0] === 'a')
          expect(reader.state).toEqual({ kind: 'reading' })
          await reader.stop()
          expect(valuesOf((await fetchRecords(log.source, topic, 0)).records)).toEqual(['a'])
        } finally {
          await log.close()
        }
      })
    }

    test('many fetches at once are had while authentication is renewed again and again', async () => {
      const topic = await kafka.createTopic(1)
      await kafka.produce(topic, [{ value: 'a' }, { value: 'b' }])
      const log = connect('SASL_PLAINTEXT', { sasl: { ...plain, mechanism: 'scram-sha-512' } })
      let fetches = 0
      const readFor = async (ms: number, offset: number) => {
        for (const end = Date.now() + ms; Date.now() < end; fetches++) {
          expect(valuesOf((await fetchRecords(log.source, topic, offset)).records)).toEqual(['a', 'b'].slice(offset))
        }
      }
      try {
        await Promise.all([0, 1, 0, 1, 0].map((offset) => readFor(5_000, offset)))
        expect(fetches).toBeGreaterThan(50)
      } finally {
        await log.close()
      }
    })

    test('writing needs the right to write, and no other', async () => {
      const topic = await kafka.createTopic(1, { label: 'dead' })
      const log = connect('SASL_PLAINTEXT', { sasl: plain })
      try {
        await expect(log.sink.send(topic, [{ key: null, value: 'a' }])).rejects.toThrow(SourceUnavailable)
        await allow('User:sluice', ['--operation', 'Write', '--topic', 'dead-'])
        await eventually(() => log.sink.send(topic, [{ key: null, value: 'b' }]))
      } finally {
        await log.close()
      }
      const reader = new Recorder(
        createKafka({ brokers: [broker.brokers], clientId: 'security', log: () => {} }).source,
        from(topic, { 0: 0 }),
      )
      await reader.until(() => reader.records.length > 0)
      await reader.stop()
      expect(reader.values(0)).toEqual(['b'])
    })

    test('a wrong password is said to be one, and reading goes on being tried', async () => {
      const topic = await kafka.createTopic(1)
      const log = connect('SASL_PLAINTEXT', { sasl: { ...plain, password: 'wrong' } })
      try {
        await expect(log.source.ranges(topic)).rejects.toThrow(/authentication/i)
        await expect(fetchRecords(log.source, topic, 0)).rejects.toThrow(/authentication/i)
        const reader = new Recorder(log.source, from(topic, { 0: 0 }))
        const waits = () =>
          reader.states.some((state) => state.kind === 'waiting' && /authentication/i.test(state.reason))
        await reader.until(waits)
        await reader.stop()
      } finally {
        await log.close()
      }
    })

    test('a broker whose certificate is from another authority is not trusted', async () => {
      const log = connect('SASL_SSL', { ssl: true, sasl: plain })
      await expect(log.source.ranges('test-any')).rejects.toThrow(/certificate/)
      await expect(fetchRecords(log.source, 'test-any', 0)).rejects.toThrow(/certificate/)
      await log.close()
    })
  },
  { ownBroker: true },
)

/** An authority, a server's certificate for 127.0.0.1 and a client's for `CN=gateway`, all in PEM. */
async function makeCertificates() {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-certificates-'))
  const file = (name: string) => join(folder, name)
  const openssl = async (...args: string[]) => {
    const { code, stderr } = await runProgram('openssl', args, { timeoutMs: 30_000 })
    if (code !== 0) throw new Error(stderr)
  }
  const request = (name: string, subject: string) =>
    ['-newkey', 'rsa:2048', '-nodes', '-keyout', file(`${name}.key`), '-subj', subject] as const
  const made = ['-out', file('ca.pem'), '-days', '2']
  await openssl('req', '-x509', ...request('ca', '/CN=authority'), ...made)
  writeFileSync(file('server.ext'), 'subjectAltName=IP:127.0.0.1')
  writeFileSync(file('client.ext'), 'extendedKeyUsage=clientAuth')
  for (const [name, subject] of Object.entries({ server: '/CN=127.0.0.1', client: '/CN=gateway' })) {
    await openssl('req', ...request(name, subject), '-out', file(`${name}.csr`))
    const authority = ['-CA', file('ca.pem'), '-CAkey', file('ca.key'), '-CAcreateserial', '-days', '2']
    const signed = ['-in', file(`${name}.csr`), '-out', file(`${name}.pem`), '-extfile', file(`${name}.ext`)]
    await openssl('x509', '-req', ...signed, ...authority)
  }
  const read = (name: string) => readFileSync(file(name), 'utf8')
  return {
    authority: read('ca.pem'),
    server: read('server.pem'),
    serverKey: read('server.key'),
    client: read('client.pem'),
    clientKey: read('client.key'),
    remove: () => rmSync(folder, { recursive: true }),
  }
}

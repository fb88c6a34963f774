import kafkajs, { type AclEntry } from 'kafkajs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Broker } from '../../deploy/kafka/broker.ts'
import { silentServer } from '../kit/bad-brokers.ts'
import { describeKafka, startOwnBroker, type TestKafka } from '../kit/kafka.ts'
import { type Ended, folderOf, sluice } from './sluice.ts'

const { AclOperationTypes, AclPermissionTypes, AclResourceTypes, Kafka, logLevel, ResourcePatternTypes } = kafkajs
const PLAIN = 'org.apache.kafka.common.security.plain.PlainLoginModule'
const PASSWORD = 'not-to-be-printed'
/** One more than a cursor names. */
const TOO_MANY = 257

interface Finding {
  readonly kind: string
  readonly subject: string
  readonly text: string
}

/** A gateway of these topics: name → more options of `defineTopic`, as source text. */
const gatewayOf = (topics: Readonly<Record<string, string>>) => `
import { createBuilder, defineGateway, defineTopic } from 'SRC/index.ts'
import { z } from 'SRC/../node_modules/zod/index.js'
const schema = z.object({ id: z.string() })
const topics = [
${Object.entries(topics)
  .map(([name, more]) => `  defineTopic('${name}', { schema, ${more} }),`)
  .join('\n')}
]
const builder = createBuilder()
builder.queryType({ fields: (t) => ({ one: t.int({ resolve: () => 1 }) }) })
export default defineGateway({ schema: builder.toSchema(), topics })
`

describeKafka(
  'sluice check --connect, at a broker with access control',
  () => {
    let broker: Broker
    let kafka: TestKafka
    let stop: (() => Promise<void>) | undefined

    beforeAll(async () => {
      const started = await startOwnBroker({
        listeners: ['SASL_PLAINTEXT'],
        properties: {
          'sasl.enabled.mechanisms': 'PLAIN',
          'listener.name.sasl_plaintext.plain.sasl.jaas.config': `${PLAIN} required user_sluice="${PASSWORD}";`,
          'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
          'super.users': 'User:ANONYMOUS', // the plaintext listener's, for the test itself
        },
      })
      ;({ broker, kafka, stop } = started)
      const topics = ['open-orders', 'seen', 'hidden', 'open-table', 'open-letters', 'seen-letters']
      await Promise.all(topics.map((topic) => kafka.createTopicNamed(topic, 2)))
      await kafka.createTopicNamed('open-wide', TOO_MANY)
      await kafka.produce('open-orders', [
        { partition: 0, value: '{"id":"a"}' },
        { partition: 1, value: '{"id":"SECRET' },
        { partition: 1, value: null },
      ])
      const { READ, WRITE, DESCRIBE, DESCRIBE_CONFIGS } = AclOperationTypes
      const admin = new Kafka({ brokers: [broker.brokers], logLevel: logLevel.NOTHING }).admin()
      await admin.connect()
      await admin.createAcls({
        acl: [
          ...allow('open-', ResourcePatternTypes.PREFIXED, [READ, DESCRIBE, DESCRIBE_CONFIGS]),
          ...allow('open-letters', ResourcePatternTypes.LITERAL, [WRITE]),
          ...allow('seen', ResourcePatternTypes.PREFIXED, [DESCRIBE]),
        ],
      })
      await admin.disconnect()
    }, 120_000)
    afterAll(() => stop?.())

    const allow = (name: string, pattern: number, operations: readonly number[]) =>
      operations.map(
        (operation): AclEntry => ({
          resourceType: AclResourceTypes.TOPIC,
          resourceName: name,
          resourcePatternType: pattern,
          principal: 'User:sluice',
          host: '*',
          operation,
          permissionType: AclPermissionTypes.ALLOW,
        }),
      )
    const check = async (topics: Readonly<Record<string, string>>, env: Readonly<Record<string, string>> = {}) => {
      const ended = await sluice(['check', '--connect', '--json'], {
        cwd: folderOf({ 'gateway.ts': gatewayOf(topics) }),
        env: {
          KAFKA_BROKERS: broker.address('SASL_PLAINTEXT'),
          KAFKA_SASL_MECHANISM: 'plain',
          KAFKA_SASL_USERNAME: 'sluice',
          KAFKA_SASL_PASSWORD: PASSWORD,
          ...env,
        },
      })
      return { ...ended, findings: findingsOf(ended) }
    }
    const findingsOf = ({ out, err }: Ended): Finding[] => {
      expect(err).toBe('')
      return (JSON.parse(out) as { findings: Finding[] }).findings
    }
    const of = (findings: readonly Finding[], topic: string, kind = 'problem') =>
      findings
        .filter((each) => each.kind === kind && each.subject.startsWith(`topic "${topic}"`))
        .map(({ text }) => text)

    test('each topic is told by itself: its rights, its partitions, its settings, and what its records are', async () => {
      const { code, findings, out } = await check({
        hidden: '',
        seen: '',
        'not-there': '',
        'open-wide': '',
        'open-table': "key: 'id', table: true",
        'open-orders': "deadLetterTopic: 'seen-letters'",
        'open-letters': '',
      })
      expect(code).toBe(1)
      expect(of(findings, 'hidden')).toEqual([expect.stringContaining('does not permit this user')])
      expect(of(findings, 'not-there')).toEqual([expect.stringContaining('does not permit this user')])
      expect(of(findings, 'seen')).toContainEqual(expect.stringContaining('READ'))
      expect(of(findings, 'open-wide')).toEqual([`It has ${TOO_MANY} partitions: a cursor names 256 at most`])
      expect(of(findings, 'open-table')).toEqual([expect.stringContaining('is not compacted')])
      expect(of(findings, 'open-orders')).toEqual([
        expect.stringMatching(/^1 of the 3 newest records are events \(33\.3 %\), 1 without a value are skipped$/),
        expect.stringMatching(/^1 × .* \(such as partition 1, offset 0\)$/),
      ])
      expect(of(findings, 'seen-letters')).toEqual(['This user may not write to it: it needs WRITE'])
      expect(of(findings, 'open-letters', 'ok')).toContain('2 partitions')
      expect(of(findings, 'open-table', 'ok')).toContain('2 partitions')
      expect(out).not.toContain('SECRET')
      expect(out).not.toContain(PASSWORD)
    }, 120_000)

    test('dead letters that may be written, and a topic that may be read, are in order', async () => {
      const { code, findings } = await check({ 'open-table': "deadLetterTopic: 'open-letters'" })
      expect(findings.filter(({ kind }) => kind === 'problem')).toEqual([])
      expect(of(findings, 'open-letters', 'ok')).toEqual(['It can be written to'])
      expect(code).toBe(0)
    }, 120_000)

    test('a wrong password is a sentence, without the password', async () => {
      const { code, findings, out } = await check({ 'open-orders': '' }, { KAFKA_SASL_PASSWORD: 'wrong-one' })
      expect(code).toBe(1)
      expect(of(findings, 'open-orders')).toEqual([expect.stringMatching(/authentic|credentials|password/i)])
      expect(out).not.toContain('wrong-one')
    }, 120_000)

    test('a broker that is silent ends with a sentence for each topic', async () => {
      const silent = await silentServer()
      try {
        const { code, findings } = await check({ 'open-orders': '', seen: '' }, { KAFKA_BROKERS: silent.address })
        expect(code).toBe(1)
        expect(of(findings, 'open-orders')).toEqual([expect.stringContaining(silent.address)])
        expect(of(findings, 'seen')).toEqual([expect.stringContaining(silent.address)])
      } finally {
        await silent.close()
      }
    }, 120_000)
  },
  { ownBroker: true },
)

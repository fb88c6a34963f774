import type { TopicPlan } from '../plan/plan.ts'
import { documentOf } from './document.ts'
import { exampleOf } from './example.ts'
import { literal, quoted } from './text.ts'

/** `test/NAME.test.ts`: an event of the topic on a gateway without Kafka. */
export function testSource(plan: TopicPlan): string {
  const { record, event, selection } = exampleOf(plan)
  return `import assert from 'node:assert/strict'
import { test } from 'node:test'
import { testGateway } from 'sluice/testing'
import gateway from '../gateway.ts'
import * as topics from '../topics/${plan.file}.ts'

/** Made up from the shape of the topic's records: no value of theirs is in it. */
const record: unknown = ${literal(record)}

const event = ${literal(event)}

const DOCUMENT = /* GraphQL */ \`
${documentOf(`subscription { ${plan.field} ${selection} }`, '  ')}
\`

test(${quoted(`a record of the topic ${plan.topic} is an event of ${plan.field}`)}, async () => {
  await using running = await testGateway(gateway)
  const events = await running.subscribe(DOCUMENT)
  await running.produce(topics.${plan.constant}, record)
  const [result] = await events.take(1)
  assert.deepEqual(result, { data: { ${plan.field}: event } })
})
`
}

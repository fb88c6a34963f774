import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { wrongImports } from '../../scripts/check-imports.ts'

const allowed: [file: string, source: string][] = [
  ['src/resolvers/orders.ts', `import { builder } from '../schema/types/builder.ts'`],
  ['src/schema/types/order.ts', `import type { Order } from '../../streams/topics/orders.ts'`],
  ['src/schema/builder.ts', `import SchemaBuilder from '@pothos/core'`],
  ['src/streams/source/kafka/kafkajs.ts', `import { Kafka } from 'kafkajs'\nimport { port } from '../port.ts'`],
  ['src/streams/topic/decode.ts', `import type { StreamEvent } from '../event.ts'`],
  ['src/streams/feed/feed.ts', `import { decode } from '../topic/decode.ts'`],
  ['src/delivery/group/group.ts', `import { execute } from 'graphql'\nimport { codes } from '../../errors/codes.ts'`],
  ['src/delivery/group/group.ts', `import { Replay } from '../replay/replay.ts'`],
  ['src/delivery/engine.ts', `import { Group } from './group/group.ts'`],
  ['src/transport/distinct.ts', `import type { ServerResponse } from 'node:http'`],
  ['src/transport/single/stream.ts', `import { open } from '../stream-sockets.ts'`],
  [
    'src/gateway.ts',
    `import { kafka } from './streams/source/kafka/kafka.ts'\nimport { serve } from './server/http.ts'`,
  ],
  ['src/main.ts', `import { runGateway } from './cli/run-gateway.ts'`],
  ['src/resolvers/orders.ts', `import { SluiceError } from 'sluice'`],
]
test.each(allowed)('%s may import what is upstream: %s', (file, source) => {
  expect(wrongImports(file, source)).toEqual([])
})

const refused: [file: string, source: string][] = [
  ['src/streams/feed/feed.ts', `import { builder } from '../../schema/types/builder.ts'`],
  ['src/streams/feed/feed.ts', `import type { Group } from '../../delivery/group/group.ts'`],
  ['src/streams/feed/feed.ts', `export { group } from '../../delivery/group/group.ts'`],
  ['src/streams/feed/feed.ts', `export * from '../../delivery/group/group.ts'`],
  ['src/streams/feed/feed.ts', `const group = await import('../../delivery/group/group.ts')`],
  ['src/streams/feed/feed.ts', `import { Kafka } from 'kafkajs'`],
  ['src/streams/feed/feed.ts', `import { streams } from '../streams.ts'`],
  ['src/streams/feed/feed.ts', `import { formatError } from '../../errors/format.ts'`],
  ['src/streams/feed/feed.ts', `import { explain } from '../source/kafka/failures.ts'`],
  ['src/streams/source/kafka/reader.ts', `import type { Batch } from 'kafkajs'`],
  ['src/streams/source/kafka/reader.ts', `const Batch = require('kafkajs/src/consumer/batch')`],
  ['src/streams/source/kafka/reader.ts', `import type { Topic } from '../../topic/topic.ts'`],
  ['src/streams/cursor/cursor.ts', `import type { Topic } from '../topic/topic.ts'`],
  ['src/streams/topic/decode.ts', `import type { Window } from '../feed/window.ts'`],
  ['src/streams/topics/orders.ts', `import type { Feed } from '../feed/feed.ts'`],
  ['src/streams/feed/feed.ts', `import { GraphQLError } from 'graphql'`],
  ['src/streams/source/kafka/kafka.ts', `import { createServer } from 'node:http'`],
  ['src/schema/builder.ts', `import { root } from '../resolvers/orders.ts'`],
  ['src/schema/builder.ts', `import { orders } from '../streams/topics/orders.ts'`],
  ['src/resolvers/orders.ts', `import { Kafka } from 'kafkajs'`],
  ['src/protocol/event-stream.ts', `import { Group } from '../delivery/group/group.ts'`],
  ['src/protocol/event-stream.ts', `import type { ServerResponse } from 'node:http'`],
  ['src/delivery/group/group.ts', `import type { ServerResponse } from 'node:http'`],
  ['src/delivery/group/group.ts', `import { admit } from '../../admission/admit.ts'`],
  ['src/delivery/group/group.ts', `import type { Engine } from '../engine.ts'`],
  ['src/delivery/replay/replay.ts', `import type { Group } from '../group/group.ts'`],
  ['src/delivery/render/renderer.ts', `import type { History } from '../replay/history.ts'`],
  ['src/admission/admit.ts', `import { open } from '../transport/distinct.ts'`],
  ['src/transport/distinct.ts', `import { kafka } from '../streams/source/kafka/kafka.ts'`],
  ['src/server/yoga.ts', `import { feed } from '../demo/feed.ts'`],
  ['src/demo/feed.ts', `import { builder } from '../schema/types/builder.ts'`],
  ['src/config.ts', `import { feed } from './streams/feed/feed.ts'`],
  ['src/gateway.ts', `import { broker } from '../test/kit/kafka.ts'`],
  ['src/gateway.ts', `import { print } from '../scripts/print-schema.ts'`],
  ['src/main.ts', `import { feed } from './streams/feed/feed.ts'`],
  ['src/resolvers/orders.ts', `import { feed } from '../streams/feed/feed.ts'`],
  ['src/resolvers/orders.ts', `import { SluiceError } from '../errors/codes.ts'`],
  ['src/gateway.ts', `import { schema } from './resolvers/schema.ts'`],
  ['src/index.ts', `export { orders } from './streams/topics/orders.ts'`],
  ['src/cli/start.ts', `import { ordersGateway } from '../orders-gateway.ts'`],
  ['src/server/pages/pages.ts', `import { defineTopic } from 'sluice'`],
  ['src/drawer/things.ts', `export const one = 1`],
  ['examples/client/src/orders.ts', `import { gateway } from '../../../src/gateway.ts'`],
]
test.each(refused)('%s is refused: %s', (file, source) => {
  expect(wrongImports(file, source)).toHaveLength(1)
})

test('the command fails, and names the file, when one import goes the wrong way', () => {
  const root = mkdtempSync(join(tmpdir(), 'imports-'))
  try {
    mkdirSync(join(root, 'src/streams/topics'), { recursive: true })
    writeFileSync(join(root, 'src/streams/topics/orders.ts'), `import { one } from '../../server/http.ts'\n`)
    const run = () =>
      execFileSync(process.execPath, ['scripts/check-imports.ts', root], { encoding: 'utf8', stdio: 'pipe' })
    expect(run).toThrow(
      'src/streams/topics/orders.ts imports src/server/http.ts: src/streams/topics may import no other folder',
    )
  } finally {
    rmSync(root, { recursive: true })
  }
})

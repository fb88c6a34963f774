import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { wrongImports } from '../../scripts/check-imports.ts'

const allowed: [file: string, source: string][] = [
  ['src/resolvers/orders.ts', `import { builder } from '../schema/builder.ts'`],
  ['src/schema/types/order.ts', `import type { Order } from '../../streams/topics/orders.ts'`],
  ['src/schema/builder.ts', `import SchemaBuilder from '@pothos/core'`],
  ['src/streams/kafka.ts', `import { Kafka } from 'kafkajs'\nimport { port } from './port.ts'`],
  ['src/delivery/group.ts', `import { execute } from 'graphql'\nimport { codes } from '../errors.ts'`],
  ['src/transport/distinct.ts', `import type { ServerResponse } from 'node:http'`],
  ['src/gateway.ts', `import { kafka } from './streams/kafka.ts'\nimport { serve } from './server/http.ts'`],
  ['src/main.ts', `import { gateway } from './gateway.ts'\nimport { config } from './config.ts'`],
]
test.each(allowed)('%s may import what is upstream: %s', (file, source) => {
  expect(wrongImports(file, source)).toEqual([])
})

const refused: [file: string, source: string][] = [
  ['src/streams/feed.ts', `import { builder } from '../schema/builder.ts'`],
  ['src/streams/feed.ts', `import type { Group } from '../delivery/group.ts'`],
  ['src/streams/feed.ts', `export { group } from '../delivery/group.ts'`],
  ['src/streams/feed.ts', `export * from '../delivery/group.ts'`],
  ['src/streams/feed.ts', `const group = await import('../delivery/group.ts')`],
  ['src/streams/feed.ts', `import { Kafka } from 'kafkajs'`],
  ['src/streams/kafka-reader.ts', `import type { Batch } from 'kafkajs'`],
  ['src/streams/kafka-reader.ts', `const Batch = require('kafkajs/src/consumer/batch')`],
  ['src/streams/feed.ts', `import { GraphQLError } from 'graphql'`],
  ['src/streams/kafka.ts', `import { createServer } from 'node:http'`],
  ['src/schema/builder.ts', `import { root } from '../resolvers/orders.ts'`],
  ['src/resolvers/orders.ts', `import { Kafka } from 'kafkajs'`],
  ['src/delivery/group.ts', `import type { ServerResponse } from 'node:http'`],
  ['src/delivery/group.ts', `import { admit } from '../admission/admit.ts'`],
  ['src/admission/admit.ts', `import { open } from '../transport/distinct.ts'`],
  ['src/transport/distinct.ts', `import { kafka } from '../streams/kafka.ts'`],
  ['src/server/yoga.ts', `import { feed } from '../demo/feed.ts'`],
  ['src/demo/feed.ts', `import { builder } from '../schema/builder.ts'`],
  ['src/config.ts', `import { feed } from './streams/feed.ts'`],
  ['src/gateway.ts', `import { broker } from '../test/kit/kafka.ts'`],
  ['src/gateway.ts', `import { print } from '../scripts/print-schema.ts'`],
  ['src/main.ts', `import { feed } from './streams/feed.ts'`],
  ['src/drawer/things.ts', `export const one = 1`],
  ['examples/client/src/orders.ts', `import { gateway } from '../../../src/gateway.ts'`],
]
test.each(refused)('%s is refused: %s', (file, source) => {
  expect(wrongImports(file, source)).toHaveLength(1)
})

test('the command fails, and names the file, when one import goes the wrong way', () => {
  const root = mkdtempSync(join(tmpdir(), 'imports-'))
  try {
    mkdirSync(join(root, 'src/streams'), { recursive: true })
    writeFileSync(join(root, 'src/streams/feed.ts'), `import { one } from '../server/http.ts'\n`)
    const run = () =>
      execFileSync(process.execPath, ['scripts/check-imports.ts', root], { encoding: 'utf8', stdio: 'pipe' })
    expect(run).toThrow('src/streams/feed.ts imports src/server/http.ts: src/streams may import no other folder')
  } finally {
    rmSync(root, { recursive: true })
  }
})

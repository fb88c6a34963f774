import { defineConfig } from 'vitest/config'

const long = process.env.SLUICE_LONG === '1'

export default defineConfig({
  // Tests must see the copy of graphql that Node gives to externalised dependencies (Yoga, Pothos), or
  // `instanceof GraphQLSchema` fails between them: the conditions of Node's own `import`, in Node's order.
  ssr: { resolve: { conditions: ['node', 'module-sync', 'module', 'import', 'default'] } },
  test: {
    environment: 'node',
    include: [long ? 'test/**/*.long.test.ts' : 'test/**/*.test.ts'],
    exclude: long ? [] : ['test/**/*.long.test.ts'],
    globalSetup: ['test/kit/kafka-global-setup.ts'],
    // Real brokers, gateways and sockets on two cores: more workers than cores only make each other late.
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: long ? 600_000 : 60_000,
    hookTimeout: 120_000, // a broker's first start formats its storage
    teardownTimeout: 30_000,
    restoreMocks: true,
  },
})

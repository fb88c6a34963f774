import { defineConfig } from 'vitest/config'

const long = process.env.SLUICE_LONG === '1'
const tests = long ? '*.long.test.ts' : '*.test.ts'
const exclude = long ? [] : ['test/**/*.long.test.ts']

/** A source of this project, by the name of the library's own package: Node does this by `exports`, Vite does not. */
const source = (path: string) => new URL(path, import.meta.url).pathname

export default defineConfig({
  resolve: {
    alias: [
      { find: /^sluice$/, replacement: source('./src/index.ts') },
      { find: /^sluice\/testing$/, replacement: source('./src/testing.ts') },
    ],
  },
  // Tests must see the copy of graphql that Node gives to externalised dependencies (Yoga, Pothos), or
  // `instanceof GraphQLSchema` fails between them: the conditions of Node's own `import`, in Node's order.
  ssr: { resolve: { conditions: ['node', 'module-sync', 'import', 'default'] } },
  test: {
    environment: 'node',
    pool: 'forks',
    testTimeout: long ? 600_000 : 60_000,
    hookTimeout: 120_000, // a broker's first start formats its storage
    teardownTimeout: 30_000,
    restoreMocks: true,
    projects: [
      {
        extends: true,
        test: {
          name: 'tests',
          include: [`test/**/${tests}`],
          exclude: [...exclude, 'test/soak/soak.*'],
          globalSetup: ['test/kit/kafka-global-setup.ts'],
          // One more than the cores that the suite is made for: many files wait for brokers most of their time.
          maxWorkers: 3,
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: {
          name: 'soak',
          include: [`test/soak/soak.${tests.slice(2)}`],
          exclude,
          // It bounds how late events are, so nothing else may run beside it.
          maxWorkers: 1,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
})

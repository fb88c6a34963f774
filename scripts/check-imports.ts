/**
 * The direction of imports: `npm run check` runs this. What is downstream may import what is upstream, never the other
 * way; only `src/gateway.ts` sees everything. Type imports count: they are knowledge too.
 *
 * A rule of your own is one line in the table below.
 */
import { globSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { parseSync } from 'oxc-parser'

const KAFKA = ['kafkajs']
const HTTP = ['node:http', 'node:https', 'node:http2', 'graphql-yoga', 'graphql-sse', 'negotiator', 'raw-body']
const POTHOS = ['@pothos/*']
const GRAPHQL = ['graphql', 'graphql-*', '@graphql-*', ...POTHOS]

/** What every room of the streams may import: the words they share, and how long a turn of the event loop may be. */
const STREAMS_BASE = ['src/streams/event.ts', 'src/streams/turn-budget.ts']

/** What rooms downstream of the streams may see of them: neither the topics of this gateway, nor Kafka's side. */
const STREAMS = [
  ...STREAMS_BASE,
  'src/streams/cursor',
  'src/streams/source/port.ts',
  'src/streams/topic',
  'src/streams/filter',
  'src/streams/feed',
  'src/streams/table',
  'src/streams/throttle',
  'src/streams/publish',
  'src/streams/streams.ts',
]

/** Rooms of the orders gateway, which has the library's public names: it is its first user, and no part of it. */
const APPLICATION = [
  'src/resolvers',
  'src/schema/types',
  'src/streams/topics',
  'src/demo',
  'src/orders-gateway.ts',
  'src/main.ts',
]

/** What the library's composition root and its commands see: all of it but the application. */
const LIBRARY = [
  'src/admin.ts',
  'src/admission',
  'src/assets.ts',
  'src/cli',
  'src/config-gate.ts',
  'src/data-log.ts',
  'src/definition.ts',
  'src/delivery',
  'src/errors',
  'src/gate.ts',
  'src/gateway.ts',
  'src/kafka-log.ts',
  'src/log.ts',
  'src/protocol',
  'src/schema',
  'src/server',
  'src/shutdown.ts',
  'src/streams',
  'src/testing',
  'src/transport',
  'src/version.ts',
]

/** They have the public API, and each is itself alone. */
const BROWSER_EXAMPLE = { may: ['examples/shared'], not: [...KAFKA, ...HTTP.filter((name) => name !== 'graphql-sse')] }

const NEGOTIATION = { may: [], not: [...KAFKA, ...GRAPHQL, 'graphql-yoga', 'graphql-sse', 'raw-body'] }

/**
 * What a folder or file may import of the project, and which packages it must not. The most specific row holds; rooms
 * are in the order in which data flows.
 */
const RULES: Record<string, { may: string[]; not: string[] }> = {
  'src/config.ts': {
    may: ['src/config-names.ts', 'src/config-gate.ts', 'src/config-formats.ts', 'src/instance-name.ts'],
    not: [...KAFKA, ...HTTP, ...GRAPHQL],
  },
  'src/config-gate.ts': { may: ['src/config-formats.ts'], not: [...KAFKA, ...HTTP, ...GRAPHQL] },
  'src/config-formats.ts': { may: [], not: [...KAFKA, ...HTTP, ...GRAPHQL] },
  'src/config-names.ts': { may: [], not: [...KAFKA, ...HTTP, ...GRAPHQL] },
  'src/instance-name.ts': { may: [], not: [...KAFKA, ...HTTP, ...GRAPHQL] },
  'src/errors': { may: [], not: [...KAFKA, ...HTTP, ...POTHOS] },
  'src/errors/codes.ts': { may: [], not: [...KAFKA, ...HTTP, ...GRAPHQL] },

  'src/version.ts': { may: [], not: [...KAFKA, ...HTTP, ...GRAPHQL] },
  'src/memory': { may: [], not: [...KAFKA, ...HTTP, ...GRAPHQL] },

  'src/streams': { may: [], not: [...KAFKA, ...HTTP, ...GRAPHQL] },
  'src/streams/event.ts': { may: [], not: [...KAFKA, ...HTTP, ...GRAPHQL] },
  'src/streams/turn-budget.ts': { may: [], not: [...KAFKA, ...HTTP, ...GRAPHQL] },
  'src/streams/cursor': { may: STREAMS_BASE, not: [...KAFKA, ...HTTP, ...GRAPHQL] },
  'src/streams/source': {
    may: [...STREAMS_BASE, 'src/streams/cursor'],
    not: [...KAFKA, ...HTTP, ...GRAPHQL],
  },
  // The only file that imports kafkajs.
  'src/streams/source/kafka/kafkajs.ts': {
    may: [...STREAMS_BASE, 'src/streams/cursor', 'src/streams/source'],
    not: [...HTTP, ...GRAPHQL],
  },
  'src/streams/topic': {
    may: [
      ...STREAMS_BASE,
      'src/streams/cursor',
      'src/streams/source/port.ts',
      // How decimals and times compare.
      'src/streams/filter/decimal.ts',
      'src/streams/filter/instant.ts',
    ],
    not: [...KAFKA, ...HTTP, ...GRAPHQL],
  },
  'src/streams/filter/decimal.ts': { may: [], not: [...KAFKA, ...HTTP, ...GRAPHQL] },
  'src/streams/filter/instant.ts': { may: [], not: [...KAFKA, ...HTTP, ...GRAPHQL] },
  'src/streams/filter': { may: [...STREAMS_BASE, 'src/streams/topic'], not: [...KAFKA, ...HTTP, ...GRAPHQL] },
  'src/streams/feed': {
    may: [...STREAMS_BASE, 'src/streams/cursor', 'src/streams/source', 'src/streams/topic', 'src/streams/filter'],
    not: [...KAFKA, ...HTTP, ...GRAPHQL],
  },
  'src/streams/table': {
    may: [
      'src/errors/codes.ts',
      ...STREAMS_BASE,
      'src/streams/cursor',
      'src/streams/source/port.ts',
      'src/streams/topic',
      'src/streams/feed',
    ],
    not: [...KAFKA, ...HTTP, ...GRAPHQL],
  },
  'src/streams/throttle': {
    may: [...STREAMS_BASE, 'src/streams/cursor'],
    not: [...KAFKA, ...HTTP, ...GRAPHQL],
  },
  'src/streams/publish': {
    may: [...STREAMS_BASE, 'src/streams/cursor', 'src/streams/source/port.ts', 'src/streams/topic', 'src/streams/feed'],
    not: [...KAFKA, ...HTTP, ...GRAPHQL],
  },
  'src/streams/topics': { may: [], not: [...KAFKA, ...HTTP, ...GRAPHQL] },

  'src/schema': { may: ['src/errors', ...STREAMS], not: [...KAFKA, ...HTTP] },
  'src/schema/types': { may: ['src/streams/topics'], not: [...KAFKA, ...HTTP] },
  'src/resolvers': { may: ['src/streams/topics', 'src/schema/types'], not: [...KAFKA, ...HTTP] },

  'src/protocol': { may: [], not: [...KAFKA, ...HTTP, ...GRAPHQL] },
  // Request headers are what these are about; of node:http they take the type of a request.
  'src/protocol/content-coding.ts': NEGOTIATION,
  'src/protocol/accept.ts': {
    ...NEGOTIATION,
    may: [...NEGOTIATION.may, 'src/protocol/media-type.ts', 'src/protocol/multipart-accept.ts'],
  },

  // The engine, above its rooms.
  'src/delivery': {
    may: ['src/errors', ...STREAMS, 'src/schema', 'src/protocol'],
    not: [...KAFKA, ...HTTP, ...POTHOS],
  },
  // What is counted of the work: the counters themselves.
  'src/delivery/counts': { may: [], not: [...KAFKA, ...HTTP, ...POTHOS] },
  // What a transport implements.
  'src/delivery/outlet.ts': { may: [], not: [...KAFKA, ...HTTP, ...GRAPHQL] },
  'src/delivery/operation': { may: ['src/errors', ...STREAMS, 'src/schema'], not: [...KAFKA, ...HTTP, ...POTHOS] },
  'src/delivery/frames': { may: [...STREAMS, 'src/protocol'], not: [...KAFKA, ...HTTP, ...GRAPHQL] },
  'src/delivery/throttle': {
    may: ['src/errors', ...STREAMS, 'src/schema'],
    not: [...KAFKA, ...HTTP, ...GRAPHQL],
  },
  'src/delivery/render': {
    may: [
      'src/delivery/counts',
      'src/errors',
      ...STREAMS,
      'src/schema',
      'src/protocol/json-line.ts',
      'src/delivery/operation',
      'src/delivery/frames',
      'src/delivery/throttle',
    ],
    not: [...KAFKA, ...HTTP, ...POTHOS],
  },
  'src/delivery/replay': {
    may: [
      'src/delivery/counts',
      'src/errors',
      ...STREAMS,
      'src/schema',
      'src/protocol',
      'src/delivery/outlet.ts',
      'src/delivery/operation',
      'src/delivery/frames',
      'src/delivery/throttle',
      'src/delivery/render',
    ],
    not: [...KAFKA, ...HTTP, ...GRAPHQL],
  },
  'src/delivery/table': {
    may: [
      'src/errors',
      ...STREAMS,
      'src/schema',
      'src/protocol',
      'src/delivery/operation',
      'src/delivery/frames',
      'src/delivery/render',
      'src/delivery/replay',
    ],
    not: [...KAFKA, ...HTTP, ...GRAPHQL],
  },
  'src/delivery/group': {
    may: [
      'src/delivery/counts',
      'src/delivery/table',
      'src/errors',
      ...STREAMS,
      'src/schema',
      'src/protocol',
      'src/delivery/outlet.ts',
      'src/delivery/operation',
      'src/delivery/frames',
      'src/delivery/render',
      'src/delivery/replay',
    ],
    not: [...KAFKA, ...HTTP, ...POTHOS],
  },

  'src/admission': {
    may: ['src/errors', ...STREAMS, 'src/schema', 'src/protocol', 'src/delivery/operation', 'src/delivery/outlet.ts'],
    not: [...KAFKA, ...POTHOS],
  },
  'src/transport': {
    may: ['src/errors', ...STREAMS, 'src/schema', 'src/protocol', 'src/delivery', 'src/admission'],
    not: [...KAFKA, ...POTHOS],
  },
  // Streams that carry several operations know the sockets; nobody beside the server knows them.
  'src/transport/single': {
    may: ['src/errors', 'src/schema', 'src/protocol', 'src/delivery', 'src/admission', 'src/transport'],
    not: [...KAFKA, ...POTHOS],
  },
  'src/server': {
    may: [
      'src/errors',
      ...STREAMS,
      'src/streams/topic-reading.ts',
      'src/schema',
      'src/protocol',
      'src/delivery',
      'src/admission',
      'src/transport',
    ],
    not: [...KAFKA, ...POTHOS],
  },
  'src/demo': { may: ['src/streams/topics'], not: [...KAFKA, ...HTTP, ...GRAPHQL] },
  'src/orders-gateway.ts': { may: ['src/demo', 'src/resolvers'], not: [...KAFKA, ...HTTP, ...GRAPHQL] },
  'src/kafka-log.ts': { may: [...STREAMS, 'src/streams/source'], not: [...KAFKA, ...HTTP, ...GRAPHQL] },
  'src/data-log.ts': {
    may: ['src/definition.ts', 'src/kafka-log.ts', ...STREAMS, 'src/streams/source'],
    not: [...KAFKA, ...HTTP, ...GRAPHQL],
  },
  'src/gate.ts': {
    may: ['src/errors', 'src/streams', 'src/schema', 'src/admission', 'src/transport', 'src/server'],
    not: [...KAFKA, ...POTHOS],
  },
  'src/shutdown.ts': { may: ['src/delivery', 'src/transport', 'src/server'], not: [...KAFKA, ...GRAPHQL] },
  'src/admin.ts': {
    may: ['src/errors', 'src/delivery', 'src/admission', 'src/transport', 'src/server', 'src/gate.ts'],
    not: [...KAFKA, ...GRAPHQL],
  },
  'src/definition.ts': {
    may: [...STREAMS, 'src/streams/source/embedded', 'src/schema', 'src/admission', 'src/server'],
    not: [...KAFKA, ...POTHOS],
  },
  'src/assets.ts': { may: [], not: [...KAFKA, ...HTTP, ...GRAPHQL] },
  'src/log.ts': { may: [], not: [...KAFKA, ...HTTP, ...GRAPHQL] },
  'src/gateway.ts': { may: LIBRARY, not: [...KAFKA, ...POTHOS] },
  // The library's public names.
  'src/index.ts': { may: LIBRARY, not: [...KAFKA, ...HTTP] },
  'src/testing.ts': { may: LIBRARY, not: [...KAFKA, ...HTTP] },
  'src/testing': { may: LIBRARY, not: [...KAFKA, ...HTTP, ...POTHOS] },
  // A command starts what the library has.
  'src/cli': { may: LIBRARY, not: [...KAFKA, 'graphql-yoga', 'graphql-sse'] },
  'src/main.ts': { may: ['src/cli/run-gateway.ts', 'src/orders-gateway.ts'], not: [...KAFKA, ...HTTP, ...GRAPHQL] },
  // A client knows the gateway by its protocol and its schema only.
  'examples/client': { may: ['packages/client'], not: KAFKA },
  'examples/shared': BROWSER_EXAMPLE,
  'examples/graphql-sse': BROWSER_EXAMPLE,
  'examples/urql': BROWSER_EXAMPLE,
  'examples/apollo': BROWSER_EXAMPLE,
  'examples/relay': BROWSER_EXAMPLE,
  'examples/react': BROWSER_EXAMPLE,
  'packages/client': { may: [], not: [...KAFKA, 'graphql', 'graphql-yoga'] },
  'packages/graphiql': { may: ['packages/client'], not: [...KAFKA, 'graphql-yoga', 'graphql-sse'] },
  // The Live Map is a client like any other: it has the public API, and nothing else of the gateway.
  web: { may: ['packages/client'], not: [...KAFKA, 'graphql-yoga', 'graphql-sse'] },
}

/** The port's Kafka side: everything else knows only the port. */
const KAFKA_FILES = 'src/streams/source/kafka'
const KNOW_KAFKA = [
  'src/streams/source/kafka',
  'src/cli',
  'src/data-log.ts',
  'src/gateway.ts',
  'src/index.ts',
  'src/kafka-log.ts',
]

/** Imported by anyone in the library. */
const SHARED = [
  'src/config.ts',
  'src/version.ts',
  'src/memory',
  'src/errors/codes.ts',
  'src/errors/rate-limit.ts',
  'src/errors/faults.ts',
  'package.json',
]

const within = (path: string, folder: string) => path === folder || path.startsWith(`${folder}/`)
const matches = (name: string, pattern: string) =>
  pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : name === pattern || name.startsWith(`${pattern}/`)

function importsOf(file: string, source: string): string[] {
  const { module, errors } = parseSync(file, source)
  if (errors[0]) throw new Error(`${file}: ${errors[0].message}`)
  return [
    ...module.staticImports.map((one) => one.moduleRequest.value),
    ...module.staticExports.flatMap((one) => one.entries.flatMap((entry) => entry.moduleRequest?.value ?? [])),
    // `import('x')`: the parser gives its argument's place, quotes included; what is computed cannot be known.
    ...module.dynamicImports.map((one) => source.slice(one.moduleRequest.start, one.moduleRequest.end).slice(1, -1)),
    // `createRequire(...)` is no way around; a mention in a comment counts too, and can be worded otherwise.
    ...Array.from(source.matchAll(/\brequire(?:\.resolve)?\(\s*['"`]([^'"`]+)/g), (match) => match[1] ?? ''),
  ]
}

/** One sentence for each import of this file that goes the wrong way. `file` is relative to the project, with `/`. */
export function wrongImports(file: string, source: string): string[] {
  const row = Object.keys(RULES)
    .filter((path) => within(file, path))
    .sort((a, b) => b.length - a.length)[0]
  const rule = row === undefined ? undefined : RULES[row]
  if (row === undefined || !rule) return [`${file} has no row in scripts/check-imports.ts: say what it may import`]

  const isLibrary = row.startsWith('src/') && !APPLICATION.some((path) => within(file, path))
  return [...new Set(importsOf(file, source))].flatMap((name) => {
    if (within(name, 'sluice') && isLibrary) {
      return [`${file} imports ${name}: the library does not know itself by its public names`]
    }
    if (!name.startsWith('.')) {
      return rule.not.some((pattern) => matches(name, pattern)) ? [`${file} imports ${name}: ${row} must not`] : []
    }
    const target = normalize(join(dirname(file), name)).replaceAll('\\', '/')
    if (target.startsWith(KAFKA_FILES) && !KNOW_KAFKA.some((path) => within(file, path))) {
      return [`${file} imports ${target}: only ${KNOW_KAFKA.join(', ')} may know Kafka`]
    }
    if (isLibrary && APPLICATION.some((path) => within(target, path))) {
      return [`${file} imports ${target}: the library must not know the orders application`]
    }
    const allowed = [row, ...rule.may, ...(isLibrary ? SHARED : [])]
    if (allowed.some((path) => within(target, path))) return []
    return [`${file} imports ${target}: ${row} may import ${rule.may.join(', ') || 'no other folder'}`]
  })
}

if (import.meta.main) {
  const root = process.argv[2] ?? '.'
  const files = globSync(
    [
      'src/**/*.ts',
      'packages/*/src/**/*.{ts,tsx}',
      'web/src/**/*.ts',
      'examples/{client,shared,graphql-sse,urql,apollo,relay,react}/**/*.{ts,tsx}',
    ],
    {
      cwd: root,
    },
  ).map((path) => path.replaceAll('\\', '/'))
  const wrong = files.flatMap((file) => wrongImports(file, readFileSync(join(root, file), 'utf8')))
  for (const sentence of wrong) console.error(sentence)
  console.log(`${files.length} files looked at, ${wrong.length} imports in the wrong direction`)
  process.exitCode = wrong.length > 0 ? 1 : 0
}

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
const HTTP = ['node:http', 'node:https', 'node:http2', 'graphql-yoga', 'graphql-sse', 'cors', 'negotiator', 'raw-body']
const POTHOS = ['@pothos/*']
const GRAPHQL = ['graphql', 'graphql-*', '@graphql-*', ...POTHOS]

/** What a folder or file may import of the project, and which packages it must not. The most specific row holds. */
const RULES: Record<string, { may: string[]; not: string[] }> = {
  'src/config.ts': { may: ['src/config-names.ts'], not: [...KAFKA, ...HTTP, ...GRAPHQL] },
  'src/config-names.ts': { may: [], not: [...KAFKA, ...HTTP, ...GRAPHQL] },
  'src/errors.ts': { may: [], not: [...KAFKA, ...HTTP, ...GRAPHQL] },
  'src/protocol': { may: [], not: [...KAFKA, ...HTTP, ...GRAPHQL] },
  'src/rate-limit.ts': { may: [], not: [...KAFKA, ...HTTP, ...GRAPHQL] },
  'src/faults.ts': { may: [], not: [...KAFKA, ...HTTP, ...GRAPHQL] },
  'src/streams/kafka.ts': { may: ['src/streams'], not: [...HTTP, ...GRAPHQL] },
  'src/streams': { may: [], not: [...KAFKA, ...HTTP, ...GRAPHQL] },
  'src/schema': { may: ['src/streams'], not: [...KAFKA, ...HTTP] },
  'src/resolvers': { may: ['src/streams', 'src/schema'], not: [...KAFKA, ...HTTP] },
  'src/delivery': { may: ['src/protocol', 'src/streams', 'src/schema'], not: [...KAFKA, ...HTTP, ...POTHOS] },
  'src/admission': { may: ['src/protocol', 'src/streams', 'src/schema', 'src/delivery'], not: [...KAFKA, ...POTHOS] },
  'src/transport': {
    may: ['src/protocol', 'src/streams', 'src/schema', 'src/delivery', 'src/admission'],
    not: [...KAFKA, ...POTHOS],
  },
  'src/server': {
    may: ['src/protocol', 'src/streams', 'src/schema', 'src/delivery', 'src/admission', 'src/transport'],
    not: [...KAFKA, ...POTHOS],
  },
  'src/demo': { may: ['src/streams'], not: [...KAFKA, ...HTTP, ...GRAPHQL] },
  'src/gateway.ts': { may: ['src'], not: [...KAFKA, ...POTHOS] },
  'src/main.ts': { may: ['src/gateway.ts'], not: [...KAFKA, ...HTTP, ...GRAPHQL] },
  // A client knows the gateway by its protocol and its schema only.
  'examples/client': { may: ['client'], not: KAFKA },
  client: { may: [], not: [...KAFKA, 'graphql', 'graphql-yoga'] },
}

/** The port's Kafka side: everything else knows only the port. */
const KAFKA_FILES = 'src/streams/kafka'
const KNOW_KAFKA = ['src/streams', 'src/demo', 'src/gateway.ts']

/** Imported by anyone in src. */
const SHARED = ['src/config.ts', 'src/errors.ts', 'src/rate-limit.ts', 'src/faults.ts', 'package.json']

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

  return [...new Set(importsOf(file, source))].flatMap((name) => {
    if (!name.startsWith('.')) {
      return rule.not.some((pattern) => matches(name, pattern)) ? [`${file} imports ${name}: ${row} must not`] : []
    }
    const target = normalize(join(dirname(file), name)).replaceAll('\\', '/')
    if (target.startsWith(KAFKA_FILES) && !KNOW_KAFKA.some((path) => within(file, path))) {
      return [`${file} imports ${target}: only ${KNOW_KAFKA.join(', ')} may know Kafka`]
    }
    const allowed = [row, ...rule.may, ...(row.startsWith('src/') ? SHARED : [])]
    if (allowed.some((path) => within(target, path))) return []
    return [`${file} imports ${target}: ${row} may import ${rule.may.join(', ') || 'no other folder'}`]
  })
}

if (import.meta.main) {
  const root = process.argv[2] ?? '.'
  const files = globSync(['src/**/*.ts', 'client/**/*.ts', 'examples/client/**/*.ts'], { cwd: root }).map((path) =>
    path.replaceAll('\\', '/'),
  )
  const wrong = files.flatMap((file) => wrongImports(file, readFileSync(join(root, file), 'utf8')))
  for (const sentence of wrong) console.error(sentence)
  console.log(`${files.length} files looked at, ${wrong.length} imports in the wrong direction`)
  process.exitCode = wrong.length > 0 ? 1 : 0
}

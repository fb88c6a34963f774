import type { CodegenConfig } from '@graphql-codegen/cli'

const generated = {
  // What Node, and TypeScript's nodenext, can read as it is.
  importExtension: '.ts' as const,
  emitLegacyCommonJSImports: false,
  useTypeImports: true,
  enumsAsTypes: true,
  // A scalar that is not named here is an error, not an `any`.
  strictScalars: true,
  scalars: { Cursor: 'string', DateTime: 'string', Decimal: 'string' },
}

/** Types for the documents of an example in a browser. Relay's are made by its own compiler. */
export function browserExample(name: string, documentMode: 'documentNode' | 'string'): CodegenConfig['generates'] {
  return {
    [`examples/${name}/src/gql/`]: {
      documents: [`examples/${name}/src/*.{ts,tsx}`],
      preset: 'client',
      presetConfig: { fragmentMasking: false },
      config: { ...generated, documentMode, onlyOperationTypes: true },
    },
  }
}

/** Types for the documents of the examples and of the Live Map, from the printed schema: `npm run codegen`. */
const config: CodegenConfig = {
  schema: 'schema.graphql',
  generates: {
    'examples/client/src/gql/': {
      documents: ['examples/client/src/**/*.ts', '!examples/client/src/gql/**'],
      preset: 'client',
      // `persisted-documents.json` is what PERSISTED_OPERATIONS_FILE names: each document's text by its SHA-256.
      presetConfig: { fragmentMasking: false, persistedDocuments: { hashAlgorithm: 'sha256' } },
      config: generated,
    },
    // The libraries take trees; graphql-sse and this gateway's own client take texts, which need no printer.
    ...browserExample('urql', 'documentNode'),
    ...browserExample('apollo', 'documentNode'),
    ...browserExample('react', 'string'),
    ...browserExample('graphql-sse', 'string'),
    // The Live Map. Its documents are texts, which need no GraphQL library in the page; who imports one gets its types.
    'web/src/gql/': {
      documents: ['web/src/**/*.graphql'],
      preset: 'client',
      presetConfig: { fragmentMasking: false },
      config: { ...generated, documentMode: 'string' },
    },
  },
}

export default config

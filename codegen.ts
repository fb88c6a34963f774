import type { CodegenConfig } from '@graphql-codegen/cli'

/** Types for the documents of the example client and of the Live Map, from the printed schema: `npm run codegen`. */
const config: CodegenConfig = {
  schema: 'schema.graphql',
  generates: {
    'examples/client/src/gql/': {
      documents: ['examples/client/src/**/*.ts', '!examples/client/src/gql/**'],
      preset: 'client',
      // `persisted-documents.json` is what PERSISTED_OPERATIONS_FILE names: each document's text by its SHA-256.
      presetConfig: { fragmentMasking: false, persistedDocuments: { hashAlgorithm: 'sha256' } },
      config: {
        // What Node, and TypeScript's nodenext, can read as it is.
        importExtension: '.ts',
        emitLegacyCommonJSImports: false,
        useTypeImports: true,
        enumsAsTypes: true,
        // A scalar that is not named here is an error, not an `any`.
        strictScalars: true,
        scalars: { Cursor: 'string', DateTime: 'string', Decimal: 'string' },
      },
    },
    // The Live Map. Its documents are texts, which need no GraphQL library in the page; who imports one gets its types.
    'web/src/gql/': {
      documents: ['web/src/**/*.graphql'],
      preset: 'client',
      presetConfig: { fragmentMasking: false },
      config: {
        documentMode: 'string',
        importExtension: '.ts',
        emitLegacyCommonJSImports: false,
        useTypeImports: true,
        enumsAsTypes: true,
        strictScalars: true,
        scalars: { Cursor: 'string', DateTime: 'string', Decimal: 'string' },
      },
    },
  },
}

export default config

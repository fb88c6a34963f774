import type { CodegenConfig } from '@graphql-codegen/cli'

/** Types for the documents of the example client, from the printed schema: `npm run codegen`. */
const config: CodegenConfig = {
  schema: 'schema.graphql',
  documents: ['examples/client/src/**/*.ts', '!examples/client/src/gql/**'],
  generates: {
    'examples/client/src/gql/': {
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
  },
}

export default config

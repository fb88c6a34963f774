/** Files that are the same in every project, or nearly. */

export const TSCONFIG = `{
  "compilerOptions": {
    "target": "esnext",
    "lib": ["esnext"],
    "types": ["node"],
    "module": "nodenext",
    "moduleResolution": "nodenext",
    "noEmit": true,
    "strict": true,
    "noUncheckedIndexedAccess": true,
    "erasableSyntaxOnly": true,
    "verbatimModuleSyntax": true,
    "allowImportingTsExtensions": true,
    "isolatedModules": true,
    "skipLibCheck": true
  },
  "include": ["**/*.ts"],
  "exclude": ["node_modules"]
}
`

export const GITIGNORE = `node_modules/
.env
*.log
`

export const BUILDER = `import { createBuilder } from 'sluice'

/** The files beside this one add their types and fields to it. */
export const builder = createBuilder()
builder.queryType({ fields: (t) => ({ ok: t.boolean({ description: 'GraphQL wants a query.', resolve: () => true }) }) })
builder.subscriptionType({})
`

/** Node reads the documents that are generated as they are. */
export const CODEGEN = `import type { CodegenConfig } from '@graphql-codegen/cli'

/** Types for the documents in \`client/\`, from the printed schema: \`npm run codegen\`. */
const config: CodegenConfig = {
  schema: 'schema.graphql',
  generates: {
    'client/gql/': {
      documents: ['client/**/*.graphql', 'client/**/*.ts', '!client/gql/**'],
      preset: 'client',
      presetConfig: { fragmentMasking: false },
      config: {
        documentMode: 'string',
        importExtension: '.ts',
        emitLegacyCommonJSImports: false,
        useTypeImports: true,
        enumsAsTypes: true,
        // A scalar that is not named here is an error, not an \`any\`.
        strictScalars: true,
        scalars: { Cursor: 'string', DateTime: 'string', Decimal: 'string', JSON: 'unknown', Long: 'string' },
      },
    },
  },
}

export default config
`

export const DOCKERFILE = `# docker build --tag gateway .
FROM node:24-bookworm-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --ignore-scripts

FROM node:24-bookworm-slim
ENV NODE_ENV=production
# Whoever runs it decides what of this can be reached; the admin port must not be, from outside.
ENV HOST=0.0.0.0 ADMIN_HOST=0.0.0.0
WORKDIR /app
COPY --from=dependencies /app/node_modules node_modules
COPY package.json gateway.ts ./
COPY topics topics
COPY schema schema
USER node
EXPOSE 4000 4001
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s --retries=6 \\
  CMD ["node", "-e", "fetch(\`http://127.0.0.1:\${process.env.ADMIN_PORT ?? 4001}/livez\`).then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
# Node itself, no npm and no shell: a SIGTERM must reach the gateway, which then drains.
CMD ["node", "node_modules/sluice/bin/sluice.cjs", "start", "gateway.ts"]
`

export const DOCKERIGNORE = `# Only what the Dockerfile copies.
*
!package.json
!package-lock.json
!gateway.ts
!topics
!schema
`

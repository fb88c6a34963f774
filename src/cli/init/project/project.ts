import { basename, resolve } from 'node:path'
import { kebabCase } from '../plan/names.ts'
import type { TopicPlan } from '../plan/plan.ts'
import { clientDocument } from '../source/document.ts'
import { gatewaySource, registrySource } from '../source/gateway.ts'
import { schemaSource } from '../source/schema.ts'
import { testSource } from '../source/test.ts'
import { topicSource } from '../source/topic.ts'
import { valuesSource } from '../source/values.ts'
import { valueSchemasOf } from '../source/zod.ts'
import { composeSource } from './compose.ts'
import { BUILDER, CODEGEN, DOCKERFILE, DOCKERIGNORE, GITIGNORE, TSCONFIG } from './fixed.ts'
import { readme } from './readme.ts'
import type { Files } from './write.ts'

export interface ProjectOptions {
  readonly folder: string
  readonly plans: readonly TopicPlan[]
  readonly brokers: string
  /** Without credentials. */
  readonly registry: string | undefined
}

/** The name of a package in this folder: not that of one that it depends on. */
export function projectName(folder: string): string {
  const name = kebabCase(basename(resolve(folder)), 'gateway')
  return ['sluice', 'graphql', 'zod', 'typescript', 'node-modules'].includes(name) ? `${name}-gateway` : name
}

/** All files of a project but package.json. */
export function projectFiles({ folder, plans, brokers, registry }: ProjectOptions): Files {
  const topics = plans.map((plan) => [`topics/${plan.file}.ts`, topicSource(plan)] as const)
  const values = valuesSource(new Set(topics.flatMap(([, source]) => valueSchemasOf(source))))
  const usesRegistry = registry !== undefined && plans.some(({ reading }) => reading.usesRegistry)
  const env = [`KAFKA_BROKERS=${brokers}`, ...(usesRegistry ? [`SCHEMA_REGISTRY_URL=${registry}`] : [])]
  return new Map([
    ['gateway.ts', gatewaySource(plans)],
    ...topics,
    ...(values === undefined ? [] : [['topics/values.ts', values] as const]),
    ...(usesRegistry ? [['topics/registry.ts', registrySource(registry)] as const] : []),
    ['schema/builder.ts', BUILDER],
    ...plans.map((plan) => [`schema/${plan.file}.ts`, schemaSource(plan)] as const),
    ...plans
      .filter(({ reading }) => reading.format !== 'missing')
      .map((plan) => [`test/${plan.file}.test.ts`, testSource(plan)] as const),
    ...plans.map((plan) => [`client/${plan.file}.graphql`, clientDocument(plan)] as const),
    ['codegen.ts', CODEGEN],
    ['tsconfig.json', TSCONFIG],
    ['Dockerfile', DOCKERFILE],
    ['.dockerignore', DOCKERIGNORE],
    ['compose.yaml', composeSource(usesRegistry)],
    ['.env', `# Not for git: credentials of the cluster belong here, too (KAFKA_SASL_…).\n${env.join('\n')}\n`],
    ['.gitignore', GITIGNORE],
    ['README.md', readme(projectName(folder), plans)],
  ])
}

import { parse, print } from 'graphql'
import { pascalCase } from '../plan/names.ts'
import type { TopicPlan } from '../plan/plan.ts'
import { exampleOf } from './example.ts'

/** A document as GraphQL prints it. */
export function documentOf(text: string, indent = ''): string {
  return print(parse(text, { noLocation: true })).replace(/^(?=.)/gm, indent)
}

/** `client/NAME.graphql`: a subscription, of which `npm run codegen` makes types. */
export function clientDocument(plan: TopicPlan): string {
  const { selection } = exampleOf(plan)
  return `${documentOf(`subscription ${pascalCase(plan.field, 'Events')} { ${plan.field} ${selection} }`)}\n`
}

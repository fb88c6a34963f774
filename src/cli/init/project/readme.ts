import type { TopicPlan } from '../plan/plan.ts'
import { exampleOf } from '../source/example.ts'
import { mentioned } from '../source/text.ts'

export function readme(name: string, plans: readonly TopicPlan[]): string {
  const first = plans[0] as TopicPlan
  const rows = plans.map(
    ({ topic, field, file }) =>
      `| \`${mentioned(topic)}\` | \`${field}\` | \`topics/${file}.ts\` | \`schema/${file}.ts\` |`,
  )
  return `# ${name}

A Sluice gateway: GraphQL subscriptions of Kafka topics, as Server-Sent Events. It was written by \`sluice init\`, from what
the newest records looked like.

| topic | field | shape of its records | GraphQL |
| --- | --- | --- | --- |
${rows.join('\n')}

\`\`\`sh
npm install
npm test         # a made-up record of each topic becomes an event, without Kafka
npm run check    # types
npm start        # brokers are those of .env, or KAFKA_BROKERS
\`\`\`

The first events:
\`\`\`sh
curl -N http://127.0.0.1:4000/graphql -H 'accept: text/event-stream' -H 'content-type: application/json' \\
  -d '{"query":"subscription { ${first.field}(last: 1) ${exampleOf(first).selection.trim()} }"}'
\`\`\`

## What to look at first

Records were looked at, and records do not say everything. Comments in \`topics/\` tell what was not certain:

- **What is always there** may be absent elsewhere: such a record is skipped and counted. \`.optional()\` and \`.nullable()\`
  in \`topics/\`, and \`nullable: true\` in \`schema/\`, take it.
- **Enums** have the values that were seen.
- **\`index\`, \`ordered\` and \`key\`** are proposals. What is in \`index\` is an argument of the field.
- **Who may see what**: nothing is restricted yet. \`authScopes\` of fields and types, and bounds of credentials.

\`npx sluice check --connect\` tells what share of the records these definitions decode.

Typed clients: \`npm run codegen\` prints \`schema.graphql\`, and makes types for the documents in \`client/\`.
The image: \`npm install\` (for package-lock.json), then \`docker compose up --build\`.
`
}

/** Programs of other people's projects that use the client: what they print is what a test looks at. */

/** Takes five events of a server whose stream is cut, in each of the ways that there are. */
const PROGRAM_BODY = `
const url = process.argv[2]
async function main() {
  const client = createSluiceClient({ url, baseWaitMs: 0 })
  for await (const { data } of client.iterate({ query: 'subscription { n }' })) console.log('n: ' + data.n)
  console.log(typeof createResumingFetch().retryWait)
}
main().catch((error) => { console.error(error); process.exitCode = 1 })
`

export const ESM_PROGRAM = `import { createResumingFetch, createSluiceClient } from '@sluice/client'\n${PROGRAM_BODY}`
export const CJS_PROGRAM = `const { createResumingFetch, createSluiceClient } = require('@sluice/client')\n${PROGRAM_BODY}`

/** TypeScript that passes, and in which each line after \`WRONG\` has one mistake. */
export const TYPED_PROGRAM = `
import { createSluiceClient, type ConnectionState, type Result, SluiceClientError } from '@sluice/client'

interface Decoration<Data, Variables> { __apiType?: (variables: Variables) => Data }
interface Typed<Data, Variables> extends Decoration<Data, Variables> { readonly kind: 'Document'; readonly definitions: readonly object[] }
declare const document: Typed<{ order: { id: string } }, { region: 'ASIA' | 'EUROPE' }>
declare const text: string & Decoration<{ order: { id: string } }, { region: 'ASIA' | 'EUROPE' }>

const client = createSluiceClient({ url: '/graphql', auth: async () => 'token', singleConnection: true })
const subscription = client.subscribe({ query: document, variables: { region: 'ASIA' } }, {
  next({ data, errors }) {
    const id: string | undefined = data?.order.id
    const code: string | undefined = errors?.[0]?.extensions?.code
    console.log(id, code)
  },
  error: (error: SluiceClientError) => console.log(error.code, error.status),
  onState: (state: ConnectionState) => console.log(state.status === 'reconnecting' ? state.since : state.status),
  onGap: ({ gaps }) => console.log(gaps[0]?.partition),
})
console.log(subscription.position)
async function iterate(): Promise<void> {
  for await (const { data } of client.iterate({ query: text, variables: { region: 'EUROPE' } })) console.log(data?.order.id.length)
  const result: Result<{ order: { id: string } }> = await client.execute({ query: document, variables: { region: 'ASIA' } })
  console.log(result.data?.order.id)
}
void iterate()
`

/** Each is a type error when it is added to the program above. */
export const MISTAKES: readonly string[] = [
  `client.subscribe({ query: document, variables: { region: 'ATLANTIS' } }, { next() {} })`,
  `client.subscribe({ query: document, variables: { region: 1 } }, { next() {} })`,
  `client.subscribe({ query: document, variables: { realm: 'ASIA' } }, { next() {} })`,
  `client.subscribe({ query: text, variables: { region: 1 } }, { next() {} })`,
  `client.subscribe({ query: document, variables: { region: 'ASIA' } }, { next: ({ data }) => console.log(data?.orders) })`,
  `void client.execute({ query: document, variables: { region: 'ASIA' } }).then(({ data }) => data?.order.name)`,
  `createSluiceClient({ uri: '/graphql' })`,
]

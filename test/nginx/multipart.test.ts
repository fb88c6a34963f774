import { ApolloClient, gql, HttpLink, InMemoryCache } from '@apollo/client'
import { expect, onTestFinished, test } from 'vitest'
import { startTestGateway } from '../kit/gateway.ts'
import { addressOf, describeNginx } from '../kit/nginx.ts'
import { until } from '../kit/until.ts'

/** No heartbeat pushes an event along. */
const NEVER_MS = 600_000
const TO_EVERYTHING = 'gzip_types *;\n        gzip_min_length 0;'

describeNginx('multipart subscriptions behind Nginx', (nginx) => {
  test.each([
    ['the configuration as it is', 'on', (config: string) => config],
    ['gzip on for everything', 'off', (config: string) => config.replace(/gzip_types [^;]+;/, TO_EVERYTHING)],
    ["Nginx's default upstream version", 'on', (config: string) => config.replace(/\n *proxy_http_version 1\.1;/, '')],
  ])(
    'each result reaches Apollo Client’s HttpLink at once, and a client that leaves is let go: %s',
    async (_name, COMPRESSION, edit) => {
      const gateway = await startTestGateway({ env: { HEARTBEAT_MS: String(NEVER_MS), COMPRESSION } })
      const instances = [{ name: 'test', address: addressOf(gateway.url) }]
      const front = await nginx.start({ instances, heartbeatMs: NEVER_MS, edit })
      const client = new ApolloClient({ link: new HttpLink({ uri: front.graphql }), cache: new InMemoryCache() })
      const ids: unknown[] = []
      const query = gql`subscription { ordersByRegion(region: EUROPE) { id } }`
      const subscription = client.subscribe<{ ordersByRegion: { id: string } }>({ query }).subscribe({
        next: ({ data }) => ids.push(data?.ordersByRegion.id),
      })
      onTestFinished(() => subscription.unsubscribe())
      await until('it is subscribed', () => gateway.engine.subscribers === 1)
      for (const id of ['a', 'b', 'c']) {
        await gateway.produce({ id })
        await until(`${id} came`, () => ids.at(-1) === id)
      }
      expect(ids).toEqual(['a', 'b', 'c'])
      subscription.unsubscribe()
      await until('it is gone', () => gateway.engine.subscribers === 0)
    },
  )
})

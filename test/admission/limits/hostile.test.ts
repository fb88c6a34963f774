import { describe, test } from 'vitest'
import { addressOf, describeNginx } from '../../kit/nginx.ts'
import { attack, type Hostile } from './hostile.ts'

const HOSTILE: readonly Hostile[] = ['a principal', 'addresses without credentials']

describe('friendly clients lose nothing beside hostile ones at all their limits', () => {
  test.each(HOSTILE)('%s', (hostile) => attack({ hostile, friendly: 20, orders: 50 }), 300_000)
})

describeNginx('and neither do they through Nginx', (nginx) => {
  test.each(HOSTILE)(
    '%s',
    (hostile) =>
      attack({
        hostile,
        friendly: 20,
        orders: 50,
        inFront: async (gateway) => {
          const instances = [{ name: 'test', address: addressOf(gateway.url) }]
          const trustedProxies = ['127.0.0.1']
          return (await nginx.start({ instances, trustedProxies, streamsPerAddress: 1_000 })).graphql
        },
      }),
    300_000,
  )
})

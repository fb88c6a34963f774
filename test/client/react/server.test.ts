import { createElement } from 'react'
import { renderToString } from 'react-dom/server'
import { expect, test } from 'vitest'
import type { SluiceClient } from '../../../packages/client/src/index.ts'
import { SluiceProvider, useLiveList, useSluiceClient, useSubscription } from '../../../packages/client/src/react.ts'

const QUERY = 'subscription { orders { id } }'

function Orders() {
  const { data, state } = useSubscription(QUERY, {})
  const { items } = useLiveList(QUERY, {}, { by: 'id' as never })
  return createElement('p', null, `${state.status}, ${items.length} items, data: ${data}`)
}

function Orphan() {
  return createElement('p', null, String(useSluiceClient()))
}

test('on a server nothing is subscribed, and what is rendered is what a browser begins with', () => {
  const client = { subscribe: () => expect.unreachable('subscribed') } as unknown as SluiceClient
  const html = renderToString(createElement(SluiceProvider, { client }, createElement(Orders)))
  expect(html).toBe('<p>connecting, 0 items, data: undefined</p>')
})

test('a hook without a provider says what is missing', () => {
  expect(() => renderToString(createElement(Orphan))).toThrow('There is no <SluiceProvider client={…}>')
})

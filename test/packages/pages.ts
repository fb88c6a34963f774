/** Pages of other people's projects, made by their bundlers: each shows the ids of the orders of Asia in its body. */

/** For the bundlers: the gateway's address is in the page's global `GATEWAY`, and the mode in `SINGLE`. */
const PAGE_PROGRAM = `
import { createSluiceClient } from '@sluice/client'

const client = createSluiceClient({ url: globalThis.GATEWAY, singleConnection: globalThis.SINGLE })
const query = 'subscription { ordersByRegion(region: ASIA) { id } }'
const subscription = client.subscribe({ query }, {
  next: ({ data }) => document.body.append(' ' + data.ordersByRegion.id),
  onState: ({ status }) => { document.title = status },
})
globalThis.cut = () => subscription.cut()
`

export const VITE_PROJECT = {
  'index.html': '<!doctype html><title>none</title><body><script type="module" src="/page.js"></script>',
  'page.js': PAGE_PROGRAM,
  'vite.config.js': `export default { build: { rolldownOptions: { output: { entryFileNames: 'page.js' } } } }`,
}

export const WEBPACK_PROJECT = {
  'page.js': PAGE_PROGRAM,
  'build.js': `
import webpack from 'webpack'

const options = { mode: 'production', entry: './page.js', output: { filename: 'page.js' } }
webpack(options, (error, stats) => {
  console.log(error ?? stats.toString())
  process.exitCode = error || stats.hasErrors() ? 1 : 0
})
`,
}

const CLIENT_MODULE = `
import { createSluiceClient } from '@sluice/client'
export const client = createSluiceClient({ url: process.env.NEXT_PUBLIC_GATEWAY ?? 'http://127.0.0.1:9/graphql' })
`

/** The app router: a server component that queries, a route handler that takes an event, a client component that subscribes. */
export const NEXT_PROJECT = {
  'next.config.js': 'export default { experimental: { cpus: 2 } }',
  'tsconfig.json': {
    compilerOptions: {
      ...{ target: 'es2022', lib: ['dom', 'dom.iterable', 'esnext'], strict: true, noEmit: true, jsx: 'preserve' },
      ...{ module: 'esnext', moduleResolution: 'bundler', isolatedModules: true, esModuleInterop: true },
      ...{ skipLibCheck: true, allowJs: true, resolveJsonModule: true, incremental: true, plugins: [{ name: 'next' }] },
    },
    include: ['**/*.ts', '**/*.tsx', 'next-env.d.ts', '.next/types/**/*.ts'],
  },
  'app/client.ts': CLIENT_MODULE,
  'app/layout.tsx': `
import type { ReactNode } from 'react'
export default function Layout({ children }: { children: ReactNode }) {
  return <html lang="en"><body>{children}</body></html>
}
`,
  'app/page.tsx': `
import { client } from './client'
import { Live } from './live'

export const dynamic = 'force-dynamic'

export default async function Page() {
  const { data } = await client.execute<{ recentOrders: { id: string }[] }, never>({ query: '{ recentOrders(last: 1) { id } }' })
  return <main>recent: {data?.recentOrders[0]?.id} <Live /></main>
}
`,
  'app/live.tsx': `
'use client'
import { useEffect, useState } from 'react'
import { client } from './client'

const query = 'subscription { ordersByRegion(region: ASIA) { id } }'

export function Live() {
  const [ids, setIds] = useState<readonly string[]>([])
  const [state, setState] = useState('none')
  useEffect(() => {
    const subscription = client.subscribe<{ ordersByRegion: { id: string } }, never>({ query }, {
      next: ({ data }) => setIds((all) => (data ? [...all, data.ordersByRegion.id] : all)),
      onState: ({ status }) => setState(status),
    })
    return () => subscription.unsubscribe()
  }, [])
  return <p>{state}: {ids.join(' ')}</p>
}
`,
  'app/first/route.ts': `
import { client } from '../client'

export async function GET() {
  const query = 'subscription { orders(last: 1) { id } }'
  for await (const { data } of client.iterate<{ orders: { id: string } }, never>({ query })) return Response.json(data)
  return new Response(null, { status: 204 })
}
`,
}

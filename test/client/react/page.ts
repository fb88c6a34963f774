/** What the test's page runs: components that use the hooks, as many as the test says, and what they showed. */
import { createElement, type ReactElement, StrictMode, Suspense } from 'react'
import { createRoot } from 'react-dom/client'
import { createSluiceClient } from '../../../packages/client/src/index.ts'
import { SluiceProvider, useLiveList, useSubscription, useTable } from '../../../packages/client/src/react.ts'

/** A component to show. */
export interface Spec {
  readonly name: string
  readonly hook: 'subscription' | 'list' | 'table'
  readonly query: string
  readonly variables?: Record<string, unknown>
  readonly max?: number
  readonly skip?: boolean
  /** It waits for something else, and is not mounted. */
  readonly suspended?: boolean
}

export interface Harness {
  start(url: string): void
  /** Shows these components and no others. */
  show(specs: readonly Spec[]): void
  /** Subscriptions that were asked for. */
  subscriptions: number
  cut(): void
  readonly shown: Record<string, unknown>
  readonly renders: Record<string, number>
  /** What came to listeners. */
  readonly heard: Record<string, unknown[]>
}

const never = new Promise<never>(() => {})

function Shown({ spec }: { readonly spec: Spec }): ReactElement | null {
  const { name, hook, query, max, skip } = spec
  // Each time another object, equal by value, with its names in another order.
  const entries = Object.entries(spec.variables ?? {})
  const variables = Object.fromEntries(harness.renders[name] ? entries.reverse() : entries)
  const hear = (what: unknown) => void harness.heard[name]?.push(what)
  const options = { skip, onResult: hear, onGap: hear, onEventError: hear }
  harness.heard[name] ??= []
  harness.renders[name] = (harness.renders[name] ?? 0) + 1
  // The hook of a component is the same at each render.
  // biome-ignore-start lint/correctness/useHookAtTopLevel: see above
  const value =
    hook === 'list'
      ? useLiveList(query, variables, { ...options, by: 'id' as never, max })
      : hook === 'table'
        ? useTable(query, variables, options)
        : useSubscription(query, variables, options)
  // biome-ignore-end lint/correctness/useHookAtTopLevel: see above
  harness.shown[name] = {
    ...value,
    // What a page can hand to a test.
    code: value.error?.code,
    ...('rows' in value && { rows: Object.fromEntries(value.rows) }),
  }
  if (spec.suspended) throw never
  return null
}

let root: ReturnType<typeof createRoot>
let client: ReturnType<typeof createSluiceClient>
let broken = new AbortController()

const harness: Harness = {
  start(url) {
    client = createSluiceClient({
      url,
      fetch: (input, init) => {
        const signals = [init?.signal, broken.signal].filter((signal) => signal instanceof AbortSignal)
        return fetch(input, { ...init, signal: AbortSignal.any(signals) })
      },
    })
    const { subscribe } = client
    Object.assign(client, {
      subscribe: (...args: Parameters<typeof subscribe>) => {
        harness.subscriptions++
        return subscribe(...args)
      },
    })
    root = createRoot((globalThis as unknown as { document: { body: never } }).document.body)
  },
  show(specs) {
    const components = specs.map((spec) =>
      createElement(Suspense, { key: spec.name, fallback: null }, createElement(Shown, { spec })),
    )
    const provider = createElement(SluiceProvider, { client }, ...components)
    root.render(createElement(StrictMode, null, provider))
  },
  subscriptions: 0,
  cut() {
    broken.abort()
    broken = new AbortController()
  },
  shown: {},
  renders: {},
  heard: {},
}

Object.assign(globalThis, { harness })

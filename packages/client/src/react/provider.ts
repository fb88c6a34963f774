import { createContext, createElement, type ReactElement, type ReactNode, useContext } from 'react'
import type { SluiceClient } from '../sluice-client.ts'

const Context = createContext<SluiceClient | undefined>(undefined)

export interface SluiceProviderProps {
  /** Made once, outside of components. The provider does not dispose of it. */
  readonly client: SluiceClient
  readonly children?: ReactNode
}

/** Gives the hooks below it their client. */
export function SluiceProvider({ client, children }: SluiceProviderProps): ReactElement {
  return createElement(Context.Provider, { value: client }, children)
}

/** @throws Error where there is no provider above */
export function useSluiceClient(): SluiceClient {
  const client = useContext(Context)
  if (client) return client
  throw new Error('There is no <SluiceProvider client={…}> above this component')
}

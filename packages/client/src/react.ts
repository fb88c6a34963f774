'use client'

export { SluiceProvider, type SluiceProviderProps, useSluiceClient } from './react/provider.ts'
export { type LiveListOptions, type LiveListResult, useLiveList } from './react/use-live-list.ts'
export { type SubscriptionOptions, type SubscriptionResult, useSubscription } from './react/use-subscription.ts'
export { type TableOptions, type TableResult, useTable } from './react/use-table.ts'

import { Counter, Gauge, type Registry } from 'prom-client'
import type { Authentication } from '../admission/authentication/authentication.ts'

/** Metrics of credentials; of what is not configured, they are 0. */
export function addAuthentication(registry: Registry, authentication: Authentication): void {
  const registers = [registry]
  const tokens: Counter = new Counter({
    name: 'sluice_tokens_total',
    help: 'Requests with signed tokens: verified, known from before, or refused when they were verified.',
    labelNames: ['outcome'],
    registers,
    collect() {
      tokens.reset()
      const { verified, known, refused } = authentication.tokens?.stats ?? { verified: 0, known: 0, refused: 0 }
      for (const [outcome, count] of Object.entries({ verified, known, refused })) tokens.inc({ outcome }, count)
    },
  })
  const fetches: Counter = new Counter({
    name: 'sluice_jwks_fetches_total',
    help: 'Fetches of the keys of tokens from AUTH_JWKS_URL, by outcome.',
    labelNames: ['outcome'],
    registers,
    collect() {
      fetches.reset()
      const { fetched, failed } = authentication.remote?.stats ?? { fetched: 0, failed: 0 }
      for (const [outcome, count] of Object.entries({ fetched, failed })) fetches.inc({ outcome }, count)
    },
  })
  const keys: Gauge = new Gauge({
    name: 'sluice_api_keys',
    help: 'API keys that are valid by their file.',
    registers,
    collect: () => keys.set(authentication.keys?.size ?? 0),
  })
  const broken: Gauge = new Gauge({
    name: 'sluice_api_keys_file_broken',
    help: 'Whether API_KEYS_FILE cannot be read now: the keys from before stay valid.',
    registers,
    collect: () => broken.set(authentication.watch?.problem === undefined ? 0 : 1),
  })
  const bytes: Gauge = new Gauge({
    name: 'sluice_credentials_cache_bytes',
    help: 'Estimated bytes of cached tokens and tickets.',
    registers,
    collect: () => bytes.set((authentication.tokens?.cacheBytes ?? 0) + (authentication.tickets?.cacheBytes ?? 0)),
  })
}

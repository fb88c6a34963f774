import SchemaBuilder from '@pothos/core'
import { SCOPE_AUTH_PLUGIN } from './rights/scope-auth.ts'

/**
 * Plugins register themselves with the copy of Pothos that they import.
 * @throws Error where that of scope-auth has another one than this module.
 */
export function demandOnePothos(): void {
  const { plugins } = SchemaBuilder as unknown as { readonly plugins: object } // left out of its types
  if (SCOPE_AUTH_PLUGIN in plugins) return
  throw new Error(
    'Sluice and a plugin of Pothos have different copies of @pothos/core: `npm ls @pothos/core` shows where there are ' +
      'two, and `npm dedupe` leaves one',
  )
}

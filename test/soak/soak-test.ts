import { expect, test } from 'vitest'
import { seedFromEnvironment } from './random.ts'
import { soak } from './soak.ts'

/** `SOAK_SECONDS`, `SOAK_SEED` and `SOAK_ONLY`, a regular expression, run it differently. */
export function soakTest(options: { readonly seconds: number; readonly marginSeconds: number }): void {
  const seconds = Number(process.env.SOAK_SECONDS ?? options.seconds)
  const timeout = (seconds + options.marginSeconds) * 1000
  test(`twenty clients lose nothing while everything is attacked for ${seconds} seconds`, { timeout }, async () => {
    const seed = seedFromEnvironment()
    const { table, failures } = await soak({ seconds, seed, only: process.env.SOAK_ONLY })
    console.log(`SOAK_SEED=${seed}\n${table}`)
    expect(failures).toEqual([])
  })
}

import { expect, test } from 'vitest'
import { seedFromEnvironment } from '../random.ts'
import { fuzz } from './fuzz.ts'

/** `FUZZ_REQUESTS` and `SOAK_SEED` run it differently. */
export function fuzzTest(options: { readonly requests: number; readonly timeout: number }): void {
  const requests = Number(process.env.FUZZ_REQUESTS ?? options.requests)
  test(`${requests} mutated requests are answered, and nothing internal is shown`, {
    timeout: options.timeout,
  }, async () => {
    const { table, failures } = await fuzz({ requests, seed: seedFromEnvironment() })
    console.log(table)
    expect(failures).toEqual([])
  })
}

import { expect, test } from 'vitest'
import { expectNothingUncaught } from '../kit/uncaught.ts'
import { fuzz } from './fuzz.ts'

/** Time for the look at what is left, and for a busy machine. */
const AFTERWARDS_MS = 150_000

/** `FUZZ_SECONDS`, `FUZZ_INPUTS`, `FUZZ_SEED` and `FUZZ_ONLY` run it differently. */
export function fuzzTest(options: { readonly seconds: number; readonly inputs: number }): void {
  const { FUZZ_SECONDS, FUZZ_INPUTS, FUZZ_SEED, FUZZ_ONLY } = process.env
  const seconds = Number(FUZZ_SECONDS ?? options.seconds)
  const inputs = Number(FUZZ_INPUTS ?? options.inputs)
  const seed = FUZZ_SEED === undefined ? Date.now() >>> 0 : Number(FUZZ_SEED)
  expectNothingUncaught()
  test('no input of any kind ends, fails or fills the gateway, or is shown anything internal', {
    timeout: seconds * 1000 + AFTERWARDS_MS,
  }, async () => {
    const { table, faults } = await fuzz({ seed, seconds, inputs, only: FUZZ_ONLY })
    console.log(table)
    expect(faults).toEqual([])
  })
}

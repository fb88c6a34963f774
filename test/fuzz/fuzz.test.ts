import { fuzzTest } from './fuzz-test.ts'

/** A minute of CI, with what is looked at afterwards. */
fuzzTest({ seconds: 25, inputs: 250_000 })

import { fuzzTest } from './fuzz-test.ts'

fuzzTest({ seconds: 900, inputs: 1_000_000 })

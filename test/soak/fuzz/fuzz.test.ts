import { fuzzTest } from './fuzz-test.ts'

fuzzTest({ requests: 20_000, timeout: 240_000 })

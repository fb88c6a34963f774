import { fuzzTest } from './fuzz-test.ts'

fuzzTest({ requests: 200_000, timeout: 1_200_000 })

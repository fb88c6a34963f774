import { decodersTest } from './decoders-test.ts'

decodersTest({ units: 3_000, timeout: 600_000 })

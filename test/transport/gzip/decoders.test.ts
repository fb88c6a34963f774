import { decodersTest } from './decoders-test.ts'

decodersTest({ units: 150, timeout: 60_000 })

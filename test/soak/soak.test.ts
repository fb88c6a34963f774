import { soakTest } from './soak-test.ts'

soakTest({ seconds: 60, marginSeconds: 90 })

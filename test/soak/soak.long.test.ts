import { soakTest } from './soak-test.ts'

soakTest({ seconds: 600, marginSeconds: 200 })

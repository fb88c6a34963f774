import { it } from 'vitest'
import { checkShapes } from './shapes.ts'

it('what init writes of thirty shapes compiles, decodes their records, and has nothing of their values', async () => {
  await checkShapes({ projects: 1, tests: 2 })
}, 240_000) // some 8 s by itself; tsc and two processes on a busy machine take their time

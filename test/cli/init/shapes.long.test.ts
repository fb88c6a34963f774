import { it } from 'vitest'
import { checkShapes } from './shapes.ts'

it('what init writes of three hundred shapes compiles, decodes their records, and has nothing of their values', async () => {
  await checkShapes({ projects: 10, tests: 5 })
})

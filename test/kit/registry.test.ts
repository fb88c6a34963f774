import { expect, it } from 'vitest'
import { describeRegistry } from './registry.ts'

describeRegistry('the real registry of the tests', (registry) => {
  it('has what was registered, by its id', async () => {
    const id = await registry.register(registry.subject('kit'), { schema: { type: 'string' } })
    const response = await fetch(`${registry.url}/schemas/ids/${id}`)
    expect(await response.json()).toMatchObject({ schema: '{"type":"string"}' })
  })
})

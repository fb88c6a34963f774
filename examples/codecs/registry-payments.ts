import { defineTopic, registryCodec, schemaRegistry } from 'sluice'
import { z } from 'zod'

const registry = schemaRegistry({
  url: process.env.SCHEMA_REGISTRY ?? 'http://127.0.0.1:8081',
  username: process.env.SCHEMA_REGISTRY_USER,
  password: process.env.SCHEMA_REGISTRY_PASSWORD,
})
const Payment = z.object({ id: z.string(), amount: z.string(), at: z.iso.datetime() })
export const payments = defineTopic('payments', { schema: Payment, codec: registryCodec(registry), index: ['id'] })

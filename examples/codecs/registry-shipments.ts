import { defineTopic, registryCodec, schemaRegistry } from 'sluice'

const registry = schemaRegistry({ url: process.env.SCHEMA_REGISTRY ?? 'http://127.0.0.1:8081' })
const schema = await registry.schemaOf('shipments-value')
export const shipments = defineTopic('shipments', { schema, codec: registryCodec(registry) })

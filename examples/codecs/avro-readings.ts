import { avroCodec, defineTopic } from 'sluice'
import { z } from 'zod'

const schema = `{
  "type": "record", "name": "Reading",
  "fields": [{ "name": "sensor", "type": "string" }, { "name": "celsius", "type": "double" }]
}`
const Reading = z.object({ sensor: z.string(), celsius: z.number() })
export const readings = defineTopic('readings', { schema: Reading, codec: avroCodec(schema), index: ['sensor'] })

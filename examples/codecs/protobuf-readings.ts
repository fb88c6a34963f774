import { defineTopic, protobufCodec } from 'sluice'
import { z } from 'zod'

const definition = `
  syntax = "proto3";
  import "google/protobuf/timestamp.proto";
  message Reading { string sensor = 1; double celsius = 2; google.protobuf.Timestamp at = 3; }
`
const Reading = z.object({ sensor: z.string(), celsius: z.number(), at: z.iso.datetime().optional() })
export const readings = defineTopic('readings', {
  schema: Reading,
  codec: protobufCodec(definition, { message: 'Reading' }),
})

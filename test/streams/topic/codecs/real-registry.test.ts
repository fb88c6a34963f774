import { expect, it } from 'vitest'
import type { z } from 'zod'
import { type Codec, defineTopic, registryCodec, schemaRegistry } from '../../../../src/index.ts'
import { framed } from '../../../kit/fake-registry.ts'
import { describeRegistry } from '../../../kit/registry.ts'
import { PAYMENT_BYTES, PAYMENT_SCHEMA, PAYMENTS } from './payments.ts'
import { RECORD } from './records.ts'

async function read(codec: Codec, bytes: Buffer): Promise<unknown> {
  await codec.prepare?.([bytes], new AbortController().signal)
  return codec(bytes, RECORD)
}

describeRegistry('a real registry', (server) => {
  const registry = () => schemaRegistry({ url: server.url })

  it("has the schema of a Java producer's records, from which a topic is defined", async () => {
    const topic = server.subject('payments')
    const id = await server.register(`${topic}-value`, { schema: PAYMENT_SCHEMA })
    const codec = registryCodec(registry())
    const schema = await registry().schemaOf(`${topic}-value`)
    for (const [index, bytes] of PAYMENT_BYTES.entries()) {
      const value = await read(codec, framed(id, bytes))
      expect(value).toEqual(PAYMENTS[index])
      expect(schema.parse(value)).toEqual(value)
    }
    expect(schema.safeParse({ ...PAYMENTS[0], amount: 'much' }).success).toBe(false)
    expect(defineTopic(topic, { schema: schema as z.ZodType<{ id: string }>, index: ['id'], codec }).index).toEqual([
      'id',
    ])
    expect(await registry().definitionOf(`${topic}-value`)).toMatchObject({
      type: 'AVRO',
      id,
      version: 1,
      references: [],
    })
  })

  it('has Avro that refers to another subject', async () => {
    const [money, order] = [server.subject('money'), server.subject('order')]
    await server.register(money, {
      schema: { type: 'record', name: 'Money', namespace: 'lib', fields: [{ name: 'n', type: 'int' }] },
    })
    const id = await server.register(order, {
      schema: { type: 'record', name: 'Order', fields: [{ name: 'm', type: 'lib.Money' }] },
      references: [{ name: 'lib.Money', subject: money, version: 1 }],
    })
    expect(await read(registryCodec(registry()), framed(id, Buffer.from([10])))).toEqual({ m: { n: 5 } })
    expect(await registry().shapeOf(order)).toMatchObject({ kind: 'object', name: 'Order' })
  })

  it('has Protobuf with an import, and JSON Schema', async () => {
    const [lib, order, json] = [server.subject('lib'), server.subject('order'), server.subject('json')]
    const schemaType = 'PROTOBUF'
    const money = 'syntax = "proto3"; package lib; message Money { int64 n = 1; }'
    await server.register(lib, { schemaType, schema: money })
    const id = await server.register(order, {
      schemaType,
      schema: `syntax = "proto3"; package shop; import "money.proto"; import "google/protobuf/timestamp.proto";
message Order { lib.Money m = 1; google.protobuf.Timestamp at = 2; }`,
      references: [{ name: 'money.proto', subject: lib, version: 1 }],
    })
    const codec = registryCodec(registry())
    const value = await read(codec, framed(id, Buffer.from('000a02080512020801', 'hex')))
    expect(value).toEqual({ m: { n: 5 }, at: '1970-01-01T00:00:01Z' })
    expect((await registry().schemaOf(order)).parse(value)).toEqual(value)

    const schema = { type: 'object', required: ['a'], properties: { a: { type: 'string', format: 'date' } } }
    const jsonId = await server.register(json, { schemaType: 'JSON', schema })
    expect(await read(codec, framed(jsonId, Buffer.from('{"a":"2026-01-01"}')))).toEqual({ a: '2026-01-01' })
    expect((await registry().schemaOf(json)).safeParse({ a: 'x' }).success).toBe(false)
  })

  it('says what it does not have', async () => {
    await expect(read(registryCodec(registry()), framed(1_999_999_999, Buffer.alloc(1)))).rejects.toThrow(
      /The schema registry 127\.0\.0\.1:\d+ does not have the schema with id 1999999999/,
    )
    await expect(registry().definitionOf(server.subject('none'))).rejects.toThrow('does not have subject "none-')
  })
})

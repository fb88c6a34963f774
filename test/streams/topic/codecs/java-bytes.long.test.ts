import { expect, it } from 'vitest'
import { registryCodec, schemaRegistry } from '../../../../src/index.ts'
import { javaPayments } from '../../../kit/java-serializer.ts'
import { describeRegistry } from '../../../kit/registry.ts'
import { PAYMENT_BYTES, PAYMENTS } from './payments.ts'
import { RECORD } from './records.ts'

describeRegistry("a Java producer's serializer", (registry) => {
  it('writes what the codec reads, and what the other tests have of it', async () => {
    const values = await javaPayments(registry.url, registry.subject('java'))
    const codec = registryCodec(schemaRegistry({ url: registry.url }))
    await codec.prepare?.(values, new AbortController().signal)
    expect(values.map((value) => codec(value, RECORD))).toEqual(PAYMENTS)
    expect(values.map((value) => value.subarray(5))).toEqual(PAYMENT_BYTES)
  })
})

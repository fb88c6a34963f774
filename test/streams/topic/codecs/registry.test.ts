import avsc from 'avsc'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { type Codec, CodecUnavailable, registryCodec, schemaRegistry } from '../../../../src/index.ts'
import { Patience } from '../../../../src/streams/topic/codecs/registry/patience.ts'
import { type Answer, type FakeRegistry, fakeRegistry, framed, json } from '../../../kit/fake-registry.ts'
import { RECORD } from './records.ts'

const signal = new AbortController().signal

async function registryOf(options: object = {}): Promise<{ fake: FakeRegistry; codec: Codec }> {
  const fake = await fakeRegistry()
  onTestFinished(() => fake.stop().catch(() => {}))
  return { fake, codec: registryCodec(schemaRegistry({ url: fake.url, ...options })) }
}

/** Prepares and decodes one value. */
async function read(codec: Codec, bytes: Buffer): Promise<unknown> {
  await codec.prepare?.([bytes], signal, [Date.now()])
  return codec(bytes, RECORD)
}

const INT = { schema: '"int"' }
const five = framed(1, Buffer.from([10]))

describe("a registry's codec", () => {
  it('asks for a schema once, whoever needs it', async () => {
    const { fake, codec } = await registryOf()
    fake.schemas.set(1, INT)
    fake.schemas.set(2, { schema: '"string"' })
    const text = framed(2, Buffer.from([2, 97]))
    await Promise.all([codec.prepare?.([five, five, text], signal), codec.prepare?.([text, five], signal)])
    expect([codec(five, RECORD), codec(text, RECORD)]).toEqual([5, 'a'])
    expect(codec.prepare?.([five, text], signal)).toBeUndefined()
    expect(fake.asked.toSorted()).toEqual(['/schemas/ids/1', '/schemas/ids/2'])
  })

  it('decodes Avro with references between subjects', async () => {
    const { fake, codec } = await registryOf()
    const money = { type: 'record', name: 'Money', namespace: 'lib', fields: [{ name: 'n', type: 'int' }] }
    const pair = { type: 'record', name: 'Pair', namespace: 'lib', fields: [{ name: 'a', type: 'Money' }] }
    const toMoney = { name: 'lib.Money', subject: 'money/x', version: 2 }
    fake.versions.set('money/x/2', { schema: JSON.stringify(money) })
    fake.versions.set('pair/1', { schema: JSON.stringify(pair), references: [toMoney] })
    const order = {
      type: 'record',
      name: 'O',
      fields: [
        { name: 'p', type: 'lib.Pair' },
        { name: 'm', type: 'lib.Money' },
      ],
    }
    const references = [{ name: 'lib.Pair', subject: 'pair', version: 1 }, toMoney]
    fake.schemas.set(1, { schema: JSON.stringify(order), references })
    expect(await read(codec, framed(1, Buffer.from([2, 4])))).toEqual({ p: { a: { n: 1 } }, m: { n: 2 } })
  })

  it('decodes Protobuf by the path of the message, with imports', async () => {
    const { fake, codec } = await registryOf()
    const lib = 'syntax = "proto3"; package lib; message Money { int32 n = 1; }'
    fake.versions.set('lib/1', { schema: lib, schemaType: 'PROTOBUF' })
    const schema = `syntax = "proto3"; package shop; import "lib/money.proto"; import "google/protobuf/timestamp.proto";
      message A { lib.Money m = 1; enum E { X = 0; } message B { message C { string s = 1; } } } message D { int32 n = 1; }`
    const references = [{ name: 'lib/money.proto', subject: 'lib', version: 1 }]
    fake.schemas.set(1, { schema, schemaType: 'PROTOBUF', references })
    expect(await read(codec, framed(1, Buffer.from('000a020805', 'hex')))).toEqual({ m: { n: 5 } })
    expect(codec(framed(1, Buffer.from('02020805', 'hex')), RECORD)).toEqual({ n: 5 })
    expect(codec(framed(1, Buffer.from('060000000a0161', 'hex')), RECORD)).toEqual({ s: 'a' })
    for (const hex of ['0204', '0206', '02', '80808080808080808001', `${'ff'.repeat(9)}01`, '0601']) {
      expect(() => codec(framed(1, Buffer.from(hex, 'hex')), RECORD), hex).toThrow()
    }
  })

  it('decodes the JSON behind the header', async () => {
    const { fake, codec } = await registryOf()
    fake.schemas.set(1, { schema: '{"type":"object"}', schemaType: 'JSON' })
    expect(await read(codec, framed(1, Buffer.from('{"a":[1]}')))).toEqual({ a: [1] })
  })

  it('needs nothing for records without its header, which it cannot decode', async () => {
    const { fake, codec } = await registryOf()
    const values = [Buffer.from('{"a":1}'), Buffer.from([0, 0, 0, 1]), Buffer.alloc(0)]
    expect(codec.prepare?.(values, signal)).toBeUndefined()
    for (const value of values) expect(() => codec(value, RECORD)).toThrow('does not begin with a zero byte')
    expect(fake.asked).toEqual([])
  })

  it('has schemas of a hundred subjects, and names in them that are anything', async () => {
    const { fake, codec } = await registryOf()
    for (let id = 1; id <= 100; id++) {
      fake.schemas.set(id, {
        schema: JSON.stringify({ type: 'record', name: 'R', fields: [{ name: `f${id}`, type: 'int' }] }),
      })
    }
    const values = Array.from({ length: 100 }, (_, index) => framed(index + 1, Buffer.from([2])))
    await codec.prepare?.(values, signal)
    expect(values.map((value) => codec(value, RECORD))).toEqual(values.map((_, index) => ({ [`f${index + 1}`]: 1 })))
  })
})

describe('an answer that is none', () => {
  const says = async (answer: Answer, options: object = {}): Promise<string> => {
    const { fake, codec } = await registryOf(options)
    fake.answer = answer
    const error: Error = await read(codec, five).then(
      () => new Error('It was decoded'),
      (reason) => reason,
    )
    expect(error).toBeInstanceOf(CodecUnavailable)
    // It says where, and never by what.
    expect(error.message).toMatch(/127\.0\.0\.1:\d+|id 1/)
    expect(error.message).not.toMatch(/hunter2|aHVud/)
    return error.message
  }
  const status =
    (code: number, headers = {}): Answer =>
    (_, response) =>
      void response.writeHead(code, headers).end('{}')
  const body =
    (text: string): Answer =>
    (_, response) =>
      void response.end(text)
  const schema =
    (text: string, more = {}): Answer =>
    (_, response) =>
      json(response, { schema: text, ...more })

  it('is a sentence, whatever it is', async () => {
    expect(await says(status(401), { username: 'u', password: 'hunter2' })).toMatch(
      'refuses its credentials (status 401)',
    )
    expect(await says(status(403))).toMatch('refuses its credentials')
    expect(await says(status(429))).toMatch('asked too often')
    expect(await says(status(500))).toMatch('answers with status 500')
    expect(await says(status(503))).toMatch('answers with status 503')
    expect(await says(status(204))).toMatch('answers with status 204')
    expect(await says(status(302, { location: 'http://127.0.0.1:1/' }))).toMatch('redirects (status 302)')
    expect(await says(status(404))).toMatch('is its url right?')
    expect(await says(body('<html>'))).toMatch("not a registry's JSON")
    expect(await says(body('5'))).toMatch("not a registry's JSON")
    expect(await says(body('{}'))).toMatch('has no schema')
    expect(await says(schema('"int"', { schemaType: 'XML' }))).toMatch('neither Avro, Protobuf nor JSON Schema')
    expect(await says(schema('{"type":"record"'))).toMatch('cannot be used')
    expect(await says(schema('"nothing"'))).toMatch('cannot be used')
    expect(await says(schema('message {', { schemaType: 'PROTOBUF' }))).toMatch('cannot be used')
    expect(await says(schema('{', { schemaType: 'JSON' }))).toMatch('cannot be used')
    expect(await says(schema('"int"', { references: 5 }))).toMatch('references of the schema with id 1 cannot be read')
    expect(await says((request) => request.socket.destroy())).toMatch(/does not answer/)
  })

  it('is one where references loop, are too many, or are not there', async () => {
    const loop = { references: [{ name: 'a', subject: 'a', version: 1 }] }
    expect(await says(schema('"int"', loop))).toMatch('refers to itself')
    let count = 0
    const chain: Answer = (_, response) =>
      json(response, { schema: '"int"', references: [{ name: 'a', subject: `s${count++}`, version: 1 }] })
    expect(await says(chain)).toMatch('too deeply')
    const missing: Answer = (request, response) => {
      if (request.url?.startsWith('/schemas')) return json(response, { schema: '"int"', ...loop })
      json(response, { error_code: 40401 }, 404)
    }
    expect(await says(missing)).toMatch('which another schema refers to')
  })

  it('is bounded in bytes and time', async () => {
    const endless: Answer = (_, response) => {
      const more = () => {
        while (!response.destroyed && response.write('x'.repeat(65_536)));
      }
      response.on('drain', more)
      more()
    }
    expect(await says(endless)).toMatch('more than 8388608 bytes')
    const drip: Answer = (_, response) => {
      const timer = setInterval(() => response.write(' '), 5)
      response.on('close', () => clearInterval(timer))
    }
    expect(await says(drip, { timeoutMs: 150 })).toMatch('does not answer (within 0.15 s)')
    expect(await says(() => {}, { timeoutMs: 150 })).toMatch('does not answer (within 0.15 s)')
  })

  it('of a registry that is down is one too, and the next one counts', async () => {
    const { fake, codec } = await registryOf()
    fake.schemas.set(1, INT)
    await fake.stop()
    await expect(read(codec, five)).rejects.toThrow(/does not answer \(ECONNREFUSED\)/)
    await fake.start()
    await vi.waitFor(async () => expect(await read(codec, five)).toBe(5), 5_000)
  })

  it('is not asked for again at once', async () => {
    const { fake, codec } = await registryOf()
    for (let attempt = 0; attempt < 5; attempt++) await expect(read(codec, five)).rejects.toThrow('does not have')
    expect(fake.asked).toEqual(['/schemas/ids/1'])
  })
})

describe('credentials', () => {
  it('go with every question, and to nobody else', async () => {
    const other = await fakeRegistry()
    onTestFinished(() => other[Symbol.asyncDispose]())
    const { fake } = await registryOf()
    const url = fake.url.replace('http://', 'http://user:hunter2@')
    const codec = registryCodec(schemaRegistry({ url: `${url}/`, headers: { 'x-tenant': 'one' } }))
    fake.answer = (_, response) => void response.writeHead(307, { location: `${other.url}/schemas/ids/1` }).end()
    await expect(read(codec, five)).rejects.toThrow('redirects')
    expect(fake.headers[0]).toMatchObject({ authorization: `Basic ${btoa('user:hunter2')}`, 'x-tenant': 'one' })
    expect(other.asked).toEqual([])
    expect(() => schemaRegistry({ url: 'ftp://a' })).toThrow(TypeError)
    expect(() => schemaRegistry({ url: 'user:hunter2@a' })).toThrow(/^The schema registry's url is not/)
  })
})

describe('an id that a healthy registry does not have', () => {
  it('is given up after a time, and its records are no events then', async () => {
    const { fake, codec } = await registryOf({ giveUpAfterMs: 0 })
    await codec.prepare?.([five], signal, [0])
    expect(() => codec(five, RECORD)).toThrow('does not have the schema with id 1')
    // It is not asked for with every record.
    expect(codec.prepare?.([five], signal, [0])).toBeUndefined()
    expect(fake.asked).toEqual(['/schemas/ids/1', '/subjects'])
  })

  it('is not given up while the registry has lost all its subjects, or cannot be asked', async () => {
    const { fake, codec } = await registryOf({ giveUpAfterMs: 0 })
    fake.subjects = []
    await expect(read(codec, five)).rejects.toThrow('does not have the schema with id 1')
    await fake.stop()
    await vi.waitFor(() => expect(read(codec, five)).rejects.toThrow('ECONNREFUSED'), 5_000)
  })

  it('waits since it was asked for or its record was written, but for half a minute at least', () => {
    const minute = 60_000
    const now = 1_000 * minute
    const patience = new Patience({ giveUpAfterMs: 10 * minute })
    expect(patience.isOver(1, now, now)).toBe(false)
    expect(patience.isOver(1, now, now + 9 * minute)).toBe(false)
    expect(patience.isOver(1, now, now + 10 * minute)).toBe(true)
    // Of an old record.
    expect(patience.isOver(2, 0, now)).toBe(false)
    expect(patience.isOver(2, 0, now + 29_999)).toBe(false)
    expect(patience.isOver(2, 0, now + 30_000)).toBe(true)
    // A newer record with the same id.
    expect(patience.isOver(2, now + minute, now + minute)).toBe(false)
  })

  it('takes the patience with others, for a time, and is asked for again itself', () => {
    const now = 1_000_000_000
    const patience = new Patience({ giveUpAfterMs: 600_000 })
    patience.isOver(1, now, now)
    patience.giveUp(1, now)
    expect(patience.givenUp(1, now + 59_999)).toBe('yes')
    expect(patience.givenUp(1, now + 60_000)).toBe('again')
    expect(patience.givenUp(2, now)).toBe('no')
    expect(patience.isOver(2, now, now + 29_000)).toBe(false)
    expect(patience.isOver(2, now, now + 30_000)).toBe(true)
    // One that came to be registered restores it.
    patience.isOver(3, now, now)
    patience.found(3)
    expect(patience.isOver(2, now, now + 60_000)).toBe(false)
    patience.found(1)
    expect(patience.givenUp(1, now)).toBe('no')
  })
})

it('50 versions of a schema decode side by side in one topic', async () => {
  const { fake, codec } = await registryOf()
  const versions = Array.from({ length: 50 }, (_, version) => ({
    type: 'record' as const,
    name: 'Order',
    fields: Array.from({ length: version + 1 }, (_, n) => ({ name: `f${n}`, type: 'int' as const, default: n })),
  }))
  const values = versions.map((schema, version) => {
    fake.schemas.set(version + 1, { schema: JSON.stringify(schema) })
    const value = Object.fromEntries(schema.fields.map(({ name }, n) => [name, n * version]))
    return { value, bytes: framed(version + 1, avsc.Type.forSchema(schema).toBuffer(value)) }
  })
  const shuffled = [...values, ...values].toSorted(
    (a, b) => ((a.bytes.length * 7919) % 31) - ((b.bytes.length * 7919) % 31),
  )
  await codec.prepare?.(
    shuffled.map(({ bytes }) => bytes),
    signal,
  )
  for (const { bytes, value } of shuffled) expect(codec(bytes, RECORD)).toEqual(value)
})

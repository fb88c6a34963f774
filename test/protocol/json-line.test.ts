import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import fc from 'fast-check'
import { GraphQLScalarType } from 'graphql'
import { expect, test } from 'vitest'
import { custom, quote } from '../../src/delivery/render/text-values.ts'
import { resultBlock } from '../../src/protocol/event-stream.ts'
import { frame, NO_CURSOR } from '../../src/protocol/framing.ts'
import { jsonLine, oneLine } from '../../src/protocol/json-line.ts'
import { OperationFraming } from '../../src/protocol/single-connection.ts'
import { startTestGateway } from '../kit/gateway.ts'
import { RawStream } from '../kit/raw-stream.ts'
import { Statistics } from '../kit/statistics.ts'
import { probeSchema } from '../transport/probe-schema.ts'
import { SingleClient } from '../transport/single/client.ts'

/** All that `str.splitlines` splits at. */
const BREAKS = '\n\r\u000b\u000c\u001c\u001d\u001e\u0085\u2028\u2029'
const text = fc.string({ unit: fc.constantFrom(...BREAKS, ...'ab"\\é東\0', '😀', '\ud800', '\\u2028'), maxLength: 30 })
const ANY = new GraphQLScalarType({ name: 'Any' })

/** The results that Python finds in a stream. */
function inPython(stream: string | Buffer): unknown[] {
  const script = join(import.meta.dirname, 'split-lines.py')
  const { status, stdout, stderr } = spawnSync('python3', [script], { input: stream, encoding: 'utf8' })
  expect([status, stderr]).toEqual([0, ''])
  return stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
}

test('any text survives, as one line to every reader of lines', () => {
  const statistics = new Statistics('Texts', ['U+0085', 'U+2028', 'U+2029', 'none of them'])
  const stream: Buffer[] = []
  const sent: unknown[] = []
  fc.assert(
    fc.property(text, text, (value, name) => {
      for (const [code, char] of [
        ['U+0085', '\u0085'],
        ['U+2028', '\u2028'],
        ['U+2029', '\u2029'],
      ] as const)
        statistics.count(code, Number(value.includes(char)))
      statistics.count('none of them', Number(!/[\u0085\u2028\u2029]/.test(value)))
      const tree = { [name]: [value, { [value]: name }] }
      for (const [json, expected] of [
        [quote(value), value],
        [custom(ANY, value), value],
        [custom(ANY, tree), tree],
        [jsonLine(tree), tree],
        [oneLine(JSON.stringify(tree)), tree],
      ] as const) {
        expect([...BREAKS].filter((char) => json.includes(char))).toEqual([])
        expect(JSON.parse(json)).toEqual(expected)
        stream.push(resultBlock(json))
        sent.push(expected)
      }
      const framing = new OperationFraming(value, false)
      stream.push(frame(framing, NO_CURSOR, Buffer.from(quote(name))), framing.complete)
      sent.push({ id: value, payload: name }, { id: value })
    }),
    { numRuns: 300 },
  )
  statistics.report()
  // Python's escapes of what has no escape in JSON are the same values.
  expect(inPython(Buffer.concat(stream))).toEqual(JSON.parse(JSON.stringify(sent)))
})

test('what JSON does not escape is left as it is', () => {
  expect([quote('é東😀'), jsonLine({ a: '\u007f\u00a0\ufeff' })]).toEqual(['"é東😀"', '{"a":"\u007f\u00a0\ufeff"}'])
})

const CITY = 'a\u0085b\u2028c\u2029d\u000be'

test('Python finds the results of a real stream, whatever way they were made', async () => {
  const gateway = await startTestGateway()
  const query = 'subscription { orders { id city } }'
  const stream = await RawStream.subscribe(gateway.graphql, query)
  const single = await SingleClient.open(gateway.graphql)
  await single.start('\u2028', query)
  // The first ones are executed by graphql-js, the later ones by compiled code.
  const orders = Array.from({ length: 200 }, (_each, n) => ({ id: `${n}`, city: `${CITY}${n}` }))
  for (let at = 0; at < orders.length; at += 20) await gateway.produce(...orders.slice(at, at + 20))
  await stream.untilResults(200)
  await single.untilTold(200)
  const ids = (results: unknown[]) =>
    results.map((each) => (each as { data: { orders: { id: string } } }).data.orders).sort((a, b) => +a.id - +b.id)
  expect(ids(inPython(wholeBlocks(stream)))).toEqual(orders)
  const told = inPython(wholeBlocks(single.stream)) as { id: string; payload: unknown }[]
  expect(new Set(told.map(({ id }) => id))).toEqual(new Set(['\u2028']))
  expect(ids(told.map(({ payload }) => payload))).toEqual(orders)
})

test('errors that quote their client, and mutations, are one line each, on streams and in plain answers', async () => {
  const gateway = await startTestGateway({ schema: probeSchema().schema })
  const wrong = { query: 'query ($on: Boolean!) { hello @include(if: $on) }', variables: { on: CITY } }
  const shout = { query: 'mutation ($text: String!) { shout(text: $text) }', variables: { text: CITY } }
  const unparsed = { query: `{ hello(a: "${CITY}") ?` }
  for (const body of [wrong, shout, unparsed, { ...shout, operationName: CITY }]) {
    for (const accept of ['text/event-stream', 'application/json', 'application/graphql-response+json']) {
      const answer = await RawStream.answer(gateway.graphql, { method: 'POST', body, headers: { accept } })
      expect(answer.body, JSON.stringify(body)).not.toMatch(/[\u0085\u2028\u2029]/)
      expect(answer.body).not.toBe('')
    }
  }
})

function wholeBlocks(stream: RawStream): string {
  const { body } = stream
  return body.slice(0, body.lastIndexOf('\n\n') + 2)
}

import { buildSchema, GraphQLError, parse, validate } from 'graphql'
import { expect, test } from 'vitest'
import { errorJson, resultJson } from '../../src/delivery/render/result-json.ts'
import { SluiceError } from '../../src/errors/codes.ts'
import { formatError } from '../../src/errors/format.ts'
import { ResolverErrors } from '../../src/errors/resolver-errors.ts'
import { silentErrors } from '../kit/errors.ts'
import { recordedLog } from '../kit/log-lines.ts'
import { SECRET, THROWN } from '../kit/thrown.ts'

const WHERE = { path: ['a', 0, 'b'], nodes: parse('{ a }').definitions }

/** As executors put it: round what was thrown, where that is an Error. */
function located(thrown: unknown): GraphQLError {
  const originalError = thrown instanceof Error ? thrown : new Error(`Unexpected error value: ${SECRET}`)
  return new GraphQLError('outer', { ...WHERE, originalError })
}

test.each(THROWN)('$what is masked and logged once, or goes out as it was meant: $code', ({ make, code }) => {
  for (const wrap of [(thrown: unknown) => thrown, located]) {
    const thrown = make()
    if (wrap === located && thrown instanceof Error && thrown.constructor.name === 'Hostile') continue
    const { log, lines } = recordedLog()
    const formatted = formatError(wrap(thrown), new ResolverErrors(log))
    const text = JSON.stringify(formatted)
    expect(text).not.toContain(SECRET)
    expect(text).not.toMatch(/\bat \S+ \(|node_modules|\.ts:/)
    expect(text.length).toBeLessThan(20_000)
    expect(formatted.extensions?.code).toBe(code ?? 'INTERNAL_SERVER_ERROR')
    expect(lines).toHaveLength(code ? 0 : 1)
    if (!code) expect(formatted.message).toBe('Unexpected error')
  }
})

test('what was meant for clients keeps what it says beside its code', () => {
  const error = new GraphQLError('no', { extensions: { code: 'THEIRS', retryable: true, at: new Date(0) } })
  const extensions = { code: 'THEIRS', retryable: true, at: '1970-01-01T00:00:00.000Z' }
  expect(formatError(error, silentErrors)).toEqual({ message: 'no', extensions })
})

test('our own errors keep all of their details', () => {
  const gaps = Array.from({ length: 256 }, (_, partition) => ({
    partition,
    from: 2 ** 40,
    to: 2 ** 41,
    reason: 'retention',
  }))
  const { extensions } = formatError(new SluiceError('CURSOR_EXPIRED', undefined, { gaps }), silentErrors)
  expect(extensions).toEqual({ code: 'CURSOR_EXPIRED', gaps })
})

test('what GraphQL says of a request is for the client, with the code of what it is', () => {
  const schema = buildSchema('type Query { long: Int }')
  const [error] = validate(schema, parse('{ b }'))
  expect(formatError(error, silentErrors, 'GRAPHQL_VALIDATION_FAILED')).toEqual({
    message: 'Cannot query field "b" on type "Query".',
    locations: [{ line: 1, column: 3 }],
    extensions: { code: 'GRAPHQL_VALIDATION_FAILED' },
  })
})

test('a masked error has the place that the executor gave it, and none that it gave itself', () => {
  expect(formatError(located(new Error(SECRET)), silentErrors).path).toEqual(['a', 0, 'b'])
  expect(formatError(new GraphQLError(SECRET, { path: ['x'] }), silentErrors).path).toBeUndefined()
  const strange = new GraphQLError('x', { path: ['/etc/passwd', {} as never], originalError: new Error() })
  expect(formatError(strange, silentErrors).path).toBeUndefined()
})

test('the log has what a masked error really was', () => {
  const { log, lines } = recordedLog()
  formatError(located(new Error(SECRET)), new ResolverErrors(log))
  expect(lines).toMatchObject([{ msg: 'A resolver failed', path: ['a', 0, 'b'], err: { message: SECRET } }])
})

test('a result that JSON cannot say is an error', () => {
  const circle: Record<string, unknown> = {}
  circle.self = circle
  for (const data of [{ big: 2n }, circle, { toJSON: () => circle }]) {
    const { log, lines } = recordedLog()
    expect(JSON.parse(resultJson({ data }, new ResolverErrors(log)))).toEqual({
      errors: [{ message: 'Unexpected error', extensions: { code: 'INTERNAL_SERVER_ERROR' } }],
      data: null,
    })
    expect(lines).toHaveLength(1)
  }
})

test.each(THROWN)('the result of an event that fails by $what is JSON', ({ make }) => {
  expect(JSON.parse(errorJson(make(), silentErrors))).toMatchObject({ data: null, errors: [expect.anything()] })
})

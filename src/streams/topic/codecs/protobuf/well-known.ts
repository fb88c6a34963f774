import { CodecFailure } from '../../codec.ts'
import { decimalText } from '../decimals.ts'
import { instantText } from '../times.ts'

type Fields = Readonly<Record<string, unknown>>
/** Makes a plain value of the fields of a well-known message. */
export type Unwrap = (fields: Fields) => unknown

const WRAPPED = ['Double', 'Float', 'Int64', 'UInt64', 'Int32', 'UInt32', 'Bool', 'String', 'Bytes']
/** A duration in text has its fraction in nanoseconds. */
const NANOS_DIGITS = 9

/** By the full name of the message. Their 64-bit fields are text here, whatever the codec's option says. */
export const WELL_KNOWN: Readonly<Record<string, Unwrap>> = {
  '.google.protobuf.Timestamp': timestamp,
  '.google.protobuf.Duration': duration,
  ...Object.fromEntries(WRAPPED.map((name) => [`.google.protobuf.${name}Value`, ({ value }: Fields) => value])),
  '.google.protobuf.Struct': ({ fields }) => fields,
  '.google.protobuf.ListValue': ({ values }) => values,
  '.google.protobuf.Value': (fields) => Object.values(fields)[0] ?? null,
  '.confluent.type.Decimal': ({ value, scale }) => decimalText(Buffer.from(value as string, 'base64'), scale as number),
}
export const NULL_VALUE = '.google.protobuf.NullValue'

/** Those whose own integers must be exact before they become text. */
export const COUNTED: ReadonlySet<string> = new Set(['.google.protobuf.Timestamp', '.google.protobuf.Duration'])

/** RFC 3339 with as many digits as it takes: none, 3, 6 or 9, as Protobuf's JSON has it. */
function timestamp({ seconds, nanos }: Fields): string {
  const fraction = nanos as number
  if (fraction < 0 || fraction > 999_999_999) throw new CodecFailure('A timestamp has nanoseconds beyond a second')
  const whole = instantText(Number(seconds), 's')
  return fraction === 0 ? whole : `${whole.slice(0, -1)}.${digits(fraction)}Z`
}

/** Such as `1.500s`, as Protobuf's JSON has it. */
function duration({ seconds, nanos }: Fields): string {
  const fraction = nanos as number
  const sign = String(seconds).startsWith('-') || fraction < 0 ? '-' : ''
  const whole = String(seconds).replace('-', '')
  return fraction === 0 ? `${sign}${whole}s` : `${sign}${whole}.${digits(Math.abs(fraction))}s`
}

function digits(nanos: number): string {
  const all = String(nanos).padStart(NANOS_DIGITS, '0')
  if (all.endsWith('000000')) return all.slice(0, 3)
  return all.endsWith('000') ? all.slice(0, 6) : all
}

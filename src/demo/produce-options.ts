import { parseArgs } from 'node:util'
import { z } from 'zod'

export const USAGE = `Sends demo orders to a Kafka topic, which must exist.

  npm run produce -- --brokers host:port[,host:port] [options]

  --brokers  where the cluster is: host:port, several separated by commas
  --rate     orders a second, 0.001 to 100000 (default: 20)
  --count    stop after as many (default: go on until Ctrl-C)
  --topic    the topic to send to (default: orders)
  --sales-topic  a compacted topic for the totals by region and minute (default: none is sent)
  --seed     an integer; the same seed makes the same orders, at the same times (default: 1)
  --help     show this
`

const BROKER = /^[^\s:,]+:\d{1,5}$|^\[[0-9a-fA-F:]+\]:\d{1,5}$/

const number = (message: string) =>
  z
    .string()
    .trim()
    .regex(/^-?\d+(\.\d+)?$/, message)
    .transform(Number)

const SEED = 'wants an integer'
const COUNT = 'wants a whole number from 1 up'
const RATE = 'wants a number from 0.001 to 100000'

const ProduceOptions = z.object({
  brokers: z
    .string('is needed: host:port, several separated by commas')
    .transform((text) => text.split(',').map((broker) => broker.trim()))
    .refine(
      (brokers) => brokers.every((broker) => BROKER.test(broker)),
      'wants host:port, several separated by commas',
    ),
  rate: number(RATE).pipe(z.number().min(0.001, RATE).max(100_000, RATE)).default(20),
  count: number(COUNT).pipe(z.int(COUNT).min(1, COUNT)).optional(),
  topic: z
    .string()
    .regex(/^[a-zA-Z0-9._-]{1,249}$/, 'wants 1 to 249 of a-z A-Z 0-9 . _ -')
    .default('orders'),
  'sales-topic': z
    .string()
    .regex(/^[a-zA-Z0-9._-]{1,249}$/, 'wants 1 to 249 of a-z A-Z 0-9 . _ -')
    .optional(),
  seed: number(SEED).pipe(z.int(SEED)).default(1),
})
export type ProduceOptions = z.output<typeof ProduceOptions>

export type ProduceCommand =
  | { readonly kind: 'produce'; readonly options: ProduceOptions }
  | { readonly kind: 'help' }
  /** One line that says which option, what it got, and what it wants. */
  | { readonly kind: 'invalid'; readonly message: string }

/** Reads the command line, without the program's name. */
export function parseProduceCommand(args: readonly string[]): ProduceCommand {
  const text = { type: 'string' } as const
  let values: Record<string, string | boolean | undefined>
  try {
    ;({ values } = parseArgs({
      args: [...args],
      options: {
        brokers: text,
        rate: text,
        count: text,
        topic: text,
        'sales-topic': text,
        seed: text,
        help: { type: 'boolean' },
      },
    }))
  } catch (error) {
    // parseArgs throws a TypeError whose message is meant for the user.
    return { kind: 'invalid', message: (error as TypeError).message.split('\n', 1)[0]! }
  }
  if (values.help) return { kind: 'help' }

  const parsed = ProduceOptions.safeParse(values)
  if (parsed.success) return { kind: 'produce', options: parsed.data }
  const issue = parsed.error.issues[0]!
  const name = String(issue.path[0])
  const got = values[name] === undefined ? '' : `, not "${values[name]}"`
  return { kind: 'invalid', message: `--${name} ${issue.message}${got}` }
}

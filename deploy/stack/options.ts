import { parseArgs } from 'node:util'
import { z } from 'zod'

export const USAGE = `Everything on this machine, without containers: a Kafka broker, gateways on it, Nginx before them, and demo orders.

  npm run stack -- [options]

  --gateways    how many, 1 to 16 (default: 2)
  --rate        demo orders a second; 0 for none (default: 20)
  --port        where Nginx listens, with TLS (default: 8443)
  --kafka-port  where the broker listens (default: 9092)
  --base-port   gateway N listens at this + N, and its admin port is 100 more (default: 4100)
  --sockets     the gateways listen at unix sockets instead of ports
  --help        show this

Ctrl-C ends all of it; a second one at once. What a gateway takes from the environment, such as WINDOW_BYTES, it takes
here too. It ends with code 3 where this machine lacks something, and says what.`

const whole = (min: number, max: number) =>
  z
    .string()
    .regex(/^\d{1,9}$/)
    .transform(Number)
    .pipe(z.number().min(min).max(max))

const MAX_GATEWAYS = 16
const PORT = whole(1, 65_535)

const StackOptions = z.object({
  gateways: whole(1, MAX_GATEWAYS).default(2),
  rate: whole(0, 100_000).default(20),
  port: PORT.default(8443),
  'kafka-port': PORT.default(9092),
  'base-port': whole(1, 65_535 - 100 - MAX_GATEWAYS).default(4100),
  sockets: z.boolean().default(false),
})
export type StackOptions = z.output<typeof StackOptions>

/** What `--help` asks for, or options; `wrong` is one line that says which option, and what it wants. */
export function parseStackCommand(args: readonly string[]): StackOptions | 'help' | { readonly wrong: string } {
  const text = { type: 'string' } as const
  const flag = { type: 'boolean' } as const
  let values: Record<string, string | boolean | undefined>
  try {
    const options = { gateways: text, rate: text, port: text, 'kafka-port': text, 'base-port': text, sockets: flag }
    ;({ values } = parseArgs({ args: [...args], options: { ...options, help: flag } }))
  } catch (error) {
    // parseArgs throws a TypeError whose message is written for whoever typed the line.
    return { wrong: (error as TypeError).message.split('\n', 1)[0]! }
  }
  if (values.help) return 'help'
  const parsed = StackOptions.safeParse(values)
  if (parsed.success) return parsed.data
  const name = String(parsed.error.issues[0]?.path[0])
  const wants = USAGE.match(new RegExp(`--${name} +(.+)`))?.[1]
  return { wrong: `--${name} "${values[name]}" is wrong: ${wants}` }
}

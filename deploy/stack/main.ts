/** `npm run stack`: Kafka, gateways, Nginx and the demo feed on this machine, until Ctrl-C. */
import { kafkaMissing } from '../kafka/broker.ts'
import { findNginx, NGINX_MISSING } from '../nginx/run.ts'
import { parseStackCommand, type StackOptions, USAGE } from './options.ts'
import { demandPorts, PortTaken } from './ports.ts'
import { startStack } from './stack.ts'

/** Exit codes; 130 is what shells have for a Ctrl-C before it was all there. */
const FAILED = 1
const WRONG_OPTION = 2
const MISSING = 3
const INTERRUPTED = 130

const command = parseStackCommand(process.argv.slice(2))
if (command === 'help') console.log(USAGE)
else if ('wrong' in command) fail(WRONG_OPTION, `${command.wrong} (--help shows all options)`)
else await run(command)

async function run(options: StackOptions): Promise<void> {
  const missing = findNginx() === undefined ? `The stack cannot start: ${NGINX_MISSING}` : await kafkaMissing()
  if (missing !== null) return fail(MISSING, missing)

  const interrupt = new AbortController()
  const interrupted = new Promise<undefined>((resolve) => {
    interrupt.signal.addEventListener('abort', () => resolve(undefined))
  })
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      // Whoever asks twice means it: what is still there ends with us.
      if (interrupt.signal.aborted) process.exit(INTERRUPTED)
      console.log('\nEnding all of it')
      interrupt.abort()
    })
  }

  // Ended in the `finally`, whatever was started by then.
  const closing = new AsyncDisposableStack()
  try {
    await demandPorts(options)
    const tell = (part: string, where: string): void => console.log(`${part.padEnd(10)} ${where}`)
    const stack = await startStack(options, closing, interrupt.signal, tell)
    console.log('Ctrl-C ends all of it.')
    const death = await Promise.race([interrupted, stack.died])
    if (death !== undefined) fail(FAILED, `${death}\nSo all of it ends.`)
  } catch (error) {
    // Whatever failed then: a Ctrl-C is also for the short-lived tools of a start.
    if (interrupt.signal.aborted) process.exitCode = INTERRUPTED
    else
      fail(FAILED, error instanceof PortTaken ? error.message : `The stack did not start: ${(error as Error).message}`)
  } finally {
    await closing.disposeAsync()
  }
  if (interrupt.signal.aborted) console.log('All of it has ended')
}

function fail(code: number, sentence: string): void {
  console.error(sentence)
  process.exitCode = code
}

/** A client's library in a process of its own: commands come as lines of JSON, and what is seen goes out as such. */
import { createInterface } from 'node:readline'
import type { MatrixClient } from '../client.ts'
import { hasten } from '../fast-clock.ts'
import { startSession } from './session.ts'

hasten()
// What a library throws beside its callbacks must not end the others' subscriptions; it is not told to the caller either.
process.on('uncaughtException', (error) => console.error(error))
process.on('unhandledRejection', (error) => console.error(error))

const { client } = (await import(process.argv[2]!)) as { client: MatrixClient }
const run = startSession(client, (key, sight) => console.log(JSON.stringify({ key, ...sight })))
console.log(JSON.stringify({ key: -1 }))
for await (const line of createInterface({ input: process.stdin })) run(JSON.parse(line))
process.exit(0)

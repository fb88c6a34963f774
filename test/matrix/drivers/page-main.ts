/** A client's library in a page: the bundle of this file has the client in place of `matrix-client`. */
import { hasten } from '../fast-clock.ts'
import type { Sight } from '../sight.ts'
import { type Command, startSession } from './session.ts'

hasten()
const page = globalThis as unknown as { told: ({ key: number } & Sight)[]; command: (command: Command) => void }
page.told = []
// @ts-expect-error the bundler's alias
const { client } = await import('matrix-client')
page.command = startSession(client, (key, sight) => page.told.push({ key, ...sight }))

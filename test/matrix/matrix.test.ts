import { readFileSync, writeFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { pythonMissing } from '../../scripts/python.ts'
import { describeChromium } from '../kit/chromium.ts'
import { until } from '../kit/until.ts'
import { atOnce } from './at-once.ts'
import { CELLS } from './cells/all.ts'
import { allClients, type ClientFile, startDriver } from './clients.ts'
import { DOCUMENT, type Row, readTable, rowsIn, tableOf, versionsOf, withTable } from './table.ts'
import { World } from './world.ts'

/** Most of a cell's time is waiting. */
const CELLS_AT_ONCE = 24
/** A group outlives its members, and a connection that is kept its last answer. */
const LEFT_MS = 30_000

const clients = await allClients()
const missing = pythonMissing()
const isHere = ({ client }: ClientFile) => typeof client.runs !== 'object' || missing === undefined

if (missing !== undefined) test.skip(`rows of Python (skipped: ${missing})`, () => {})

describeChromium('the table of clients', (browser) => {
  test('each client does in each cell what docs/clients.md says, and leaves nothing on the server', async () => {
    const ran = clients.filter(isHere)
    const rows: { client: Row['client']; phrases: Record<string, string> }[] = []
    const worlds: { name: string; world: World }[] = []
    const tasks = await Promise.all(
      ran.map(async (one) => {
        const driver = await startDriver(one, browser)
        const phrases: Record<string, string> = {}
        rows.push({ client: one.client, phrases })
        return CELLS.map((cell) => async () => {
          const world = await World.start({
            driver,
            hastens: one.client.runs === 'browser' && one.client.packages.length === 0,
            env: cell.env?.() ?? {},
          })
          worlds.push({ name: `${one.name}, ${cell.title}`, world })
          phrases[cell.title] = await cell.run(world)
          await world.leave()
        })
      }),
    )
    // Cell by cell, so that a client does not have all of its own at once.
    await atOnce(
      CELLS_AT_ONCE,
      CELLS.flatMap((_cell, i) => tasks.map((cells) => cells[i]!)),
    )

    for (const { name, world } of worlds) {
      await until('nothing is left', async () => Object.keys(await world.left()).length === 0, LEFT_MS).catch(() => {})
      expect(await world.left(), name).toEqual({})
    }

    rows.sort(
      (a, b) =>
        clients.findIndex(({ client }) => client === a.client) - clients.findIndex(({ client }) => client === b.client),
    )
    const table = tableOf(rows, versionsOf(ran.map(({ client }) => client)))
    if (process.env.MATRIX_WRITE) writeFileSync(DOCUMENT, withTable(readFileSync(DOCUMENT, 'utf8'), table))
    if (process.env.MATRIX_DEBUG) console.log(table)
    const said = rowsIn(readTable())
    const seen = [...rowsIn(table)].slice(0, ran.length + 2)
    expect(Object.fromEntries(seen)).toEqual(Object.fromEntries(seen.map(([title]) => [title, said.get(title)])))
  }, 180_000)
})

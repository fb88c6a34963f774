import { readFileSync, writeFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { pythonMissing } from '../../scripts/python.ts'
import { describeChromium } from '../kit/chromium.ts'
import { allClients } from './clients.ts'
import { runClients } from './run.ts'
import { DOCUMENT, readTable, rowsIn, tableOf, versionsOf, withTable } from './table.ts'

const isWritten = process.env.MATRIX_WRITE !== undefined
/** Each cell that is new is seen at least twice. */
const WRITE_MS = 1_200_000
const CHECK_MS = 300_000

const missing = pythonMissing()
const clients = (await allClients()).filter(({ client }) => typeof client.runs !== 'object' || missing === undefined)

if (missing !== undefined) test.skip(`rows of Python (skipped: ${missing})`, () => {})

describeChromium('the table of clients', (browser) => {
  test(
    'each client does in each cell what docs/clients.md says, and leaves nothing on the server',
    async () => {
      const rows = await runClients(clients, browser)
      const table = tableOf(rows, versionsOf(clients.map(({ client }) => client)))
      if (isWritten) writeFileSync(DOCUMENT, withTable(readFileSync(DOCUMENT, 'utf8'), table))
      if (process.env.MATRIX_DEBUG) console.log(table)
      const said = rowsIn(readTable())
      // The rest depends on which clients could run here.
      const seen = [...rowsIn(table)].slice(0, rows.length + 2)
      expect(Object.fromEntries(seen)).toEqual(Object.fromEntries(seen.map(([title]) => [title, said.get(title)])))
    },
    isWritten ? WRITE_MS : CHECK_MS,
  )
})

import { expect } from 'vitest'
import type { TestBrowser } from '../kit/chromium.ts'
import { until } from '../kit/until.ts'
import { atOnce } from './at-once.ts'
import { CELLS } from './cells/all.ts'
import type { Cell } from './cells/cell.ts'
import { type ClientFile, startDriver } from './clients.ts'
import type { Driver } from './drivers/driver.ts'
import { type Row, readTable, saidIn } from './table.ts'
import { World } from './world.ts'

/** Most of a cell's time is waiting. */
const CELLS_AT_ONCE = 24
/** Groups outlive their members by seconds, and a connection that is kept its last answer. */
const LEFT_MS = 30_000

interface Task {
  readonly one: ClientFile
  readonly driver: Driver
  readonly cell: Cell
}

/** Runs these clients through all cells, and checks that each leaves nothing on the server. @returns their rows */
export async function runClients(clients: readonly ClientFile[], browser: TestBrowser): Promise<Row[]> {
  const drivers = await Promise.all(clients.map((one) => startDriver(one, browser)))
  // Cell by cell, so that a client does not have all of its own at once.
  const tasks = CELLS.flatMap((cell) => clients.map((one, i) => ({ one, driver: drivers[i]!, cell })))
  const seen = new Map<Task, string>()
  const worlds = new Map<World, string>()
  await atOnce(
    CELLS_AT_ONCE,
    tasks.map((task) => async () => void seen.set(task, await runCell(task, worlds))),
  )

  const said = readTable()
  for (const task of tasks) seen.set(task, await confirmed(task, seen.get(task)!, said, worlds))

  for (const [world, name] of worlds) {
    await until('nothing is left', async () => Object.keys(await world.left()).length === 0, LEFT_MS).catch(() => {})
    expect(await world.left(), name).toEqual({})
  }
  return clients.map((one) => {
    const own = tasks.filter((task) => task.one === one)
    return { client: one.client, phrases: Object.fromEntries(own.map((task) => [task.cell.title, seen.get(task)!])) }
  })
}

async function runCell({ one, driver, cell }: Task, worlds: Map<World, string>): Promise<string> {
  // A browser's own EventSource has no other clock than the server's hints.
  const hastens = one.client.runs === 'browser' && one.client.packages.length === 0
  const world = await World.start({ driver, hastens, env: cell.env?.() ?? {} })
  worlds.set(world, `${one.name}, ${cell.title}`)
  const phrase = await cell.run(world)
  await world.leave()
  return phrase
}

/** What differs from the table is seen again with nothing beside it: two of three looks count. */
async function confirmed(task: Task, first: string, table: string, worlds: Map<World, string>): Promise<string> {
  const said = saidIn(table, task.one.client.title, task.cell.title)
  if (first === said) return first
  const second = await runCell(task, worlds)
  if (second === said || second === first) return second
  return await runCell(task, worlds)
}

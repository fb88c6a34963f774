import { globSync } from 'node:fs'
import { basename, resolve } from 'node:path'
import { testPython } from '../../scripts/python.ts'
import type { TestBrowser } from '../kit/chromium.ts'
import type { MatrixClient } from './client.ts'
import { startPage } from './drivers/browser.ts'
import type { Driver } from './drivers/driver.ts'
import { startProcess } from './drivers/process.ts'

export interface ClientFile {
  readonly name: string
  readonly file: string
  readonly client: MatrixClient
}

const ONLY = new RegExp(process.env.MATRIX_ONLY ?? '')

/** Every client of the folder, by its title; `MATRIX_ONLY` chooses by their files' names. */
export async function allClients(): Promise<ClientFile[]> {
  const files = globSync('test/matrix/clients/*.ts').map((file) => ({
    name: basename(file, '.ts'),
    file: resolve(file),
  }))
  const clients = await Promise.all(
    files
      .filter(({ name }) => ONLY.test(name))
      .map(async (one) => ({ ...one, client: ((await import(one.file)) as { client: MatrixClient }).client })),
  )
  return clients.sort((a, b) => a.client.title.localeCompare(b.client.title, 'en'))
}

export function startDriver({ file, client }: ClientFile, browser: TestBrowser): Promise<Driver> {
  if (client.runs === 'browser') return startPage(browser, file)
  if (client.runs === 'node') return startProcess(process.execPath, ['test/matrix/drivers/node-main.ts', file])
  return startProcess(testPython(), [client.runs.python])
}

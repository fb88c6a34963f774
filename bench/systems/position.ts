import { setTimeout as delay } from 'node:timers/promises'
import type { Position } from '../harness/load.ts'
import { Recording } from '../harness/recording.ts'
import type { Sluice } from './start.ts'

const LOOK_EVERY_MS = 100
const TIMEOUT_MS = 60_000

/** The position before anything is produced, by the opening of a stream. */
export async function positionNow(sluice: Sluice, region: string): Promise<Position> {
  const recording = new Recording(sluice.port, `subscription { ordersByRegion(region: ${region}) { id } }`)
  try {
    return await recording.start
  } finally {
    recording.close()
  }
}

/** Resolves when the gateway has read as many records. */
export async function untilRead(sluice: Sluice, records: number): Promise<void> {
  for (const since = Date.now(); (await sluice.metric('sluice_events_total')) < records; ) {
    if (Date.now() - since > TIMEOUT_MS) throw new Error(`Sluice has not read ${records} records`)
    await delay(LOOK_EVERY_MS)
  }
}

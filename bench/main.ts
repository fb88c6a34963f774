/** `npm run bench`: runs scenarios, compares, and says what met its target. */
import { existsSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { stopBroker } from './harness/broker.ts'
import { type Compared, compare } from './harness/compare.ts'
import { pinThisProcess } from './harness/cores.ts'
import { missing } from './harness/needs.ts'
import type { Scenario, Settings } from './harness/scenario.ts'
import { writeDocs } from './report/docs.ts'
import { machine } from './report/machine.ts'
import { summarize } from './report/profile.ts'
import { comparisonTable, type Finished, tableOf } from './report/table.ts'
import { admission } from './scenarios/admission.ts'
import { bytes } from './scenarios/bytes.ts'
import { connect } from './scenarios/connect.ts'
import { filters } from './scenarios/filters.ts'
import { flood } from './scenarios/flood.ts'
import { groups } from './scenarios/groups.ts'
import { hostile } from './scenarios/hostile.ts'
import { ingest } from './scenarios/ingest.ts'
import { latency } from './scenarios/latency.ts'
import { many } from './scenarios/many.ts'
import { memory } from './scenarios/memory.ts'
import { narrow } from './scenarios/narrow.ts'
import { nginx } from './scenarios/nginx.ts'
import { paced } from './scenarios/paced.ts'
import { quiet } from './scenarios/quiet.ts'
import { replay } from './scenarios/replay.ts'
import { routing } from './scenarios/routing.ts'
import { shapes } from './scenarios/shapes.ts'
import { stalled } from './scenarios/stalled.ts'
import { start } from './scenarios/start.ts'
import { storm } from './scenarios/storm.ts'
import { table } from './scenarios/table.ts'

const SCENARIOS: readonly Scenario[] = [
  paced,
  flood,
  quiet,
  routing,
  filters,
  shapes,
  memory,
  groups,
  stalled,
  hostile,
  ingest,
  latency,
  connect,
  admission,
  replay,
  narrow,
  start,
  storm,
  table,
  nginx,
  bytes,
  many,
]
const ROUNDS = 12
const ROUNDS_QUICK = 2

const USAGE = `npm run bench -- [scenario…] [--quick] [--rounds N] [--clients N] [--json FILE]
                [--write-docs] [--profile DIR] [--before DIR]

  --quick        a minute or two: few scenarios, few rounds, figures that are only a hint
  --rounds N     how often each system has its turn (${ROUNDS})
  --clients N    how many come back in "storm" and "narrow", or are there in "many" and "groups"
  --json FILE    all figures
  --write-docs   the tables and plots of docs/benchmarks
  --profile DIR  CPU profiles of Sluice into this folder, and where the time went
  --before DIR   compares with another checkout of this project, which has its node_modules: each round is run for both

Scenarios: ${SCENARIOS.map(({ name }) => name).join(', ')}`

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: 'boolean', default: false },
    rounds: { type: 'string' },
    clients: { type: 'string' },
    json: { type: 'string' },
    'write-docs': { type: 'boolean', default: false },
    profile: { type: 'string' },
    before: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
})

/** Those named, or all; in the order of the table. */
function chosen(): readonly Scenario[] {
  const unknown = positionals.find((name) => !SCENARIOS.some((scenario) => scenario.name === name))
  if (unknown !== undefined) throw new Error(`There is no scenario "${unknown}"`)
  if (positionals.length > 0) return SCENARIOS.filter(({ name }) => positionals.includes(name))
  return SCENARIOS.filter((scenario) => scenario.quick || !values.quick)
}

async function main(): Promise<void> {
  const scenarios = chosen()
  const rounds = Number(values.rounds ?? (values.quick ? ROUNDS_QUICK : ROUNDS))
  if (!Number.isInteger(rounds) || rounds < 1) throw new Error('--rounds wants a whole number from 1')
  const clients = values.clients === undefined ? undefined : Number(values.clients)
  if (clients !== undefined && (!Number.isInteger(clients) || clients < 1)) {
    throw new Error('--clients wants a whole number from 1')
  }
  const { quick, profile } = values
  const before = values.before && resolve(values.before)
  if (before && !existsSync(join(before, 'src', 'main.ts'))) throw new Error(`There is no checkout in ${before}`)
  const say = (line: string) => console.log(line)
  const settings = { rounds, quick, clients, profile, tree: undefined, warmUp: false, say }

  const finished: Finished[] = []
  const compared: Compared[] = []
  let failed = false
  try {
    for (const scenario of scenarios) {
      const { name, load, needs } = scenario
      const lacking = (await Promise.all(needs.map(missing))).filter((sentence) => sentence !== null)
      if (lacking.length > 0) {
        console.log(`${name}: skipped. ${lacking.join('. ')}`)
        continue
      }
      if (finished.length + compared.length === 0) pinThisProcess()
      console.log(`${name}: ${load}`)
      try {
        const own: Settings = { ...settings, windows: new Map() }
        if (before) compared.push(await compare(scenario, own, before))
        else finished.push({ name, load, outcome: await scenario.run(own) })
      } catch (error) {
        failed = true
        console.log(`${name}: failed. ${error instanceof Error ? error.message : error}`)
      }
    }
  } finally {
    await stopBroker()
  }

  const table = before ? comparisonTable(compared) : tableOf(finished)
  console.log(`\n${machine()}, ${rounds} rounds${values.quick ? ', quick' : ''}\n\n${table}`)
  const figures = { machine: machine(), rounds, ...(before ? { before, compared } : { finished }) }
  if (values.json) writeFileSync(values.json, `${JSON.stringify(figures, null, 2)}\n`)
  if (values['write-docs']) writeDocs(finished, rounds)
  if (values.profile) console.log(summarize(values.profile))
  if (failed) process.exitCode = 1
}

if (values.help) console.log(USAGE)
else {
  await main().catch((error: unknown) => {
    console.error(error instanceof Error ? error.message : error)
    process.exitCode = 1
  })
}

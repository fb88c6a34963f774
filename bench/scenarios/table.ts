import { connect } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { REGIONS } from '../harness/load.ts'
import { atMost, figure, type Scenario, type Settings, told } from '../harness/scenario.ts'
import { paired, quantile, spreadOf } from '../harness/statistics.ts'
import { type Sluice, startSluice } from '../systems/start.ts'

const ROWS = 10_000
const CLIENTS = 1_000
const CLIENTS_QUICK = 200
/** Of these each asks for all regions in another order: a group of its own, for which all rows are rendered. */
const APART = 40
/** Being opened at any time. */
const AT_ONCE = 100
const TARGET = 1 / 20
const LOOK_EVERY_MS = 20
const READY = '"READY"'
const FIELDS = 'op key row { region minute orders sales { amount currency } }'

/** The regions, in the nth order. */
function permutation(n: number): string {
  const left: string[] = [...REGIONS]
  const regions: string[] = []
  for (let rest = n; left.length > 0; rest = Math.floor(rest / (left.length + 1))) {
    regions.push(...left.splice(rest % left.length, 1))
  }
  return `subscription { regionSales(regions: [${regions}]) { ${FIELDS} } }`
}

/** Opens a stream, reads it until all rows were told, and goes. Resolves with its bytes. */
function join({ port, request }: Sluice, query: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1')
    let bytes = 0
    let tail = ''
    socket.on('error', reject)
    socket.on('close', () => reject(new Error('A stream ended before all rows were told')))
    socket.on('data', (chunk) => {
      bytes += chunk.length
      // The last block is short: its mark is within the end of what came.
      tail = (tail + chunk.subarray(-256).toString('latin1')).slice(-512)
      if (!tail.includes(READY)) return
      resolve(bytes)
      socket.destroy()
    })
    socket.write(request(query))
  })
}

interface Joined {
  /** CPU of the gateway for each client. */
  readonly cpuMs: number
  readonly bytes: number
  readonly seconds: number
}

async function joinAll(sluice: Sluice, queries: readonly string[]): Promise<Joined> {
  const before = await cpuOf(sluice)
  const start = performance.now()
  let next = 0
  let bytes = 0
  const worker = async (): Promise<void> => {
    while (next < queries.length) {
      const received = await join(sluice, queries[next++] as string)
      bytes += received
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, worker))
  const cpuMs = ((await cpuOf(sluice)) - before) / queries.length
  return { cpuMs, bytes, seconds: (performance.now() - start) / 1000 }
}

async function cpuOf(sluice: Sluice): Promise<number> {
  return (JSON.parse(await sluice.ask()) as { cpuMs: number }).cpuMs
}

/** The topic is optional: the gateway is ready before the table is. */
async function untilLoaded({ adminPort }: Sluice): Promise<void> {
  while ((await (await fetch(`http://127.0.0.1:${adminPort}/readyz`)).text()).trim() !== 'ready')
    await delay(LOOK_EVERY_MS)
}

async function round(settings: Settings): Promise<{ shared: Joined; apart: Joined; executions: number }> {
  await using systems = new AsyncDisposableStack()
  const sluice = await startSluice({
    entry: 'sluice-table.ts',
    env: { ROWS: String(ROWS) },
    tree: settings.tree,
    profile: settings.profile,
  })
  systems.defer(() => sluice.stop())
  await untilLoaded(sluice)
  // Compiled, and nothing of it is measured.
  await joinAll(sluice, [permutation(719), permutation(718)])
  const apart = await joinAll(
    sluice,
    Array.from({ length: APART }, (_, n) => permutation(n + 1)),
  )
  const before = await sluice.metric('sluice_executions_total')
  const clients = settings.clients ?? (settings.quick ? CLIENTS_QUICK : CLIENTS)
  const shared = await joinAll(sluice, new Array(clients).fill(permutation(0)))
  return { shared, apart, executions: (await sluice.metric('sluice_executions_total')) - before }
}

export const table: Scenario = {
  name: 'table',
  load: `1,000 clients join a table of 10,000 rows; and ${APART} clients for each of whom all rows are rendered`,
  needs: ['generator'],
  quick: false,
  async run(settings) {
    const rounds: Awaited<ReturnType<typeof round>>[] = []
    while (rounds.length < settings.rounds) {
      const result = await round(settings)
      rounds.push(result)
      const { shared, apart } = result
      settings.say(
        `  round ${rounds.length}: ${figure(shared.cpuMs)} ms a client, ${figure(apart.cpuMs)} ms where it is rendered for it; ${figure(shared.seconds)} s`,
      )
    }
    const cpu = (of: 'shared' | 'apart') => rounds.map((each) => each[of].cpuMs)
    const ratios = paired(cpu('shared'), cpu('apart'), (a, b) => a / b)
    const middle = quantile(
      rounds.map(({ executions }) => executions),
      0.5,
    )
    const [first] = rounds
    return {
      measures: [
        atMost('CPU a client, of rendering for each', spreadOf(ratios), TARGET),
        told('CPU a client', spreadOf(cpu('shared')), 'ms'),
        told('CPU a client for whom it is rendered', spreadOf(cpu('apart')), 'ms'),
      ],
      own: [{ what: 'own CPU a client', unit: 'ms', better: 'less', values: cpu('shared') }],
      plot: {
        title: 'CPU a client that joins a table of 10,000 rows',
        unit: 'ms',
        series: [
          { system: 'shared', values: cpu('shared') },
          { system: 'rendered for each', values: cpu('apart') },
        ],
      },
      notes: [
        `${figure((first?.shared.bytes ?? 0) / 1024 ** 2 / (settings.clients ?? CLIENTS))} MiB a client; ${figure(middle)} executions for all of them`,
      ],
    }
  },
}

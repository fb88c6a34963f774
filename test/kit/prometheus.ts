import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { accessSync, constants, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { describe } from 'vitest'
import { freePorts } from '../../deploy/kafka/probe.ts'
import { until } from './until.ts'

const MISSING = 'without Prometheus: apt-get install prometheus'

export interface Sample {
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

export interface ActiveAlert {
  readonly name: string
  readonly state: 'pending' | 'firing'
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
}

export interface PrometheusOptions {
  /** Addresses of admin ports. More may be named later. */
  readonly targets: readonly string[]
  /** The text of a file of rules. */
  readonly rules: string
  readonly scrapeMs: number
}

/** A real Prometheus on a free port. */
export interface Prometheus extends AsyncDisposable {
  /** @throws Error with what Prometheus says of an expression that it does not understand. */
  query(expr: string): Promise<Sample[]>
  alerts(): Promise<ActiveAlert[]>
  /** Scrapes so far. */
  scrapes(): Promise<number>
}

/** A block of tests with a real Prometheus. Where there is none, it is skipped, and its name says why. */
export function describePrometheus(name: string, tests: () => void): void {
  if (find('prometheus') && find('promtool')) describe(name, tests)
  else describe.skip(`${name} (${MISSING})`, tests)
}

/** Debian keeps some programs out of the PATH. */
function find(program: string): string | undefined {
  const places = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/usr/local/bin']
  return places.map((place) => join(place, program)).find(isRunnable)
}

function isRunnable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false // not there
  }
}

/** Runs promtool. `input` is its standard input. */
export function promtool(
  args: readonly string[],
  input = '',
): { readonly status: number | null; readonly said: string } {
  const { status, stdout, stderr } = spawnSync(find('promtool') as string, args, { input, encoding: 'utf8' })
  return { status, said: `${stdout}${stderr}` }
}

export async function startPrometheus({ targets, rules, scrapeMs }: PrometheusOptions): Promise<Prometheus> {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-prometheus-'))
  const [port] = (await freePorts(1)) as [number]
  writeFileSync(join(folder, 'rules.yaml'), rules)
  writeFileSync(
    join(folder, 'prometheus.yaml'),
    JSON.stringify({
      global: {
        scrape_interval: `${scrapeMs}ms`,
        scrape_timeout: `${scrapeMs}ms`,
        evaluation_interval: `${scrapeMs}ms`,
      },
      rule_files: ['rules.yaml'],
      scrape_configs: [{ job_name: 'sluice', static_configs: [{ targets }] }],
    }),
  )
  const child = spawn(
    find('prometheus') as string,
    [
      `--config.file=${join(folder, 'prometheus.yaml')}`,
      `--storage.tsdb.path=${join(folder, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  )
  let said = ''
  child.stderr.on('data', (bytes: Buffer) => {
    said = (said + bytes.toString()).slice(-4_000)
  })
  const api = async (path: string, parameters: Record<string, string> = {}): Promise<never> => {
    const answer = await fetch(`http://127.0.0.1:${port}/api/v1/${path}`, {
      method: path === 'query' ? 'POST' : 'GET',
      ...(path === 'query' && { body: new URLSearchParams(parameters) }),
    })
    const { data, error } = (await answer.json()) as { data: never; error?: string }
    if (error !== undefined) throw new Error(`${parameters.query ?? path}: ${error}`)
    return data
  }
  const query: Prometheus['query'] = async (expr) => {
    const { result } = (await api('query', { query: expr })) as { result: Result[] }
    return result.map(({ metric, value }) => ({ labels: metric, value: Number(value[1]) }))
  }
  await until('Prometheus is ready', async () => {
    if (child.exitCode !== null) throw new Error(`Prometheus ended: ${said}`)
    const answer = await fetch(`http://127.0.0.1:${port}/-/ready`).catch(() => undefined)
    return answer?.ok === true
  })
  return {
    query,
    async alerts() {
      const { alerts } = (await api('alerts')) as { alerts: Omit<ActiveAlert, 'name'>[] }
      return alerts.map((alert) => ({ ...alert, name: String(alert.labels.alertname) }))
    },
    async scrapes() {
      const counts = await query('min(count_over_time(up[1h]))')
      return counts[0]?.value ?? 0
    },
    async [Symbol.asyncDispose]() {
      await end(child)
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

interface Result {
  readonly metric: Record<string, string>
  readonly value: readonly [number, string]
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return
  child.kill('SIGKILL')
  await once(child, 'exit')
}

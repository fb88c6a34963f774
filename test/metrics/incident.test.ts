import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Incident, startIncident } from '../incident/incident.ts'
import { type ActiveAlert, describePrometheus, type Prometheus, startPrometheus } from '../kit/prometheus.ts'
import { until } from '../kit/until.ts'
import { type OddDay, startOddDay } from './odd-day.ts'
import { alertRules, dashboard, filledIn, hastyRules } from './shipped.ts'

const SCRAPE_MS = 500
/** Samples of each counter before and after: enough for a rate. */
const SCRAPES = 4

/** What is so before anything goes wrong: the incident's optional topic is created by nobody. */
const BEFORE = ['SluiceTopicWaits']

/**
 * What does not happen here, since it takes a fault of the gateway, minutes, or a Kafka that is set up for it. That these
 * alerts fire, and are silent, is tested with made-up series, in alerts.test.ts.
 */
const ELSEWHERE: Readonly<Record<string, string>> = {
  SluiceAbsent: 'there are gateways',
  SluiceInternalErrors: 'a fault of the gateway',
  SluiceLag: 'a reader that is slower than the producers',
  SluicePartitionStuck: 'a partition without a leader, for a minute',
  SluiceReplaysWait: 'a hundred clients that come back at once',
  SluiceKafkaThrottled: 'a quota of the broker',
  SluiceFaults: 'a fault of the gateway',
  SluiceUnreadAnswers: '64 MiB of answers that nobody reads',
  SluiceIssuerUnavailable: 'an issuer that fails for ten minutes',
  SluiceEventLoopBusy: 'a process that computes: here it is the test as well',
  SluiceThrottlesFull: '64 MiB of throttled keys',
}

describePrometheus('an incident, as Prometheus sees it', () => {
  let incident: Incident
  let oddDay: OddDay
  let prometheus: Prometheus
  let before: readonly ActiveAlert[]

  const moreScrapes = async (count: number): Promise<void> => {
    const seen = await prometheus.scrapes()
    await until('Prometheus has scraped again', async () => (await prometheus.scrapes()) >= seen + count)
  }

  beforeAll(async () => {
    incident = await startIncident()
    oddDay = await startOddDay()
    const targets = [incident.blue.adminUrl, incident.green.adminUrl].map((url) => new URL(url).host)
    prometheus = await startPrometheus({
      targets: [...targets, ...oddDay.targets],
      rules: hastyRules(),
      scrapeMs: SCRAPE_MS,
    })
    await until('there are samples', async () => (await prometheus.query('sluice_ready')).length === 3)
    await moreScrapes(SCRAPES)
    before = await prometheus.alerts()
    await Promise.all([incident.trouble(), oddDay.trouble()])
    await moreScrapes(SCRAPES)
  })

  afterAll(async () => {
    await prometheus?.[Symbol.asyncDispose]()
    await Promise.all([oddDay?.[Symbol.asyncDispose](), incident?.[Symbol.asyncDispose]()])
  })

  test('before it, no alert is active', () => {
    expect([...new Set(before.map(({ name }) => name))]).toEqual(BEFORE)
  })

  test('in it, each alert of what happens is pending or fires', async () => {
    const expected = alertRules()
      .map(({ alert }) => alert)
      .filter((alert) => !(alert in ELSEWHERE))
    const seen = new Set<string>()
    const silent = () => expected.filter((alert) => !seen.has(alert))
    const look = async (): Promise<boolean> => {
      for (const { name } of await prometheus.alerts()) seen.add(name)
      return silent().length === 0
    }
    // Which are missing is what the next line says.
    await until('all of them are active', look).catch(() => {})
    expect(silent()).toEqual([])
    console.log(`active: ${[...seen].sort().join(', ')}`)
    for (const { name, annotations } of await prometheus.alerts()) {
      expect(annotations.summary, name).not.toMatch(/\{\{|<no value>|: $/)
      expect(annotations.runbook_url).toBe(`docs/runbook.md#${name.toLowerCase()}`)
    }
  })

  test('each metric of the table in docs/operations.md has a sample', async () => {
    const rows = readFileSync('docs/operations.md', 'utf8').matchAll(/^\| `(sluice_\w+)` \|/gm)
    const metrics = [...rows].map(([, name]) => name as string)
    expect(metrics.length).toBeGreaterThan(90)
    const missing: string[] = []
    const zero: string[] = []
    for (const metric of metrics) {
      const samples = await prometheus.query(`max_over_time({__name__=~"${metric}(_count)?"}[5m])`)
      if (samples.length === 0) missing.push(metric)
      else if (samples.every(({ value }) => value === 0)) zero.push(metric)
    }
    console.log(`metrics that are 0 all the time: ${zero.join(', ')}`)
    expect(missing).toEqual([])
    expect(metrics.length - zero.length).toBeGreaterThan(0.75 * metrics.length)
  })

  test('each panel of the dashboard shows something, for all instances and for one', async () => {
    const empty: string[] = []
    for (const { title, targets = [] } of dashboard().panels) {
      for (const { expr } of targets) {
        const samples = await prometheus.query(filledIn(expr))
        if (samples.length === 0 || samples.every(({ value }) => Number.isNaN(value))) empty.push(`${title}: ${expr}`)
        await prometheus.query(filledIn(expr).replaceAll('exported_instance=~".*"', 'exported_instance=~"blue|odd"'))
      }
    }
    expect(empty).toEqual([])
  })

  test("a gateway's name is in exported_instance, and the target's address in instance", async () => {
    const ready = await prometheus.query('sluice_ready')
    const names = ready.map(({ labels }) => labels.exported_instance)
    expect(names).toEqual(expect.arrayContaining(['blue', 'odd', 'dark']))
    for (const { labels } of ready) expect(labels.instance).toMatch(/^127\.0\.0\.1:\d+$/)
    expect(await prometheus.query('{exported_exported_instance!=""}')).toEqual([])
  })

  test('opened streams, less all that have ended, are open; those that a deploy ended are among these', async () => {
    const open = await prometheus.query(
      'sluice_streams_opened_total - on (instance) sum by (instance) (sluice_stream_ends_total) - on (instance) sluice_streams',
    )
    expect(open.length).toBeGreaterThanOrEqual(3)
    for (const { labels, value } of open) expect(value, labels.instance).toBe(0)
    const drained = await prometheus.query('max_over_time(sluice_stream_ends_total{reason="shutdown"}[5m]) > 0')
    expect(drained.map(({ labels }) => labels.exported_instance)).toEqual(['green'])
  })
})

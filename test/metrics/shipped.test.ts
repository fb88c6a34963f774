import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { startTestGateway } from '../kit/gateway.ts'
import { alertRules, dashboard, metricsOf } from './shipped.ts'

const runbook = readFileSync('docs/runbook.md', 'utf8')

test('each alert has a severity, a summary, and an entry of the runbook with what to look at and to do', () => {
  const rules = alertRules()
  expect(rules.length).toBeGreaterThan(25)
  const entries = new Map(runbook.split(/^### /m).map((entry) => [entry.slice(0, entry.indexOf('\n')), entry]))
  for (const { alert, labels, annotations } of rules) {
    expect(['critical', 'warning', 'info']).toContain(labels.severity)
    expect(annotations.summary?.length, alert).toBeGreaterThan(10)
    expect(annotations.runbook_url).toBe(`docs/runbook.md#${alert.toLowerCase()}`)
    for (const part of ['- **Look at**: ', '- **Do**: ', '- **Harmless**: '])
      expect(entries.get(alert), alert).toContain(part)
  }
  expect([...entries.keys()].filter((name) => name.startsWith('Sluice')).sort()).toEqual(
    rules.map(({ alert }) => alert).sort(),
  )
})

test("the runbook's table has each alert with its severity, expression and duration", () => {
  const rows = new Set(runbook.split('\n').filter((line) => line.startsWith('| [Sluice')))
  const wanted = alertRules().map(({ alert, expr, for: held, labels }) => {
    const text = expr.replaceAll(/\s+/g, ' ').trim().replaceAll('|', '\\|')
    return `| [${alert}](#${alert.toLowerCase()}) | ${labels.severity} | \`${text}\`${held ? `, for ${held}` : ''} |`
  })
  expect([...rows].sort()).toEqual(wanted.sort())
})

test('alerts, panels and the variables of the dashboard name metrics that a gateway has', async () => {
  const gateway = await startTestGateway()
  const page = await (await fetch(`${gateway.adminUrl}/metrics`)).text()
  const metrics = new Set([...page.matchAll(/^# TYPE (\w+)/gm)].map(([, name]) => name))
  const { panels, templating } = dashboard()
  const expressions = [
    ...alertRules().map(({ expr }) => expr),
    ...panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr)),
    ...templating.list.map(({ query }) => JSON.stringify(query)),
  ]
  const named = new Set(expressions.flatMap(metricsOf))
  expect([...named].filter((name) => !metrics.has(name))).toEqual([])
  expect(named.size).toBeGreaterThan(60)
})

test('no metric has a label that Prometheus sets for a target', async () => {
  const gateway = await startTestGateway()
  const page = await (await fetch(`${gateway.adminUrl}/metrics`)).text()
  const labels = new Set([...page.matchAll(/[{,](\w+)="/g)].map(([, label]) => label as string))
  expect(labels.size).toBeGreaterThan(15)
  expect([...labels].filter((label) => ['instance', 'job', 'pod', 'namespace'].includes(label))).toEqual([])
  expect([...labels].filter((label) => label.startsWith('__'))).toEqual([])
})

test('the panels of the dashboard have a title, a unit, a data source and a place of their own', () => {
  const { panels, templating, uid } = dashboard()
  expect(uid).toBe('sluice')
  expect(templating.list.map(({ name }) => name)).toEqual(['datasource', 'instance', 'topic'])
  expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length)
  const shown = panels.filter(({ type }) => type !== 'row')
  expect(panels.filter(({ type }) => type === 'row').map(({ title }) => title)).toEqual([
    'Overview',
    'Delivery',
    'Kafka',
    'Clients',
    'Limits',
  ])
  expect(new Set(shown.map(({ title }) => title)).size).toBe(shown.length)
  for (const { title, targets = [], datasource, fieldConfig } of shown) {
    expect(title).toMatch(/^[A-Z]/)
    expect(datasource?.uid, title).toBe(`\${${templating.list[0]?.name}}`)
    expect(fieldConfig?.defaults.unit, title).toBeTypeOf('string')
    expect(targets.length, title).toBeGreaterThan(0)
    expect(new Set(targets.map(({ refId }) => refId)).size).toBe(targets.length)
    for (const target of targets) expect(target.datasource.uid).toBe(datasource?.uid)
  }
  for (const [n, { title, gridPos: a }] of panels.entries()) {
    expect(a.x + a.w, title).toBeLessThanOrEqual(24)
    for (const { title: other, gridPos: b } of panels.slice(n + 1)) {
      const isApart = a.x + a.w <= b.x || b.x + b.w <= a.x || a.y + a.h <= b.y || b.y + b.h <= a.y
      expect(isApart, `"${title}" and "${other}" overlap`).toBe(true)
    }
  }
})

test('the PodMonitor selects the pods of deploy/kubernetes, and scrapes a port that they have', () => {
  const read = (file: string) => parse(readFileSync(file, 'utf8'))
  const { spec } = read('deploy/prometheus/pod-monitor.yaml')
  const { template } = read('deploy/kubernetes/deployment.yaml').spec
  expect(template.metadata.labels).toMatchObject(spec.selector.matchLabels)
  const ports = template.spec.containers[0].ports.map(({ name }: { name: string }) => name)
  for (const { port, path } of spec.podMetricsEndpoints) {
    expect(ports).toContain(port)
    expect(path).toBe('/metrics')
  }
})

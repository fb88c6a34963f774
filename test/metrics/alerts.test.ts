import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { stringify } from 'yaml'
import { startTestGateway } from '../kit/gateway.ts'
import { describePrometheus, promtool } from '../kit/prometheus.ts'
import { ALERT_CASES } from './alert-cases.ts'
import { alertRules, RULES_FILE } from './shipped.ts'

/** When alerts are looked at: after the shortest and the longest of what they wait for. */
const LOOK_AT = '30m'

describePrometheus('the alert rules, by promtool', () => {
  test('are rules of Prometheus', () => {
    const { status, said } = promtool(['check', 'rules', '--lint-fatal', RULES_FILE])
    expect(said).toContain(`SUCCESS: ${alertRules().length} rules found`)
    expect(status).toBe(0)
  })

  test('fire for what they are about, and are silent for what is near it', () => {
    const rules = alertRules()
    expect(Object.keys(ALERT_CASES)).toEqual(rules.map(({ alert }) => alert))
    const tests = rules.flatMap(({ alert }) => {
      const { fires, silent } = ALERT_CASES[alert] as (typeof ALERT_CASES)[string]
      return [
        { name: `${alert} fires`, interval: '1m', input_series: inputOf(fires), promql_expr_test: [firing(alert, 1)] },
        ...silent.map((series, n) => ({
          name: `${alert} is silent (${n + 1})`,
          interval: '1m',
          input_series: inputOf(series),
          promql_expr_test: [firing(alert, 0)],
        })),
      ]
    })
    const { status, said } = promtool(['test', 'rules', fileOf({ rule_files: [resolve(RULES_FILE)], tests })])
    expect(said).toContain('SUCCESS')
    expect(status).toBe(0)
  })

  test('say of which instance they are, and where to read on', () => {
    const series = inputOf(ALERT_CASES.SluiceTableRefused?.fires ?? {})
    const alerts = [
      {
        eval_time: LOOK_AT,
        alertname: 'SluiceTableRefused',
        exp_alerts: [
          {
            exp_labels: { instance: '10.0.0.1:4001', exported_instance: 'a', topic: 'sales', severity: 'critical' },
            exp_annotations: {
              summary: 'The table of sales is larger than a holds',
              runbook_url: 'docs/runbook.md#sluicetablerefused',
            },
          },
        ],
      },
    ]
    const tests = [{ interval: '1m', input_series: series, alert_rule_test: alerts }]
    expect(promtool(['test', 'rules', fileOf({ rule_files: [resolve(RULES_FILE)], tests })]).said).toContain('SUCCESS')
  })

  test('the metrics are named by the rules of Prometheus', async () => {
    const gateway = await startTestGateway()
    const page = await (await fetch(`${gateway.adminUrl}/metrics`)).text()
    expect(promtool(['check', 'metrics'], page)).toEqual({ status: 0, said: '' })
    // The same judge of a page with a mistake.
    expect(promtool(['check', 'metrics'], page.replaceAll('sluice_frames_total', 'sluice_frames')).said).not.toBe('')
  })
})

function inputOf(series: Readonly<Record<string, string>>) {
  return Object.entries(series).map(([name, values]) => ({ series: name, values }))
}

/** Whether an alert fires by the end, by the series that Prometheus makes of alerts. */
function firing(alert: string, count: 0 | 1) {
  const expr = `count by (alertname) (ALERTS{alertname="${alert}", alertstate="firing"})`
  const samples = count === 0 ? [] : [{ labels: `{alertname="${alert}"}`, value: 1 }]
  return { expr, eval_time: LOOK_AT, exp_samples: samples }
}

function fileOf(content: object): string {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-rules-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const file = join(folder, 'tests.yaml')
  writeFileSync(file, stringify(content))
  return file
}

import { readFileSync } from 'node:fs'
import { parse, stringify } from 'yaml'

export interface AlertRule {
  readonly alert: string
  readonly expr: string
  readonly for?: string
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
}

interface Rules {
  readonly groups: readonly { readonly name: string; readonly rules: readonly AlertRule[] }[]
}

export const RULES_FILE = 'deploy/prometheus/alerts.yaml'

const rulesText = (): string => readFileSync(RULES_FILE, 'utf8')

export function alertRules(): AlertRule[] {
  return (parse(rulesText()) as Rules).groups.flatMap(({ rules }) => rules)
}

/** The same rules, which need not hold for as long. */
export function hastyRules(): string {
  const { groups } = parse(rulesText()) as Rules
  return stringify({
    groups: groups.map((group) => ({
      ...group,
      rules: group.rules.map(({ for: _, ...rule }) => ({ ...rule, for: '1s' })),
    })),
  })
}

export interface Panel {
  readonly id: number
  readonly type: string
  readonly title: string
  readonly description?: string
  readonly datasource?: { readonly type: string; readonly uid: string }
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number }
  readonly fieldConfig?: { readonly defaults: { readonly unit?: string } }
  readonly targets?: readonly {
    readonly refId: string
    readonly expr: string
    readonly datasource: { readonly uid: string }
  }[]
}

export interface Dashboard {
  readonly uid: string
  readonly title: string
  readonly templating: {
    readonly list: readonly { readonly name: string; readonly type: string; readonly query: unknown }[]
  }
  readonly panels: readonly Panel[]
}

export function dashboard(): Dashboard {
  return JSON.parse(readFileSync('deploy/grafana/sluice.json', 'utf8'))
}

/** An expression of the dashboard, with its variables as Grafana fills them in: for all instances, over so long. */
export function filledIn(expr: string, interval = '1m'): string {
  return expr.replaceAll('$__rate_interval', interval).replaceAll(/\$(instance|topic)\b/g, '.*')
}

/** The names of the metrics of an expression, without what makes them series of a histogram. */
export function metricsOf(expr: string): string[] {
  const names = expr.match(/\b(sluice|nodejs|process)_\w+/g) ?? []
  return names.map((name) => name.replace(/(?<=_seconds)_(bucket|sum|count)$/, ''))
}

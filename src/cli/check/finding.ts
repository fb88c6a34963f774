/** One thing that a check has found. */
export interface Finding {
  /** `note`: nothing is wrong, and a person should know. */
  readonly kind: 'ok' | 'note' | 'problem'
  /** What it is about, such as `topic "orders"`. */
  readonly subject: string
  readonly text: string
}

export function found(kind: Finding['kind'], subject: string, text: string): Finding {
  return { kind, subject, text }
}

export function problems(findings: readonly Finding[]): readonly Finding[] {
  return findings.filter(({ kind }) => kind === 'problem')
}

export const topicNamed = (name: string) => `topic "${name}"`

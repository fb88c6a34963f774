/** Before and after: the gateway of another checkout and of this one, in turn, under the same harness and load. */
import type { Better, Outcome, Scenario, Settings } from './scenario.ts'

/** One figure of both checkouts: those with the same index were measured one right after the other. */
export interface Pair {
  readonly what: string
  readonly unit: string
  /** undefined: it is shown and not judged. */
  readonly better: Better | undefined
  readonly before: number[]
  readonly after: number[]
}

export interface Compared {
  readonly scenario: string
  readonly pairs: readonly Pair[]
  readonly notes: readonly string[]
}

type Figure = Omit<Pair, 'before' | 'after'> & { readonly value: number }

/**
 * Runs a scenario for both checkouts, `settings.rounds` times each, in processes of their own; the one that begins
 * changes each round, so that noise hits both. A round in which one of them fails counts for neither.
 */
export async function compare(scenario: Scenario, settings: Settings, before: string): Promise<Compared> {
  const pairs = new Map<string, Pair>()
  const notes: string[] = []
  const windows = new Map<string, number>()
  const measure = async (side: 'before' | 'after'): Promise<Figure[]> => {
    const outcome = await scenario.run({
      ...settings,
      rounds: 1,
      tree: side === 'before' ? before : settings.tree,
      warmUp: true,
      windows,
      say: (line) => settings.say(`  ${side}: ${line.trim()}`),
    })
    if (outcome.measures.some(({ faults }) => faults > 0)) notes.push(`${side}: ${outcome.notes.join('; ')}`)
    return figuresOf(outcome)
  }
  for (let round = 0; round < settings.rounds; round++) {
    settings.say(`  round ${round + 1} of ${settings.rounds}`)
    try {
      const first = await measure(round % 2 === 0 ? 'before' : 'after')
      const second = await measure(round % 2 === 0 ? 'after' : 'before')
      const [old, now] = round % 2 === 0 ? [first, second] : [second, first]
      for (const { value, ...about } of now) {
        const was = old.find(({ what }) => what === about.what)
        const pair = pairs.get(about.what) ?? { ...about, before: [], after: [] }
        if (was) pairs.set(about.what, pair)
        if (was) pair.before.push(was.value)
        if (was) pair.after.push(value)
      }
    } catch (error) {
      notes.push(`round ${round + 1} failed: ${error instanceof Error ? error.message : error}`)
    }
  }
  return { scenario: scenario.name, pairs: [...pairs.values()], notes }
}

/** What one round brought: a spread of one figure is the figure. */
function figuresOf({ measures, own = [] }: Outcome): Figure[] {
  return [
    ...measures.map(({ what, unit, better, result }) => ({ what, unit, better, value: result.median })),
    ...own
      .filter(({ what }) => !measures.some((measure) => measure.what === what))
      .map(({ what, unit, better, values }) => ({ what, unit, better, value: values[0] ?? Number.NaN })),
  ]
}

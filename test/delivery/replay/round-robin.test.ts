import { expect, test } from 'vitest'
import { RoundRobin, type Worker } from '../../../src/delivery/replay/round-robin.ts'
import { until } from '../../kit/until.ts'

const fail = (error: unknown): void => {
  throw error
}

class Steps implements Worker {
  left: number
  readonly #log: string[]
  readonly #name: string
  errors: unknown[] = []

  constructor(name: string, left: number, log: string[]) {
    this.#name = name
    this.left = left
    this.#log = log
  }

  step(): boolean {
    this.#log.push(this.#name)
    if (this.left < 0) throw new Error('Broken')
    return --this.left > 0
  }

  failed(error: unknown): void {
    this.errors.push(error)
  }
}

test('workers take turns, and each as long as it has something to do', async () => {
  const log: string[] = []
  const roundRobin = new RoundRobin<Steps>(fail)
  for (const worker of [new Steps('a', 3, log), new Steps('b', 1, log), new Steps('c', 2, log)]) roundRobin.add(worker)
  expect([log.length, roundRobin.length]).toEqual([0, 3])
  await until('all is done', () => roundRobin.length === 0)
  expect(log.join('')).toBe('abcaca')
})

test('a worker that is added twice has one turn', async () => {
  const log: string[] = []
  const roundRobin = new RoundRobin<Steps>(fail)
  const worker = new Steps('a', 1, log)
  roundRobin.add(worker)
  roundRobin.add(worker)
  await until('it is done', () => roundRobin.length === 0)
  expect(log).toEqual(['a'])
})

test('a worker that throws is told, and the others have their turns', async () => {
  const log: string[] = []
  const roundRobin = new RoundRobin<Steps>(fail)
  const broken = new Steps('x', -1, log)
  for (const worker of [broken, new Steps('a', 2, log)]) roundRobin.add(worker)
  await until('all is done', () => roundRobin.length === 0)
  expect([log.join(''), broken.errors]).toEqual(['xaa', [new Error('Broken')]])
})

test('what is live comes between the turns of much work', async () => {
  const roundRobin = new RoundRobin<Worker>(fail)
  let steps = 0
  const slow: Worker = {
    step() {
      for (const end = performance.now() + 1; performance.now() < end; );
      return ++steps < 50
    },
    failed() {},
  }
  roundRobin.add(slow)
  const seen: number[] = []
  while (roundRobin.length > 0 || steps < 50) {
    seen.push(steps)
    await new Promise((resolve) => setImmediate(resolve))
  }
  expect(seen.length).toBeGreaterThan(5)
})

test('a worker that throws also when it is told so costs the others nothing', async () => {
  const log: string[] = []
  const failures: unknown[] = []
  const roundRobin = new RoundRobin<Steps>((error) => failures.push(error))
  const broken = new Steps('x', -1, log)
  broken.failed = () => {
    throw new Error('Twice')
  }
  for (const worker of [broken, new Steps('a', 2, log)]) roundRobin.add(worker)
  await until('all is done', () => roundRobin.length === 0)
  expect([log.join(''), failures]).toEqual(['xaa', [new Error('Twice')]])
})

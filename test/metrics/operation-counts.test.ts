import fc from 'fast-check'
import { Kind, type OperationDefinitionNode } from 'graphql'
import { expect, test } from 'vitest'
import { OperationCounts, type OperationWork } from '../../src/delivery/counts/operation-counts.ts'
import { Statistics } from '../kit/statistics.ts'

const IDLE_MS = 10 * 60_000

function named(name: string | undefined): OperationDefinitionNode {
  return (name === undefined ? {} : { name: { kind: Kind.NAME, value: name } }) as OperationDefinitionNode
}

const namesOf = (counts: OperationCounts) => [...counts].map(({ name }) => name)

test('each name has counters of its own, and what has no name is counted together', () => {
  const counts = new OperationCounts()
  counts.executed(named('Prices'))
  counts.executed(named('Prices'))
  counts.executed(named(undefined))
  expect([...counts].map(({ name, started }) => [name, started])).toEqual([
    ['Prices', 2],
    ['anonymous', 1],
    ['other', 0],
  ])
})

test('beyond the limit of names, and beyond that of their length, operations are counted together', () => {
  const counts = new OperationCounts(2, () => 0)
  for (const name of ['A', 'B', 'C', 'D', 'other', 'x'.repeat(65)]) counts.executed(named(name))
  expect([...counts].map(({ name, started }) => [name, started])).toEqual([
    ['A', 1],
    ['B', 1],
    ['other', 4],
  ])
})

test('a name that has been idle for ten minutes gives way; one that is in use stays', () => {
  let now = 0
  const counts = new OperationCounts(2, () => now)
  const used = counts.of(named('Used'))
  counts.take(used)
  counts.executed(named('Idle'))
  now = IDLE_MS - 1
  counts.executed(named('TooSoon'))
  expect(namesOf(counts)).toEqual(['Used', 'Idle', 'other'])
  now = IDLE_MS
  counts.executed(named('New'))
  expect(namesOf(counts)).toEqual(['Used', 'New', 'other'])
  counts.release(used)
  now = 3 * IDLE_MS
  for (const name of ['X', 'Y', 'Z']) counts.executed(named(name))
  expect(namesOf(counts)).toEqual(['X', 'Y', 'other'])
})

test('whatever names clients choose, there are no more than the limit, and those in use are counted by name', () => {
  const MAX = 4
  const statistics = new Statistics('names of operations', ['there was no room', 'a name gave way', 'a name came back'])
  const act = fc.record({
    name: fc.nat(8),
    kind: fc.constantFrom('take', 'take', 'release', 'execute'),
    wait: fc.oneof(fc.constant(0), fc.nat(IDLE_MS)),
  })
  fc.assert(
    fc.property(fc.array(act, { maxLength: 60 }), (acts) => {
      let now = 0
      const counts = new OperationCounts(MAX, () => now)
      const taken: OperationWork[] = []
      let seen = new Set<string>()
      for (const { name, kind, wait } of acts) {
        now += wait
        const operation = named(`N${name}`)
        if (kind === 'execute') counts.executed(operation)
        else if (kind === 'take') {
          const work = counts.of(operation)
          counts.take(work)
          taken.push(work)
          if (work.name === 'other') statistics.count('there was no room')
        } else {
          const work = taken.pop()
          if (work) counts.release(work)
        }
        const names = namesOf(counts)
        expect(names.length).toBeLessThanOrEqual(MAX + 1)
        for (const work of taken) expect([...counts]).toContain(work)
        if ([...seen].some((each) => !names.includes(each))) statistics.count('a name gave way')
        if (names.includes(`N${name}`) && !seen.has(`N${name}`) && seen.size > 0) statistics.count('a name came back')
        seen = new Set(names)
      }
    }),
  )
  statistics.report()
})

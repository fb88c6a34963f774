import { constants, inflateRawSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { Units } from '../../../src/transport/gzip/units.ts'
import { anOrder } from '../../kit/gateway.ts'

const flushOf = (n: number, events = 1): Buffer =>
  Buffer.from(
    Array.from(
      { length: events },
      (_each, i) => `event: next\ndata: ${JSON.stringify(anOrder({ id: `${n}-${i}` }))}\n\n`,
    ).join(''),
  )
const inflated = (coded: Buffer, dictionary?: Buffer): Buffer =>
  inflateRawSync(coded, { finishFlush: constants.Z_SYNC_FLUSH, ...(dictionary && { dictionary }) })

test('a flush is compressed once for all members with one history, whatever their number', () => {
  const units = new Units()
  const [first, second] = [flushOf(1), flushOf(2)]
  const history = units.unitOf(first, 'flush')
  units.follow(history, first, undefined)
  const codes = Array.from({ length: 1_000 }, (_each, member) => {
    const unit = units.unitOf(second, 'flush')
    return units.encode(unit, second, 'flush', member % 10 === 0 ? undefined : history, member % 10 === 1 ? 40 : 0)
  })
  expect(new Set(codes).size).toBe(3)
  expect([units.stats.history, units.stats.alone]).toEqual([2, 1])
  expect(inflated(codes[0] as Buffer)).toEqual(second)
  expect(inflated(codes[2] as Buffer, first)).toEqual(second)
  // Other bytes of its own are between the two flushes, whatever these are.
  for (const own of ['x', 'id: AQEB\ndata:\n\n'.repeat(3), 'ord'.repeat(20)]) {
    const gap = Buffer.from(own.padEnd(40, '\n').slice(0, 40))
    expect(inflated(codes[1] as Buffer, Buffer.concat([first, gap]))).toEqual(second)
  }
  expect((codes[2] as Buffer).length).toBeLessThan(second.length / 4)
})

test('a unit is compressed three times at most, however different the histories of members are', () => {
  const units = new Units()
  const [first, second] = [flushOf(1), flushOf(2)]
  const history = units.unitOf(first, 'flush')
  units.follow(history, first, undefined)
  for (let gap = 0; gap < 100; gap++) {
    const unit = units.unitOf(second, 'flush')
    const coded = units.encode(unit, second, 'flush', history, gap)
    const dictionary = Buffer.concat([first, Buffer.alloc(gap, '?')])
    expect(inflated(coded, dictionary)).toEqual(second)
  }
  expect([units.stats.history, units.stats.alone]).toEqual([2, 1])
})

test('histories are bounded together: beyond that, the oldest are given up, and what follows them is compressed alone', () => {
  const units = new Units()
  const flushes = Array.from({ length: 5_000 }, (_each, n) => flushOf(n, 20))
  const histories = flushes.map((bytes) => {
    const unit = units.unitOf(bytes, 'flush')
    units.follow(unit, bytes, undefined)
    return unit
  })
  const kept = histories.filter((unit) => unit.held > 0)
  expect(kept.length).toBeLessThan(4_000)
  expect(kept.reduce((sum, unit) => sum + unit.held, 0)).toBeLessThanOrEqual(16 * 1024 * 1024)
  expect(histories.slice(-1_000).every((unit) => unit.held > 0)).toBe(true)
  const next = flushOf(0)
  const coded = units.encode(units.unitOf(next, 'flush'), next, 'flush', histories[0], 0)
  expect(inflated(coded)).toEqual(next)
})

test('beyond its part of the time, compression stores what it is given: own bytes first, and flushes last', () => {
  const units = new Units()
  const isStored = { flush: 0, shared: 0, own: 0 }
  const piece = (n: number): Buffer => flushOf(n, 300)
  const end = performance.now() + 2_000
  for (let n = 0; performance.now() < end; n++) {
    for (const sharing of ['flush', 'shared', 'own'] as const) {
      const bytes = piece(n)
      const coded = units.encode(units.unitOf(bytes, sharing), bytes, sharing, undefined, 0)
      if (coded.length > bytes.length) isStored[sharing]++
      expect(inflated(coded).equals(bytes)).toBe(true)
    }
  }
  console.log(`stored: ${JSON.stringify(isStored)}, compressed: ${units.stats.alone}`)
  expect(isStored.own).toBeGreaterThan(0)
  expect(isStored.own).toBeGreaterThanOrEqual(isStored.flush)
  expect(units.stats.alone).toBeGreaterThan(10)
})

test('a unit that would take the loop for long is stored', () => {
  const units = new Units()
  const bytes = flushOf(1, 8_000)
  const coded = units.encode(units.unitOf(bytes, 'flush'), bytes, 'flush', undefined, 0)
  expect([coded.length > bytes.length, units.stats.alone, units.stats.stored]).toEqual([true, 0, 1])
  expect(inflated(coded).equals(bytes)).toBe(true)
})

test('small blocks are stored: five bytes more', () => {
  const units = new Units()
  const beat = Buffer.from('id: AQEB\ndata:\n\n')
  const coded = units.encode(units.unitOf(beat, 'own'), beat, 'own', undefined, 0)
  expect(coded.length).toBe(beat.length + 5)
  expect(inflated(coded)).toEqual(beat)
})

import { describe, test } from 'vitest'
import { attack, type Hostile } from './hostile.ts'

const HOSTILE: readonly Hostile[] = ['a principal', 'addresses without credentials']

describe('200 friendly clients lose nothing beside hostile ones at all their limits', () => {
  test.each(HOSTILE)('%s', (hostile) => attack({ hostile, friendly: 200, orders: 1_000 }), 600_000)
})
